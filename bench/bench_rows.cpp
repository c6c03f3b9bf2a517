// The kernels of rows by themselves: <operation>/<height>x<width>x<channels>/<isa>, where bench_elementwise runs them
// in sessions. The limit is a loop that reads and writes as many bytes.
#include "measure.hpp"
#include "octet/core/buffer.hpp"
#include "octet/kernel/elementwise.hpp"
#include "octet/kernel/lookup.hpp"
#include "octet/kernel/quantize_rows.hpp"
#include "octet/kernel/softmax.hpp"
#include "octet/nn/movement.hpp"

namespace {

using namespace octet;

struct row_problem {
    const char* operation;
    int height, width, channels;
    void (*run)(benchmark::State& state, const row_problem& p, isa which);

    std::string name() const { return text(operation, '/', height, 'x', width, 'x', channels); }
    std::size_t count() const { return static_cast<std::size_t>(height * width * channels); }
};

buffer<std::int8_t> some_bytes(std::size_t count) {
    buffer<std::int8_t> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<std::int8_t>(i * 29 % 251);
    return all;
}
const quant_params first{scale(0.037F), zero_point(-12)}, second{scale(0.021F), zero_point(100)};

template <class Body>
void measure_rows(benchmark::State& state, isa which, std::size_t reads, std::size_t writes, const Body& body) {
    bench::measure(state, {.bytes = static_cast<double>(reads + writes)}, bench::traffic_limit(which, reads, writes),
                   {}, [&body] {
                       body();
                       benchmark::ClobberMemory();
                   });
}

template <class Params>
void binary(benchmark::State& state, const row_problem& p, isa which) {
    const auto a = some_bytes(p.count()), b = some_bytes(p.count());
    buffer<std::int8_t> out(p.count());
    const auto kernel = choose_binary<Params>(which);
    const auto params = Params::make(first, second, {scale(0.041F), zero_point(5)}, {}, "bench");
    measure_rows(state, which, 2 * p.count(), p.count(),
                 [&] { kernel.run(params, a.data(), 1, b.data(), 1, out.data(), p.count()); });
}
void lookup(benchmark::State& state, const row_problem& p, isa which) {
    const auto in = some_bytes(p.count());
    buffer<std::int8_t> out(p.count());
    lookup_table table;
    for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<std::int8_t>(i * 77 + 31);
    const auto kernel = choose_lookup(which);
    measure_rows(state, which, p.count(), p.count(), [&] { kernel.run(table, in.data(), p.count(), out.data()); });
}
void quantize(benchmark::State& state, const row_problem& p, isa which) {
    buffer<float> in(p.count());
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 1777) * 0.0057F - 5.0F;
    buffer<std::int8_t> out(p.count());
    const auto kernel = choose_quantize(which);
    measure_rows(state, which, 4 * p.count(), p.count(),
                 [&] { kernel.run(in.data(), p.count(), first, {}, out.data()); });
}
void dequantize(benchmark::State& state, const row_problem& p, isa which) {
    const auto in = some_bytes(p.count());
    buffer<float> out(p.count());
    const auto kernel = choose_dequantize(which);
    measure_rows(state, which, p.count(), 4 * p.count(), [&] { kernel.run(in.data(), p.count(), first, out.data()); });
}
/// Two halves of the channels into one tensor: the copies that a memory plan could not avoid.
void concat(benchmark::State& state, const row_problem& p, isa which) {
    const auto in = some_bytes(p.count());
    buffer<std::int8_t> out(p.count());
    const shape half{p.height, p.width, p.channels / 2}, all{p.height, p.width, p.channels};
    const concat_part<std::int8_t> parts[] = {{{in.data(), half}, 0},
                                              {{in.data() + p.count() / 2, half}, p.channels / 2}};
    const auto part = [&](int i) noexcept { return parts[i]; };
    measure_rows(state, which, p.count(), p.count(), [&] { concat_copy<std::int8_t>(2, part, {out.data(), all}, 2); });
}
void softmax(benchmark::State& state, const row_problem& p, isa which) {
    const auto in = some_bytes(p.count());
    buffer<std::int8_t> out(p.count());
    const auto cols = static_cast<std::size_t>(p.channels);
    const auto params = make_softmax(scale(0.08F), {scale(1.0F / 256), zero_point(-128)}, {}, p.channels, "bench");
    const auto kernel = choose_lookup(which);
    measure_rows(state, which, p.count(), p.count(), [&] {
        for (std::size_t at = 0; at < p.count(); at += cols)
            softmax_row(params, in.data() + at, cols, out.data() + at, kernel);
    });
}

constexpr row_problem problems[] = {
    {"add", 56, 56, 256, binary<add_params<nearest_even>>},
    {"add", 14, 14, 96, binary<add_params<nearest_even>>},
    {"add_tflite", 56, 56, 256, binary<add_params<tflite>>},
    {"mul", 56, 56, 256, binary<mul_params<nearest_even>>},
    {"mul_tflite", 56, 56, 256, binary<mul_params<tflite>>},
    {"lookup", 56, 56, 256, lookup},
    {"lookup", 14, 14, 96, lookup},
    {"quantize", 224, 224, 3, quantize},
    {"dequantize", 56, 56, 256, dequantize},
    {"concat", 56, 56, 256, concat},
    {"concat", 28, 28, 64, concat},
    {"softmax", 1, 1, 1000, softmax},
    {"softmax", 64, 64, 21, softmax},
};

[[maybe_unused]] const bool registered = [] {
    bench::register_problems(problems,
                             [](benchmark::State& state, const row_problem& p, isa which) { p.run(state, p, which); });
    return true;
}();

}  // namespace
