// Which range each tensor gets: what a selection chooses for it, widened to what its group of tensors that share
// parameters needs.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "octet/calib/calibration.hpp"
#include "octet/calib/moving_average.hpp"
#include "octet/calib/selection.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/graph/quantized_graph.hpp"

namespace octet::inline OCTET_ABI::detail {

/// Groups of tensors, each with a root that stands for it.
class tensor_groups {
  public:
    explicit tensor_groups(std::size_t count) : parent_(count) {
        for (std::size_t i = 0; i < count; ++i) parent_[i] = i;
    }
    std::size_t root(std::size_t i) const {
        while (parent_[i] != i) i = parent_[i];
        return i;
    }
    void join(std::size_t a, std::size_t b) { parent_[root(a)] = root(b); }

  private:
    std::vector<std::size_t> parent_;
};

/// What an operation can return at all, where that is a fixed interval: 256 steps of 1/256 from 0, or of 1/128 from -1.
inline std::optional<range> fixed_range(const operation& what) {
    const auto* table = std::get_if<op::lookup>(&what);
    if (std::holds_alternative<op::softmax>(what) || (table != nullptr && table->what == function::logistic))
        return range{0.0F, 255.0F / 256.0F};
    if (table != nullptr && table->what == function::tanh) return range{-1.0F, 127.0F / 128.0F};
    return {};
}

/// Groups of tensors that share parameters: what operations that move bytes join and, if `global`, all int8 tensors
/// but those whose range is fixed. (Templates, so that only units that quantize compile them.)
tensor_groups sharing_groups(const std::same_as<quantized_graph> auto& all, bool global) {
    tensor_groups groups(all.tensors.size());
    const std::vector<node>& nodes = all.net.nodes();
    const auto at = [](tensor_id id) { return static_cast<std::size_t>(id); };
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (all.layers[i].is_int8 && moves_bytes(nodes[i].what, all.rounding))
            for (const tensor_id id : nodes[i].inputs) groups.join(at(id), at(nodes[i].output));
    if (!global) return groups;
    std::vector<bool> fixed(all.tensors.size());
    for (const node& n : nodes)
        if (fixed_range(n.what)) fixed[groups.root(at(n.output))] = true;
    std::optional<std::size_t> first;
    for (std::size_t t = 0; t < all.tensors.size(); ++t) {
        if (!all.tensors[t].is_int8 || fixed[groups.root(t)]) continue;
        if (first)
            groups.join(t, *first);
        else
            first = t;
    }
    return groups;
}

/// The range of each tensor on its own: choose(t) where something was observed of it.
template <class Choose>
std::vector<range> own_ranges(const std::same_as<quantized_graph> auto& all, const calibration& seen,
                              const Choose& choose) {
    std::vector<range> ranges(all.tensors.size());
    for (std::size_t t = 0; t < ranges.size(); ++t) {
        const tensor& value = all.net.tensors()[t];
        if (value.is_constant()) {
            range& r = ranges[t] = {value.constant[0], value.constant[0]};
            for (const float x : value.constant) r = {std::min(r.min, x), std::max(r.max, x)};
        } else if (seen.tensors[t].seen.values() != 0) {
            ranges[t] = choose(t);
        }
    }
    for (const node& n : all.net.nodes()) {
        range& r = ranges[static_cast<std::size_t>(n.output)];
        if (const auto fixed = fixed_range(n.what)) r = *fixed;
        if (const auto* grow = std::get_if<op::pad>(&n.what))
            r = {std::min(r.min, grow->value), std::max(r.max, grow->value)};
    }
    return ranges;
}

/// What each tensor needs together with its group: the least range that holds theirs and 0.
template <class Ranges>
Ranges joined_ranges(const tensor_groups& groups, const Ranges& own) {
    Ranges joined(own.size()), all;
    for (std::size_t t = 0; t < own.size(); ++t) {
        range& r = joined[groups.root(t)];
        r = {std::min(r.min, own[t].min), std::max(r.max, own[t].max)};
    }
    for (std::size_t t = 0; t < own.size(); ++t) all.push_back(joined[groups.root(t)]);
    return all;
}

}  // namespace octet::inline OCTET_ABI::detail
