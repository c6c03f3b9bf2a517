// Writes small ONNX models for tests. Nothing is checked: broken models are what half of the tests want.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octet/io/onnx.hpp"

namespace octet::test {

using integers = std::vector<std::int64_t>;

/// A field of a message, as bytes.
struct attribute {
    std::string bytes;
};

namespace detail {
inline protozero::pbf_writer begin(std::string& to, std::string_view name, int type) {
    protozero::pbf_writer out(to);
    out.add_string(1, name.data(), name.size());
    out.add_int32(20, type);
    return out;
}
}  // namespace detail

inline attribute attr(std::string_view name, std::int64_t value) {
    attribute made;
    detail::begin(made.bytes, name, 2).add_int64(3, value);
    return made;
}
inline attribute attr(std::string_view name, int value) { return attr(name, std::int64_t{value}); }
inline attribute attr(std::string_view name, float value) {
    attribute made;
    detail::begin(made.bytes, name, 1).add_float(2, value);
    return made;
}
inline attribute attr(std::string_view name, const char* value) {
    attribute made;
    detail::begin(made.bytes, name, 3).add_string(4, value);
    return made;
}
inline attribute attr(std::string_view name, const integers& values) {
    attribute made;
    detail::begin(made.bytes, name, 7).add_packed_int64(8, values.begin(), values.end());
    return made;
}
inline attribute attr(std::string_view name, const std::vector<float>& values) {
    attribute made;
    detail::begin(made.bytes, name, 6).add_packed_float(7, values.begin(), values.end());
    return made;
}

/// TensorProto with raw data of these elements.
template <class T>
std::string tensor_bytes(std::string_view name, const integers& dims, int type, const std::vector<T>& elements) {
    std::string bytes;
    protozero::pbf_writer out(bytes);
    out.add_packed_int64(1, dims.begin(), dims.end());
    out.add_int32(2, type);
    if (!name.empty()) out.add_string(8, name.data(), name.size());
    out.add_bytes(9, reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
    return bytes;
}
inline attribute attr_tensor(std::string_view name, const std::string& tensor) {
    attribute made;
    detail::begin(made.bytes, name, 4).add_message(5, tensor);
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

class onnx_writer {
  public:
    explicit onnx_writer(std::int64_t opset = 13) { import_opset("", opset); }
    /// A model without any opset.
    static onnx_writer bare() {
        onnx_writer made;
        made.opsets_.clear();
        return made;
    }

    onnx_writer& import_opset(std::string_view domain, std::int64_t version) {
        std::string bytes;
        protozero::pbf_writer out(bytes);
        out.add_string(1, domain.data(), domain.size());
        out.add_int64(2, version);
        opsets_.push_back(bytes);
        return *this;
    }
    /// A size below 0 is a symbol, "N".
    onnx_writer& input(std::string_view name, const integers& dims, int type = 1) {
        inputs_.push_back(value_info(name, dims, type));
        return *this;
    }
    onnx_writer& input_without_shape(std::string_view name) {
        std::string bytes;
        protozero::pbf_writer(bytes).add_string(1, name.data(), name.size());
        inputs_.push_back(bytes);
        std::string type, of;
        protozero::pbf_writer(of).add_int32(1, 1);
        protozero::pbf_writer(type).add_message(1, of);
        protozero::pbf_writer(inputs_.back()).add_message(2, type);
        return *this;
    }
    onnx_writer& output(std::string_view name, const integers& dims = {}, int type = 1) {
        outputs_.push_back(value_info(name, dims, type));
        return *this;
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
    onnx_writer& initializer(std::string bytes) {
        initializers_.push_back(std::move(bytes));
        return *this;
    }
    onnx_writer& node(std::string_view kind, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs, const std::vector<attribute>& attributes = {},
                      std::string_view name = "", std::string_view domain = "") {
        std::string bytes;
        protozero::pbf_writer out(bytes);
        for (const std::string& each : inputs) out.add_string(1, each);
        for (const std::string& each : outputs) out.add_string(2, each);
        if (!name.empty()) out.add_string(3, name.data(), name.size());
        out.add_string(4, kind.data(), kind.size());
        for (const attribute& each : attributes) out.add_message(5, each.bytes);
        if (!domain.empty()) out.add_string(7, domain.data(), domain.size());
        nodes_.push_back(bytes);
        return *this;
    }
    /// Bytes of a field of GraphProto that none of the above writes.
    onnx_writer& graph_field(std::uint32_t field, const std::string& bytes) {
        protozero::pbf_writer(extra_).add_message(field, bytes);
        return *this;
    }

    std::string bytes() const {
        std::string graph, model;
        protozero::pbf_writer in(graph), out(model);
        for (const std::string& each : nodes_) in.add_message(1, each);
        in.add_string(2, "test");
        for (const std::string& each : initializers_) in.add_message(5, each);
        for (const std::string& each : inputs_) in.add_message(11, each);
        for (const std::string& each : outputs_) in.add_message(12, each);
        graph += extra_;
        out.add_int64(1, 8);
        out.add_message(7, graph);
        for (const std::string& each : opsets_) out.add_message(8, each);
        return model;
    }

  private:
    static std::string value_info(std::string_view name, const integers& dims, int type) {
        std::string shape, tensor, of, bytes;
        for (const std::int64_t size : dims) {
            std::string dim;
            if (size == -1)
                protozero::pbf_writer(dim).add_string(2, "N");
            else
                protozero::pbf_writer(dim).add_int64(1, size);
            protozero::pbf_writer(shape).add_message(1, dim);
        }
        protozero::pbf_writer tensor_out(tensor);
        tensor_out.add_int32(1, type);
        tensor_out.add_message(2, shape);
        protozero::pbf_writer(of).add_message(1, tensor);
        protozero::pbf_writer out(bytes);
        out.add_string(1, name.data(), name.size());
        out.add_message(2, of);
        return bytes;
    }

    std::vector<std::string> opsets_, nodes_, initializers_, inputs_, outputs_;
    std::string extra_;
};

inline graph parse(const std::string& bytes, std::string_view name = "test.onnx") {
    return onnx::parse(std::as_bytes(std::span(bytes.data(), bytes.size())), name);
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
