#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace {

/// How many outputs come before output `label`: larger ones, and equal ones with a smaller index.
int rank_of(std::span<const float> scores, int label) {
    const float own = scores[static_cast<std::size_t>(label)];
    int before = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        before += scores[i] > own || (scores[i] == own && static_cast<int>(i) < label) ? 1 : 0;
    return before;
}

double median(std::vector<double>& times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

}  // namespace

void run_all(runner& run, const octet::samples& data, const octet::progress& told,
             const std::function<void(std::size_t, std::size_t)>& body) {
    const auto batch = static_cast<std::size_t>(run.input_shape(0)[0]);
    const std::size_t elements = static_cast<std::size_t>(run.input_shape(0).elements()) / batch;
    std::vector<float> in(batch * elements);
    for (std::size_t first = 0; first < data.count; first += batch) {
        const std::size_t count = std::min(batch, data.count - first);
        for (std::size_t s = 0; s < batch; ++s) {
            const auto one = data.slice(0, first + std::min(s, count - 1), 1, elements);
            std::copy(one.begin(), one.end(), in.begin() + static_cast<std::ptrdiff_t>(s * elements));
        }
        run.set_input(0, in);
        run.run();
        for (std::size_t s = 0; s < count; ++s) body(first + s, s);
        told.report(told.context, first + count, data.count);
    }
}

std::vector<float> output_of(const runner& run, std::size_t i) {
    std::vector<float> values(static_cast<std::size_t>(run.output_shape(i).elements()));
    run.get_output(i, values);
    return values;
}

outcome judge(runner& run, const octet::samples& data, const std::vector<int>& labels, const octet::progress& told) {
    outcome all;
    std::vector<float> scores;
    run_all(run, data, told, [&](std::size_t sample, std::size_t place) {
        if (place == 0) scores = output_of(run, 0);
        const auto own = part_of<const float>(scores, run, place);
        const int rank = rank_of(own, labels[sample]);
        all.first += rank < 1 ? 1U : 0U;
        all.first_5 += rank < 5 ? 1U : 0U;
        all.classes.push_back(largest(own, 1)[0]);
        for (std::size_t i = 0; i < run.outputs(); ++i) all.hash.add(part_of(run.stored_output(i), run, place));
    });
    return all;
}

std::vector<int> largest(std::span<const float> scores, std::size_t count) {
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    count = std::min(count, order.size());
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(order.begin(), end, order.end(), [&](int a, int b) {
        const float x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
        return x > y || (x == y && a < b);
    });
    order.erase(end, order.end());
    return order;
}

latency median_latency(runner& run) {
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
    return {median(times), times.size()};
}

std::vector<double> median_step_latencies(runner& run, std::size_t runs) {
    using clock = std::chrono::steady_clock;
    std::vector<std::vector<double>> times(run.steps().size());
    for (std::size_t r = 0; r < runs; ++r)
        for (std::size_t i = 0; i < times.size(); ++i) {
            const auto start = clock::now();
            run.run_step(i);
            times[i].push_back(std::chrono::duration<double, std::milli>(clock::now() - start).count());
        }
    std::vector<double> medians;
    for (std::vector<double>& of_step : times) medians.push_back(median(of_step));
    return medians;
}
