// Int8 depthwise convolution: the kernel alone, taps by indirection, one call for each output row.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "octet/kernel/depthwise.hpp"
#include "octet/kernel/taps.hpp"

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
    const auto kernel = choose_depthwise<nearest_even>(which);
    const int taps = p.kernel * p.kernel, pad = p.kernel / 2, side = (p.size + 2 * pad - p.kernel) / p.stride + 1;
    const auto count = static_cast<std::size_t>(p.channels);
    std::vector<std::int8_t> weights(static_cast<std::size_t>(taps) * count), padding(count, 3);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int8_t>(i * 37 % 255 - 127);
    const std::vector<std::int32_t> bias(count, 100);
    const std::vector<nearest_even::multiplier> multipliers(count, {0.004F});
    const auto packed = pack_depthwise<nearest_even>(kernel.layout, weights.data(), taps, p.channels, bias, multipliers,
                                                     zero_point(3), "bench");

    const shape in_dims{1, p.size, p.size, p.channels};
    std::vector<std::int8_t> in(static_cast<std::size_t>(in_dims.elements()));
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::int8_t>(i * 29 % 251);
    std::vector<std::int8_t> out(static_cast<std::size_t>(side * side) * count);
    const sliding<std::int8_t> over{{in.data(), in_dims},
                                    {{p.kernel, p.kernel}, {p.stride, p.stride}, {}, {pad, pad, pad, pad}, false},
                                    {side, side}};
    std::vector<const std::int8_t*> table(static_cast<std::size_t>(side * side * taps));
    fill_taps(over, 0, side * side, padding.data(), 1, taps, table.data());
    for (auto _ : state) {
        for (int row = 0; row < side; ++row)
            kernel.run({&packed,
                        table.data() + row * side * taps,
                        side,
                        out.data() + row * side * p.channels,
                        p.channels,
                        zero_point(-5),
                        {}});
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    state.counters["operations"] =
        benchmark::Counter(2.0 * taps * side * side * p.channels, benchmark::Counter::kIsIterationInvariantRate);
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
