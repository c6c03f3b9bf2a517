// What a quantized network and its measured values can have wrong with them, said in sentences: what was seen, in which
// layer, and what to do. (calib/warnings.hpp says what is wrong with one tensor's calibration data.)
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/ranges.hpp"
#include "octet/report/measure.hpp"

namespace octet::inline OCTET_ABI::detail {

inline constexpr double much_saturated = 0.01;  ///< of the values of a tensor
inline constexpr float far_apart = 4.0F;        ///< ranges of a concatenation's inputs: two bits of the smaller one
inline constexpr float crushed = 100.0F;        ///< ranges of channels under one scale: 2 of 256 levels are left
inline constexpr float dead = 1e-6F;            ///< weights of a channel beside the largest of the layer

/// How far a range reaches once it includes 0, which is what a scale has to cover.
inline float width(range r) noexcept { return std::max(r.max, 0.0F) - std::min(r.min, 0.0F); }

/// The largest magnitude of each output channel's weights.
inline std::vector<float> weight_reach(const layer_weights& weights) {
    const auto outputs = static_cast<std::size_t>(weights.outputs);
    std::vector<float> reach(outputs);
    for (std::size_t i = 0; i < weights.values.size(); ++i) {
        float& own = reach[i / (weights.values.size() / outputs)];
        own = std::max(own, weights.values[i] < 0 ? -weights.values[i] : weights.values[i]);
    }
    return reach;
}

/// "3 of 64 output channels", and which: at most four of them. (Templates, so that only units that report compile
/// them.)
std::string counted(const std::same_as<std::vector<std::size_t>> auto& which, std::size_t of) {
    std::string all = text(which.size(), " of ", of, " output channels (");
    for (std::size_t i = 0; i < which.size() && i < 4; ++i) all += text(i == 0 ? "" : ", ", which[i]);
    return all + (which.size() > 4 ? ", ...)" : ")");
}

/// Channels whose reach is above 0 and less than 1/100 of the largest.
template <class Reach>
std::vector<std::size_t> crushed_channels(const Reach& reach) {
    std::vector<std::size_t> found;
    const float most = largest(reach.data(), static_cast<std::int64_t>(reach.size()));
    for (std::size_t c = 0; c < reach.size(); ++c)
        if (reach[c] > most * dead && reach[c] * crushed < most) found.push_back(c);
    return found;
}

/// Of a layer with weights: channels that do nothing, and channels that a scale which they share leaves few levels.
void warn_of_channels(const std::string& who, const layer_weights& weights, const quantized_layer& layer,
                      const std::same_as<tensor_loss> auto& output, std::vector<std::string>& to) {
    const std::vector<float> reach = weight_reach(weights);
    const float most = largest(reach.data(), weights.outputs);
    std::vector<std::size_t> weightless, silent;
    for (std::size_t c = 0; c < reach.size(); ++c) {
        if (reach[c] <= most * dead)
            weightless.push_back(c);
        else if (c < output.reach.size() && output.reach[c] == 0.0F && !output.empty())
            silent.push_back(c);
    }
    if (!weightless.empty())
        to.push_back(text(who, counted(weightless, reach.size()),
                          " are dead, their weights are 0: prune them, they cost time and change nothing"));
    if (!silent.empty())
        to.push_back(
            text(who, counted(silent, reach.size()),
                 " are 0 for every sample measured: dead channels to prune, or samples that do not reach them"));
    if (!layer.is_int8) return;
    if (const auto few = crushed_channels(reach); layer.scales.size() == 1 && !few.empty())
        to.push_back(text(who, "the weights of ", counted(few, reach.size()), " reach less than 1/", crushed,
                          " of the largest and share its scale: quantize weights per channel"));
    if (const auto few = crushed_channels(output.reach); !few.empty())
        to.push_back(
            text(who, "the values of ", counted(few, reach.size()), " reach less than 1/", crushed,
                 " of the largest, which leaves them 2 of 256 levels: equalize the channels before quantizing"));
}

/// Of a concatenation, whose inputs share one scale.
void warn_of_concat(const std::string& who, const graph& net, const node& join,
                    const std::same_as<std::vector<tensor_loss>> auto& losses, std::vector<std::string>& to) {
    const auto reach_of = [&](tensor_id id) {
        const tensor& value = net.at(id);
        range r = losses[static_cast<std::size_t>(id)].seen.extremes();
        for (const float x : value.constant) r = {std::min(r.min, x), std::max(r.max, x)};
        return width(r);
    };
    tensor_id least = join.inputs[0], most = join.inputs[0];
    for (const tensor_id id : join.inputs) {
        if (reach_of(id) < reach_of(least)) least = id;
        if (reach_of(id) > reach_of(most)) most = id;
    }
    if (reach_of(least) * far_apart < reach_of(most))
        to.push_back(text(who, "its inputs share one scale, but '", net.at(most).name, "' is ", reach_of(most),
                          " wide and '", net.at(least).name, "' ", reach_of(least), ", less than 1/", far_apart,
                          " of it: leave the concatenation in float, or scale what "
                          "comes before it alike"));
}

/// Every warning of the network, in the order of its layers.
std::vector<std::string> network_warnings(const std::same_as<quantized_graph> auto& int8,
                                          const std::vector<tensor_loss>& losses) {
    std::vector<std::string> all;
    const auto warn_of_saturation = [&](const std::string& who, tensor_id id) {
        const double share = losses[static_cast<std::size_t>(id)].saturated_share();
        if (share > much_saturated)
            all.push_back(text(who, ieee::nearbyint(1e4 * share) / 100.0, " % of its values lie beyond the range [",
                               int8.at(id).observed.min, ", ", int8.at(id).observed.max,
                               "]: choose a higher percentile, or calibrate with samples like these"));
    };
    for (const tensor_id id : int8.net.inputs()) warn_of_saturation(text("input '", int8.net.at(id).name, "': "), id);
    for (std::size_t i = 0; i < int8.net.nodes().size(); ++i) {
        const node& n = int8.net.nodes()[i];
        const std::string who = text(kind_of(n.what), " '", n.name, "': ");
        // What only moves values has said so already.
        if (!std::holds_alternative<op::reshape>(n.what) && !std::holds_alternative<op::concat>(n.what))
            warn_of_saturation(who, n.output);
        if (const layer_weights* weights = weights_of(n.what))
            warn_of_channels(who, *weights, int8.layers[i], losses[static_cast<std::size_t>(n.output)], all);
        if (std::holds_alternative<op::concat>(n.what) && int8.layers[i].is_int8)
            warn_of_concat(who, int8.net, n, losses, all);
    }
    return all;
}

}  // namespace octet::inline OCTET_ABI::detail
