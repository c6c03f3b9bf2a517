// From a float graph and samples to an int8 graph. Start here to quantize:
//   quantized_graph int8 = quantize(model, samples, {.activations = percentile{99.99}});
//   session<> run(int8);
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/calib/observer.hpp"
#include "octet/calib/selection.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/ieee.hpp"
#include "octet/graph/calibrate.hpp"
#include "octet/graph/passes.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/ranges.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet {

enum class granularity { per_channel, per_tensor };

/// How the scale of a channel's weights is chosen: as its largest weight / 127, or near that as the one with the least
/// expected error of the layer's outputs (detail::least_error_scale says how).
enum class weight_scales { largest, least_error };

/// A selection from each tensor's histogram, or a moving average of the extremes of runs.
using activation_observer = std::variant<range_selection, moving_average>;

struct quantize_options {
    /// How a tensor's range is chosen from what was observed.
    activation_observer activations = percentile{99.999};
    scheme activation_scheme = scheme::asymmetric;  ///< of activations; weights are always symmetric
    bool global = false;  ///< one range for all int8 tensors, not one for each group that shares parameters
    granularity weight_granularity = granularity::per_channel;
    std::optional<weight_scales> weights{};  ///< default: least_error where activations are `automatic`, else largest
    rounding_policy rounding = rounding_policy::nearest_even;  ///< the session must round the same way
    std::vector<std::string> leave_in_float{};                 ///< names of nodes
    calibrate_options calibration{};
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

/// The scale among `largest` * k / 128, k in [104, 160], whose rounding and clipping of the weights changes the layer's
/// outputs least where its inputs are independent, of the mean and variance that calibration saw: the sum over output
/// channels of variance * sum e^2 + mean^2 * (sum e)^2, e = w - scale * q. The second term is what shifts an output
/// that sums many inputs of one sign, and what the largest weight alone leaves to chance.
template <class Weights>
scale least_error_scale(const Weights& weights, std::size_t inner, scale largest, moments input) {
    scale best = largest;
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i <= 56; ++i) {
        const int k = i <= 24 ? 128 - i : 104 + i;  // 128 first: it stays where nothing is better
        const scale step(largest.value * static_cast<float>(k) / 128);
        const quant_params params{step, zero_point(0)};
        double error = 0.0;
        for (std::size_t first = 0; first < weights.size(); first += inner) {
            double sum = 0.0, squares = 0.0;
            for (const float w : weights.subspan(first, inner)) {
                // Both products are exact in double, so that no compiler's contraction shows.
                const std::int32_t q = quantize_value(w, params, -127, 127);
                const auto e = static_cast<float>(double{w} - double{step.value} * q);
                sum += double{e}, squares += double{e} * double{e};
            }
            error = ieee::fma(input.variance, squares, error);
            error = ieee::fma(input.mean * sum, input.mean * sum, error);
        }
        if (error < least) least = error, best = step;
    }
    return best;
}

/// The integers of a layer with weights. The scale of each channel (or tensor) is chosen from its largest weight or, if
/// `input_moments` are given, as the one of the least error; and doubled until no accumulator can leave 32 bits:
/// |bias| + max(z + 128, 127 - z) * sum |q_w| <= 2^31 - 1. Returns how many scales had to be doubled; throws
/// octet::error naming `who` where no finite one is large enough.
/// (A template, so that only units that quantize compile it.)
int quantize_weights(std::string_view who, const std::same_as<layer_weights> auto& from, quant_params input,
                     granularity grain, const std::optional<moments>& input_moments, quantized_layer& to) {
    const auto outputs = static_cast<std::size_t>(from.outputs);
    const std::size_t inner = from.values.size() / outputs;
    const bool per = grain == granularity::per_channel;
    const std::int64_t reach = std::max(input.zero_point.value + 128, 127 - input.zero_point.value);
    using weights = quantizer<symmetric, per_channel, std::int8_t>;
    const channel_layout layout{1, static_cast<std::int64_t>(per ? outputs : 1),
                                static_cast<std::int64_t>(per ? inner : from.values.size())};
    const weights largest(from.values, layout);
    std::vector<quant_params> params(largest.params().begin(), largest.params().end());
    to.values.resize(from.values.size());
    to.bias.resize(outputs);
    int doubled = 0;
    for (std::size_t c = 0; c < params.size(); ++c) {
        const std::size_t first = per ? c : 0, last = per ? c + 1 : outputs;
        if (input_moments)
            params[c].scale = least_error_scale(std::span(from.values).subspan(first * inner, (last - first) * inner),
                                                inner, params[c].scale, *input_moments);
        const scale chosen = params[c].scale;
        for (bool fits = false; !fits;) {
            const quantizer<symmetric, per_tensor, std::int8_t> one(params[c]);
            one.quantize({from.values.data() + first * inner, (last - first) * inner},
                         {to.values.data() + first * inner, (last - first) * inner});
            fits = true;
            const double step = double{input.scale.value} * double{params[c].scale.value};
            for (std::size_t o = first; o < last; ++o) {
                const double bias = ieee::nearbyint(double{from.bias[o]} / step);
                std::int64_t sum = 0;
                for (std::size_t k = o * inner; k < (o + 1) * inner; ++k) sum += std::abs(int{to.values[k]});
                fits = fits && ieee::fabs(bias) + static_cast<double>(reach * sum) <= 0x7fffffff;
                if (fits) to.bias[o] = static_cast<std::int32_t>(bias);
                if (!fits && params[c].scale.value >= 0x1p127F)
                    fail(who, ": the bias of output ", o, " is ", from.bias[o],
                         ", too large beside the input's scale, ", input.scale.value,
                         ", for any scale of its weights: correct it, or leave the layer in float");
            }
            if (!fits) params[c].scale = scale(params[c].scale.value * 2);
        }
        doubled += params[c].scale == chosen ? 0 : 1;
        to.scales.push_back(params[c].scale);
    }
    return doubled;
}

/// Which layers and tensors are int8.
quantized_graph choose_layers(std::same_as<graph> auto net, const quantize_options& options) {
    validate(net);
    if (net.outputs().empty()) fail("the network has no output: declare one with graph::output");
    optimize(net);
    quantized_graph all = as_float(std::move(net));
    all.rounding = options.rounding;
    const std::vector<node>& nodes = all.net.nodes();
    const auto named = [&](const std::string& name) {
        for (const node& n : nodes)
            if (n.name == name) return true;
        return false;
    };
    for (const std::string& name : options.leave_in_float)
        if (!named(name))
            fail("leave_in_float names '", name,
                 "', but no node has that name after folding: see the report for names");
    std::size_t left = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const bool asked = contains(options.leave_in_float, nodes[i].name);
        left += asked ? 1 : 0;
        const bool no_form = std::holds_alternative<op::batch_norm>(nodes[i].what);
        all.layers[i].is_int8 = !asked && !no_form;
        all.layers[i].reason = asked ? "left in float as asked" : no_form ? "has no int8 form here" : "";
        if (!all.layers[i].is_int8) continue;
        for (const tensor_id id : nodes[i].inputs) all.tensors[static_cast<std::size_t>(id)].is_int8 = true;
        all.tensors[static_cast<std::size_t>(nodes[i].output)].is_int8 = true;
    }
    if (all.quantized_layers() == 0)
        fail("nothing to quantize: none of the ", nodes.size(), " nodes would be int8, ", left,
             " of them are left in float as asked");
    return all;
}

inline bool measures_weights(const quantize_options& options) {
    const auto* how = std::get_if<range_selection>(&options.activations);
    const bool by_default = how != nullptr && std::holds_alternative<automatic>(*how);
    return options.weights ? *options.weights == weight_scales::least_error : by_default;
}

void check_calibration(const std::same_as<graph> auto& net, const calibration& seen) {
    if (seen.tensors.size() != net.tensors().size())
        fail("this calibration is of another network: it watched ", seen.tensors.size(),
             " tensors, and the model to quantize has ", net.tensors().size(), ": calibrate this model");
    if (seen.network != fingerprint(net))
        fail(
            "this calibration is of another network, or of this one with other weights, names or passes: "
            "calibrate this model");
    if (seen.samples == 0) fail("this calibration has seen no samples: calibrate with at least one");
}

/// The range of each tensor on its own, as options.activations chooses it, whichever layers are int8; what is wrong
/// with the data goes to `complaints`, where they are.
std::vector<range> choose_ranges(const std::same_as<quantized_graph> auto& all, const calibration& seen,
                                 const quantize_options& options, std::vector<std::string>& complaints) {
    if (seen.samples == 1)
        complaints.push_back("one sample alone was shown: its ranges may not hold for others, give a few hundred");
    const auto* average = std::get_if<moving_average>(&options.activations);
    if (average != nullptr && seen.moving != *average)
        fail("a moving average with momentum ", average->momentum(), " is asked for, and this calibration kept ",
             seen.moving ? text("one with momentum ", seen.moving->momentum()) : "none",
             ": set calibrate_options::moving when calibrating");
    return own_ranges(all, seen, [&](std::size_t t) {
        const tensor_calibration& one = seen.tensors[t];
        const range chosen = average != nullptr ? range_of(one.average)
                                                : select(std::get<range_selection>(options.activations), one.seen,
                                                         options.activation_scheme);
        if (all.tensors[t].is_int8)
            for (const std::string& warning : warnings(one.seen, chosen))
                complaints.push_back(text("'", all.net.tensors()[t].name, "': ", warning));
        return chosen;
    });
}

/// Parameters of all tensors, from the range of each on its own, and the integers of all layers. `like` is null or the
/// same network, quantized with the same samples and options but other layers in float: a layer whose input has the
/// same parameters there has the same integers.
quantized_graph quantize_layers(std::same_as<quantized_graph> auto all, const calibration& seen,
                                const std::vector<range>& own, const quantize_options& options,
                                const quantized_graph* like = nullptr) {
    const std::vector<node>& nodes = all.net.nodes();
    const std::vector<range> joined = joined_ranges(sharing_groups(all, options.global), own);
    for (std::size_t t = 0; t < all.tensors.size(); ++t) {
        quantized_tensor& q = all.tensors[t];
        q.observed = joined[t];
        q.params = choose_params(q.observed, options.activation_scheme);
    }
    for (const tensor_id id : all.net.inputs()) {
        bool only_int8 = true;
        for (std::size_t i = 0; i < nodes.size(); ++i)
            for (const tensor_id read : nodes[i].inputs) only_int8 = only_int8 && (read != id || all.layers[i].is_int8);
        all.tensors[static_cast<std::size_t>(id)].is_int8 = only_int8;
    }

    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!all.layers[i].is_int8) continue;
        const quant_params input = all.at(nodes[i].inputs[0]).params;
        const layer_weights* weights = weights_of(nodes[i].what);
        if (weights == nullptr) continue;
        if (like != nullptr && like->layers[i].is_int8 && like->at(nodes[i].inputs[0]).params == input) {
            all.layers[i] = like->layers[i];
            continue;
        }
        std::optional<moments> input_moments;
        if (measures_weights(options))
            input_moments = moments_of(seen.tensors[static_cast<std::size_t>(nodes[i].inputs[0])].seen);
        const std::string who = text(kind_of(nodes[i].what), " '", nodes[i].name, "'");
        const int raised =
            quantize_weights(who, *weights, input, options.weight_granularity, input_moments, all.layers[i]);
        if (raised != 0)
            all.warnings.push_back(
                text(who, ": ", raised, " of ", all.layers[i].scales.size(),
                     " weight scales were raised so that accumulators fit in 32 bits, and the weights "
                     "lost precision: the bias is huge beside the input's scale, ",
                     input.scale.value));
    }
    return all;
}

quantized_graph quantize_chosen(std::same_as<quantized_graph> auto all, const calibration& seen,
                                const quantize_options& options) {
    const std::vector<range> own = choose_ranges(all, seen, options, all.warnings);
    return quantize_layers(std::move(all), seen, own, options);
}

}  // namespace detail

/// Quantizes every layer that has an int8 form and is not named in leave_in_float:
///  1. passes: batch normalization and activations are folded (optimize);
///  2. calibration: histograms of every tensor over the samples, or `seen`, made by calibrate before;
///  3. activations: int8, one scale and zero point a tensor; tensors that share bytes share them;
///  4. weights: int8 in [-127, 127], zero point 0, per output channel or per tensor; bias int32, scale s_in * s_w.
/// The same graph, samples and options give the same integers on every machine, for any batch and threads; a moving
/// average alone depends on the batch and the order of samples.
/// Throws octet::error when there are no samples, `seen` is of another network or lacks the moving averages asked for,
/// a name in leave_in_float is not a node, or nothing would be int8. What is doubtful, NaN or outliers in the samples
/// for instance, is told in quantized_graph::warnings: read them.
template <class Session = session<>>
quantized_graph quantize(graph net, const samples& data, const quantize_options& options = {}) {
    quantized_graph all = detail::choose_layers(std::move(net), options);
    calibrate_options how = options.calibration;
    if (const auto* average = std::get_if<moving_average>(&options.activations)) how.moving = *average;
    const calibration seen = calibrate<Session>(all.net, data, how);
    return detail::quantize_chosen(std::move(all), seen, options);
}
quantized_graph quantize(graph net, const std::same_as<calibration> auto& seen, const quantize_options& options = {}) {
    quantized_graph all = detail::choose_layers(std::move(net), options);
    detail::check_calibration(all.net, seen);
    return detail::quantize_chosen(std::move(all), seen, options);
}

}  // namespace octet::inline OCTET_ABI
