// Int8 rows: add, mul, lookup, softmax, concatenation, float to int8 and back, on every instruction set of this
// machine. of_peak divides the speed by that of a loop that reads and writes the same bytes and computes nothing,
// samples of both alternating; GB/s counts bytes read and bytes written.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "octet/core/buffer.hpp"
#include "octet/kernel/elementwise.hpp"
#include "octet/kernel/lookup.hpp"
#include "octet/kernel/quantize_rows.hpp"
#include "octet/kernel/softmax.hpp"
#include "octet/nn/movement.hpp"
#include "measure_rows.hpp"

namespace {

using namespace octet;

struct problem {
    const char* name;
    int rows;
    int cols;
    std::size_t count() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols); }
};
constexpr problem large{"56x56x256", 56 * 56, 256}, small{"14x14x96", 14 * 14, 96};

/// Aligned as a session aligns them.
buffer<std::int8_t> bytes(std::size_t count) {
    buffer<std::int8_t> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<std::int8_t>(i * 29 % 251);
    return all;
}

template <class Params>
void binary(benchmark::State& state, const problem& p, isa which) {
    const auto both = bytes(2 * p.count());
    buffer<std::int8_t> out(p.count());
    const auto kernel = choose_binary<Params>(which);
    const auto params = Params::make({scale(0.037F), zero_point(-12)}, {scale(0.021F), zero_point(100)},
                                     {scale(0.041F), zero_point(5)}, {}, "bench");
    const auto apart = static_cast<std::ptrdiff_t>(p.count());
    bench::measure_rows<2, 1>(state, which, both.data(), apart, out.data(), 2 * p.count(),
                       [&] { kernel.run(params, both.data(), 1, both.data() + apart, 1, out.data(), p.count()); });
}

void lookup(benchmark::State& state, const problem& p, isa which) {
    const auto in = bytes(p.count());
    buffer<std::int8_t> out(p.count());
    lookup_table table;
    for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<std::int8_t>(i * 77 + 31);
    const auto kernel = choose_lookup(which);
    bench::measure_rows<1, 1>(state, which, in.data(), 0, out.data(), p.count(),
                       [&] { kernel.run(table, in.data(), p.count(), out.data()); });
}

void quantize(benchmark::State& state, const problem& p, isa which) {
    buffer<float> in(p.count());
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 1777) * 0.0057F - 5.0F;
    buffer<std::int8_t> out(p.count());
    const auto kernel = choose_quantize(which);
    bench::measure_rows<4, 1>(state, which, in.data(), 0, out.data(), 4 * p.count(), [&] {
        kernel.run(in.data(), p.count(), {scale(0.037F), zero_point(-12)}, {}, out.data());
    });
}

void dequantize(benchmark::State& state, const problem& p, isa which) {
    const auto in = bytes(p.count());
    buffer<float> out(p.count());
    const auto kernel = choose_dequantize(which);
    bench::measure_rows<1, 4>(state, which, in.data(), 0, out.data(), p.count(), [&] {
        kernel.run(in.data(), p.count(), {scale(0.037F), zero_point(-12)}, out.data());
    });
}

/// Two halves of the channels into one tensor.
void concat(benchmark::State& state, const problem& p, isa which) {
    const auto in = bytes(p.count());
    buffer<std::int8_t> out(p.count());
    const shape half{1, p.rows, p.cols / 2}, all{1, p.rows, p.cols};
    bench::measure_rows<1, 1>(state, which, in.data(), 0, out.data(), p.count(), [&] {
        concat_copy<std::int8_t>({in.data(), half}, {out.data(), all}, 2, 0);
        concat_copy<std::int8_t>({in.data() + p.count() / 2, half}, {out.data(), all}, 2, p.cols / 2);
    });
}

/// One row of 1,000 classes, and the scores of 21 classes at every pixel.
void softmax(benchmark::State& state, const problem& p, isa which) {
    const auto in = bytes(p.count());
    buffer<std::int8_t> out(p.count());
    const auto cols = static_cast<std::size_t>(p.cols);
    const auto params = make_softmax(scale(0.08F), {scale(1.0F / 256), zero_point(-128)}, {}, p.cols, "bench");
    bench::measure_rows<1, 1>(state, which, in.data(), 0, out.data(), p.count(), [&] {
        for (std::size_t at = 0; at < p.count(); at += cols) softmax_row(params, in.data() + at, cols, out.data() + at);
    });
}

[[maybe_unused]] const bool registered = [] {
    for (const isa which : supported_isas()) {
        const auto add = [which](const char* operation, const problem& p, auto* run) {
            benchmark::RegisterBenchmark(text(operation, '/', p.name, '/', to_string(which)).c_str(),
                                         [=](benchmark::State& state) { run(state, p, which); })
                ->UseManualTime()
                ->Unit(benchmark::kMicrosecond);
        };
        for (const problem& p : {large, small}) {
            add("add", p, binary<add_params<nearest_even>>);
            add("add_tflite", p, binary<add_params<tflite>>);
            add("mul", p, binary<mul_params<nearest_even>>);
            add("mul_tflite", p, binary<mul_params<tflite>>);
            add("lookup", p, lookup);
            add("quantize", p, quantize);
            add("dequantize", p, dequantize);
            add("concat", p, concat);
        }
        add("softmax", {"1000", 1, 1000}, softmax);
        add("softmax", {"64x64x21", 64 * 64, 21}, softmax);
    }
    return true;
}();

}  // namespace
