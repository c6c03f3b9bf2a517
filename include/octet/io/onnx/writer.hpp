// Writes ONNX files part by part: the mirror of io/onnx/proto.hpp. Nothing is checked here.
#pragma once

#include <protozero/pbf_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "octet/io/onnx/literal.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// An AttributeProto, as bytes.
struct attribute {
    std::string bytes;
};

namespace detail {
inline protozero::pbf_writer begin(std::string& to, std::string_view name, proto::attribute_type type) {
    protozero::pbf_writer out(to);
    out.add_string(1, name.data(), name.size());
    out.add_int32(20, static_cast<std::int32_t>(type));
    return out;
}
}  // namespace detail

inline attribute attr(std::string_view name, std::int64_t value) {
    attribute made;
    detail::begin(made.bytes, name, proto::attribute_type::integer).add_int64(3, value);
    return made;
}
inline attribute attr(std::string_view name, int value) { return attr(name, std::int64_t{value}); }
inline attribute attr(std::string_view name, float value) {
    attribute made;
    detail::begin(made.bytes, name, proto::attribute_type::real).add_float(2, value);
    return made;
}
inline attribute attr(std::string_view name, const char* value) {
    attribute made;
    detail::begin(made.bytes, name, proto::attribute_type::text).add_string(4, value);
    return made;
}
inline attribute attr(std::string_view name, const sizes& values) {
    attribute made;
    detail::begin(made.bytes, name, proto::attribute_type::integers).add_packed_int64(8, values.begin(), values.end());
    return made;
}

/// TensorProto with raw data of these elements; `type` is one of proto::data_type.
template <class T>
std::string tensor_bytes(std::string_view name, const sizes& dims, std::int64_t type, const std::vector<T>& elements) {
    std::string bytes;
    protozero::pbf_writer out(bytes);
    out.add_packed_int64(1, dims.begin(), dims.end());
    out.add_int32(2, static_cast<std::int32_t>(type));
    if (!name.empty()) out.add_string(8, name.data(), name.size());
    out.add_bytes(9, reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
    return bytes;
}

/// A ModelProto that grows. Names are the caller's to keep apart; a size of -1 is the symbol "N".
class model_writer {
  public:
    model_writer() = default;  // of no opset
    explicit model_writer(std::int64_t opset) { import_opset("", opset); }

    void import_opset(std::string_view domain, std::int64_t version) {
        std::string bytes;
        protozero::pbf_writer out(bytes);
        out.add_string(1, domain.data(), domain.size());
        out.add_int64(2, version);
        protozero::pbf_writer(after_).add_message(8, bytes);
    }
    /// A word for whom it concerns; runtimes ignore it.
    void metadata(std::string_view key, std::string_view value) {
        std::string bytes;
        protozero::pbf_writer out(bytes);
        out.add_string(1, key.data(), key.size());
        out.add_string(2, value.data(), value.size());
        protozero::pbf_writer(after_).add_message(14, bytes);
    }
    void input(std::string_view name, const sizes& dims, std::int64_t type = proto::float32) {
        graph_field(11, value_info(name, dims, type));
    }
    void output(std::string_view name, const sizes& dims, std::int64_t type = proto::float32) {
        graph_field(12, value_info(name, dims, type));
    }
    /// `bytes` as tensor_bytes makes them.
    void initializer(const std::string& bytes) { graph_field(5, bytes); }
    template <class T>
    void initializer(std::string_view name, const sizes& dims, std::int64_t type, const std::vector<T>& elements) {
        initializer(tensor_bytes(name, dims, type, elements));
    }
    void node(std::string_view kind, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
              const std::vector<attribute>& attributes = {}, std::string_view name = "", std::string_view domain = "") {
        std::string bytes;
        protozero::pbf_writer out(bytes);
        for (const std::string& each : inputs) out.add_string(1, each);
        for (const std::string& each : outputs) out.add_string(2, each);
        if (!name.empty()) out.add_string(3, name.data(), name.size());
        out.add_string(4, kind.data(), kind.size());
        for (const attribute& each : attributes) out.add_message(5, each.bytes);
        if (!domain.empty()) out.add_string(7, domain.data(), domain.size());
        graph_field(1, bytes);
    }
    /// A field of GraphProto.
    void graph_field(std::uint32_t field, const std::string& bytes) {
        protozero::pbf_writer(graph_).add_message(field, bytes);
    }

    std::string bytes() const {
        std::string model;
        protozero::pbf_writer out(model);
        out.add_int64(1, 8);  // the IR version, of ONNX 1.12
        out.add_string(2, "octet");
        out.add_message(7, graph_);
        return model + after_;
    }

  private:
    static std::string value_info(std::string_view name, const sizes& dims, std::int64_t type) {
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
        tensor_out.add_int32(1, static_cast<std::int32_t>(type));
        tensor_out.add_message(2, shape);
        protozero::pbf_writer(of).add_message(1, tensor);
        protozero::pbf_writer out(bytes);
        out.add_string(1, name.data(), name.size());
        out.add_message(2, of);
        return bytes;
    }

    std::string graph_ = [] {
        std::string named;
        protozero::pbf_writer(named).add_string(2, "network");
        return named;
    }();
    std::string after_;
};

}  // namespace octet::onnx::inline OCTET_ABI
