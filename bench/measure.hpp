// How every figure is taken. Clocks drift, so only ratios within one run are worth something: each turn takes a sample
// of the limit, one of Octet and one of every peer, one after the other, and the counters are medians of what the turns
// say.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include "peak.hpp"
#include "peer.hpp"
#include "timing.hpp"

namespace octet::bench {

inline double median(std::vector<double> samples) {
    const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
    std::nth_element(samples.begin(), middle, samples.end());
    return *middle;
}

/// What one run of a benchmark does: operations, or bytes moved, or both.
struct work {
    double operations = 0.0;
    double bytes = 0.0;
};

/// The benchmark's loop. The time is Octet's, of one run of `body`: register it with UseManualTime(). Counters, each
/// the median of the turns:
///   ops_per_second, bytes_per_second   for what `done` says
///   of_peak                            the share of `peak` reached, if there is a loop for this instruction set
///   vs_<peer>                          how many times as long as Octet the peer takes
template <class Body>
void measure(benchmark::State& state, work done, const limit& peak, const peers& others, const Body& body,
             clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
    const contender own(repeated(std::cref(body), clock), clock);
    std::vector<contender> against;
    for (const peer& each : others) against.emplace_back(each.seconds, clock);
    std::vector<double> times, shares;
    std::vector<std::vector<double>> ratios(others.size());
    while (state.KeepRunningBatch(own.runs())) {
        const double seconds = own.sample();
        state.SetIterationTime(seconds * own.runs());
        times.push_back(seconds);
        if (peak.rate) shares.push_back((peak.of_bytes ? done.bytes : done.operations) / seconds / peak.rate());
        for (std::size_t i = 0; i < against.size(); ++i) ratios[i].push_back(against[i].sample() / seconds);
    }
    if (done.operations != 0.0) state.counters["ops_per_second"] = done.operations / median(times);
    if (done.bytes != 0.0) state.counters["bytes_per_second"] = done.bytes / median(times);
    if (!shares.empty()) state.counters["of_peak"] = median(shares);
    for (std::size_t i = 0; i < others.size(); ++i) state.counters["vs_" + others[i].name] = median(ratios[i]);
}

/// Registers run(state, problem, isa) as <name of the problem>/<isa> for every instruction set of this machine.
template <class Problems, class Run>
void register_problems(const Problems& problems, const Run& run, const char* prefix = "") {
    for (const auto& problem : problems)
        for (const isa which : supported_isas())
            benchmark::RegisterBenchmark(
                text(prefix, problem.name(), "/", to_string(which)).c_str(),
                [&problem, which, run](benchmark::State& state) { run(state, problem, which); })
                ->UseManualTime()
                ->Unit(benchmark::kMicrosecond);
}

}  // namespace octet::bench
