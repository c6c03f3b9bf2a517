// Writes small ONNX models for tests. Nothing is checked: broken models are what half of the tests want.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnx_compiled_once.hpp"

namespace octet::test {

using integers = onnx::sizes;
using onnx::attr;
using onnx::attribute;
using onnx::tensor_bytes;

inline attribute attr(std::string_view name, const std::vector<float>& values) {
    attribute made;
    onnx::detail::begin(made.bytes, name, onnx::proto::attribute_type::reals)
        .add_packed_float(7, values.begin(), values.end());
    return made;
}
inline attribute attr_tensor(std::string_view name, const std::string& tensor) {
    attribute made;
    onnx::detail::begin(made.bytes, name, onnx::proto::attribute_type::tensor).add_message(5, tensor);
    return made;
}

/// Numbers -0.5 .. 0.5 that look random and are the same everywhere.
inline std::vector<float> numbers(std::size_t count, unsigned seed = 1) {
    std::vector<float> all;
    std::uint32_t state = seed * 2654435761U + 1U;
    for (std::size_t i = 0; i < count; ++i) {
        state = state * 1664525U + 1013904223U;
        all.push_back(static_cast<float>(state >> 16) / 65536.0F - 0.5F);
    }
    return all;
}

/// The library's writer, in sentences, with what only tests write.
class onnx_writer : public onnx::model_writer {
  public:
    explicit onnx_writer(std::int64_t opset = 13) : model_writer(opset) {}
    /// A model without any opset.
    static onnx_writer bare() { return onnx_writer(model_writer()); }

    onnx_writer& import_opset(std::string_view domain, std::int64_t version) {
        return model_writer::import_opset(domain, version), *this;
    }
    onnx_writer& input(std::string_view name, const integers& dims, std::int64_t type = 1) {
        return model_writer::input(name, dims, type), *this;
    }
    onnx_writer& input_without_shape(std::string_view name) {
        std::string bytes, type, of;
        protozero::pbf_writer(of).add_int32(1, 1);
        protozero::pbf_writer(type).add_message(1, of);
        protozero::pbf_writer value(bytes);
        value.add_string(1, name.data(), name.size());
        value.add_message(2, type);
        return graph_field(11, bytes);
    }
    onnx_writer& output(std::string_view name, const integers& dims = {}, std::int64_t type = 1) {
        return model_writer::output(name, dims, type), *this;
    }
    onnx_writer& floats(std::string_view name, const integers& dims, const std::vector<float>& values) {
        return initializer(tensor_bytes(name, dims, 1, values));
    }
    /// Pseudo-random weights of this shape.
    onnx_writer& weights(std::string_view name, const integers& dims, unsigned seed = 1) {
        std::size_t count = 1;
        for (const std::int64_t size : dims) count *= static_cast<std::size_t>(size);
        return floats(name, dims, numbers(count, seed));
    }
    onnx_writer& ints(std::string_view name, const integers& values) {
        return initializer(tensor_bytes(name, {static_cast<std::int64_t>(values.size())}, 7, values));
    }
    onnx_writer& initializer(const std::string& bytes) { return model_writer::initializer(bytes), *this; }
    onnx_writer& node(std::string_view kind, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs, const std::vector<attribute>& attributes = {},
                      std::string_view name = "", std::string_view domain = "") {
        return model_writer::node(kind, inputs, outputs, attributes, name, domain), *this;
    }
    onnx_writer& graph_field(std::uint32_t field, const std::string& bytes) {
        return model_writer::graph_field(field, bytes), *this;
    }

  private:
    explicit onnx_writer(const model_writer& from) : model_writer(from) {}
};

inline graph parse(const std::string& bytes, std::string_view name = "test.onnx") {
    return compiled_once::parse(std::as_bytes(std::span(bytes.data(), bytes.size())), name);
}
inline graph parse(const onnx_writer& model) { return parse(model.bytes()); }

/// The message with which a model is refused; empty if it is not.
inline std::string refusal(const std::string& bytes) {
    try {
        parse(bytes);
    } catch (const error& wrong) {
        return wrong.what();
    }
    return "";
}
inline std::string refusal(const onnx_writer& model) { return refusal(model.bytes()); }

/// "conv2d clip linear": the kinds of the graph's nodes.
inline std::string kinds(const graph& net) {
    std::string all;
    for (const node& each : net.nodes()) all += (all.empty() ? "" : " ") + std::string(kind_of(each.what));
    return all;
}

}  // namespace octet::test
