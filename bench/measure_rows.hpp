// How the kernels of rows are held against the memory they read and write: of_peak divides the speed by that of a loop
// over the same bytes that computes nothing, samples of both alternating; GB/s counts bytes read and bytes written.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "peak.hpp"

namespace octet::bench {

/// Alternates samples of `body`, which moves `moved` bytes each time, and of `loop`.
template <class Body, class Loop>
void measure(benchmark::State& state, double moved, const Loop& loop, const Body& body) {
    const auto sample = [&](const auto& what) {
        what();
        const double once = seconds_of(what);
        return std::max(1, static_cast<int>(50e-6 / once));  // so that reading the clock does not show
    };
    const int bodies = sample(body), loops = sample(loop);
    const auto seconds = [](const auto& what, int repeat) {
        return seconds_of([&] {
                   for (int i = 0; i < repeat; ++i) what();
               }) /
               repeat;
    };
    std::vector<double> times, peaks;
    for (auto _ : state) {
        peaks.push_back(seconds(loop, loops));
        times.push_back(seconds(body, bodies));
        state.SetIterationTime(times.back());
    }
    state.counters["GB/s"] = moved / median(times) / 1e9;
    state.counters["of_peak"] = median(peaks) / median(times);
}

/// As above, with a loop over `in` and `out` themselves, which reads `read` bytes and writes Writes for every Reads; see
/// moves() for `apart`, where 0 stands for one stream.
template <int Reads, int Writes, class Body>
void measure_rows(benchmark::State& state, isa which, const void* in, std::ptrdiff_t apart, void* out,
                  std::size_t read, const Body& body) {
    const auto move = moves<Reads, Writes>(which);
    const auto turns = static_cast<std::int64_t>(read) / (Reads * move.vector);
    const auto* from = static_cast<const std::int8_t*>(in);
    auto* to = static_cast<std::int8_t*>(out);
    measure(
        state, static_cast<double>(read) * (Reads + Writes) / Reads,
        [&] {
            move.run(from, apart == 0 ? move.vector : apart, to, turns);
            benchmark::ClobberMemory();
        },
        [&] {
            body();
            benchmark::ClobberMemory();
        });
}

}  // namespace octet::bench
