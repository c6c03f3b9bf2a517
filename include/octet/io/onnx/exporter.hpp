// From a quantized graph to a QDQ model: the values of the file, and how each is stored. The nodes are written by
// io/onnx/written_nodes.hpp.
//
// An int8 tensor is a float value that goes through QuantizeLinear and DequantizeLinear: what reads it in int8 and what
// reads it in float both read behind them. A tensor made in float is read as it is in float, and through the pair in
// int8. A runtime that knows int8 fuses DequantizeLinear, operator and QuantizeLinear into one integer kernel; the
// float model between them says what that computes.
//
// Values of rank 4 are N, C, H, W in the file and N, H, W, C in the graph.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "octet/graph/quantized_graph.hpp"
#include "octet/io/onnx/names.hpp"
#include "octet/io/onnx/value.hpp"
#include "octet/io/onnx/writer.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::onnx {

/// How a file stores int8 activations: as they are, or as uint8 with 128 added to bytes and zero points.
enum class activation_type { uint8, int8 };

struct save_options {
    /// uint8: on x86 ONNX Runtime has fast kernels for uint8 activations with int8 weights only.
    activation_type activations = activation_type::uint8;
};

}  // namespace octet::onnx

namespace octet::onnx::inline OCTET_ABI {

/// The opset of the files that are written: the first with every operator of the graph but one (an average pool with
/// dilation) and with DequantizeLinear per channel.
inline constexpr std::int64_t written_opset = 17;

class exporter {
  public:
    exporter(const quantized_graph& from, const save_options& options);

    const quantized_graph& from;
    const graph& net;
    model_writer file{written_opset};
    unique_names unique;

    /// "conv2d 'conv1'"
    static std::string who(const node& n) { return text(kind_of(n.what), " '", n.name, "'"); }
    bool is_image(tensor_id id) const { return net.at(id).dims.rank() == 4; }
    /// The ONNX shape of a shape of the graph.
    static sizes written(const shape& dims) {
        const sizes stored(dims.sizes().begin(), dims.sizes().end());
        return dims.rank() == 4 ? permute(stored, nhwc()) : stored;
    }
    /// The ONNX axis of an axis of a value of the graph.
    static std::int64_t written_axis(int axis, int rank) {
        return rank == 4 ? inverse(nhwc())[static_cast<std::size_t>(axis)] : axis;
    }

    /// The value as a node reads it that computes in int8, or in float. A constant is stretched to `rank` axes.
    std::string read(tensor_id id, bool is_int8, int rank);
    std::string read(tensor_id id, bool is_int8) { return read(id, is_int8, net.at(id).dims.rank()); }

    /// The name under which a node writes the value of a tensor that it makes in this form; then `made` follows.
    std::string raw_name(tensor_id id, bool is_int8);
    /// Declares that the value `raw` is what the tensor `id` holds before it is rounded to int8, if it is.
    void made(tensor_id id, bool is_int8, const std::string& raw);
    /// `result`, the value after QuantizeLinear and DequantizeLinear; what these need is named after `base`.
    void round_trip(const std::string& value, quant_params params, const std::string& base, const std::string& result);

    /// One number, or a list, as a constant of the file; returns its name.
    std::string number(const std::string& wanted, float value);
    std::string list(const std::string& wanted, const sizes& values);
    /// Integers as reals, real = scale * integer, one scale or one for each index of `axis`; returns the reals' name.
    template <class T>
    std::string dequantized(const std::string& wanted, const sizes& dims, std::int64_t type,
                            const std::vector<T>& values, const std::vector<float>& scales, int axis = 0);
    std::string reals(const std::string& wanted, const sizes& dims, const std::vector<float>& values) {
        const std::string name = unique(wanted);
        file.initializer(name, dims, proto::float32, values);
        return name;
    }

    /// For a flattened image that only layers read: the image's shape. Its features stand in the order C, H, W.
    std::map<tensor_id, shape> flattened;

    std::string bytes();

  private:
    /// Names of scale and zero point.
    std::vector<std::string> add_params(const std::string& wanted, quant_params params);
    std::vector<std::uint8_t> stored(const std::vector<std::int8_t>& values) const;
    std::int64_t storage() const { return options_.activations == activation_type::uint8 ? proto::uint8 : proto::int8; }
    void write_input(tensor_id id);
    void write_output(tensor_id id, const std::string& name);

    struct names {
        std::string label, real, int8;
    };
    save_options options_;
    std::vector<names> names_;          // of each tensor; empty where there is no value yet
    std::vector<std::string> outputs_;  // of each network output
    std::map<std::tuple<tensor_id, bool, int>, std::string> constants_;
};

/// Writes one node; io/onnx/written_nodes.hpp.
void write_node(exporter& to, const node& n, const quantized_layer& layer);

inline exporter::exporter(const quantized_graph& graph_from, const save_options& options)
    : from(graph_from), net(graph_from.net), options_(options), names_(graph_from.net.tensors().size()) {
    // What has a name outside keeps it.
    for (const tensor_id id : net.inputs()) {
        names& n = names_[static_cast<std::size_t>(id)];
        n.label = n.real = unique(net.at(id).name);
    }
    for (const tensor_id id : net.outputs()) {
        names& n = names_[static_cast<std::size_t>(id)];
        outputs_.push_back(unique(net.at(id).name));
        const bool direct =
            n.label.empty() && net.producer(id) >= 0 && (!is_image(id) || net.at(id).form.channels_first);
        if (direct) n.label = outputs_.back();
    }
    for (std::size_t i = 0; i < names_.size(); ++i)
        if (names_[i].label.empty() && !net.tensors()[i].is_constant()) names_[i].label = unique(net.tensors()[i].name);
}

inline std::string exporter::raw_name(tensor_id id, bool is_int8) {
    const names& n = names_[static_cast<std::size_t>(id)];
    const bool last = octet::detail::contains(outputs_, n.label);
    return is_int8 && last ? unique(n.label + "_raw") : n.label;
}

inline void exporter::made(tensor_id id, bool is_int8, const std::string& raw) {
    names& n = names_[static_cast<std::size_t>(id)];
    n.real = raw;
    if (!is_int8) return;
    n.real = n.int8 = n.label == raw || net.producer(id) < 0 ? unique(n.label + "_dequantized") : n.label;
    round_trip(raw, from.at(id).params, n.label, n.int8);
}

inline std::vector<std::string> exporter::add_params(const std::string& wanted, quant_params params) {
    const int shift = options_.activations == activation_type::uint8 ? 128 : 0;
    const std::vector<std::string> added{unique(wanted + "_scale"), unique(wanted + "_zero_point")};
    file.initializer(added[0], {}, proto::float32, std::vector{params.scale.value});
    file.initializer(added[1], {}, storage(), std::vector{static_cast<std::uint8_t>(params.zero_point.value + shift)});
    return added;
}

inline std::vector<std::uint8_t> exporter::stored(const std::vector<std::int8_t>& values) const {
    const int shift = options_.activations == activation_type::uint8 ? 128 : 0;
    std::vector<std::uint8_t> shifted;
    for (const int value : values) shifted.push_back(static_cast<std::uint8_t>(value + shift));
    return shifted;
}

inline void exporter::round_trip(const std::string& value, quant_params params, const std::string& base,
                                 const std::string& result) {
    const std::vector<std::string> with = add_params(base, params);
    const std::string integers = unique(base + "_quantized");
    file.node("QuantizeLinear", {value, with[0], with[1]}, {integers});
    file.node("DequantizeLinear", {integers, with[0], with[1]}, {result});
}

inline std::string exporter::number(const std::string& wanted, float value) { return reals(wanted, {}, {value}); }

inline std::string exporter::list(const std::string& wanted, const sizes& values) {
    const std::string name = unique(wanted);
    file.initializer(name, {static_cast<std::int64_t>(values.size())}, proto::int64, values);
    return name;
}

template <class T>
std::string exporter::dequantized(const std::string& wanted, const sizes& dims, std::int64_t type,
                                  const std::vector<T>& values, const std::vector<float>& scales, int axis) {
    const std::string name = unique(wanted);
    const std::vector<std::string> with{unique(name + "_quantized"), unique(name + "_scale"),
                                        unique(name + "_zero_point")};
    const sizes many = scales.size() == 1 ? sizes{} : sizes{static_cast<std::int64_t>(scales.size())};
    file.initializer(with[0], dims, type, values);
    file.initializer(with[1], many, proto::float32, scales);
    file.initializer(with[2], many, type, std::vector<T>(scales.size(), T{0}));
    file.node("DequantizeLinear", with, {name},
              scales.size() == 1 ? std::vector<attribute>{} : std::vector{attr("axis", axis)});
    return name;
}

inline std::string exporter::read(tensor_id id, bool is_int8, int rank) {
    const tensor& t = net.at(id);
    if (!t.is_constant()) {
        names& n = names_[static_cast<std::size_t>(id)];
        if (is_int8 && n.int8.empty()) {
            n.int8 = unique(n.label + "_dequantized");
            round_trip(n.real, from.at(id).params, n.label, n.int8);
        }
        return is_int8 ? n.int8 : n.real;
    }
    std::string& name = constants_[{id, is_int8, rank}];
    if (!name.empty()) return name;
    sizes dims(static_cast<std::size_t>(rank - t.dims.rank()), 1);
    dims.insert(dims.end(), t.dims.sizes().begin(), t.dims.sizes().end());
    const axes turn = rank == 4 ? nhwc() : identity(dims.size());
    const std::vector<float> values = permute_elements(t.constant, dims, turn);
    dims = permute(dims, turn);
    if (!is_int8) return name = reals(t.name, dims, values);
    std::vector<std::int8_t> integers(values.size());
    quantizer<asymmetric, per_tensor>(from.at(id).params).quantize(values, integers);
    name = unique(t.name);
    const std::vector<std::string> with = add_params(name, from.at(id).params);
    const std::string quantized = unique(name + "_quantized");
    file.initializer(quantized, dims, storage(), stored(integers));
    file.node("DequantizeLinear", {quantized, with[0], with[1]}, {name});
    return name;
}

inline void exporter::write_input(tensor_id id) {
    const tensor& t = net.at(id);
    names& n = names_[static_cast<std::size_t>(id)];
    const bool turn = is_image(id) && !t.form.channels_first;
    sizes dims = turn ? sizes(t.dims.sizes().begin(), t.dims.sizes().end()) : written(t.dims);
    dims[0] = t.form.batch > 0 ? t.form.batch : -1;
    file.input(n.real, dims);
    std::string value = n.real;
    if (turn) {
        value = unique(n.label + "_nchw");
        file.node("Transpose", {n.real}, {value}, {attr("perm", sizes{0, 3, 1, 2})});
    }
    made(id, from.at(id).is_int8, value);
}

inline void exporter::write_output(tensor_id id, const std::string& name) {
    const tensor& t = net.at(id);
    const bool turn = is_image(id) && !t.form.channels_first;
    sizes dims = turn ? sizes(t.dims.sizes().begin(), t.dims.sizes().end()) : written(t.dims);
    dims[0] = t.form.batch > 0 ? t.form.batch : -1;
    file.output(name, dims);
    const int maker = net.producer(id);
    const bool is_int8 = maker < 0 ? from.at(id).is_int8 : from.layers[static_cast<std::size_t>(maker)].is_int8;
    const std::string value = read(id, is_int8);
    if (value == name) return;
    if (turn)
        file.node("Transpose", {value}, {name}, {attr("perm", sizes{0, 2, 3, 1})});
    else
        file.node("Identity", {value}, {name});
}

/// The whole model. Throws octet::error naming the node where the graph has something that no ONNX operator computes.
inline std::string exporter::bytes() {
    validate(from);
    if (net.outputs().empty()) fail("the network has no output: declare one with graph::output");
    for (const tensor_id id : net.inputs()) write_input(id);
    for (std::size_t i = 0; i < net.nodes().size(); ++i) write_node(*this, net.nodes()[i], from.layers[i]);
    for (std::size_t i = 0; i < outputs_.size(); ++i) write_output(net.outputs()[i], outputs_[i]);
    if (from.rounding != rounding_policy::nearest_even)
        file.metadata(proto::rounding_key, octet::to_string(from.rounding));
    std::string model = file.bytes();
    if (model.size() > 0x7fffffff) fail("the model takes ", model.size(), " bytes, and no ONNX file may take 2^31");
    return model;
}

}  // namespace octet::onnx::inline OCTET_ABI
