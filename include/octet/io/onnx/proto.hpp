// The parts of an ONNX file that Octet reads, as plain structs, and the reading of them. Nothing here is interpreted:
// names and raw data are views into the file's bytes, which must outlive the structs. Field numbers are those of
// onnx.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "octet/core/error.hpp"
#include "octet/io/onnx/message.hpp"
#include "octet/io/onnx/names.hpp"

namespace octet::onnx::proto {

/// TensorProto.DataType: those that Octet reads.
enum data_type : std::int64_t {
    float32 = 1,
    uint8 = 2,
    int8 = 3,
    int32 = 6,
    int64 = 7,
    boolean = 9,
    float16 = 10,
    float64 = 11
};

struct tensor {
    std::string_view name;
    std::vector<std::int64_t> dims;
    std::int64_t type = 0;
    std::string_view raw;                // little-endian elements, or empty
    std::vector<float> reals;            // float_data, or double_data narrowed
    std::vector<std::int64_t> integers;  // int32_data or int64_data
    bool external = false;               // the elements stand in another file
};

/// AttributeProto.AttributeType, as far as Octet reads it.
enum class attribute_type : std::int64_t {
    undefined = 0,
    real = 1,
    integer = 2,
    text = 3,
    tensor = 4,
    reals = 6,
    integers = 7
};

struct attribute {
    std::string_view name;
    std::int64_t type = 0;
    float real = 0.0F;
    std::int64_t integer = 0;
    std::string_view text;
    std::vector<float> reals;
    std::vector<std::int64_t> integers;
    std::vector<proto::tensor> tensor;  // none or one
};

struct node {
    std::string_view name, kind, domain;
    std::vector<std::string_view> inputs, outputs;  // "" stands for an optional one that is left out
    std::vector<attribute> attributes;
};

/// One size of an input: a number, or free (a symbol or nothing).
struct dimension {
    bool fixed = false;
    std::int64_t size = 0;
    std::string_view symbol;
};

struct value_info {
    std::string_view name;
    std::int64_t type = 0;
    bool has_shape = false;
    std::vector<dimension> dims;
};

struct opset {
    std::string_view domain;
    std::int64_t version = 0;
};

/// A word that a file carries along.
struct metadata {
    std::string_view key, value;
};
/// The key of Octet's own word: the rounding policy, unless it is nearest_even, which is ONNX's.
inline constexpr std::string_view rounding_key = "octet.rounding";

struct model {
    std::vector<opset> opsets;
    std::vector<metadata> words;
    std::vector<node> nodes;
    std::vector<tensor> initializers;
    std::vector<value_info> inputs, outputs;
    bool has_graph = false;
    bool has_sparse = false;
};

}  // namespace octet::onnx::proto

namespace octet::onnx::proto::inline OCTET_ABI {

inline tensor read_tensor(std::string_view bytes) {
    tensor read;
    for (message in(bytes); in.next();) switch (in.field()) {
            case 1:
                in.integers(read.dims);
                break;
            case 2:
                read.type = in.integer();
                break;
            case 4:
                in.reals(read.reals);
                break;
            case 5:
            case 7:
                in.integers(read.integers);
                break;
            case 8:
                read.name = in.bytes();
                break;
            case 9:
                read.raw = in.bytes();
                break;
            case 10:
                in.doubles(read.reals);
                break;
            case 13:
                in.skip(), read.external = true;
                break;
            case 14:
                read.external = in.integer() != 0 || read.external;
                break;
            default:
                in.skip();
        }
    return read;
}

inline attribute read_attribute(std::string_view bytes) {
    attribute read;
    auto seen = attribute_type::undefined;  // files of the first IR versions do not state the type
    for (message in(bytes); in.next();) switch (in.field()) {
            case 1:
                read.name = in.bytes();
                break;
            case 2:
                read.real = in.real(), seen = attribute_type::real;
                break;
            case 3:
                read.integer = in.integer(), seen = attribute_type::integer;
                break;
            case 4:
                read.text = in.bytes(), seen = attribute_type::text;
                break;
            case 5:
                read.tensor.assign(1, read_tensor(in.bytes())), seen = attribute_type::tensor;
                break;
            case 7:
                in.reals(read.reals), seen = attribute_type::reals;
                break;
            case 8:
                in.integers(read.integers), seen = attribute_type::integers;
                break;
            case 20:
                read.type = in.integer();
                break;
            default:
                in.skip();  // subgraphs too: no operator that Octet reads has one, so nothing here recurses
        }
    if (read.name.empty()) fail("an attribute has no name: export the model again");
    if (read.type == 0) read.type = static_cast<std::int64_t>(seen);
    return read;
}

inline node read_node(std::string_view bytes, std::size_t index) {
    node read;
    for (message in(bytes); in.next();) switch (in.field()) {
            case 1:
                read.inputs.push_back(in.bytes());
                break;
            case 2:
                read.outputs.push_back(in.bytes());
                break;
            case 3:
                read.name = in.bytes();
                break;
            case 4:
                read.kind = in.bytes();
                break;
            case 5:
                read.attributes.push_back(read_attribute(in.bytes()));
                break;
            case 7:
                read.domain = in.bytes();
                break;
            default:
                in.skip();
        }
    if (read.kind.empty())
        fail("node ", index, " ", in_quotes(read.name), " names no operator: export the model again");
    if (read.outputs.empty() || read.outputs[0].empty())
        fail("node ", index, " ", in_quotes(read.name), " (", printable(read.kind),
             ") has no output: export the model again");
    return read;
}

inline dimension read_dimension(std::string_view bytes) {
    dimension read;
    for (message in(bytes); in.next();) switch (in.field()) {
            case 1:
                read.size = in.integer(), read.fixed = true;
                break;
            case 2:
                read.symbol = in.bytes();
                break;
            default:
                in.skip();
        }
    return read;
}

inline void read_tensor_type(std::string_view bytes, value_info& to) {
    for (message in(bytes); in.next();) {
        if (in.field() == 1) {
            to.type = in.integer();
        } else if (in.field() == 2) {
            to.has_shape = true;
            for (message shape(in.bytes()); shape.next();)
                if (shape.field() == 1)
                    to.dims.push_back(read_dimension(shape.bytes()));
                else
                    shape.skip();
        } else {
            in.skip();
        }
    }
}

inline value_info read_value_info(std::string_view bytes) {
    value_info read;
    for (message in(bytes); in.next();) {
        if (in.field() == 1)
            read.name = in.bytes();
        else if (in.field() == 2)
            for (message type(in.bytes()); type.next();)
                if (type.field() == 1)
                    read_tensor_type(type.bytes(), read);
                else
                    type.skip();
        else
            in.skip();
    }
    if (read.name.empty()) fail("an input or output of the network has no name: export the model again");
    return read;
}

inline opset read_opset(std::string_view bytes) {
    opset read;
    for (message in(bytes); in.next();) switch (in.field()) {
            case 1:
                read.domain = in.bytes();
                break;
            case 2:
                read.version = in.integer();
                break;
            default:
                in.skip();
        }
    return read;
}

inline metadata read_metadata(std::string_view bytes) {
    metadata read;
    for (message in(bytes); in.next();) switch (in.field()) {
            case 1:
                read.key = in.bytes();
                break;
            case 2:
                read.value = in.bytes();
                break;
            default:
                in.skip();
        }
    return read;
}

inline void read_graph(std::string_view bytes, model& to) {
    for (message in(bytes); in.next();) switch (in.field()) {
            case 1:
                to.nodes.push_back(read_node(in.bytes(), to.nodes.size()));
                break;
            case 5:
                to.initializers.push_back(read_tensor(in.bytes()));
                if (to.initializers.back().name.empty())
                    fail("initializer ", to.initializers.size() - 1, " has no name: export the model again");
                break;
            case 11:
                to.inputs.push_back(read_value_info(in.bytes()));
                break;
            case 12:
                to.outputs.push_back(read_value_info(in.bytes()));
                break;
            case 15:
                in.skip(), to.has_sparse = true;
                break;
            default:
                in.skip();
        }
}

/// The model in `bytes`. Throws octet::error where they are not a whole ONNX file. Costs one pass and at most about
/// thirty bytes for each byte of the file.
inline model read_model(std::string_view bytes) {
    model read;
    try {
        for (message in(bytes); in.next();) switch (in.field()) {
                case 7:
                    if (read.has_graph) fail("the file holds two graphs: export the model again");
                    read.has_graph = true;
                    read_graph(in.bytes(), read);
                    break;
                case 8:
                    read.opsets.push_back(read_opset(in.bytes()));
                    break;
                case 14:
                    read.words.push_back(read_metadata(in.bytes()));
                    break;
                default:
                    in.skip();
            }
    } catch (const protozero::exception& broken) {
        fail("after ", read.nodes.size(), " nodes and ", read.initializers.size(),
             " initializers the bytes are no longer an ONNX file (", broken.what(),
             "): it is truncated or damaged, copy or export it again");
    }
    return read;
}

}  // namespace octet::onnx::proto::inline OCTET_ABI
