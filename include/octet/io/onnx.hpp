// Float ONNX models in: octet::onnx::load("resnet.onnx") gives the graph that quantize and session take. Needs
// protozero (header-only; the CMake component `onnx`). Start at io/onnx/network.hpp; the layout's story is in
// io/onnx/value.hpp.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "octet/graph/graph.hpp"
#include "octet/io/file.hpp"
#include "octet/io/onnx/network.hpp"

namespace octet::onnx::inline OCTET_ABI {

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
/// whole model of these operators. Memory stays within a small multiple of the file's size, time is linear in it.
inline graph parse(std::span<const std::byte> bytes, std::string_view name) {
    try {
        const std::string_view text_of(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return import_model(proto::read_model(text_of), bytes.size());
    } catch (const error& wrong) {
        fail("ONNX model ", in_quotes(name), ": ", wrong.what());
    }
}

/// The network in an ONNX file; see parse. Throws octet::error where the file cannot be read.
inline graph load(const std::string& path) {
    const std::string bytes = read_file(path, "ONNX model");
    return parse(std::as_bytes(std::span(bytes.data(), bytes.size())), path);
}

}  // namespace octet::onnx::inline OCTET_ABI
