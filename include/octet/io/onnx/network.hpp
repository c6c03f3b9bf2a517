// From a parsed model to a graph: inputs, initializers, every node in its order, outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "octet/io/onnx/operators.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// The version of the standard operators; throws octet::error unless it is one that Octet reads.
inline int read_opset_version(const proto::model& model) {
    std::int64_t version = 0;
    for (const proto::opset& each : model.opsets) {
        if (!each.domain.empty() && each.domain != "ai.onnx") continue;
        if (version != 0 && version != each.version)
            fail("the model imports opsets ", version, " and ", each.version,
                 " of the standard operators: export it again");
        version = each.version;
    }
    if (version < 7 || version > 21)
        fail("the model uses opset ", version,
             " of the standard operators, but Octet reads 7 to 21: convert it "
             "(onnx.version_converter) or export it with one of these");
    return static_cast<int>(version);
}

/// What the network's 4-D inputs hold, found by walking back from the operators that know.
enum class image_layout { unknown, channels_first, channels_last };

/// For each value of the model, the layout that its readers expect. Convolutions and pools read N, C, H, W; what a
/// Transpose from N, H, W, C feeds them was N, H, W, C before; element-wise operators pass on what they are asked.
inline std::map<std::string_view, image_layout> expected_layouts(const proto::model& model) {
    std::map<std::string_view, image_layout> expected;
    const auto is = [](std::string_view kind, std::initializer_list<std::string_view> names) {
        for (const std::string_view name : names)
            if (kind == name) return true;
        return false;
    };
    for (std::size_t i = model.nodes.size(); i-- > 0;) {
        const proto::node& node = model.nodes[i];
        const auto ask = [&](std::string_view name, image_layout what) {
            image_layout& known = expected[name];
            if (what != image_layout::unknown && known != image_layout::channels_first) known = what;
        };
        const auto found = expected.find(node.outputs[0]);
        const image_layout after = found == expected.end() ? image_layout::unknown : found->second;
        if (node.inputs.empty()) continue;
        if (is(node.kind, {"Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "BatchNormalization"})) {
            ask(node.inputs[0], image_layout::channels_first);
        } else if (node.kind == "Transpose") {
            for (const proto::attribute& each : node.attributes) {
                if (each.name != "perm") continue;
                if (each.integers == sizes{0, 3, 1, 2} && after != image_layout::channels_last)
                    ask(node.inputs[0], image_layout::channels_last);
                else if (each.integers == sizes{0, 2, 3, 1})
                    ask(node.inputs[0], image_layout::channels_first);
            }
        } else if (is(node.kind, {"Add", "Sub", "Mul", "Div", "Relu", "Clip", "Sigmoid", "Tanh", "HardSwish",
                                  "HardSigmoid", "LeakyRelu", "Identity", "Dropout", "Cast", "Pad", "Concat",
                                  "QuantizeLinear", "DequantizeLinear"})) {
            for (const std::string_view name : node.inputs) ask(name, after);
        }
    }
    return expected;
}

/// A runtime input: its batch becomes 1, its image is stored NHWC.
inline void import_input(importer& into, const proto::value_info& from, image_layout expected) {
    const std::string who = text("input ", in_quotes(from.name));
    const bool stored = into.forms != nullptr && (from.type == proto::int8 || from.type == proto::uint8);
    if (from.type == proto::int8 || from.type == proto::uint8) {
        if (!stored)
            fail(who, " is ", from.type == proto::int8 ? "int8" : "uint8",
                 ", as of a quantized model: read that with octet::onnx::load_quantized, or convert a float model's "
                 "input to float32");
    } else if (from.type != proto::float32) {
        fail(who, " has data type ", from.type,
             ", but Octet reads networks of float inputs (1) only: convert the model to float32");
    }
    if (!from.has_shape || from.dims.empty())
        fail(who, " has no shape: store one in the model (onnx.shape_inference), batch first");
    value made;
    for (std::size_t i = 0; i < from.dims.size(); ++i) {
        const proto::dimension& size = from.dims[i];
        if (i > 0 && !size.fixed)
            fail(who, ": axis ", i, " is dynamic (", size.symbol.empty() ? "no size" : in_quotes(size.symbol),
                 "), but only the batch, axis 0, may be: fix its size in the model");
        if (size.fixed && size.size < 1)
            fail(who, ": axis ", i, " has size ", size.size, ", but must be at least 1: fix it in the model");
        made.dims.push_back(i == 0 ? 1 : size.size);
    }
    if (!from.dims[0].fixed) {
        into.symbolic_batch = true;
    } else if (from.dims[0].size != 1) {
        if (into.batch != 1 && into.batch != from.dims[0].size)
            fail(who, " has a batch of ", from.dims[0].size, ", another input has ", into.batch,
                 ": give all inputs one batch");
        into.batch = from.dims[0].size;
    }
    count_elements(who, made.dims);
    made.stored_type = stored ? from.type : 0;
    made.channels_last = made.dims.size() == 4 && expected == image_layout::channels_last;
    made.order = canonical(made);
    made.id =
        into.net.input(into.unique(std::string(from.name)), importer::checked(who, stored_as(made.dims, made.order)));
    into.net.set_form(made.id, {made.order == nhwc(), from.dims[0].fixed ? from.dims[0].size : 0});
    into.values.emplace(from.name, std::move(made));
}

/// The constants and the inputs of the network. Initializers that are listed as inputs too are constants.
inline void import_values(importer& into, const proto::model& model) {
    for (const proto::tensor& each : model.initializers) {
        const std::string who = text("initializer ", in_quotes(each.name));
        if (!into.values.emplace(each.name, make_constant(each.dims, decode(who, each))).second)
            fail(who, " is defined twice: give every value a name of its own");
    }
    const auto expected = expected_layouts(model);
    std::map<std::string_view, int> seen;
    for (const proto::value_info& each : model.inputs) {
        if (++seen[each.name] > 1)
            fail("input ", in_quotes(each.name), " is listed twice: give every value a name of its own");
        if (into.values.find(each.name) != into.values.end()) continue;
        const auto found = expected.find(each.name);
        import_input(into, each, found == expected.end() ? image_layout::unknown : found->second);
    }
    if (into.net.inputs().empty()) fail("the model has no input that is not an initializer: there is nothing to run");
}

/// Every node in the file's order, in which ONNX demands that values are made before they are read.
inline void import_nodes(importer& into, const proto::model& model) {
    std::map<std::string_view, std::size_t> makers;
    for (std::size_t i = 0; i < model.nodes.size(); ++i)
        for (const std::string_view output : model.nodes[i].outputs)
            if (!output.empty()) makers.emplace(output, i);
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
        const proto::node& node = model.nodes[i];
        node_reader at(into, node, i);
        for (const std::string_view input : node.inputs) {
            if (input.empty() || into.values.find(input) != into.values.end()) continue;
            const auto maker = makers.find(input);
            if (maker == makers.end())
                fail(at.who, " reads ", in_quotes(input),
                     ", which nothing defines: add the missing input, initializer or node");
            fail(at.who, " reads ", in_quotes(input), " before ", printable(model.nodes[maker->second].kind), " ",
                 in_quotes(model.nodes[maker->second].name), " (node ", maker->second,
                 ") makes it: the nodes form a cycle or are not in topological order, sort them");
        }
        for (std::size_t k = 0; k < node.outputs.size(); ++k) {
            const std::string_view output = node.outputs[k];
            bool taken = into.values.find(output) != into.values.end();
            for (std::size_t other = 0; other < k && other < 8; ++other) taken = taken || node.outputs[other] == output;
            if (!output.empty() && taken)
                fail(at.who, " defines ", in_quotes(output), " a second time: give every value a name of its own");
        }
        import_node(at);
    }
}

/// The outputs: those of rank 4 are stored NHWC, unless the network itself transposes them to that.
inline void import_outputs(importer& into, const proto::model& model) {
    if (model.outputs.empty()) fail("the model has no output: export it again");
    std::map<std::string_view, int> seen;
    // An input keeps its name, and so does what is an output already.
    std::set<tensor_id> named(into.net.inputs().begin(), into.net.inputs().end());
    for (const proto::value_info& each : model.outputs) {
        const std::string who = text("output ", in_quotes(each.name));
        if (++seen[each.name] > 1) fail(who, " is listed twice: list it once");
        const auto found = into.values.find(each.name);
        if (found == into.values.end()) fail(who, " is not made by any node: correct the model's outputs");
        const value& of = found->second;
        if (!of.missing.empty()) fail(who, " is ", of.missing, ": remove it from the model's outputs");
        if (of.is_constant())
            fail(who, " is a constant, which does not depend on any input: remove it from the model's outputs");
        const value last = into.arrange(printable(each.name), of, canonical(of));
        if (named.insert(last.id).second) {
            into.net.rename(last.id, printable(each.name));
            into.net.set_form(last.id, {last.order == nhwc(), into.symbolic_batch ? 0 : into.batch});
        }
        into.net.output(last.id);
    }
}

/// The graph of a parsed model from a file of this many bytes, and in `stored`, unless it is null, how QuantizeLinear
/// and DequantizeLinear say that it is stored.
inline graph import_model(const proto::model& model, std::size_t file_bytes, stored_forms* stored = nullptr) {
    if (!model.has_graph) fail("the file holds no graph: it is not an ONNX model, or truncated");
    importer into(file_bytes, stored);
    into.opset = read_opset_version(model);
    if (model.has_sparse) fail("the model holds sparse initializers: store them densely");
    import_values(into, model);
    import_nodes(into, model);
    import_outputs(into, model);
    return std::move(into.net);
}

}  // namespace octet::onnx::inline OCTET_ABI
