// Int8 add and mul of rows, against a copy of as many bytes.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "octet/kernel/elementwise.hpp"

namespace {

using namespace octet;

struct problem {
    const char* name;
    int rows;
    int cols;
};
constexpr problem problems[] = {{"56x56x256", 56 * 56, 256}, {"14x14x96", 14 * 14, 96}};

struct operands {
    std::size_t count;
    std::vector<std::int8_t> a, b, out;
    explicit operands(const problem& p)
        : count(static_cast<std::size_t>(p.rows) * static_cast<std::size_t>(p.cols)), a(count), b(count), out(count) {
        for (std::size_t i = 0; i < count; ++i) {
            a[i] = static_cast<std::int8_t>(i * 29 % 251);
            b[i] = static_cast<std::int8_t>(i * 31 % 253);
        }
    }
};

void count_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
    benchmark::ClobberMemory();
}

template <class Params>
void binary(benchmark::State& state, const problem& p, isa which) {
    operands o(p);
    const auto kernel = choose_binary<Params>(which);
    const auto params = Params::make({scale(0.037F), zero_point(-12)}, {scale(0.021F), zero_point(100)},
                                     {scale(0.041F), zero_point(5)}, {}, "bench");
    for (auto _ : state) {
        kernel.run(params, o.a.data(), 1, o.b.data(), 1, o.out.data(), o.count);
        benchmark::ClobberMemory();
    }
    count_bytes(state, 3 * o.count);
}

/// The floor: what the C library takes to move as many bytes as add reads and writes.
void copy(benchmark::State& state, const problem& p) {
    const operands o(p);
    std::vector<std::int8_t> from(3 * o.count / 2), to(from.size());
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), from.size());
        benchmark::ClobberMemory();
    }
    count_bytes(state, 3 * o.count);
}

const bool registered = [] {
    const auto add = [](const std::string& name, auto body) {
        benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMicrosecond);
    };
    for (const problem& p : problems) {
        add(std::string("memcpy/") + p.name, [&p](benchmark::State& state) { copy(state, p); });
        for (const isa which : supported_isas()) {
            const std::string where = std::string("/") + p.name + '/' + std::string(to_string(which));
            add("add" + where, [&p, which](benchmark::State& s) { binary<add_params<nearest_even>>(s, p, which); });
            add("add tflite" + where, [&p, which](benchmark::State& s) { binary<add_params<tflite>>(s, p, which); });
            add("mul" + where, [&p, which](benchmark::State& s) { binary<mul_params<nearest_even>>(s, p, which); });
        }
    }
    return true;
}();

}  // namespace
