// Int8 pooling: the kernels alone. Bytes are those of the input and the output, each once.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "octet/kernel/pool.hpp"
#include "octet/kernel/taps.hpp"

namespace {

using namespace octet;

/// Max pool 3x3 stride 2; padding holds the lowest value.
void max_pool(benchmark::State& state, int height, int channels, isa which) {
    const int taps = 9, side = (height + 2 - 3) / 2 + 1;
    const shape dims{1, height, height, channels};
    const std::vector<std::int8_t> in(static_cast<std::size_t>(dims.elements()), std::int8_t{3});
    std::vector<std::int8_t> out(static_cast<std::size_t>(side * side * channels));
    const std::vector<std::int8_t> lowest(static_cast<std::size_t>(channels), std::int8_t{-128});
    const sliding<std::int8_t> over{{in.data(), dims}, {{3, 3}, {2, 2}, {}, {1, 1, 1, 1}, false}, {side, side}};
    std::vector<const std::int8_t*> table(static_cast<std::size_t>(side * side * taps));
    fill_taps(over, 0, side * side, lowest.data(), 1, taps, table.data());
    const auto kernel = choose_max_pool(which);
    for (auto _ : state) {
        kernel.run({.lhs = table.data(),
                    .base = nullptr,
                    .taps = taps,
                    .pixels = side * side,
                    .channels = channels,
                    .out = out.data(),
                    .out_stride = channels},
                   {});
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(in.size() + out.size()) * state.iterations());
}

void global_average(benchmark::State& state, int taps, int channels, isa which) {
    const std::vector<std::int8_t> in(static_cast<std::size_t>(taps * channels), std::int8_t{3});
    std::vector<std::int8_t> out(static_cast<std::size_t>(channels));
    const auto kernel = choose_average_pool<nearest_even>(which);
    const auto params = average_params<nearest_even>::make({scale(0.05F), zero_point(3)},
                                                           {scale(0.03F), zero_point(-7)}, {}, taps, "bench");
    for (auto _ : state) {
        kernel.run({.lhs = nullptr,
                    .base = in.data(),
                    .tap_stride = channels,
                    .taps = taps,
                    .pixels = 1,
                    .channels = channels,
                    .out = out.data(),
                    .out_stride = channels},
                   params);
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(in.size() + out.size()) * state.iterations());
}

const bool registered = [] {
    for (const isa which : supported_isas()) {
        const std::string suffix = '/' + std::string(to_string(which));
        benchmark::RegisterBenchmark(("max_pool/3x3s2/112x112x64" + suffix).c_str(), [which](benchmark::State& state) {
            max_pool(state, 112, 64, which);
        })->Unit(benchmark::kMicrosecond);
        benchmark::RegisterBenchmark(("global_average_pool/7x7x1280" + suffix).c_str(), [which](
                                                                                            benchmark::State& state) {
            global_average(state, 49, 1280, which);
        })->Unit(benchmark::kMicrosecond);
    }
    return true;
}();

}  // namespace
