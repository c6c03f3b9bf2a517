// What quantization cost: the float network and the int8 network run side by side over samples, and every layer is
// measured. Start here; report/text.hpp prints it, octet/json.hpp writes it as JSON.
//   quantization_report all = report(model, int8, samples);
//   std::cout << all;
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/graph/passes.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/samples.hpp"
#include "octet/graph/session.hpp"
#include "octet/report/measure.hpp"
#include "octet/report/twins.hpp"
#include "octet/report/warnings.hpp"

namespace octet {

/// A histogram for the eye: how many values fell into each of `bars`, equally wide, over `all`; ends of bars are off by
/// at most 2^-7 of their value, as histogram's bins are. No bars where no finite value was seen.
struct value_bars {
    range all{};
    std::vector<std::uint64_t> bars{};
};

/// One layer of the folded graph: how it runs, and what of the float network's output is left in the int8 network's.
struct layer_report {
    std::string name;
    std::string operation;  ///< "conv2d", "max_pool2d", ...; "input" of an input of the network
    bool is_int8 = false;
    std::string reason{};         ///< why it was left in float
    std::optional<isa> target{};  ///< empty where no step runs: the output is a view of another tensor
    std::string kernel{};         ///< "view" there
    range observed{};             ///< of the output, from calibration; a range that tensors share is their union
    quant_params params{};        ///< of the output, where it is int8
    value_bars seen{};            ///< of the output in the float network, over the measured samples
    /// signal_and_noise::decibel over all samples, f the output in the float network and q the real value in the int8
    /// network: all loss from the input to here.
    double signal_to_noise = 0.0;
    /// The share of output bytes that are -128 or 127 where the float value lies more than half a step beyond the real
    /// that this byte stands for: what the chosen range cut off. The bound of a fused activation never counts, because
    /// the float value obeys it too, nor does the end of a range that the operation fixes (softmax: 255/256).
    double saturated = 0.0;
    std::size_t float_weight_bytes = 0;  ///< weights and bias
    std::size_t int8_weight_bytes = 0;   ///< the same as the int8 network stores them, with the scales
    /// Median times of its steps in the float and in the int8 network; 0 where none was asked for, and where it runs
    /// inside another step: a view, or an add inside its convolution.
    double float_microseconds = 0.0;
    double int8_microseconds = 0.0;
};

/// Plain data: what `report` returns and to_text prints.
struct quantization_report {
    std::vector<std::string>
        warnings;                 ///< of the measured network, then of calibration; each names its layer or tensor
    std::size_t samples = 0;      ///< how many were measured
    std::size_t model_nodes = 0;  ///< before folding; `layers` holds those that remain
    std::size_t quantized_layers = 0;
    std::size_t conversions = 0;  ///< steps between float and int8 inside the network
    rounding_policy rounding{};
    std::size_t float_weight_bytes = 0;  ///< weights, biases and constants after folding
    std::size_t int8_weight_bytes = 0;   ///< the same, with the scales
    std::size_t float_arena_bytes = 0;   ///< what a session of batch 1 allocates for values and scratch
    std::size_t int8_arena_bytes = 0;
    std::size_t timed_runs = 0;            ///< 0: no time was measured
    double conversion_microseconds = 0.0;  ///< of all conversions
    std::vector<layer_report> inputs;      ///< of the network: what rounding them cost
    std::vector<layer_report> layers;
};

struct report_options {
    std::size_t most_samples = 0;  ///< measure the first so many; 0: all
    std::size_t timed_runs = 0;    ///< measure the time of each layer too, over so many runs of either network
    std::optional<isa> target{};   ///< default: the best that this machine runs
    parallel threads{};
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

inline constexpr std::size_t bars_of_a_histogram = 64;

/// (A template, as those below, so that only units that report compile them.)
value_bars bars_of(const std::same_as<histogram> auto& seen) {
    value_bars to{seen.extremes(), {}};
    if (seen.finite() == 0) return to;
    to.bars.resize(bars_of_a_histogram);
    const double first = to.all.min, each = (double{to.all.max} - first) / bars_of_a_histogram;
    constexpr int outermost = histogram::middle;
    for (int bin = -outermost; bin <= outermost; ++bin) {
        const std::uint64_t count = seen.counts()[static_cast<std::size_t>(bin + outermost)];
        const int step = bin < 0 ? -bin : bin;
        const double centre =
            step == 0 ? 0.0 : 0.5 * (double{histogram::edge(step)} + double{histogram::edge(step + 1)});
        const double at = each == 0.0 ? 0.0 : ((bin < 0 ? -centre : centre) - first) / each;
        to.bars[static_cast<std::size_t>(clamped(at, 0.0, bars_of_a_histogram - 1.0))] += count;
    }
    return to;
}

/// Bytes of the weights and biases of layer `i` as `form` stores them, with the scales.
std::size_t weight_bytes(const std::same_as<quantized_graph> auto& form, std::size_t i) {
    const quantized_layer& layer = form.layers[i];
    const operation& what = form.net.nodes()[i].what;
    if (const auto* norm = std::get_if<op::batch_norm>(&what))
        return (norm->factor.size() + norm->shift.size()) * sizeof(float);
    const layer_weights* w = weights_of(what);
    if (w == nullptr) return 0;
    if (!layer.is_int8) return (w->values.size() + w->bias.size()) * sizeof(float);
    return layer.values.size() + layer.scales.size() * sizeof(scale) + layer.bias.size() * sizeof(std::int32_t);
}

/// Bytes of the constants that nodes read; zero points of activations do not count.
std::size_t constant_bytes(const std::same_as<quantized_graph> auto& form) {
    std::size_t bytes = 0;
    for (std::size_t t = 0; t < form.tensors.size(); ++t)
        if (const tensor& value = form.net.tensors()[t]; form.net.readers(static_cast<tensor_id>(t)) != 0)
            bytes += value.constant.size() * (form.tensors[t].is_int8 ? 1 : sizeof(float));
    return bytes;
}

/// What is known of tensor `id` once it was measured.
layer_report tensor_report(const std::same_as<quantized_graph> auto& int8, tensor_id id, const tensor_loss& loss) {
    const quantized_tensor& value = int8.at(id);
    return {.name = int8.net.at(id).name,
            .operation = "input",
            .is_int8 = value.is_int8,
            .observed = value.observed,
            .params = value.params,
            .seen = bars_of(loss.seen),
            .signal_to_noise = loss.left.decibel(),
            .saturated = loss.saturated_share()};
}

}  // namespace detail

/// Runs `data` through the folded `model` and through `int8` and says, layer by layer, how each runs and what it lost.
/// `model` is what was quantized to `int8`, which may have been to a file and back (find_twins says how their layers
/// are matched), and Rounding what it was quantized for. Residual adds are measured apart from the convolution that
/// would run them, which changes no byte; times are taken with them inside, on the first sample. Costs a few float runs
/// a sample, the values of two runs in memory, and 96 KiB a tensor. Throws octet::error when the samples do not fit, or
/// a layer of `int8` has no counterpart in `model`; weights are not compared: those of another training show as loss.
template <class Rounding = nearest_even>
quantization_report report(const graph& model, const quantized_graph& int8, const samples& data,
                           const report_options& options = {}) {
    graph folded = model;
    optimize(detail::when_used<Rounding>(folded));
    const detail::twins same = detail::find_twins(detail::when_used<Rounding>(folded), int8.net);
    check_samples(int8.net, data);
    const std::size_t count = options.most_samples == 0 ? data.count : std::min(options.most_samples, data.count);
    const quantized_graph real = as_float(std::move(folded));
    session_options how{.target = options.target, .threads = options.threads};
    session<> float_run(real, how);
    session<Rounding> int8_run(int8, how);
    how.fuse_residual = false;
    session<Rounding> every_step(int8, how);
    std::vector<detail::tensor_loss> losses =
        detail::measure(float_run, every_step, real, int8, same.tensors, data, count);
    for (const node& n : int8.net.nodes())  // a view: what its parts lost
        if (detail::tensor_loss& whole = losses[static_cast<std::size_t>(n.output)]; whole.empty())
            for (const tensor_id id : n.inputs) whole.merge(losses[static_cast<std::size_t>(id)]);

    quantization_report all;
    all.warnings = detail::network_warnings(int8, losses);
    for (const std::string& warning : int8.warnings) all.warnings.push_back(warning);
    all.samples = count;
    all.model_nodes = model.nodes().size();
    all.quantized_layers = static_cast<std::size_t>(int8.quantized_layers());
    all.rounding = int8.rounding;
    all.float_weight_bytes = detail::constant_bytes(real);
    all.int8_weight_bytes = detail::constant_bytes(int8);
    all.float_arena_bytes = float_run.plan().total_bytes();
    all.int8_arena_bytes = int8_run.plan().total_bytes();

    for (const tensor_id id : int8.net.inputs())
        all.inputs.push_back(detail::tensor_report(int8, id, losses[static_cast<std::size_t>(id)]));
    for (std::size_t i = 0; i < int8.net.nodes().size(); ++i) {
        const node& n = int8.net.nodes()[i];
        layer_report layer = detail::tensor_report(int8, n.output, losses[static_cast<std::size_t>(n.output)]);
        layer.name = n.name;
        layer.operation = kind_of(n.what);
        layer.kernel = "view";
        layer.is_int8 = int8.layers[i].is_int8;
        layer.reason = int8.layers[i].reason;
        if (same.nodes[i] >= 0)
            layer.float_weight_bytes = detail::weight_bytes(real, static_cast<std::size_t>(same.nodes[i]));
        layer.int8_weight_bytes = detail::weight_bytes(int8, i);
        all.float_weight_bytes += layer.float_weight_bytes;
        all.int8_weight_bytes += layer.int8_weight_bytes;
        all.layers.push_back(std::move(layer));
    }
    for (const step& s : every_step.steps()) {
        if (s.node < 0) {
            ++all.conversions;
            continue;
        }
        layer_report& layer = all.layers[static_cast<std::size_t>(s.node)];
        layer.kernel = s.kernel;
        layer.target = s.target;
    }
    if (options.timed_runs != 0) {
        all.timed_runs = options.timed_runs;
        const auto time = [&](auto& run, double layer_report::*to, const auto& layer_of) {
            set_samples(run, data, 0);
            const std::vector<double> times = detail::time_steps(run, options.timed_runs);
            for (std::size_t i = 0; i < times.size(); ++i) {
                const int node = run.steps()[i].node, at = node < 0 ? -1 : layer_of(static_cast<std::size_t>(node));
                if (node < 0) all.conversion_microseconds += times[i];
                if (at >= 0) all.layers[static_cast<std::size_t>(at)].*to += times[i];
            }
        };
        std::vector<int> layers(real.layers.size(), -1);  // of the float network's nodes
        for (std::size_t i = 0; i < same.nodes.size(); ++i)
            if (same.nodes[i] >= 0) layers[static_cast<std::size_t>(same.nodes[i])] = static_cast<int>(i);
        time(float_run, &layer_report::float_microseconds, [&](std::size_t node) { return layers[node]; });
        time(int8_run, &layer_report::int8_microseconds, [](std::size_t node) { return static_cast<int>(node); });
    }
    return all;
}

}  // namespace octet::inline OCTET_ABI
