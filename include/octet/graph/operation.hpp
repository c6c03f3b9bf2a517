// The operations of a network, with their weights in float. Layout is NHWC throughout: an importer converts once.
#pragma once

#include <array>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "octet/core/shape.hpp"
#include "octet/nn/activation.hpp"

namespace octet {

/// Weights and bias of a layer with `outputs` output channels: values [outputs, inner] row-major, bias [outputs].
struct layer_weights {
    int outputs = 0;
    std::vector<float> values{};
    std::vector<float> bias{};
};

enum class pool_kind { max, average };

namespace op {

/// weights OHWI: [outputs, kernel height, kernel width, input channels / groups]; input and output NHWC. A depthwise
/// convolution is one with groups = input channels. Padding counts as real 0.
struct conv2d {
    layer_weights weights{};
    window taps{};
    int groups = 1;
};
/// y[..., o] = bias[o] + sum_i x[..., i] * w[o, i], over the last dimension of an input of rank 2 or more.
struct linear {
    layer_weights weights{};
};
/// y[..., c] = x[..., c] * factor[c] + shift[c]: batch normalization with its statistics applied.
struct batch_norm {
    std::vector<float> factor{};
    std::vector<float> shift{};
};
/// Padding never wins a maximum; it counts in an average where count_include_pad says so, as real 0. Cells beyond the
/// trailing padding, which ceil_mode reaches, never count.
struct pool2d {
    pool_kind kind = pool_kind::max;
    window taps{};
    bool count_include_pad = false;
};
struct global_average_pool {};
/// Element by element, with NumPy's broadcasting.
struct add {};
struct mul {};
struct concat {
    int axis = 0;
};
struct pad {
    std::array<int, shape::max_rank> before{};
    std::array<int, shape::max_rank> after{};
    float value = 0.0F;
};
/// The same elements in the same (NHWC) order under another shape, whose first size stays the batch.
struct reshape {
    shape dims{};
};
/// Output axis i is input axis order[i].
struct transpose {
    std::array<int, shape::max_rank> order{};
};
struct clip {
    activation_range range{};
};
struct lookup {
    function what = function::logistic;
    float alpha = 0.01F;  ///< the slope of leaky_relu below 0
};
/// Over the last dimension.
struct softmax {};

}  // namespace op

using operation =
    std::variant<op::conv2d, op::linear, op::batch_norm, op::pool2d, op::global_average_pool, op::add, op::mul,
                 op::concat, op::pad, op::reshape, op::transpose, op::clip, op::lookup, op::softmax>;

/// Whether a convolution has one filter for each input channel.
inline bool is_depthwise(const op::conv2d& conv, const shape& in) noexcept {
    return conv.groups > 1 && conv.groups == in.cols() && conv.weights.outputs == conv.groups;
}

/// The weights of an operation that has some, otherwise nullptr.
inline const layer_weights* weights_of(const operation& what) noexcept {
    if (const auto* conv = std::get_if<op::conv2d>(&what)) return &conv->weights;
    if (const auto* layer = std::get_if<op::linear>(&what)) return &layer->weights;
    return nullptr;
}
inline layer_weights* weights_of(operation& what) noexcept {
    return const_cast<layer_weights*>(weights_of(std::as_const(what)));
}

/// "conv2d", "max_pool2d", ...
constexpr std::string_view kind_of(const operation& what) noexcept {
    constexpr std::string_view names[] = {"conv2d",    "linear", "batch_norm", "pool2d", "global_average_pool",
                                          "add",       "mul",    "concat",     "pad",    "reshape",
                                          "transpose", "clip",   "lookup",     "softmax"};
    if (const auto* pool = std::get_if<op::pool2d>(&what))
        return pool->kind == pool_kind::max ? "max_pool2d" : "average_pool2d";
    if (const auto* table = std::get_if<op::lookup>(&what)) {
        constexpr std::string_view functions[] = {"logistic", "tanh", "hard_swish", "leaky_relu"};
        return functions[static_cast<int>(table->what)];
    }
    return names[what.index()];
}

}  // namespace octet
