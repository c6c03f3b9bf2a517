// How a sample is taken: the clock, and how often something runs for one reading of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace octet::bench {

/// Seconds of this thread, so that what other processes take is not counted; of the wall where more threads work.
inline double now(clockid_t clock) noexcept {
    timespec at{};
    clock_gettime(clock, &at);
    return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}
template <class Body>
double seconds_of(const Body& body, clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
    const double start = now(clock);
    body();
    return now(clock) - start;
}

/// `body` as a peer is: once untimed, because the one before has filled the caches with its own data.
template <class Body>
std::function<double(int)> repeated(Body body, clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
    return [body, clock](int runs) {
        body();
        return seconds_of(
            [&] {
                for (int i = 0; i < runs; ++i) body();
            },
            clock);
    };
}

/// Something that is timed in turns with others: as often in a row as takes 50 us, so that reading the clock does not
/// show. Where more threads work, as often as takes 10 ms, and after a rest of 20 ms: a library's threads spin for a
/// while before they sleep, and would take the processors from whoever is next. And after 10 ms untimed: a virtual
/// machine's processors that wake may share one of the host's until it moves them.
class contender {
  public:
    explicit contender(std::function<double(int)> seconds, clockid_t clock = CLOCK_THREAD_CPUTIME_ID)
        : seconds_(std::move(seconds)), rests_(clock == CLOCK_MONOTONIC) {
        const double once = seconds_(1);
        runs_ = std::clamp(static_cast<int>((rests_ ? 10e-3 : 50e-6) / once), 1, 100000);
    }
    int runs() const noexcept { return runs_; }
    /// Seconds of one run.
    double sample() const {
        if (rests_) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            seconds_(runs_);
        }
        return seconds_(runs_) / runs_;
    }

  private:
    std::function<double(int)> seconds_;
    bool rests_;
    int runs_ = 1;
};

/// What make() returned when `key` was last new: Google Benchmark calls a benchmark several times in a row, and what it
/// sets up can take longer than what it times.
template <class Make>
const auto& remembered(std::string key, const Make& make) {
    static std::string last;
    static decltype(make()) value;
    if (key != last) value = {}, value = make(), last = std::move(key);
    return value;
}

}  // namespace octet::bench
