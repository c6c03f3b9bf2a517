// GEMM, int8 and float, on every instruction set of this machine: gemm/<rows>x<cols>x<depth>/<isa> and gemm_float/...
// Weights are packed ahead. ops_per_second is of the median; of_peak divides it by the median of a register loop of
// vpdpbusd (AVX2: vpmaddwd and vpaddd; float: fma), samples of both alternating.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "octet/kernel/gemm.hpp"
#include "octet/kernel/gemm_float.hpp"
#include "peak.hpp"

namespace {

using octet::isa;

struct product {
    int rows, cols, depth;
    double operations() const { return 2.0 * rows * cols * depth; }
};

constexpr product shapes[] = {
    {1, 1000, 2048}, {1, 4096, 4096},    {64, 64, 64},    {128, 128, 128}, {256, 256, 256},
    {384, 384, 384}, {1024, 1024, 1024}, {3136, 64, 64},  {784, 128, 512}, {196, 256, 1024},
    {49, 2048, 512}, {12544, 64, 147},   {12544, 32, 27},
};

std::size_t size(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

/// Alternates samples of `body` (operations each time it runs) and of the loop.
template <class Body>
void measure(benchmark::State& state, double operations, const octet::bench::peak_loop& peak, const Body& body) {
    body();
    const double once = octet::bench::seconds_of(body);
    const int repeat = std::max(1, static_cast<int>(50e-6 / once));  // so that reading the clock does not show
    std::vector<double> times, peaks;
    for (auto _ : state) {
        if (peak.run != nullptr) peaks.push_back(octet::bench::sample(peak));
        const double seconds = octet::bench::seconds_of([&] {
                                   for (int i = 0; i < repeat; ++i) body();
                               }) /
                               repeat;
        times.push_back(seconds);
        state.SetIterationTime(seconds);
    }
    const double speed = operations / octet::bench::median(times);
    state.counters["ops_per_second"] = speed;
    if (!peaks.empty()) state.counters["of_peak"] = speed / octet::bench::median(peaks);
}

void run_gemm(benchmark::State& state, product p, isa which) {
    using rounding = octet::nearest_even;
    const auto kernel = octet::choose_gemm<rounding>(which, false);
    std::mt19937 random(1);
    std::vector<std::int8_t> lhs(size(p.rows, p.depth)), weights(size(p.cols, p.depth)), out(size(p.rows, p.cols));
    for (auto& x : lhs) x = static_cast<std::int8_t>(random());
    for (auto& w : weights) w = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
    const std::vector<std::int32_t> bias(size(p.cols, 1), 100);
    const std::vector<rounding::multiplier> multipliers(size(p.cols, 1), rounding::make(0.0003F, "bench"));
    const auto packed = octet::pack_gemm<rounding>(kernel.layout, {weights.data(), p.cols, p.depth}, bias, multipliers,
                                                   octet::zero_point(3), "bench");
    octet::buffer<std::byte> scratch(kernel.scratch_bytes(1, p.depth));
    std::vector<const std::int8_t*> table;
    for (int m = 0; m < p.rows; ++m) table.push_back(lhs.data() + size(m, p.depth));
    measure(state, p.operations(), octet::bench::int8_peak(which), [&] {
        for (int m = 0; m < p.rows; m += kernel.tile_rows)
            kernel.run({.weights = &packed,
                        .lhs = table.data() + m,
                        .count = std::min(kernel.tile_rows, p.rows - m),
                        .end_panel = packed.panels(),
                        .out = out.data() + size(m, p.cols),
                        .out_stride = p.cols,
                        .out_zero = octet::zero_point(5),
                        .scratch = scratch.data()});
        benchmark::ClobberMemory();
    });
}

void run_gemm_float(benchmark::State& state, product p, isa which) {
    const auto kernel = octet::choose_float_gemm(which);
    std::mt19937 random(1);
    const auto real = [&] { return static_cast<float>(random() % 2048) / 1024 - 1; };
    std::vector<float> lhs(size(p.rows, p.depth)), weights(size(p.cols, p.depth)), out(size(p.rows, p.cols));
    std::generate(lhs.begin(), lhs.end(), real);
    std::generate(weights.begin(), weights.end(), real);
    const std::vector<float> bias(size(p.cols, 1), 0.5F);
    const auto packed = octet::pack_float_gemm(kernel.panel, weights.data(), p.cols, 1, p.depth, bias);
    std::vector<const float*> table;
    for (int m = 0; m < p.rows; ++m) table.push_back(lhs.data() + size(m, p.depth));
    measure(state, p.operations(), octet::bench::float_peak(which), [&] {
        for (int m = 0; m < p.rows; m += kernel.tile_rows)
            kernel.run({&packed, table.data() + m, 0, std::min(kernel.tile_rows, p.rows - m),
                        out.data() + size(m, p.cols), p.cols});
        benchmark::ClobberMemory();
    });
}

[[maybe_unused]] const bool registered = [] {
    const auto add = [](const char* operation, auto* run) {
        for (const product p : shapes)
            for (const isa which : octet::supported_isas()) {
                const auto name = octet::text(operation, "/", p.rows, "x", p.cols, "x", p.depth, "/", to_string(which));
                benchmark::RegisterBenchmark(name.c_str(), run, p, which)
                    ->UseManualTime()
                    ->Unit(benchmark::kMicrosecond);
            }
    };
    add("gemm", run_gemm);
    add("gemm_float", run_gemm_float);
    return true;
}();

}  // namespace
