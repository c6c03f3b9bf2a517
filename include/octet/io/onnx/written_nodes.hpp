// The ONNX form of every operation of the graph.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "octet/io/onnx/exporter.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// A visitor over operations that writes one node.
struct node_writer {
    exporter& to;
    const node& n;
    const quantized_layer& layer;
    const std::string raw = to.raw_name(n.output, layer.is_int8);

    const shape& dims_in(std::size_t i = 0) const { return to.net.at(n.inputs[i]).dims; }
    const shape& dims_out() const { return to.net.at(n.output).dims; }
    quant_params params(tensor_id id) const { return to.from.at(id).params; }
    std::string in(std::size_t i = 0) const { return to.read(n.inputs[i], layer.is_int8, dims_out().rank()); }
    std::string read() const { return to.read(n.inputs[0], layer.is_int8); }
    [[noreturn]] void refuse(const char* what) const {
        fail(exporter::who(n), ": ", what, " has no form in ONNX opset ", written_opset);
    }

    /// The operator that bears the node's name.
    void emit(const char* kind, const std::vector<std::string>& inputs, const std::string& result,
              const std::vector<attribute>& attributes = {}) const {
        to.file.node(kind, inputs, {result}, attributes, printable(n.name));
    }
    /// The same, where its output is the node's value.
    void emit(const char* kind, const std::vector<std::string>& inputs,
              const std::vector<attribute>& attributes = {}) const {
        emit(kind, inputs, raw, attributes);
    }
    void emit_transpose(const std::string& value, const std::string& result, const sizes& perm) const {
        to.file.node("Transpose", {value}, {result}, {attr("perm", perm)});
    }
    /// The node's value from another by an activation.
    void emit_clip(const std::string& value, activation_range range, std::string_view name) const {
        const activation_range none;
        if (range == none) return to.file.node("Identity", {value}, {raw}, {}, name);
        if (range.low == 0.0F && range.high == none.high) return to.file.node("Relu", {value}, {raw}, {}, name);
        std::vector<std::string> inputs{value, range.low == none.low ? "" : to.number(raw + "_min", range.low)};
        if (range.high != none.high) inputs.push_back(to.number(raw + "_max", range.high));
        to.file.node("Clip", inputs, {raw}, {}, name);
    }

    /// The operator of a node that may have an activation: write(result) writes it. The bytes of an int8 node clip by
    /// themselves where its parameters end at the activation's bounds; elsewhere the activation stands behind a
    /// rounding of its own, so that the operator before it is one that runtimes fuse.
    template <class Write>
    void with_activation(const Write& write) const {
        const activation_range range = n.activation;
        const quant_params p = params(n.output);
        const bool implied = layer.is_int8 && quantize_value(range.low, p, -128, 127) == -128 &&
                             quantize_value(range.high, p, -128, 127) == 127;
        if (range == activation_range{} || implied) return write(raw);
        const std::string before = to.unique(raw + "_unclipped");
        write(before);
        std::string value = before;
        if (layer.is_int8) to.round_trip(before, p, before, value = to.unique(before + "_dequantized"));
        emit_clip(value, range, "");
    }

    static std::vector<attribute> attributes_of(const window& w) {
        return {attr("kernel_shape", sizes{w.kernel.height, w.kernel.width}),
                attr("strides", sizes{w.stride.height, w.stride.width}),
                attr("pads", sizes{w.pad.top, w.pad.left, w.pad.bottom, w.pad.right})};
    }
    /// Weights, then bias, of a layer of `outputs` x `dims`, where stored element i is element order[i] of the layer.
    std::vector<std::string> parameters(const layer_weights& weights, const sizes& dims, const sizes& stored,
                                        const axes& order, int axis = 0) const {
        const sizes many{weights.outputs};
        if (!layer.is_int8)
            return {to.reals(n.name + "_weight", dims, permute_elements(weights.values, stored, order)),
                    to.reals(n.name + "_bias", many, weights.bias)};
        std::vector<float> scales, bias_scales;
        for (const scale s : layer.scales) {
            scales.push_back(s.value);
            bias_scales.push_back(params(n.inputs[0]).scale.value * s.value);
            if (!(bias_scales.back() > 0.0F && bias_scales.back() <= 3.4028234e38F))
                fail(exporter::who(n), ": the scales of its input, ", params(n.inputs[0]).scale.value,
                     ", and of its weights, ", s.value, ", have no product in float, which its bias needs");
        }
        return {to.dequantized(n.name + "_weight", dims, proto::int8, permute_elements(layer.values, stored, order),
                               scales, axis),
                to.dequantized(n.name + "_bias", many, proto::int32, layer.bias, bias_scales)};
    }

    void operator()(const op::conv2d& conv) const {
        const window& w = conv.taps;
        convolve(conv.weights, w.kernel, dims_in()[3] / conv.groups, [&] {
            auto attributes = attributes_of(w);
            attributes.push_back(attr("dilations", sizes{w.dilation.height, w.dilation.width}));
            attributes.push_back(attr("group", conv.groups));
            return attributes;
        }());
    }
    void convolve(const layer_weights& weights, extent kernel, std::int64_t depth,
                  const std::vector<attribute>& attributes) const {
        const sizes ohwi{weights.outputs, kernel.height, kernel.width, depth};
        with_activation([&](const std::string& result) {
            const std::string x = read();
            const auto w = parameters(weights, permute(ohwi, nhwc()), ohwi, nhwc());
            emit("Conv", {x, w[0], w[1]}, result, attributes);
        });
    }
    /// A matrix is a Gemm; an image a convolution by one tap; anything else a MatMul, which has no bias.
    void operator()(const op::linear& linear) const {
        const std::int64_t outputs = linear.weights.outputs, depth = dims_in().cols();
        if (dims_in().rank() == 4) return convolve(linear.weights, {}, depth, attributes_of({}));
        with_activation([&](const std::string& result) {
            const std::string x = read();
            if (dims_in().rank() == 2) {
                const auto image = to.flattened.find(n.inputs[0]);
                const sizes stored = image == to.flattened.end()
                                         ? sizes{outputs, 1, 1, depth}
                                         : sizes{outputs, image->second[1], image->second[2], image->second[3]};
                const auto w = parameters(linear.weights, {outputs, depth}, stored, nhwc());
                return emit("Gemm", {x, w[0], w[1]}, result, {attr("transB", 1)});
            }
            for (std::size_t o = 0; o < linear.weights.bias.size(); ++o)
                if (layer.is_int8 ? layer.bias[o] != 0 : linear.weights.bias[o] != 0.0F)
                    refuse("a layer with a bias over an input of this rank: reshape it to rank 2 or 4, or it");
            const auto w = parameters(linear.weights, {depth, outputs}, {outputs, depth}, {1, 0}, 1);
            emit("MatMul", {x, w[0]}, result);
        });
    }
    void operator()(const op::batch_norm& norm) const {
        if (dims_in().rank() != 2 && dims_in().rank() != 4)
            refuse("a batch normalization along the last axis of an input that is no matrix and no image");
        const sizes many{static_cast<std::int64_t>(norm.factor.size())};
        with_activation([&](const std::string& result) {
            const std::vector<float> zeros(norm.factor.size(), 0.0F), ones(norm.factor.size(), 1.0F);
            emit("BatchNormalization",
                 {read(), to.reals(n.name + "_scale", many, norm.factor), to.reals(n.name + "_bias", many, norm.shift),
                  to.reals(n.name + "_mean", many, zeros), to.reals(n.name + "_var", many, ones)},
                 result, {attr("epsilon", 0.0F)});
        });
    }
    void operator()(const op::pool2d& pool) const {
        auto attributes = attributes_of(pool.taps);
        attributes.push_back(attr("ceil_mode", pool.taps.ceil_mode ? 1 : 0));
        if (pool.kind == pool_kind::max) {
            attributes.push_back(attr("dilations", sizes{pool.taps.dilation.height, pool.taps.dilation.width}));
            return emit("MaxPool", {read()}, attributes);
        }
        if (pool.taps.dilation != extent{}) refuse("an average pool with dilation");
        attributes.push_back(attr("count_include_pad", pool.count_include_pad ? 1 : 0));
        emit("AveragePool", {read()}, attributes);
    }
    void operator()(const op::global_average_pool&) const { emit("GlobalAveragePool", {read()}); }
    void operator()(const op::add&) const { pair("Add"); }
    void operator()(const op::mul&) const { pair("Mul"); }
    void pair(const char* kind) const {
        with_activation([&](const std::string& result) {
            const std::string a = in(0), b = in(1);
            emit(kind, {a, b}, result);
        });
    }
    void operator()(const op::concat& join) const {
        std::vector<std::string> parts;
        for (std::size_t i = 0; i < n.inputs.size(); ++i) parts.push_back(in(i));
        emit("Concat", parts, {attr("axis", exporter::written_axis(join.axis, dims_out().rank()))});
    }
    void operator()(const op::pad& grow) const {
        const int rank = dims_out().rank();
        sizes pads(static_cast<std::size_t>(2 * rank));
        for (int axis = 0; axis < rank; ++axis) {
            const auto at = static_cast<std::size_t>(exporter::written_axis(axis, rank));
            pads[at] = grow.before[static_cast<std::size_t>(axis)];
            pads[at + static_cast<std::size_t>(rank)] = grow.after[static_cast<std::size_t>(axis)];
        }
        const std::string x = read();
        emit("Pad", {x, to.list(n.name + "_pads", pads), to.number(n.name + "_value", grow.value)});
    }
    /// Elements keep the order of N, H, W, C. An image that only layers read is flattened as it stands: the columns of
    /// the layers' weights move instead.
    void operator()(const op::reshape&) const {
        const shape &from = dims_in(), &result = dims_out();
        const auto as_it_stands = [](const shape& dims) {
            return dims.rank() != 4 || keeps_order(sizes_of(dims), nhwc());
        };
        const bool flat = result.rank() == 2 && result.cols() * result[0] == from.elements() && result[0] == from[0];
        std::string value = read();
        if (!as_it_stands(from)) {
            if (flat && only_layers_read()) {
                to.flattened.emplace(n.output, from);
            } else {
                const std::string turned = to.unique(raw + "_nhwc");
                emit_transpose(value, turned, {0, 2, 3, 1});
                value = turned;
            }
        }
        if (flat) return emit("Flatten", {value}, {attr("axis", 1)});
        const bool turn = !as_it_stands(result);
        sizes dims = turn ? sizes_of(result) : exporter::written(result);
        dims[0] = 0;  // the batch, as it is
        const std::string shaped = turn ? to.unique(raw + "_nhwc") : raw;
        emit("Reshape", {value, to.list(n.name + "_shape", dims)}, shaped);
        if (turn) emit_transpose(shaped, raw, {0, 3, 1, 2});
    }
    static sizes sizes_of(const shape& dims) { return {dims.sizes().begin(), dims.sizes().end()}; }
    bool only_layers_read() const {
        int layers = 0;
        for (const node& other : to.net.nodes())
            for (const tensor_id id : other.inputs)
                layers += id == n.output && std::holds_alternative<op::linear>(other.what) ? 1 : 0;
        return layers == to.net.readers(n.output);
    }
    void operator()(const op::transpose& turn) const {
        const int rank = dims_out().rank();
        const axes seen = rank == 4 ? nhwc() : identity(static_cast<std::size_t>(rank));
        sizes perm;
        for (const int axis : seen)
            perm.push_back(exporter::written_axis(turn.order[static_cast<std::size_t>(axis)], rank));
        emit("Transpose", {read()}, {attr("perm", perm)});
    }
    void operator()(const op::clip& cut) const { emit_clip(read(), cut.range, printable(n.name)); }
    void operator()(const op::lookup& table) const {
        switch (table.what) {
            case function::logistic:
                return emit("Sigmoid", {read()});
            case function::tanh:
                return emit("Tanh", {read()});
            case function::hard_swish:
                return emit("HardSwish", {read()});
            case function::leaky_relu:
                return emit("LeakyRelu", {read()}, {attr("alpha", table.alpha)});
        }
    }
    void operator()(const op::softmax&) const {
        const int rank = dims_out().rank();
        emit("Softmax", {read()}, {attr("axis", exporter::written_axis(rank - 1, rank))});
    }
};

inline void write_node(exporter& to, const node& n, const quantized_layer& layer) {
    if (layer.is_int8 && octet::detail::moves_bytes(n.what, to.from.rounding))
        for (const tensor_id id : n.inputs)
            if (to.from.at(id).params != to.from.at(n.output).params)
                fail(exporter::who(n), ": '", to.net.at(id).name, "' and '", to.net.at(n.output).name,
                     "' have different parameters, but it moves bytes as they are: give both the same");
    const node_writer writer{to, n, layer};
    std::visit(writer, n.what);
    to.made(n.output, layer.is_int8, writer.raw);
}

}  // namespace octet::onnx::inline OCTET_ABI
