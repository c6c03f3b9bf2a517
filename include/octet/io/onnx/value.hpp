// What an ONNX value is while a model is imported, and the arithmetic of its layout. This is where NCHW becomes NHWC.
//
// A computed value is a tensor of the graph seen through two lenses: its stored axes in another order, then the result
// (row-major in that order) under another shape. Transpose changes the first lens, Reshape, Flatten, Squeeze and
// Unsqueeze change the second; neither makes a node. Only an operation that needs its operand in a certain layout looks
// behind the lenses, and makes a transpose or a reshape where the elements really stand elsewhere. Images of the
// network are stored NHWC, so that a network in NCHW meets convolutions that find what they want.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "octet/graph/graph.hpp"
#include "octet/io/onnx/literal.hpp"

namespace octet::onnx {

/// Axis i of the view is stored axis order[i].
using axes = std::vector<int>;

struct value {
    sizes dims;                           // the ONNX shape; what is computed has its batch first, as 1
    std::shared_ptr<const literal> data;  // a constant, in ONNX order; null for what is computed
    tensor_id id = -1;                    // the stored tensor of what is computed
    axes order;                           // the first lens: one entry for each stored axis
    bool channels_last = false;           // the ONNX axes are N, H, W, C: the network itself transposed
    std::int64_t stored_type = 0;         // uint8 or int8: integers, which only DequantizeLinear may read
    std::string_view view;                // the node that last changed the shape, to name a reshape after
    std::string_view missing;             // not empty: an output that inference does not have, and why

    bool is_constant() const noexcept { return data != nullptr; }
};

}  // namespace octet::onnx

namespace octet::onnx::inline OCTET_ABI {

inline axes identity(std::size_t rank) {
    axes order(rank);
    for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<int>(i);
    return order;
}

/// NCHW seen in a tensor that is stored NHWC.
inline axes nhwc() { return {0, 3, 1, 2}; }

/// How a value of this rank is stored when nothing else decides.
inline axes canonical(const value& of) {
    return of.dims.size() == 4 && !of.channels_last ? nhwc() : identity(of.dims.size());
}

/// Whether a transposition leaves every element where it is: axes of size 1 do not matter.
inline bool keeps_order(const sizes& dims, const axes& turn) noexcept {
    int last = -1;
    for (const int axis : turn) {
        if (dims[static_cast<std::size_t>(axis)] == 1) continue;
        if (axis < last) return false;
        last = axis;
    }
    return true;
}

/// The stored shape of a view with shape `dims` and order `order`: stored[order[i]] = dims[i].
inline sizes stored_as(const sizes& dims, const axes& order) { return permute(dims, inverse(order)); }

}  // namespace octet::onnx::inline OCTET_ABI
