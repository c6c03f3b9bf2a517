// One protobuf message, field by field. Every read checks the wire type, so that no precondition of protozero can be
// broken by a file. Only this header and io/onnx/writer.hpp know protozero.
#pragma once

#if !defined(__cpp_exceptions)
#error \
    "octet/io/onnx.hpp reads protobuf through protozero, which throws: compile this translation unit with exceptions."
#endif

#include <protozero/pbf_reader.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "octet/core/error.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// A cursor over the fields of one message. `next` steps to a field, then exactly one of the readers consumes it.
/// Bytes are views into the file. Throws octet::error for a wire type that the field cannot have, and
/// protozero::exception for damaged bytes, which `proto::read_model` translates.
class message {
  public:
    explicit message(std::string_view bytes) : reader_(bytes.data(), bytes.size()) {}

    bool next() { return reader_.next(); }
    std::uint32_t field() const noexcept { return reader_.tag(); }
    void skip() { reader_.skip(); }

    std::string_view bytes() {
        expect(protozero::pbf_wire_type::length_delimited, "bytes");
        const protozero::data_view view = reader_.get_view();
        return {view.data(), view.size()};
    }
    std::int64_t integer() {
        expect(protozero::pbf_wire_type::varint, "an integer");
        return reader_.get_int64();
    }
    float real() {
        expect(protozero::pbf_wire_type::fixed32, "a float");
        return reader_.get_float();
    }

    /// Appends a repeated field, packed or one element at a time.
    void integers(std::vector<std::int64_t>& to) {
        if (reader_.has_wire_type(protozero::pbf_wire_type::varint)) return to.push_back(reader_.get_int64());
        expect(protozero::pbf_wire_type::length_delimited, "integers");
        for (const std::int64_t value : reader_.get_packed_int64()) to.push_back(value);
    }
    void reals(std::vector<float>& to) {
        if (reader_.has_wire_type(protozero::pbf_wire_type::fixed32)) return to.push_back(reader_.get_float());
        expect(protozero::pbf_wire_type::length_delimited, "floats");
        for (const float value : reader_.get_packed_float()) to.push_back(value);
    }
    void doubles(std::vector<float>& to) {
        if (reader_.has_wire_type(protozero::pbf_wire_type::fixed64))
            return to.push_back(static_cast<float>(reader_.get_double()));
        expect(protozero::pbf_wire_type::length_delimited, "doubles");
        for (const double value : reader_.get_packed_double()) to.push_back(static_cast<float>(value));
    }

  private:
    void expect(protozero::pbf_wire_type type, const char* what) const {
        if (!reader_.has_wire_type(type))
            fail("field ", field(), " should hold ", what, " but has protobuf wire type ",
                 static_cast<unsigned>(reader_.wire_type()));
    }

    protozero::pbf_reader reader_;
};

}  // namespace octet::onnx::inline OCTET_ABI
