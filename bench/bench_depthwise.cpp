// Int8 depthwise convolution: the layer, on one thread.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "octet/nn/depthwise_conv2d.hpp"

namespace {

using namespace octet;

struct problem {
    const char* name;
    int kernel;
    int stride;
    int size;
    int channels;
};
constexpr problem problems[] = {
    {"3x3/112x112x32", 3, 1, 112, 32}, {"3x3/56x56x144", 3, 1, 56, 144}, {"3x3s2/56x56x144", 3, 2, 56, 144},
    {"3x3/14x14x384", 3, 1, 14, 384},  {"3x3/7x7x960", 3, 1, 7, 960},    {"5x5/14x14x480", 5, 1, 14, 480},
};

void depthwise(benchmark::State& state, const problem& p, isa which) {
    const int taps = p.kernel * p.kernel, pad = p.kernel / 2;
    const auto count = static_cast<std::size_t>(p.channels);
    std::vector<std::int8_t> weights(static_cast<std::size_t>(taps) * count);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int8_t>(i * 37 % 255 - 127);
    const std::vector<std::int32_t> bias(count, 100);
    const scale scales[] = {scale(0.004F)};
    const depthwise_conv2d<> layer({weights, p.channels, {p.kernel, p.kernel}, scales, bias},
                                   {.stride = {p.stride, p.stride},
                                    .pad = {pad, pad, pad, pad},
                                    .input = {scale(1), zero_point(3)},
                                    .output = {scale(1), zero_point(-5)},
                                    .target = which});
    const shape in_dims{1, p.size, p.size, p.channels}, out_dims = layer.output_shape(in_dims);
    buffer<std::int8_t> in(static_cast<std::size_t>(in_dims.elements()));
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::int8_t>(i * 29 % 251);
    buffer<std::int8_t> out(static_cast<std::size_t>(out_dims.elements()));
    buffer<std::byte> scratch(layer.scratch_bytes(1));
    for (auto _ : state) {
        layer({in.data(), in_dims}, {out.data(), out_dims}, scratch.data());
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    state.counters["operations"] = benchmark::Counter(2.0 * taps * static_cast<double>(out_dims.elements()),
                                                      benchmark::Counter::kIsIterationInvariantRate);
}

const bool registered = [] {
    for (const problem& p : problems)
        for (const isa which : supported_isas())
            benchmark::RegisterBenchmark(
                ("depthwise/" + std::string(p.name) + '/' + std::string(to_string(which))).c_str(),
                [&p, which](benchmark::State& state) { depthwise(state, p, which); })
                ->Unit(benchmark::kMicrosecond);
    return true;
}();

}  // namespace
