// What `octet evaluate` measures of a session: accuracy, latency, and a hash of its output bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <octet/octet.hpp>
#include <span>
#include <vector>

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

/// Of one network over all samples.
struct outcome {
    std::size_t first = 0;     ///< samples whose label has the largest output
    std::size_t first_5 = 0;   ///< samples whose label is among the five largest
    std::vector<int> classes;  ///< the largest output of each sample; of equal ones the first
    fnv1a hash;                ///< of the stored output values, sample by sample, output by output
};

/// How many outputs come before output `label`: larger ones, and equal ones with a smaller index.
inline int rank_of(std::span<const float> scores, int label) {
    const float own = scores[static_cast<std::size_t>(label)];
    int before = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        before += scores[i] > own || (scores[i] == own && static_cast<int>(i) < label) ? 1 : 0;
    return before;
}

/// The stored values of one sample of output `i`: a session of several keeps them one after the other.
template <class T, class Session>
std::span<const std::byte> stored_bytes(const Session& run, std::size_t i, std::size_t sample, std::size_t batch) {
    const auto view = run.template output<T>(i);  // outputs are dense
    const std::size_t each = static_cast<std::size_t>(view.dims.elements()) / batch;
    return std::as_bytes(std::span<const T>(view.data + sample * each, each));
}

/// Runs every sample, `batch` at a time; the last run repeats the last sample where the batch is not full.
template <class Session>
outcome run_all(Session& run, const octet::samples& data, const std::vector<int>& labels) {
    outcome all;
    const auto batch = static_cast<std::size_t>(run.input_shape(0)[0]);
    const std::size_t elements = static_cast<std::size_t>(run.input_shape(0).elements()) / batch;
    const std::size_t scores = static_cast<std::size_t>(run.output_shape(0).elements()) / batch;
    std::vector<float> in(batch * elements), out(batch * scores);
    for (std::size_t first = 0; first < data.count; first += batch) {
        const std::size_t count = std::min(batch, data.count - first);
        for (std::size_t s = 0; s < batch; ++s) {
            const auto one = data.slice(0, first + std::min(s, count - 1), 1, elements);
            std::copy(one.begin(), one.end(), in.begin() + static_cast<std::ptrdiff_t>(s * elements));
        }
        run.set_input(0, in);
        run.run();
        run.get_output(0, out);
        for (std::size_t s = 0; s < count; ++s) {
            const std::span<const float> own(out.data() + s * scores, scores);
            const int rank = rank_of(own, labels[first + s]);
            all.first += rank < 1 ? 1U : 0U;
            all.first_5 += rank < 5 ? 1U : 0U;
            all.classes.push_back(static_cast<int>(std::max_element(own.begin(), own.end()) - own.begin()));
            for (std::size_t i = 0; i < run.outputs(); ++i)
                all.hash.add(run.output_is_int8(i) ? stored_bytes<std::int8_t>(run, i, s, batch)
                                                   : stored_bytes<float>(run, i, s, batch));
        }
    }
    return all;
}

/// The median of several runs in milliseconds, on what the input holds: 5 runs at least, then up to 301 in 0.3 seconds.
struct latency {
    double milliseconds = 0.0;
    std::size_t runs = 0;
};
template <class Session>
latency median_latency(Session& run) {
    using clock = std::chrono::steady_clock;
    const auto milliseconds = [](clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
    std::vector<double> times;
    run.run();
    const auto begin = clock::now();
    while (times.size() < 5 || (times.size() < 301 && milliseconds(clock::now() - begin) < 300.0)) {
        const auto start = clock::now();
        run.run();
        times.push_back(milliseconds(clock::now() - start));
    }
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return {times[times.size() / 2], times.size()};
}
