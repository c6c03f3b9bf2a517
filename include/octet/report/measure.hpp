// What a report measures: two networks run side by side over samples, tensor by tensor, and the time of their steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <type_traits>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/ranges.hpp"
#include "octet/graph/samples.hpp"
#include "octet/graph/session.hpp"
#include "octet/quant/noise.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::inline OCTET_ABI::detail {

/// What the two networks made of one tensor, over all samples. `seen` and `reach` are of the float network's values:
/// all of them, and the largest magnitude in each channel (the last dimension).
struct tensor_loss {
    signal_and_noise left;
    std::uint64_t saturated = 0;
    histogram seen;
    std::vector<float> reach;

    bool empty() const noexcept { return seen.values() == 0; }
    double saturated_share() const noexcept {
        return saturated == 0 ? 0.0 : static_cast<double>(saturated) / static_cast<double>(seen.finite());
    }
    /// For what is a view of several tensors, whose channels are theirs.
    void merge(const tensor_loss& other) noexcept {
        left.merge(other.left), seen.merge(other.seen);
        saturated += other.saturated;
    }
    /// may_cut: whether `params` are of a range that was chosen.
    void add(const std::vector<float>& real, const std::vector<float>& quantized, bool may_cut, quant_params params) {
        seen.observe(real);
        const float floor = dequantize_value(-128, params), ceiling = dequantize_value(127, params);
        const float half = 0.5F * params.scale.value;
        for (std::size_t i = 0, channel = 0; i < real.size(); ++i) {
            const float f = real[i], q = quantized[i];
            left.add(f, q);
            const bool cut = (q == ceiling && f > ceiling + half) || (q == floor && f < floor - half);
            saturated += may_cut && cut ? 1U : 0U;
            reach[channel] = std::max(reach[channel], f < 0 ? -f : f);
            channel = channel + 1 == reach.size() ? 0 : channel + 1;
        }
    }
};

/// The real values of every tensor of one run, by tensor_id; empty where the tensor is a view of others.
template <class Rounding>
void run_and_keep(session<Rounding>& run, const quantized_graph& from, std::vector<std::vector<float>>& kept) {
    run.run_observed([&]<class T>(tensor_id id, tensor_view<const T> values) {
        std::vector<float>& own = kept[static_cast<std::size_t>(id)];
        own.clear();
        own.reserve(static_cast<std::size_t>(values.dims.elements()));
        const quant_params params = from.at(id).params;
        for (std::int64_t r = 0; r < values.rows(); ++r)
            for (std::int64_t c = 0; c < values.cols(); ++c)
                if constexpr (std::is_same_v<T, float>)
                    own.push_back(values.row(r)[c]);
                else
                    own.push_back(dequantize_value(values.row(r)[c], params));
    });
}

/// Runs both networks over `count` samples; the loss of each tensor of `int8` beside its twin in the float graph, empty
/// where no step makes it.
template <class Rounding>
std::vector<tensor_loss> measure(session<>& real, session<Rounding>& quantized, const quantized_graph& float_graph,
                                 const quantized_graph& int8, const std::vector<tensor_id>& twins, const samples& data,
                                 std::size_t count) {
    const std::size_t tensors = int8.tensors.size();
    std::vector<tensor_loss> losses(tensors);
    for (std::size_t t = 0; t < tensors; ++t)
        losses[t].reach.resize(static_cast<std::size_t>(int8.net.tensors()[t].dims.cols()));
    std::vector<bool> may_cut(tensors);
    for (std::size_t t = 0; t < tensors; ++t) may_cut[t] = int8.tensors[t].is_int8;
    for (const node& n : int8.net.nodes())  // of a softmax, values above 255/256 are what its fixed range leaves out
        if (const auto fixed = fixed_range(n.what); fixed && int8.at(n.output).observed == *fixed)
            may_cut[static_cast<std::size_t>(n.output)] = false;
    std::vector<std::vector<float>> f(float_graph.tensors.size()), q(tensors);
    for (std::size_t s = 0; s < count; ++s) {
        set_samples(real, data, s), set_samples(quantized, data, s);
        run_and_keep(real, float_graph, f);
        run_and_keep(quantized, int8, q);
        for (std::size_t t = 0; t < tensors; ++t) {
            if (twins[t] < 0) continue;
            const std::vector<float>& own = f[static_cast<std::size_t>(twins[t])];
            if (own.size() == q[t].size()) losses[t].add(own, q[t], may_cut[t], int8.tensors[t].params);
        }
    }
    return losses;
}

/// The median time of each step over `runs` runs, in microseconds. (By clock_gettime: <chrono> would cost every unit
/// that includes octet.hpp.)
template <class Session>
std::vector<double> time_steps(Session& run, std::size_t runs) {
    const auto now = []() noexcept {
        std::timespec t{};
        clock_gettime(CLOCK_MONOTONIC, &t);
        return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
    };
    std::vector<std::vector<double>> times(run.steps().size());
    run.run();
    for (std::size_t r = 0; r < runs; ++r)
        for (std::size_t i = 0; i < times.size(); ++i) {
            const double start = now();
            run.run_step(i);
            times[i].push_back(now() - start);
        }
    std::vector<double> medians;
    for (std::vector<double>& of : times) {
        sort_stably(of, [](double a, double b) { return a < b; });
        medians.push_back(of[runs / 2]);
    }
    return medians;
}

}  // namespace octet::inline OCTET_ABI::detail
