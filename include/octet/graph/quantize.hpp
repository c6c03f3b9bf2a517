// From a float graph and samples to an int8 graph. Start here to quantize:
//   quantized_graph int8 = quantize(model, samples, {.activations = percentile{99.99}});
//   session<> run(int8);
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "octet/calib/observer.hpp"
#include "octet/calib/selection.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/ieee.hpp"
#include "octet/graph/calibrate.hpp"
#include "octet/graph/passes.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet {

enum class scheme { asymmetric, symmetric };
enum class granularity { per_channel, per_tensor };

struct quantize_options {
    range_selection activations = percentile{99.999};  ///< how a tensor's range is chosen from what was observed
    scheme activation_scheme = scheme::asymmetric;     ///< of activations; weights are always symmetric
    granularity weight_granularity = granularity::per_channel;
    rounding_policy rounding = rounding_policy::nearest_even;  ///< the session must round the same way
    std::vector<std::string> leave_in_float{};                 ///< names of nodes
    calibrate_options calibration{};
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

/// Tensors that must share one scale and zero point, because an operation between them moves bytes as they are.
class shared_params {
  public:
    explicit shared_params(std::size_t count) : parent_(count) {
        for (std::size_t i = 0; i < count; ++i) parent_[i] = i;
    }
    std::size_t root(std::size_t i) {
        while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
        return i;
    }
    void join(tensor_id a, tensor_id b) {
        parent_[root(static_cast<std::size_t>(a))] = root(static_cast<std::size_t>(b));
    }

  private:
    std::vector<std::size_t> parent_;
};

/// What an operation can return at all, where that is a fixed interval: 256 steps of 1/256 from 0, or of 1/128 from -1.
inline bool fixed_range(const operation& what, range& found) {
    const auto* table = std::get_if<op::lookup>(&what);
    const bool unit =
        std::holds_alternative<op::softmax>(what) || (table != nullptr && table->what == function::logistic);
    const bool symmetric_unit = table != nullptr && table->what == function::tanh;
    if (unit) found = {0.0F, 255.0F / 256.0F};
    if (symmetric_unit) found = {-1.0F, 127.0F / 128.0F};
    return unit || symmetric_unit;
}

/// The integers of a layer with weights. A scale is chosen from the largest weight of its channel (or tensor) and
/// doubled until no accumulator can leave 32 bits: |bias| + max(z + 128, 127 - z) * sum |q_w| <= 2^31 - 1. Returns how
/// many scales had to be.
/// (A template, so that only units that quantize compile it.)
int quantize_weights(const std::same_as<layer_weights> auto& from, quant_params input, granularity grain,
                     quantized_layer& to) {
    const auto outputs = static_cast<std::size_t>(from.outputs);
    const std::size_t inner = from.values.size() / outputs;
    const bool per = grain == granularity::per_channel;
    const std::int64_t reach = std::max(input.zero_point.value + 128, 127 - input.zero_point.value);
    using weights = quantizer<symmetric, per_channel, std::int8_t>;
    const channel_layout layout{1, static_cast<std::int64_t>(per ? outputs : 1),
                                static_cast<std::int64_t>(per ? inner : from.values.size())};
    const weights chosen(from.values, layout);
    std::vector<quant_params> params(chosen.params().begin(), chosen.params().end());
    to.values.resize(from.values.size());
    to.bias.resize(outputs);
    int doubled = 0;
    for (std::size_t c = 0; c < params.size(); ++c) {
        const std::size_t first = per ? c : 0, last = per ? c + 1 : outputs;
        for (bool fits = false; !fits; params[c].scale = fits ? params[c].scale : scale(params[c].scale.value * 2)) {
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
            }
        }
        doubled += params[c] == chosen[c] ? 0 : 1;
        to.scales.push_back(params[c].scale);
    }
    return doubled;
}

}  // namespace detail

/// Quantizes every layer that has an int8 form and is not named in leave_in_float:
///  1. passes: batch normalization and activations are folded (optimize);
///  2. calibration: histograms of every tensor over the samples;
///  3. activations: int8, one scale and zero point a tensor; tensors that share bytes share them;
///  4. weights: int8 in [-127, 127], zero point 0, per output channel or per tensor; bias int32, scale s_in * s_w.
/// The same graph, samples and options give the same integers on every machine, for any batch and threads.
/// Throws octet::error when there are no samples, a name in leave_in_float is not a node, or nothing would be int8.
template <class Session = session<>>
quantized_graph quantize(graph net, const samples& data, const quantize_options& options = {}) {
    validate(net);
    optimize(net);
    quantized_graph all = as_float(std::move(net));
    all.rounding = options.rounding;
    const std::vector<node>& nodes = all.net.nodes();
    const auto count = all.net.tensors().size();
    const auto at = [](tensor_id id) { return static_cast<std::size_t>(id); };

    const auto named = [&](const std::string& name) {
        for (const node& n : nodes)
            if (n.name == name) return true;
        return false;
    };
    for (const std::string& name : options.leave_in_float)
        if (!named(name))
            fail("leave_in_float names '", name,
                 "', but no node has that name after folding: see the report for names");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const bool asked = detail::contains(options.leave_in_float, nodes[i].name);
        const bool no_form = std::holds_alternative<op::batch_norm>(nodes[i].what);
        all.layers[i].is_int8 = !asked && !no_form;
        all.layers[i].reason = asked ? "left in float as asked" : no_form ? "has no int8 form here" : "";
    }
    if (all.quantized_layers() == 0)
        fail("nothing to quantize: none of the ", nodes.size(), " nodes would be int8, ", options.leave_in_float.size(),
             " of them are left in float as asked");

    const std::vector<histogram> seen = calibrate<Session>(all.net, data, options.calibration);
    if (data.count == 1)
        all.warnings.push_back("one sample alone was shown: its ranges may not hold for others, give a few hundred");
    detail::shared_params shared(count);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!all.layers[i].is_int8) continue;
        for (const tensor_id id : nodes[i].inputs) {
            all.tensors[at(id)].is_int8 = true;
            if (detail::moves_bytes(nodes[i].what, options.rounding)) shared.join(id, nodes[i].output);
        }
        all.tensors[at(nodes[i].output)].is_int8 = true;
    }

    // The range of each tensor, then of each group that shares parameters.
    std::vector<range> ranges(count), joined(count);
    for (std::size_t t = 0; t < count; ++t) {
        const tensor& value = all.net.tensors()[t];
        if (value.is_constant()) {
            range& r = ranges[t] = {value.constant[0], value.constant[0]};
            for (const float x : value.constant) r = {std::min(r.min, x), std::max(r.max, x)};
        } else if (seen[t].finite() + seen[t].nans() + seen[t].infinities() != 0) {
            ranges[t] = select(options.activations, seen[t]);
            if (all.tensors[t].is_int8)
                for (const std::string& warning : warnings(seen[t], ranges[t]))
                    all.warnings.push_back(text("'", value.name, "': ", warning));
        }
    }
    for (const node& n : nodes) {
        detail::fixed_range(n.what, ranges[at(n.output)]);
        if (const auto* grow = std::get_if<op::pad>(&n.what)) {
            range& r = ranges[at(n.output)];
            r = {std::min(r.min, grow->value), std::max(r.max, grow->value)};
        }
    }
    for (std::size_t t = 0; t < count; ++t) {
        range& r = joined[shared.root(t)];
        r = {std::min(r.min, ranges[t].min), std::max(r.max, ranges[t].max)};
    }
    for (std::size_t t = 0; t < count; ++t) {
        quantized_tensor& q = all.tensors[t];
        q.observed = joined[shared.root(t)];
        q.params = options.activation_scheme == scheme::asymmetric
                       ? quantizer<asymmetric, per_tensor>::choose_params(q.observed)
                       : quantizer<symmetric, per_tensor>::choose_params(q.observed);
    }
    for (const tensor_id id : all.net.inputs()) {
        bool only_int8 = true;
        for (std::size_t i = 0; i < nodes.size(); ++i)
            for (const tensor_id read : nodes[i].inputs) only_int8 = only_int8 && (read != id || all.layers[i].is_int8);
        all.tensors[at(id)].is_int8 = only_int8;
    }

    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!all.layers[i].is_int8) continue;
        const quant_params input = all.at(nodes[i].inputs[0]).params;
        const layer_weights* weights = weights_of(nodes[i].what);
        if (weights == nullptr) continue;
        const int raised = detail::quantize_weights(*weights, input, options.weight_granularity, all.layers[i]);
        if (raised != 0)
            all.warnings.push_back(
                text(kind_of(nodes[i].what), " '", nodes[i].name, "': ", raised, " of ", all.layers[i].scales.size(),
                     " weight scales were raised so that accumulators fit in 32 bits, and the weights "
                     "lost precision: the bias is huge beside the input's scale, ",
                     input.scale.value));
    }
    return all;
}

}  // namespace octet::inline OCTET_ABI
