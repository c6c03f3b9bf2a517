// ONNX models in and out: octet::onnx::load("resnet.onnx") gives the float graph that quantize and as_float take, save
// writes a quantized graph as a QDQ model, and load_quantized reads one. Needs protozero (header-only; the CMake
// component `onnx`). Start at io/onnx/network.hpp to read, at io/onnx/exporter.hpp to write; the layout's story is in
// io/onnx/value.hpp.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "octet/graph/graph.hpp"
#include "octet/io/file.hpp"
#include "octet/io/onnx/foreign.hpp"
#include "octet/io/onnx/network.hpp"
#include "octet/io/onnx/quantized_network.hpp"
#include "octet/io/onnx/written_nodes.hpp"

namespace octet::onnx::inline OCTET_ABI {

namespace detail {

inline proto::model read(std::span<const std::byte> bytes) {
    const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    refuse_foreign(file);
    return proto::read_model(file);
}
/// body(), whose errors are told as those of the model `name`.
auto named(std::string_view name, const auto& body) {
    try {
        return body();
    } catch (const error& wrong) {
        fail("ONNX model ", in_quotes(name), ": ", wrong.what());
    }
}

}  // namespace detail

/// The network in the bytes of an ONNX file, opset 7 to 21, operators as in io/onnx/operators.hpp. `name` stands in
/// messages. The graph copies what it needs.
///
/// Images are NHWC in the graph: a 4-D input [N, C, H, W] of the model is an input {1, H, W, C}, a 4-D output likewise.
/// Where the model itself takes N, H, W, C and begins with a Transpose, or ends with one, input or output stay as they
/// are, and no transpose is made. Any other transpose or reshape between NCHW and NHWC is made only where elements
/// move. The batch, axis 0 of every input, may be symbolic or fixed and is 1 in the graph; a session chooses it.
/// Constants are folded, Identity, Dropout, Constant and unused shapes leave no node; nothing is fused.
/// Nodes are named after ONNX nodes, or their first output; tensors after ONNX values.
///
/// Throws octet::error, whose message names the model, the node, the value and the remedy, for anything that is not a
/// whole model of these operators. Memory stays within a small multiple of the file's size; time is linear in it but
/// for the look-up of names, O(log names) each.
inline graph parse(std::span<const std::byte> bytes, std::string_view name) {
    return detail::named(name, [&] { return import_model(detail::read(bytes), bytes.size()); });
}
/// The network in an ONNX file; see parse. Throws octet::error where the file cannot be read.
inline graph load(const std::string& path) {
    const std::string bytes = read_file(path, "ONNX model");
    return parse(std::as_bytes(std::span(bytes.data(), bytes.size())), path);
}

/// The int8 network in the bytes of a QDQ model: float operators, as parse reads them, between DequantizeLinear and
/// QuantizeLinear. Those that have an int8 form and stored weights run in int8, the others stay in float, and
/// quantized_layer::reason says why. Activations are int8 or uint8 (the same values, 128 lower) with one scale; weights
/// int8 or uint8 with one scale, or one for each output, no more than 128 steps from their zero point; a bias int32, or
/// rounded to it. Inputs and outputs may be integers themselves. The rounding policy is nearest_even, ONNX's own,
/// unless `save` wrote another. The float side, quantized_graph::net, is what the file knows: weights are its integers
/// as reals, and the activation of an int8 layer is the range that its result's parameters hold.
inline quantized_graph parse_quantized(std::span<const std::byte> bytes, std::string_view name) {
    return detail::named(name, [&] { return import_quantized(detail::read(bytes), bytes.size()); });
}
/// The int8 network in a QDQ model; see parse_quantized. Throws octet::error where the file cannot be read.
inline quantized_graph load_quantized(const std::string& path) {
    const std::string bytes = read_file(path, "ONNX model");
    return parse_quantized(std::as_bytes(std::span(bytes.data(), bytes.size())), path);
}

/// The bytes of a QDQ model, opset 17, that computes what a session over the graph does: int8 layers as float operators
/// between DequantizeLinear and QuantizeLinear, which ONNX Runtime fuses to integer kernels, the others in float.
/// Names, layout and batch of inputs and outputs are those of the file that the network came from; a network built by
/// hand keeps N, H, W, C. Weights are int8 with the scales that they have, biases int32 with scale s_in * s_w. What
/// parse_quantized makes of it gives the same bytes.
///
/// ONNX Runtime rounds as nearest_even; where its kernels add or look up in float, single values may differ by one
/// step. Throws octet::error naming the node where no ONNX operator computes the same.
inline std::string serialize(const quantized_graph& network, const save_options& options = {}) {
    return exporter(network, options).bytes();
}
/// Writes serialize(network, options) to a file: the whole of it, or, where that fails with octet::error, nothing; see
/// write_file.
inline void save(const quantized_graph& network, const std::string& path, const save_options& options = {}) {
    write_file(path, serialize(network, options), "ONNX model");
}

}  // namespace octet::onnx::inline OCTET_ABI
