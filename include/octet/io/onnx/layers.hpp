// Operators that mix features: Gemm, MatMul, BatchNormalization, Softmax; and Concat and Pad, which move them.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/io/onnx/quantization.hpp"
#include "octet/io/onnx/views.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// A weight matrix of the model: `reals` is [depth, outputs] row-major, or [outputs, depth] where `transposed`.
struct matrix {
    const std::vector<float>& reals;
    std::int64_t depth = 0;
    std::int64_t outputs = 0;
    bool transposed = false;
    float factor = 1.0F;
};

/// The operand of a layer over the last axis, and where the weights of each of its features stand in the model.
struct features {
    value operand;
    std::vector<std::size_t> column;  // of stored feature i; empty: column i
};

/// An image that was flattened in the order C, H, W is flattened as it is stored, H, W, C: the columns of the weights
/// move instead of the elements, and no transpose remains.
inline features read_features(node_reader& at, const value& of) {
    const bool flattened = of.dims.size() == 2 && !at.into.plain(of) && of.order[0] == 0;
    if (!flattened) return {at.into.arrange_last(at.name, of, of.dims.size() - 1), {}};
    const sizes stored = at.into.stored(of);
    features result{of, {}};
    if (!keeps_order(stored, of.order)) {
        at.into.spend(at.who, of.dims[1]);
        const sizes seen = permute(stored, of.order);
        for_each_permuted(seen, inverse(of.order), [&](std::size_t index) { result.column.push_back(index); });
    }
    result.operand.id =
        at.into.reshaped(std::string(of.view.empty() ? std::string_view(at.name) : of.view), of.id, of.dims);
    result.operand.order = identity(2);
    return result;
}

inline value emit_linear(node_reader& at, const value& of, const matrix& from, std::vector<float> bias) {
    if (of.dims.back() != from.depth)
        fail(at.who, ": weights for ", from.depth, " features do not fit an input of shape ", to_string(of.dims));
    features in = read_features(at, of);
    const auto depth = static_cast<std::size_t>(from.depth), outputs = static_cast<std::size_t>(from.outputs);
    at.into.spend(at.who, from.depth * from.outputs + from.outputs);
    op::linear layer{{static_cast<int>(from.outputs), std::vector<float>(depth * outputs), std::move(bias)}};
    for (std::size_t o = 0; o < outputs; ++o)
        for (std::size_t i = 0; i < depth; ++i) {
            const std::size_t k = in.column.empty() ? i : in.column[i];
            layer.weights.values[o * depth + i] =
                from.factor * from.reals[from.transposed ? o * depth + k : k * outputs + o];
        }
    value result = std::move(in.operand);
    result.id = at.emit(std::move(layer), {result.id});
    result.dims.back() = from.outputs;
    return result;
}

/// y = alpha * x * B + beta * C, with B and C constant.
inline void import_gemm(node_reader& at) {
    at.expect_inputs(at.into.opset >= 11 ? 2 : 3, 3);
    const bool transposed = at.integer("transB", 0) != 0;
    const float alpha = at.real("alpha", 1.0F), beta = at.real("beta", 1.0F);
    const value& of = at.computed(0, "the left operand");
    const std::vector<float>& reals = at.constant_reals(1, "the weights");
    const sizes& dims = at.constant(1, "the weights").dims;
    if (at.integer("transA", 0) != 0)
        fail(at.who,
             " transposes its computed operand (transA), which would move the batch: export the model without transA");
    if (of.dims.size() != 2 || dims.size() != 2 || reals.empty())
        fail(at.who, ": operands of shapes ", to_string(of.dims), " and ", to_string(dims),
             ", but both must be matrices: flatten first");
    const matrix from{reals, dims[transposed ? 1 : 0], dims[transposed ? 0 : 1], transposed, alpha};
    std::vector<float> bias(static_cast<std::size_t>(from.outputs), 0.0F);
    if (at.has_input(2)) {
        const std::vector<float>& given = at.constant_reals(2, "the bias");
        if (given.size() != 1 &&
            (given.size() != bias.size() || at.constant(2, "the bias").dims.back() != from.outputs))
            fail(at.input_name(2, "the bias"), " has shape ", to_string(at.constant(2, "the bias").dims),
                 ", but must hold one value, or one for each of ", from.outputs, " outputs");
        for (std::size_t o = 0; o < bias.size(); ++o) bias[o] = beta * given[given.size() == 1 ? 0 : o];
    }
    value result = emit_linear(at, of, from, std::move(bias));
    if (alpha == 1.0F)
        note_weights(at, *at.constant(1, "the weights").data, transposed ? 0 : 1,
                     at.has_input(2) && beta == 1.0F ? at.constant(2, "the bias").data.get() : nullptr);
    at.define(std::move(result));
}

/// y = x * B with B constant: a matrix (leading sizes of 1 allowed), or a vector.
inline void import_mat_mul(node_reader& at) {
    at.expect_inputs(2, 2);
    const value& of = at.computed(0, "the left operand");
    const std::vector<float>& reals = at.constant_reals(1, "the weights");
    sizes dims = at.constant(1, "the weights").dims;
    while (dims.size() > 2 && dims[0] == 1 && dims.size() <= of.dims.size()) dims.erase(dims.begin());
    const bool vector = dims.size() == 1;
    if (vector) dims.push_back(1);
    if (dims.size() != 2 || of.dims.size() < 2 || reals.empty() || (vector && of.dims.size() < 3))
        fail(at.who, ": operands of shapes ", to_string(of.dims), " and ",
             to_string(at.constant(1, "the weights").dims),
             ", but the left must keep its batch and the right be one matrix");
    value result =
        emit_linear(at, of, {reals, dims[0], dims[1]}, std::vector<float>(static_cast<std::size_t>(dims[1]), 0.0F));
    note_weights(at, *at.constant(1, "the weights").data, at.constant(1, "the weights").dims.size() - 1, nullptr);
    if (!vector) return at.define(std::move(result));
    sizes shorter(result.dims.begin(), result.dims.end() - 1);
    define_view(at, std::move(result), std::move(shorter));
}

/// y = (x - mean) / sqrt(var + epsilon) * scale + B along axis 1, in double down to one factor and one shift a channel.
inline void import_batch_normalization(node_reader& at) {
    at.expect_inputs(5, 5);
    at.ignore("momentum");
    const auto epsilon = static_cast<double>(at.real("epsilon", 1e-5F));
    if (at.into.opset < 9 && at.integer("spatial", 1) == 0)
        fail(
            at.who,
            " normalizes every pixel by itself (spatial = 0), which Octet does not read: export with opset 9 or later");
    if (at.into.opset >= 14 && at.integer("training_mode", 0) != 0)
        fail(at.who, " is in training mode: export the model for inference");
    const value& of = at.computed(0, "the input");
    if (of.dims.size() < 2)
        fail(at.who, ": the input has shape ", to_string(of.dims), ", but needs channels on axis 1");
    constexpr const char* roles[] = {"", "scale", "B", "mean", "var"};
    const auto channels = static_cast<std::size_t>(of.dims[1]);
    for (std::size_t i = 1; i < 5; ++i)
        if (at.constant_reals(i, roles[i]).size() != channels)
            fail(at.input_name(i, roles[i]), " holds ", at.constant_reals(i, roles[i]).size(), " values for ", channels,
                 " channels");
    const std::vector<float>&scale = at.constant_reals(1, "scale"), &offset = at.constant_reals(2, "B"),
          &mean = at.constant_reals(3, "mean"), &variance = at.constant_reals(4, "var");
    at.into.spend(at.who, 2 * of.dims[1]);
    op::batch_norm norm;
    for (std::size_t c = 0; c < channels; ++c) {
        const double spread = static_cast<double>(variance[c]) + epsilon;
        if (!(spread > 0))
            fail(at.who, ": var + epsilon of channel ", c, " is ", spread, ", but must be positive: repair the model");
        const double factor = static_cast<double>(scale[c]) / std::sqrt(spread);
        norm.factor.push_back(static_cast<float>(factor));
        norm.shift.push_back(
            static_cast<float>(std::fma(-static_cast<double>(mean[c]), factor, static_cast<double>(offset[c]))));
    }
    value result = at.into.arrange_last(at.name, of, 1);
    result.id = at.emit(std::move(norm), {result.id});
    at.define(std::move(result));
    at.leave_out("a statistic of BatchNormalization, which inference does not compute");
}

/// Along one axis from opset 13 on; before that over all axes from `axis` on, together.
inline void import_softmax(node_reader& at) {
    at.expect_inputs(1, 1);
    const bool together = at.into.opset < 13;
    const value& of = at.computed(0, "the input");
    std::size_t axis = at.axis(at.integer("axis", together ? 1 : -1), of.dims.size());
    if (axis == 0) fail(at.who, " runs over the batch (axis 0): give another axis");
    std::size_t large = 0;
    for (std::size_t i = axis; together && i < of.dims.size(); ++i)
        if (of.dims[i] != 1) ++large, axis = i;
    if (large <= 1) {
        value result = at.into.arrange_last(at.name, of, axis);
        result.id = at.emit(op::softmax{}, {result.id});
        return at.define(std::move(result));
    }
    // Several axes at once: flatten them, and see the result through the second lens.
    axis = at.axis(at.integer("axis", 1), of.dims.size());
    value result = at.into.arrange(at.name, of, identity(of.dims.size()));
    sizes flat(of.dims.begin(), of.dims.begin() + static_cast<std::ptrdiff_t>(axis));
    std::int64_t inner = 1;
    for (std::size_t i = axis; i < of.dims.size(); ++i) inner *= of.dims[i];
    flat.push_back(inner);
    result.id = at.into.reshaped(at.name + "/flatten", result.id, flat);
    result.id = at.emit(op::softmax{}, {result.id});
    result.order = identity(flat.size());
    result.view = at.source.name.empty() ? at.source.outputs[0] : at.source.name;
    at.define(std::move(result));
}

/// Parts in one layout: the canonical one if any part has it, else that of the first plain part.
inline void import_concat(node_reader& at) {
    at.expect_inputs(1, at.source.inputs.size());
    if (!at.has("axis")) fail(at.who, " has no axis: export the model again");
    std::vector<const value*> parts;
    for (std::size_t i = 0; i < at.source.inputs.size(); ++i) {
        if (!at.has_input(i)) fail(at.who, ": input ", i, " is missing: export the model again");
        parts.push_back(&at.computed(i, "the part"));
    }
    const std::size_t rank = parts[0]->dims.size(), axis = at.axis(at.integer("axis", 0), rank);
    if (axis == 0) fail(at.who, " joins along the batch (axis 0), which must stay 1: join along another axis");
    axes want;
    for (const value* part : parts) {
        if (part->dims.size() != rank)
            fail(at.who, ": parts of shapes ", to_string(parts[0]->dims), " and ", to_string(part->dims),
                 " have different ranks");
        if (at.into.plain(*part) && (want.empty() || part->order == canonical(*part))) want = part->order;
    }
    if (want.empty()) want = canonical(*parts[0]);
    std::vector<tensor_id> ids;
    value result = at.into.arrange(at.name, *parts[0], want);
    result.dims[axis] = 0;
    for (const value* part : parts) {
        ids.push_back(at.into.arrange(at.name, *part, want).id);
        result.dims[axis] += part->dims[axis];
    }
    result.id = at.emit(op::concat{want[axis]}, std::move(ids));
    at.define(std::move(result));
}

/// Constant padding; amounts as attributes up to opset 10, as inputs (with a list of axes from 18 on) after.
inline void import_pad(node_reader& at) {
    const bool inputs = at.into.opset >= 11;
    at.expect_inputs(inputs ? 2 : 1, at.into.opset >= 18 ? 4 : inputs ? 3 : 1);
    const std::string_view mode = at.word("mode", "constant");
    if (mode != "constant") fail(at.who, ": mode ", in_quotes(mode), " is not read: only constant padding is");
    const value& of = at.computed(0, "the input");
    const std::size_t rank = of.dims.size();
    const std::vector<std::int64_t> pads = inputs ? at.constant_integers(1, "pads") : at.integers("pads");
    op::pad grow;
    if (!inputs)
        grow.value = at.real("value", 0.0F);
    else if (at.has_input(2))
        grow.value = at.constant_real(2, "constant_value");
    std::vector<std::int64_t> listed;
    if (at.into.opset >= 18 && at.has_input(3))
        listed = at.constant_integers(3, "the axes");
    else
        for (std::size_t i = 0; i < rank; ++i) listed.push_back(static_cast<std::int64_t>(i));
    if (pads.size() != 2 * listed.size())
        fail(at.who, ": pads ", to_string(pads), " must hold a begin and an end for each of ", listed.size(), " axes");
    value result = at.into.plain(of) ? of : at.into.arrange(at.name, of, canonical(of));
    std::vector<bool> seen(rank, false);
    for (std::size_t i = 0; i < listed.size(); ++i) {
        const std::size_t axis = at.axis(listed[i], rank);
        const std::int64_t before = pads[i], after = pads[i + listed.size()];
        if (before < 0 || after < 0 || before > (1 << 20) || after > (1 << 20) || seen[axis] ||
            (axis == 0 && before + after != 0))
            fail(at.who, ": pads ", to_string(pads), ": axis ", axis,
                 " must be padded once by [0, 1048576], the batch not at all; Octet does not crop");
        seen[axis] = true;
        const auto stored = static_cast<std::size_t>(result.order[axis]);
        grow.before[stored] = static_cast<int>(before), grow.after[stored] = static_cast<int>(after);
        result.dims[axis] += before + after;
    }
    if (result.dims == of.dims) return at.define(of);
    result.id = at.emit(grow, {result.id});
    at.define(std::move(result));
}

}  // namespace octet::onnx::inline OCTET_ABI
