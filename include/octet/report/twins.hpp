// Which layer of a float model a layer of an int8 network stands for: of two graphs that compute the same, though one
// has been through a file, or through the hands of another tool.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "octet/core/error.hpp"
#include "octet/graph/graph.hpp"

namespace octet::inline OCTET_ABI::detail {

/// For each tensor and node of the int8 network, the one of the model that has its values; -1: none.
struct twins {
    std::vector<tensor_id> tensors;
    std::vector<int> nodes;
};

/// A node that has the values of its input: files have more or fewer of them. (A template, as find_twins is, so that
/// only units that report compile it.)
bool is_view(const std::same_as<node> auto& n) noexcept {
    const auto* clip = std::get_if<op::clip>(&n.what);
    return std::holds_alternative<op::reshape>(n.what) || (clip != nullptr && clip->range == activation_range{});
}

/// Inputs correspond in their order. A node corresponds to one with an output of the same shape and the same operands,
/// views and constants left aside: of several to the one whose output has the same name, else to the first. The kind of
/// operation is not asked for: a linear layer over an image comes back from a file as a convolution. Throws
/// octet::error where a node that is no view has no counterpart. Costs the product of the numbers of nodes. (A
/// template, so that only units that report compile it.)
twins find_twins(const std::same_as<graph> auto& model, const graph& int8) {
    const auto at = [](auto index) { return static_cast<std::size_t>(index); };
    const auto refuse = [](const auto&... words) {
        fail(words...,
             ": report needs the model that was quantized, or the int8 network's own `net`, which has its "
             "weights as reals");
    };
    if (model.inputs().size() != int8.inputs().size())
        refuse("the model has ", model.inputs().size(), " inputs and the int8 network ", int8.inputs().size());
    twins all{std::vector<tensor_id>(int8.tensors().size(), -1), std::vector<int>(int8.nodes().size(), -1)};
    std::vector<tensor_id> source(model.tensors().size(), -1);  // what a tensor of the model is a view of, or itself
    for (std::size_t i = 0; i < int8.inputs().size(); ++i) {
        const tensor_id real = model.inputs()[i], stored = int8.inputs()[i];
        if (model.at(real).dims != int8.at(stored).dims)
            refuse("input ", i, " is ", to_string(model.at(real).dims), " in the model and ",
                   to_string(int8.at(stored).dims), " in the int8 network");
        all.tensors[at(stored)] = source[at(real)] = real;
    }
    for (const node& n : model.nodes()) source[at(n.output)] = is_view(n) ? source[at(n.inputs[0])] : n.output;

    const auto operands = [&](const graph& net, const node& n, const std::vector<tensor_id>& of) {
        std::vector<tensor_id> ids;
        for (const tensor_id id : n.inputs)
            if (!net.at(id).is_constant()) ids.push_back(of[at(id)]);
        return ids;
    };
    std::vector<char> taken(model.nodes().size());
    for (std::size_t i = 0; i < int8.nodes().size(); ++i) {
        const node& n = int8.nodes()[i];
        const tensor& result = int8.at(n.output);
        const std::vector<tensor_id> wanted = operands(int8, n, all.tensors);
        int found = -1;
        for (std::size_t j = 0; j < model.nodes().size(); ++j) {
            const node& candidate = model.nodes()[j];
            const tensor& real = model.at(candidate.output);
            if (taken[j] != 0 || is_view(candidate) != is_view(n) || real.dims != result.dims) continue;
            if ((found < 0 || real.name == result.name) && operands(model, candidate, source) == wanted) {
                found = static_cast<int>(j);
                if (real.name == result.name) break;
            }
        }
        if (found < 0 && !is_view(n))
            refuse(kind_of(n.what), " '", n.name, "' of the int8 network has no counterpart among the model's ",
                   model.nodes().size(), " nodes after folding, none with this output, ", to_string(result.dims),
                   ", and these operands");
        if (found >= 0) taken[at(found)] = 1;
        all.nodes[i] = found;
        all.tensors[at(n.output)] = is_view(n) ? all.tensors[at(n.inputs[0])] : model.nodes()[at(found)].output;
    }
    return all;
}

}  // namespace octet::inline OCTET_ABI::detail
