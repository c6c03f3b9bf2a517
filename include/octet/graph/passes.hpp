// Passes over a float graph: each takes a graph and changes it so that it computes the same function with fewer or
// simpler nodes. `optimize` runs those that a quantized network wants. A pass of your own is any function of a graph&;
// see also graph::for_each_weights. (They are generic lambdas, which can be handed on like functions, so that a unit
// that runs no pass compiles none; `-> void`, because to deduce it a compiler would have to.)
#pragma once

#include <concepts>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/ieee.hpp"
#include "octet/graph/graph.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {

/// The node that makes `from`, if only one node reads it: a node into which that may melt. nullptr otherwise.
inline node* sole_producer(graph& net, const wiring& wires, tensor_id from) {
    const wiring::ends& ends = wires.at(from);
    return ends.producer < 0 || ends.readers != 1 ? nullptr : &net.edit()[static_cast<std::size_t>(ends.producer)];
}

template <class T>
void erase_marked(std::vector<T>& from, const std::vector<bool>& marked) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (!marked[i] && kept++ != i) from[kept - 1] = std::move(from[i]);
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(kept), from.end());
}

/// Where take(node, before) agrees, for a node and the sole_producer of its first input, the node goes and the one
/// before makes its output. Returns which nodes went.
template <class Take>
std::vector<bool> melt(std::same_as<graph> auto& net, const Take& take) {
    wiring wires(net);
    std::vector<bool> melted(net.nodes().size());
    for (std::size_t i = 0; i < melted.size(); ++i) {
        const node& step = net.nodes()[i];
        node* before = sole_producer(net, wires, step.inputs[0]);
        melted[i] = before != nullptr && take(step, *before);
        if (!melted[i]) continue;
        before->output = step.output;
        wires.at(step.output).producer = wires.at(step.inputs[0]).producer;
    }
    erase_marked(net.edit(), melted);
    return melted;
}

/// The values of a constant operand as one for each of `channels` of the last dimension; empty if it varies elsewhere.
inline std::vector<float> per_channel_values(const tensor& constant, std::int64_t channels) {
    const auto count = static_cast<std::size_t>(channels);
    if (constant.dims.elements() == 1) return std::vector<float>(count, constant.constant[0]);
    if (constant.dims.elements() == channels && constant.dims.cols() == channels) return constant.constant;
    return {};
}

}  // namespace detail

/// Adding or multiplying by a constant of one value for each channel becomes a batch_norm node, where another pass can
/// take that: over an image, or after a layer with weights. Elsewhere it stays, because it has an int8 form and a
/// batch_norm has none.
inline constexpr auto constants_to_batch_norm = [](std::same_as<graph> auto& net) -> void {
    const wiring wires(net);
    for (auto& step : net.edit()) {
        const bool adds = std::holds_alternative<op::add>(step.what),
                   multiplies = std::holds_alternative<op::mul>(step.what);
        if (!adds && !multiplies) continue;
        const std::size_t which = net.at(step.inputs[0]).is_constant() ? 0 : 1;
        const tensor& operand = net.at(step.inputs[which]);
        const tensor& other = net.at(step.inputs[1 - which]);
        if (!operand.is_constant() || other.dims != net.at(step.output).dims) continue;
        node* before = detail::sole_producer(net, wires, step.inputs[1 - which]);
        const bool taken =
            before != nullptr && before->activation == activation_range{} &&
            (weights_of(before->what) != nullptr || std::holds_alternative<op::batch_norm>(before->what));
        if (other.dims.rank() != 4 && !taken) continue;
        std::vector<float> values = detail::per_channel_values(operand, other.dims.cols());
        if (values.empty()) continue;
        std::vector<float> same(values.size(), adds ? 1.0F : 0.0F);
        step.inputs = {step.inputs[1 - which]};
        step.what = adds ? op::batch_norm{std::move(same), std::move(values)}
                         : op::batch_norm{std::move(values), std::move(same)};
    }
};

/// y = (w x + b) * f + s = (w f) x + (b f + s): a batch_norm melts into the layer with weights before it. Products and
/// sums are formed in double and rounded once.
inline constexpr auto fold_batch_norm = [](std::same_as<graph> auto& net) -> void {
    detail::melt(net, [](const node& step, node& before) {
        const auto* norm = std::get_if<op::batch_norm>(&step.what);
        layer_weights* w = norm == nullptr ? nullptr : weights_of(before.what);
        if (w == nullptr || before.activation != activation_range{}) return false;
        const std::size_t inner = w->values.size() / static_cast<std::size_t>(w->outputs);
        for (std::size_t o = 0; o < static_cast<std::size_t>(w->outputs); ++o) {
            for (std::size_t k = o * inner; k < (o + 1) * inner; ++k)
                w->values[k] = static_cast<float>(double{w->values[k]} * double{norm->factor[o]});
            w->bias[o] =
                static_cast<float>(ieee::fma(double{w->bias[o]}, double{norm->factor[o]}, double{norm->shift[o]}));
        }
        before.activation = step.activation;
        return true;
    });
};

/// A batch_norm that nothing could take becomes a depthwise 1x1 convolution, which has int8 kernels.
inline constexpr auto batch_norm_to_conv = [](std::same_as<graph> auto& net) -> void {
    for (auto& step : net.edit())
        if (auto* norm = std::get_if<op::batch_norm>(&step.what);
            norm != nullptr && net.at(step.output).dims.rank() == 4) {
            const int channels = static_cast<int>(norm->factor.size());
            step.what = op::conv2d{{channels, std::move(norm->factor), std::move(norm->shift)}, {}, channels};
        }
};

/// A clip melts into the node before it as its activation, where that node computes (a node that only moves bytes
/// shares its scale with its input and leaves the clip standing).
inline constexpr auto fuse_activations = [](std::same_as<graph> auto& net) -> void {
    detail::melt(net, [](const node& step, node& before) {
        const auto* clip = std::get_if<op::clip>(&step.what);
        const bool computes = weights_of(before.what) != nullptr || std::holds_alternative<op::add>(before.what) ||
                              std::holds_alternative<op::mul>(before.what) ||
                              std::holds_alternative<op::clip>(before.what);
        if (clip == nullptr || !computes) return false;
        // min(max(., a), b) after min(max(., c), d) clips to c and d, both held in [a, b].
        const auto held = [&](float bound) { return std::min(std::max(bound, clip->range.low), clip->range.high); };
        activation_range& range =
            std::holds_alternative<op::clip>(before.what) ? std::get<op::clip>(before.what).range : before.activation;
        range = {held(range.low), held(range.high)};
        return true;
    });
};

/// A node whose output nobody reads goes, and what only it read goes with it.
inline constexpr auto remove_unread = [](std::same_as<graph> auto& net) -> void {
    wiring wires(net);
    std::vector<bool> unread(net.nodes().size());
    for (std::size_t i = unread.size(); i-- > 0;) {
        const node& step = net.nodes()[i];
        unread[i] = wires.at(step.output).readers == 0;
        if (unread[i])
            for (const tensor_id id : step.inputs) --wires.at(id).readers;
    }
    detail::erase_marked(net.edit(), unread);
};

/// Runs the passes that quantize wants, in the order that lets each prepare the next: a dead reader would keep a node
/// from melting, so they go first. What comes out is optimized: a second run changes nothing, unless a clip without
/// bounds stood between two nodes that melt. Each pass is one walk.
inline constexpr auto optimize = [](std::same_as<graph> auto& net) -> void {
    remove_unread(net);
    constants_to_batch_norm(net);
    fold_batch_norm(net);
    batch_norm_to_conv(net);
    fuse_activations(net);
};

}  // namespace octet::inline OCTET_ABI
