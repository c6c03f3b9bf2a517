// What runs over samples show: outputs, accuracy, latency, and a hash of the output bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <octet/octet.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine.hpp"

/// FNV-1a, 64 bits.
class fnv1a {
  public:
    void add(std::span<const std::byte> bytes) noexcept {
        for (const std::byte b : bytes) value_ = (value_ ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3U;
        count_ += bytes.size();
    }
    std::uint64_t value() const noexcept { return value_; }
    std::size_t bytes() const noexcept { return count_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325U;
    std::size_t count_ = 0;
};

/// Runs every sample of a network with one input, as many at a time as the session's batch, and calls body(sample,
/// place) for each when it is done: `place` is where it stands in the batch. The last run repeats the last sample where
/// the batch is not full.
void run_all(runner& run, const octet::samples& data, const octet::progress& told,
             const std::function<void(std::size_t, std::size_t)>& body);

/// The part of all values of output `i` that belongs to the sample at `place` in the batch.
template <class T>
std::span<T> part_of(std::span<T> all, const runner& run, std::size_t place) {
    const std::size_t each = all.size() / static_cast<std::size_t>(run.input_shape(0)[0]);
    return all.subspan(place * each, each);
}
/// The real values of output `i`, of the whole batch.
std::vector<float> output_of(const runner& run, std::size_t i);

/// Of one network over all samples.
struct outcome {
    std::size_t first = 0;     ///< samples whose label has the largest output
    std::size_t first_5 = 0;   ///< samples whose label is among the five largest
    std::vector<int> classes;  ///< the largest output of each sample; of equal ones the first
    fnv1a hash;                ///< of the stored output values, sample by sample, output by output
};
outcome judge(runner& run, const octet::samples& data, const std::vector<int>& labels, const octet::progress& told);

/// The indices of the `count` largest scores, the largest first; of equal ones the first.
std::vector<int> largest(std::span<const float> scores, std::size_t count);

/// The median of several runs in milliseconds, on what the input holds: 5 runs at least, then up to 301 in 0.3 seconds.
struct latency {
    double milliseconds = 0.0;
    std::size_t runs = 0;
};
latency median_latency(runner& run);
/// The median of `runs` runs of each step, in milliseconds.
std::vector<double> median_step_latencies(runner& run, std::size_t runs);
