// QuantizeLinear and DequantizeLinear. On what is computed a QuantizeLinear leaves a node in the graph that changes
// nothing (a reshape to the same shape) and notes the parameters of its output, and DequantizeLinear leaves nothing:
// io/onnx/quantized_network.hpp finds the int8 layers between them. Constants are dequantized, and layers note the
// scales of their weights.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "octet/io/onnx/fold.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// What a DequantizeLinear or QuantizeLinear says: scales and zero points, one or one for each index of `axis`.
struct linear_params {
    std::vector<float> scales;
    std::vector<std::int64_t> zero_points;  // as many as scales
    std::size_t axis = 0;
    std::int64_t type = 0;  // of the integers

    /// As int8 has them, where there is one scale.
    quant_params of_tensor() const {
        const std::int64_t z = zero_points[0] - (type == proto::uint8 ? 128 : 0);
        return {scale(scales[0]), zero_point(static_cast<std::int32_t>(z))};
    }
};

/// Reads inputs 1 and 2 for integers of `type`, or, where that is 0, of the type that the node itself names.
inline linear_params read_linear_params(node_reader& at, const sizes& dims, std::int64_t type) {
    at.expect_inputs(2, 3);
    at.ignore("saturate");
    if (at.integer("block_size", 0) != 0) fail(at.who, ": blocks of scales are not read: quantize per channel");
    linear_params read{at.constant_reals(1, "the scale"), {}, 0, type};
    const std::int64_t axis = at.into.opset >= 13 ? at.integer("axis", 1) : 0;
    if (read.scales.size() != 1 || at.constant(1, "the scale").dims.size() > 1) {
        read.axis = at.axis(axis, dims.size());
        if (static_cast<std::int64_t>(read.scales.size()) != dims[read.axis])
            fail(at.input_name(1, "the scale"), " holds ", read.scales.size(), " values for axis ", read.axis, " of ",
                 to_string(dims), ": there must be one, or one for each index");
    }
    for (const float s : read.scales)
        if (!(s > 0.0F && std::isfinite(s)))
            fail(at.input_name(1, "the scale"), " holds ", s, ", but a scale is finite and greater than 0");
    read.zero_points.assign(read.scales.size(), 0);
    std::int64_t named = at.integer("output_dtype", 0);
    if (at.has_input(2)) {
        const std::vector<std::int64_t>& given = at.constant_integers(2, "the zero point");
        named = at.constant(2, "the zero point").data->data_type;
        if (given.size() != read.scales.size())
            fail(at.input_name(2, "the zero point"), " holds ", given.size(), " values for ", read.scales.size(),
                 " scales: there must be one for each");
        read.zero_points = given;
    }
    if (type == 0) read.type = named == 0 ? static_cast<std::int64_t>(proto::uint8) : named;
    if (named != 0 && named != read.type && at.has_input(2))
        fail(at.input_name(2, "the zero point"), " has data type ", named, " for integers of type ", read.type);
    return read;
}

/// The parameters of an activation, which is stored in int8 or uint8 with one scale.
inline quant_params activation_params(node_reader& at, const linear_params& from) {
    if (from.type != proto::int8 && from.type != proto::uint8)
        fail(at.who, ": activations of data type ", from.type, " are not read, only int8 (3) and uint8 (2) are");
    if (from.scales.size() != 1) fail(at.who, ": an activation with ", from.scales.size(), " scales: it must have one");
    return from.of_tensor();
}

/// The index of the scale of each element in turn: calls visit(i, c) for element i.
template <class Visit>
void for_each_scale(const sizes& dims, const linear_params& p, std::size_t count, const Visit& visit) {
    std::size_t inner = 1;
    for (std::size_t i = p.axis + 1; i < dims.size(); ++i) inner *= static_cast<std::size_t>(dims[i]);
    for (std::size_t i = 0; i < count; ++i) visit(i, i / inner % p.scales.size());
}

inline void import_quantize(node_reader& at) {
    if (at.into.forms == nullptr) fail(at.who, ": this model is quantized: read it with octet::onnx::load_quantized");
    value of = at.input(0);
    const linear_params p = read_linear_params(at, of.dims, 0);
    if (!of.is_constant()) {
        const quant_params stored = activation_params(at, p);
        at.computed(0, "the operand");
        of.id = at.emit(op::reshape{at.into.net.at(of.id).dims}, {of.id});
        at.into.forms->tensors[of.id] = stored;
        of.stored_type = p.type;
        return at.define(std::move(of));
    }
    const std::vector<float>& reals = at.constant_reals(0, "the operand");
    if (p.type != proto::int8 && p.type != proto::uint8)
        fail(at.who, ": constants are not quantized to data type ", p.type, ", only to int8 (3) and uint8 (2)");
    at.into.spend(at.who, 2 * static_cast<std::int64_t>(reals.size()));
    literal made{.type = literal::kind::integer, .data_type = p.type};
    const int low = p.type == proto::int8 ? -128 : 0;
    for_each_scale(of.dims, p, reals.size(), [&](std::size_t i, std::size_t c) {
        const quant_params one{scale(p.scales[c]), zero_point(static_cast<std::int32_t>(p.zero_points[c]))};
        made.integers.push_back(quantize_value(reals[i], one, low, low + 255));
    });
    at.define(make_constant(of.dims, std::move(made)));
}

inline void import_dequantize(node_reader& at) {
    if (at.into.forms == nullptr) fail(at.who, ": this model is quantized: read it with octet::onnx::load_quantized");
    value of = at.input(0);
    if (!of.is_constant()) {
        if (of.stored_type == 0)
            fail(at.input_name(0, "the operand"), " is float: DequantizeLinear reads what QuantizeLinear made");
        const quant_params p = activation_params(at, read_linear_params(at, of.dims, of.stored_type));
        const quant_params had = at.into.forms->tensors.emplace(of.id, p).first->second;
        if (had != p)
            fail(at.who, " reads with scale ", p.scale.value, " and zero point ", p.zero_point.value,
                 " (as int8) what is stored with ", had.scale.value, " and ", had.zero_point.value,
                 ": both must be the same");
        of.stored_type = 0;
        return at.define(std::move(of));
    }
    const literal& from = *of.data;
    if (from.data_type != proto::int8 && from.data_type != proto::uint8 && from.data_type != proto::int32)
        fail(at.input_name(0, "the operand"), " has data type ", from.data_type,
             ": Octet dequantizes int8 (3), uint8 (2) and int32 (6)");
    const linear_params p = read_linear_params(at, of.dims, from.data_type);
    at.into.spend(at.who, 2 * static_cast<std::int64_t>(from.integers.size()));
    literal made{.type = literal::kind::real, .data_type = proto::float32, .scales = p.scales, .axis = p.axis};
    for_each_scale(of.dims, p, from.integers.size(), [&](std::size_t i, std::size_t c) {
        const std::int64_t steps = from.integers[i] - p.zero_points[c];
        made.reals.push_back(p.scales[c] * static_cast<float>(steps));
        if (from.data_type == proto::int32) made.integers.push_back(steps);
    });
    if (p.scales.size() == 1 && from.data_type != proto::int32) made.zero_point = p.of_tensor().zero_point.value;
    at.define(make_constant(of.dims, std::move(made)));
}

/// Notes how the weights and the bias of the layer that was just emitted are stored, if they were dequantized with one
/// scale, or one for each output along `axis`.
inline void note_weights(node_reader& at, const literal& weights, std::size_t axis, const literal* bias) {
    if (at.into.forms == nullptr || weights.scales.empty()) return;
    if (weights.scales.size() != 1 && weights.axis != axis) return;
    stored_weights note{weights.scales, {}, {}};
    if (bias != nullptr && !bias->scales.empty()) note.bias = bias->integers, note.bias_scales = bias->scales;
    at.into.forms->layers.insert_or_assign(at.into.net.nodes().back().name, std::move(note));
}

/// Notes how a constant operand is stored, if it was dequantized with one scale.
inline void note_constant(node_reader& at, tensor_id id, const literal& from) {
    if (at.into.forms == nullptr || from.scales.size() != 1) return;
    at.into.forms->tensors[id] = {scale(from.scales[0]), zero_point(from.zero_point)};
}

}  // namespace octet::onnx::inline OCTET_ABI
