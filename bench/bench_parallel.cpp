// One fork and join of the hook on Eigen's thread pool, in microseconds: empty tasks, tasks of 10 us (real time should
// be half of two tasks' where a second processor is free), and forks so far apart that helpers have left and must be
// woken.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "octet/eigen.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

void spend(std::chrono::microseconds time) noexcept {
    for (const auto end = clock_type::now() + time; clock_type::now() < end;) {
    }
}

/// Two workers, tasks of `microseconds` each: state.range(0) tasks of state.range(1) us.
void fork_and_join(benchmark::State& state) {
    octet::eigen_threads threads{2};
    const octet::parallel hook = threads.hook();
    const std::chrono::microseconds each(state.range(1));
    int helped = 0, forks = 0;
    for (auto _ : state) {
        bool worked[2] = {false, false};
        octet::parallel_for(hook, static_cast<int>(state.range(0)), [&](int, int worker) {
            if (each.count() != 0) spend(each);
            worked[worker] = true;
        });
        helped += worked[1] ? 1 : 0, ++forks;
    }
    state.counters["helped"] = static_cast<double>(helped) / forks;
}

/// Two empty tasks, each of which ends when the other has begun.
void meeting(benchmark::State& state) {
    octet::eigen_threads threads{2};
    const octet::parallel hook = threads.hook();
    std::vector<double> times;
    for (auto _ : state) {
        std::atomic<int> begun{0};
        const auto begin = clock_type::now();
        octet::parallel_for(hook, 2, [&](int, int) {
            begun.fetch_add(1);
            while (begun.load() != 2) {
            }
        });
        times.push_back(std::chrono::duration<double, std::micro>(clock_type::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    state.counters["least_us"] = times.front();
    state.counters["tenth_us"] = times[times.size() / 10];
    state.counters["median_us"] = times[times.size() / 2];
}

/// What fork_and_join does, by the calling thread alone.
void serial(benchmark::State& state) {
    const octet::parallel hook;
    const std::chrono::microseconds each(state.range(1));
    for (auto _ : state) {
        int sum = 0;
        octet::parallel_for(hook, static_cast<int>(state.range(0)), [&](int index, int) {
            if (each.count() != 0) spend(each);
            sum += index;
        });
        benchmark::DoNotOptimize(sum);
    }
}

/// 65 forks of two 10 us tasks each, as a network makes them, with 5 us of serial work between them.
void network(benchmark::State& state) {
    octet::eigen_threads threads{2};
    const octet::parallel hook = threads.hook();
    for (auto _ : state)
        for (int layer = 0; layer < 65; ++layer) {
            octet::parallel_for(hook, 2, [](int, int) { spend(std::chrono::microseconds(10)); });
            spend(std::chrono::microseconds(5));
        }
}

/// One fork after the helpers have gone: the caller's cost, of waking them included.
void fork_after_a_pause(benchmark::State& state) {
    octet::eigen_threads threads{2, std::chrono::microseconds(0)};
    const octet::parallel hook = threads.hook();
    for (auto _ : state) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        const auto begin = clock_type::now();
        octet::parallel_for(hook, 2, [](int, int) {});
        state.SetIterationTime(std::chrono::duration<double>(clock_type::now() - begin).count());
    }
}

BENCHMARK(fork_and_join)
    ->Args({2, 0})
    ->Args({16, 0})
    ->Args({2, 10})
    ->Args({16, 10})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(meeting)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(serial)->Args({2, 0})->Args({2, 10})->Args({16, 10})->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(network)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(fork_after_a_pause)->UseManualTime()->Iterations(300)->Unit(benchmark::kMicrosecond);

}  // namespace
