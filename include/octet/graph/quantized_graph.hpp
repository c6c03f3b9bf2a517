// What quantize returns and a session runs: the float graph, and beside it how each tensor and layer is stored in int8.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "octet/graph/graph.hpp"
#include "octet/quant/rounding.hpp"

namespace octet {

/// One tensor of the graph, by tensor_id: the range that was observed and, if it is int8, its parameters.
struct quantized_tensor {
    bool is_int8 = false;
    quant_params params{};
    range observed{};
};

/// One node of the graph, by its index: whether it runs in int8 (else `reason` says why not), and for layers with
/// weights their integers: values [outputs, inner] (in [-127, 127] where quantize chose them), scales [outputs] or one,
/// bias [outputs].
struct quantized_layer {
    bool is_int8 = false;
    std::string reason{};
    std::vector<std::int8_t> values{};
    std::vector<scale> scales{};
    std::vector<std::int32_t> bias{};
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

struct quantized_graph {
    graph net;
    std::vector<quantized_tensor> tensors;  ///< one for each of net.tensors()
    std::vector<quantized_layer> layers;    ///< one for each of net.nodes()
    rounding_policy rounding{};             ///< a session is made with the same
    std::vector<std::string> warnings;      ///< of the observers, each naming its tensor

    const quantized_tensor& at(tensor_id id) const noexcept { return tensors[static_cast<std::size_t>(id)]; }
    int quantized_layers() const noexcept {
        int count = 0;
        for (const quantized_layer& layer : layers) count += layer.is_int8 ? 1 : 0;
        return count;
    }
};

namespace detail {

/// Whether the int8 step of an operation moves bytes as they are: then its inputs and its output share their
/// parameters.
inline bool moves_bytes(const operation& what, rounding_policy rounding) {
    const auto* pool = std::get_if<op::pool2d>(&what);
    const bool averages =
        (pool != nullptr && pool->kind == pool_kind::average) || std::holds_alternative<op::global_average_pool>(what);
    return (pool != nullptr && pool->kind == pool_kind::max) || std::holds_alternative<op::concat>(what) ||
           std::holds_alternative<op::pad>(what) || std::holds_alternative<op::reshape>(what) ||
           std::holds_alternative<op::transpose>(what) || (averages && rounding != rounding_policy::nearest_even);
}

}  // namespace detail

/// Throws octet::error naming the node unless every node still is what the builder accepts: a pass may have changed
/// weights, their number or the shapes. (A template, as as_float is.)
void validate(const std::same_as<graph> auto& net) {
    for (const node& n : net.nodes()) {
        const std::string who = text(kind_of(n.what), " '", n.name, "'");
        std::vector<shape> operands;
        for (const tensor_id id : n.inputs) operands.push_back(net.at(id).dims);
        const shape dims = infer_shape(who, n.what, operands);
        if (dims != net.at(n.output).dims)
            fail(who, ": its result has shape ", to_string(net.at(n.output).dims), " in the graph, but would be ",
                 to_string(dims), ": a pass may not change shapes");
    }
}
/// The same of the float graph, and there must be an entry for each of its tensors and nodes.
void validate(const std::same_as<quantized_graph> auto& all) {
    if (all.tensors.size() != all.net.tensors().size() || all.layers.size() != all.net.nodes().size())
        fail("a quantized graph with ", all.tensors.size(), " tensors and ", all.layers.size(),
             " layers beside a graph of ", all.net.tensors().size(), " tensors and ", all.net.nodes().size(),
             " nodes: there must be one for each");
    validate(all.net);
}

/// The graph with every layer left in float: a session over it is the float executor. Of a model that was read by
/// onnx::load_quantized the graph has the stored weights as reals; see there.
/// (A template, so that a unit that runs no network compiles no copies of one.)
quantized_graph as_float(std::same_as<graph> auto net) {
    const auto tensors = net.tensors().size(), layers = net.nodes().size();
    quantized_graph all{std::move(net), {}, {}, {}, {}};
    all.tensors.resize(tensors);
    all.layers.resize(layers);
    for (quantized_layer& layer : all.layers) layer.reason = "the whole network was left in float";
    return all;
}

}  // namespace octet::inline OCTET_ABI
