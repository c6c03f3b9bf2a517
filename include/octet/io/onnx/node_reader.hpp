// One node of the model while it is imported: checked access to its attributes and inputs, and the making of its
// output.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/io/onnx/importer.hpp"

namespace octet::onnx::inline OCTET_ABI {

class node_reader {
  public:
    node_reader(importer& state, const proto::node& node, std::size_t index)
        : into(state),
          source(node),
          name(printable(node.name.empty() ? node.outputs[0] : node.name)),
          who(text(printable(node.kind), " '", name, "' (node ", index, ")")),
          read_(node.attributes.size(), false) {}

    importer& into;
    const proto::node& source;
    const std::string name;  // the node's name, else that of its first output
    const std::string who;   // "Conv 'conv1' (node 3)"

    // Attributes. Each reader takes the attribute's name; `finish` complains about those that nobody read.
    bool has(std::string_view key) { return find(key) != nullptr; }
    std::int64_t integer(std::string_view key, std::int64_t otherwise);
    float real(std::string_view key, float otherwise);
    std::string_view word(std::string_view key, std::string_view otherwise);
    std::vector<std::int64_t> integers(std::string_view key);
    std::vector<float> reals(std::string_view key);
    const proto::tensor& tensor(std::string_view key);
    void ignore(std::string_view key) { find(key); }
    void finish() const;

    // Inputs.
    bool has_input(std::size_t i) const { return i < source.inputs.size() && !source.inputs[i].empty(); }
    void expect_inputs(std::size_t least, std::size_t most) const;
    const value& input(std::size_t i) const;
    const value& computed(std::size_t i, const char* what) const;
    const value& constant(std::size_t i, const char* what) const;
    /// The finite reals of a constant input.
    const std::vector<float>& constant_reals(std::size_t i, const char* what) const;
    /// The elements of a constant input of integers, which must have rank 0 or 1.
    const std::vector<std::int64_t>& constant_integers(std::size_t i, const char* what) const;
    /// The one element of a constant input of reals; it need not be finite.
    float constant_real(std::size_t i, const char* what) const;
    std::string input_name(std::size_t i, const char* what) const {
        return text(who, ": ", what, " ", in_quotes(source.inputs[i]));
    }
    void refuse_types(const value& of, std::size_t i, const char* what) const;

    /// An axis of a value of this rank, counted from the end where negative.
    std::size_t axis(std::int64_t given, std::size_t rank) const;

    // Outputs.
    /// Adds a node of the graph; `suffix` tells the helpers of one ONNX node apart.
    tensor_id emit(operation what, std::vector<tensor_id> inputs, const char* suffix = "") {
        return into.net.add(into.unique(name + suffix), std::move(what), std::move(inputs));
    }
    /// Declares the first output. A tensor that this node made takes the output's name.
    void define(value result);
    /// Declares further outputs as not there, for this reason.
    void leave_out(std::string_view reason);

  private:
    const proto::attribute* find(std::string_view key);
    const proto::attribute* typed(std::string_view key, proto::attribute_type type, const char* what);

    std::vector<bool> read_;
    std::size_t first_tensor_ = into.net.tensors().size();
};

inline const proto::attribute* node_reader::find(std::string_view key) {
    const proto::attribute* found = nullptr;
    for (std::size_t i = 0; i < read_.size(); ++i) {
        if (source.attributes[i].name != key) continue;
        if (found != nullptr) fail(who, ": attribute ", in_quotes(key), " is given twice: export the model again");
        found = &source.attributes[i];
        read_[i] = true;
    }
    return found;
}

inline const proto::attribute* node_reader::typed(std::string_view key, proto::attribute_type type, const char* what) {
    const proto::attribute* found = find(key);
    if (found != nullptr && found->type != static_cast<std::int64_t>(type))
        fail(who, ": attribute ", in_quotes(key), " has type ", found->type, ", but must be ", what, " (type ",
             static_cast<std::int64_t>(type), "): export the model again");
    return found;
}

inline std::int64_t node_reader::integer(std::string_view key, std::int64_t otherwise) {
    const auto* found = typed(key, proto::attribute_type::integer, "an integer");
    return found != nullptr ? found->integer : otherwise;
}
inline float node_reader::real(std::string_view key, float otherwise) {
    const auto* found = typed(key, proto::attribute_type::real, "a float");
    return found != nullptr ? found->real : otherwise;
}
inline std::string_view node_reader::word(std::string_view key, std::string_view otherwise) {
    const auto* found = typed(key, proto::attribute_type::text, "a string");
    return found != nullptr ? found->text : otherwise;
}
inline std::vector<std::int64_t> node_reader::integers(std::string_view key) {
    const auto* found = typed(key, proto::attribute_type::integers, "a list of integers");
    return found != nullptr ? found->integers : std::vector<std::int64_t>{};
}
inline std::vector<float> node_reader::reals(std::string_view key) {
    const auto* found = typed(key, proto::attribute_type::reals, "a list of floats");
    return found != nullptr ? found->reals : std::vector<float>{};
}
inline const proto::tensor& node_reader::tensor(std::string_view key) {
    const auto* found = typed(key, proto::attribute_type::tensor, "a tensor");
    if (found == nullptr || found->tensor.empty()) fail(who, ": attribute ", in_quotes(key), " holds no tensor");
    return found->tensor[0];
}

inline void node_reader::finish() const {
    for (std::size_t i = 0; i < read_.size(); ++i)
        if (!read_[i])
            fail(who, ": attribute ", in_quotes(source.attributes[i].name), " does not belong to ",
                 printable(source.kind), " in opset ", into.opset,
                 ": remove it or convert the model to an opset that has it");
}

inline void node_reader::expect_inputs(std::size_t least, std::size_t most) const {
    const std::size_t given = source.inputs.size();
    if (given > most) fail(who, " has ", given, " inputs, but takes at most ", most, " in opset ", into.opset);
    for (std::size_t i = 0; i < least; ++i)
        if (!has_input(i)) fail(who, ": input ", i, " is missing, ", least, " are needed: export the model again");
}

inline const value& node_reader::input(std::size_t i) const {
    const auto found = into.values.find(source.inputs[i]);  // run checked that it exists
    if (!found->second.missing.empty())
        fail(who, ": input ", in_quotes(source.inputs[i]), " is ", found->second.missing, ": remove what reads it");
    return found->second;
}

inline const value& node_reader::computed(std::size_t i, const char* what) const {
    const value& found = input(i);
    if (found.is_constant())
        fail(input_name(i, what),
             " is a constant, but Octet wants it computed from the network's input: fold the node into a "
             "constant (onnxsim does)");
    if (found.stored_type != 0)
        fail(input_name(i, what),
             " holds integers, which only DequantizeLinear may read: Octet reads models of float operators between "
             "DequantizeLinear and QuantizeLinear (QDQ)");
    return found;
}

inline const value& node_reader::constant(std::size_t i, const char* what) const {
    const value& found = input(i);
    if (!found.is_constant())
        fail(input_name(i, what), " is computed, but must be a constant: make it an initializer of the model");
    return found;
}

inline void node_reader::refuse_types(const value& of, std::size_t i, const char* what) const {
    fail(
        input_name(i, what), of.data->type == literal::kind::other ? " has data type " : " has the wrong data type ",
        of.data->data_type,
        ": Octet reads float (1), double (11) and float16 (10) as reals, int8 (3), uint8 (2), int32 (6), int64 (7) and "
        "bool (9) as integers; convert the model to float32");
}

inline const std::vector<float>& node_reader::constant_reals(std::size_t i, const char* what) const {
    const value& found = constant(i, what);
    if (found.data->type != literal::kind::real) refuse_types(found, i, what);
    for (std::size_t k = 0; k < found.data->reals.size(); ++k)
        if (!std::isfinite(found.data->reals[k]))
            fail(input_name(i, what), ": value ", k, " is ", found.data->reals[k],
                 ": every weight and constant must be finite, repair the model");
    return found.data->reals;
}

inline const std::vector<std::int64_t>& node_reader::constant_integers(std::size_t i, const char* what) const {
    const value& found = constant(i, what);
    if (found.data->type != literal::kind::integer) refuse_types(found, i, what);
    if (found.dims.size() > 1)
        fail(input_name(i, what), " has shape ", to_string(found.dims), ", but must be a list of integers");
    return found.data->integers;
}

inline float node_reader::constant_real(std::size_t i, const char* what) const {
    const value& found = constant(i, what);
    if (found.data->type != literal::kind::real) refuse_types(found, i, what);
    if (found.data->reals.size() != 1)
        fail(input_name(i, what), " has shape ", to_string(found.dims), ", but must be one number");
    return found.data->reals[0];
}

inline std::size_t node_reader::axis(std::int64_t given, std::size_t rank) const {
    const auto count = static_cast<std::int64_t>(rank);
    if (given < -count || given >= count)
        fail(who, ": axis ", given, " is outside [", -count, ", ", count - 1, "], its input has rank ", rank);
    return static_cast<std::size_t>(given < 0 ? given + count : given);
}

inline void node_reader::define(value result) {
    const std::string_view output = source.outputs[0];
    if (!result.is_constant() && static_cast<std::size_t>(result.id) >= first_tensor_ && !into.net.nodes().empty() &&
        into.net.nodes().back().output == result.id)
        into.net.rename(result.id, printable(output));
    into.values.insert_or_assign(output, std::move(result));
}

inline void node_reader::leave_out(std::string_view reason) {
    for (std::size_t i = 1; i < source.outputs.size(); ++i)
        if (!source.outputs[i].empty()) {
            value none;
            none.missing = reason;
            into.values.insert_or_assign(source.outputs[i], std::move(none));
        }
}

}  // namespace octet::onnx::inline OCTET_ABI
