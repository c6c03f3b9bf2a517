// Operators that slide a window over an image, or average one: Conv, MaxPool, AveragePool, GlobalAveragePool,
// ReduceMean.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/io/onnx/quantization.hpp"
#include "octet/io/onnx/views.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// The operand as an NHWC image.
inline value image(node_reader& at, std::size_t slot) {
    const value& of = at.computed(slot, "the image");
    if (of.dims.size() != 4)
        fail(at.who, ": the image has shape ", to_string(of.dims), ", but must be N x C x H x W",
             of.dims.size() == 3 ? ": give a one-dimensional signal a height of 1 (Unsqueeze, kernel 1 x k)" : "");
    return at.into.arrange(at.name, of, nhwc());
}

/// Two numbers of an attribute, height before width; `otherwise` twice where it is missing.
inline extent read_pair(node_reader& at, std::string_view key, int otherwise) {
    if (!at.has(key)) return {otherwise, otherwise};
    const std::vector<std::int64_t> given = at.integers(key);
    if (given.size() != 2) fail(at.who, ": ", key, " ", to_string(given), " must hold 2 numbers, height and width");
    for (const std::int64_t each : given)
        if (each < 1 || each > (1 << 20)) fail(at.who, ": ", key, " ", to_string(given), " must lie in [1, 1048576]");
    return {static_cast<int>(given[0]), static_cast<int>(given[1])};
}

/// The padding that auto_pad SAME gives one axis: ceil(size / stride) outputs, the odd element at the end (upper) or
/// the beginning (lower).
inline std::pair<int, int> same_padding(std::int64_t size, int kernel, int stride, int dilation, bool upper) {
    const std::int64_t outputs = (size + stride - 1) / stride;
    const std::int64_t reach = std::int64_t{kernel - 1} * dilation + 1;
    const std::int64_t total = std::max<std::int64_t>((outputs - 1) * stride + reach - size, 0);
    const auto small = static_cast<int>(std::min<std::int64_t>(total / 2, 1 << 21));
    const auto large = static_cast<int>(std::min<std::int64_t>(total - total / 2, 1 << 21));
    return upper ? std::pair{small, large} : std::pair{large, small};
}

/// Stride, dilation, padding and rounding of a window with this kernel over an image of these ONNX sizes.
inline window read_window(node_reader& at, extent kernel, const sizes& dims) {
    window taps{.kernel = kernel, .stride = read_pair(at, "strides", 1), .dilation = read_pair(at, "dilations", 1)};
    const std::string_view automatic = at.word("auto_pad", "NOTSET");
    const std::vector<std::int64_t> given = at.integers("pads");
    if (at.has("pads") && given.size() != 4)
        fail(at.who, ": pads ", to_string(given), " must hold 4 numbers: top, left, bottom, right");
    for (const std::int64_t each : given)
        if (each < 0 || each > (1 << 20) || (each != 0 && automatic != "NOTSET"))
            fail(at.who, ": pads ", to_string(given), " must lie in [0, 1048576], and be 0 where auto_pad is ",
                 in_quotes(automatic));
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
        const bool upper = automatic == "SAME_UPPER";
        const auto [top, bottom] =
            same_padding(dims[2], kernel.height, taps.stride.height, taps.dilation.height, upper);
        const auto [left, right] = same_padding(dims[3], kernel.width, taps.stride.width, taps.dilation.width, upper);
        taps.pad = {top, left, bottom, right};
    } else if (automatic == "NOTSET") {
        if (!given.empty())
            taps.pad = {static_cast<int>(given[0]), static_cast<int>(given[1]), static_cast<int>(given[2]),
                        static_cast<int>(given[3])};
    } else if (automatic != "VALID") {
        fail(at.who, ": auto_pad ", in_quotes(automatic), " is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID");
    }
    return taps;
}

/// Declares the output, an NHWC image that this node computes from the operand.
inline void define_image(node_reader& at, tensor_id id) {
    value result;
    result.id = id;
    result.order = nhwc();
    result.dims = permute(at.into.stored(result), nhwc());
    at.define(std::move(result));
}

/// Weights OIHW become OHWI; a missing bias is 0.
inline void import_conv(node_reader& at) {
    at.expect_inputs(2, 3);
    const value of = image(at, 0);
    const value& weights = at.constant(1, "the weights");
    const std::vector<float>& reals = at.constant_reals(1, "the weights");
    const sizes& dims = weights.dims;
    if (dims.size() != 4)
        fail(at.input_name(1, "the weights"), " have shape ", to_string(dims), ", but must be O x I x H x W",
             dims.size() == 3 ? ": give a one-dimensional convolution a height of 1 (Unsqueeze, kernel 1 x k)" : "");
    const std::int64_t groups = at.integer("group", 1), outputs = dims[0];
    if (reals.empty()) fail(at.input_name(1, "the weights"), " have shape ", to_string(dims), ": there are none");
    if (groups < 1 || groups > of.dims[1] || of.dims[1] % groups != 0 || outputs % groups != 0 ||
        dims[1] != of.dims[1] / groups)
        fail(at.who, ": weights of shape ", to_string(dims), " in ", groups, " groups do not fit an image of shape ",
             to_string(of.dims), ": its channels must be ", dims[1],
             " times the groups, which must divide the outputs");
    for (const std::int64_t size : {dims[2], dims[3]})
        if (size > (1 << 20))
            fail(at.who, ": a kernel of shape ", to_string(dims), ": its sizes must be at most 1048576");
    const extent kernel{static_cast<int>(dims[2]), static_cast<int>(dims[3])};
    if (at.has("kernel_shape") && read_pair(at, "kernel_shape", 1) != kernel)
        fail(at.who, ": kernel_shape ", to_string(at.integers("kernel_shape")), " contradicts weights of shape ",
             to_string(dims));
    op::conv2d conv{.taps = read_window(at, kernel, of.dims), .groups = static_cast<int>(groups)};
    at.into.spend(at.who, static_cast<std::int64_t>(reals.size()) + outputs);
    conv.weights = {static_cast<int>(outputs), permute_elements(reals, dims, {0, 2, 3, 1}),
                    std::vector<float>(static_cast<std::size_t>(outputs), 0.0F)};
    if (at.has_input(2)) {
        const std::vector<float>& bias = at.constant_reals(2, "the bias");
        if (bias.size() != static_cast<std::size_t>(outputs))
            fail(at.input_name(2, "the bias"), " has shape ", to_string(at.constant(2, "the bias").dims),
                 ", but needs one value for each of ", outputs, " outputs");
        conv.weights.bias = bias;
    }
    const tensor_id result = at.emit(std::move(conv), {of.id});
    note_weights(at, *weights.data, 0, at.has_input(2) ? at.constant(2, "the bias").data.get() : nullptr);
    define_image(at, result);
}

inline void import_pool(node_reader& at, pool_kind kind) {
    at.expect_inputs(1, 1);
    const value of = image(at, 0);
    if (!at.has("kernel_shape")) fail(at.who, " has no kernel_shape: export the model again");
    op::pool2d pool{.kind = kind, .taps = read_window(at, read_pair(at, "kernel_shape", 1), of.dims)};
    const std::string_view automatic = at.word("auto_pad", "NOTSET");
    const bool up = at.integer("ceil_mode", 0) != 0;
    pool.taps.ceil_mode = up && automatic == "NOTSET";  // with auto_pad the number of outputs is fixed without it
    if (kind == pool_kind::average) {
        pool.count_include_pad = at.integer("count_include_pad", 0) != 0;
    } else {
        at.ignore("storage_order");  // of Indices
        at.leave_out("the second output of a MaxPool, Indices, which Octet does not compute");
    }
    define_image(at, at.emit(pool, {of.id}));
}
inline void import_max_pool(node_reader& at) { import_pool(at, pool_kind::max); }
inline void import_average_pool(node_reader& at) { import_pool(at, pool_kind::average); }

inline void import_global_average_pool(node_reader& at) {
    at.expect_inputs(1, 1);
    define_image(at, at.emit(op::global_average_pool{}, {image(at, 0).id}));
}

/// The mean over two axes of four is a global average pool over whatever stands there: (2, 3) of NCHW, (1, 2) of NHWC.
inline void import_reduce_mean(node_reader& at) {
    at.expect_inputs(1, at.into.opset >= 18 ? 2 : 1);
    if (at.into.opset >= 18) at.ignore("noop_with_empty_axes");
    const value& of = at.computed(0, "the image");
    const bool keep = at.integer("keepdims", 1) != 0;
    std::vector<bool> reduced(of.dims.size(), false);
    std::size_t count = 0;
    for (const std::int64_t each : listed_axes(at, 1, 18)) {
        const std::size_t axis = at.axis(each, of.dims.size());
        count += reduced[axis] ? 0 : 1;
        reduced[axis] = true;
    }
    if (of.dims.size() != 4 || count != 2 || reduced[0])
        fail(at.who, ": the mean over ", count, " axes of ", to_string(of.dims),
             " is not read: only that over the height and the width of an image is");
    axes want{0, 0, 0, 0};
    int next = 1;
    for (std::size_t axis = 1; axis < 4; ++axis) want[axis] = reduced[axis] ? next++ : 3;
    value result = at.into.arrange(at.name, of, want);
    result.id = at.emit(op::global_average_pool{}, {result.id});
    sizes dims;
    for (std::size_t axis = 0; axis < 4; ++axis) {
        if (reduced[axis]) result.dims[axis] = 1;
        if (keep || !reduced[axis]) dims.push_back(result.dims[axis]);
    }
    if (keep) return at.define(std::move(result));
    define_view(at, std::move(result), std::move(dims));
}

}  // namespace octet::onnx::inline OCTET_ABI
