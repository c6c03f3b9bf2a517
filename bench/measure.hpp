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

/// What one run of a benchmark does: operations, or bytes moved.
struct work {
    double operations = 0.0;
    double bytes = 0.0;
};

/// The benchmark's loop. Registers with UseManualTime(): the time is Octet's, of one run of `body`. Counters:
///   ops_per_second (or bytes_per_second)   of the median
///   of_peak      that divided by what `peak` reaches in the same unit, if there is one for this instruction set
///   vs_<peer>    how many times as long each peer takes
template <class Body>
void measure(benchmark::State& state, work done, const limit& peak, const peers& others, const Body& body,
             clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
    const double amount = done.operations + done.bytes;
    const contender own(repeated(std::cref(body), clock));
    std::vector<contender> against;
    for (const peer& each : others) against.emplace_back(each.seconds);
    std::vector<double> times, shares;
    std::vector<std::vector<double>> ratios(others.size());
    while (state.KeepRunningBatch(own.runs())) {
        const double seconds = own.sample();
        state.SetIterationTime(seconds * own.runs());
        times.push_back(seconds);
        if (peak.rate) shares.push_back(amount / seconds / peak.rate());
        for (std::size_t i = 0; i < against.size(); ++i) ratios[i].push_back(against[i].sample() / seconds);
    }
    state.counters[done.operations != 0.0 ? "ops_per_second" : "bytes_per_second"] = amount / median(times);
    if (!shares.empty()) state.counters["of_peak"] = median(shares);
    for (std::size_t i = 0; i < others.size(); ++i) state.counters["vs_" + others[i].name] = median(ratios[i]);
}

}  // namespace octet::bench
