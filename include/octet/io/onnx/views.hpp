// Operators that only look at a value in another way: Identity, Dropout, Cast, Reshape, Flatten, Transpose, Squeeze,
// Unsqueeze. On what is computed none of them makes a node (io/onnx/value.hpp says how); the batch must stay first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/io/onnx/fold.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// Declares the output as the value under another shape.
inline void define_view(node_reader& at, value of, sizes dims) {
    if (of.is_constant()) {
        count_elements(at.who, dims);
        return at.define(with_dims(std::move(of), std::move(dims)));
    }
    importer::checked(at.who, dims);
    of.view = at.source.name.empty() ? at.source.outputs[0] : at.source.name;
    if (dims != of.dims) of.channels_last = false;
    of.dims = std::move(dims);
    at.define(std::move(of));
}

inline void import_identity(node_reader& at) {
    at.expect_inputs(1, 1);
    at.define(at.input(0));
}

inline void import_dropout(node_reader& at) {
    at.expect_inputs(1, at.into.opset >= 12 ? 3 : 1);
    at.ignore("ratio"), at.ignore("seed");
    if (at.has_input(2)) {
        const std::vector<std::int64_t>& training = at.constant_integers(2, "training_mode");
        if (training.size() != 1 || training[0] != 0)
            fail(at.who, " is in training mode: export the model for inference");
    }
    at.define(at.input(0));
    at.leave_out("the mask of a Dropout, which inference does not have");
}

inline void import_cast(node_reader& at) {
    at.expect_inputs(1, 1);
    at.ignore("saturate");
    const std::int64_t to = at.integer("to", 0);
    const value& of = at.input(0);
    if (of.is_constant()) return at.define(fold_cast(at, of, to));
    if (to != proto::float32)
        fail(at.who, ": a computed value is cast to data type ", to,
             ", but Octet computes in float (1): convert the model to float32");
    at.define(of);
}

/// The shape that Reshape asks for, with 0 and -1 resolved. A computed value has its batch as 1.
inline sizes reshape_target(node_reader& at, const value& of, const std::vector<std::int64_t>& given,
                            bool zero_is_zero) {
    if (given.size() > shape::max_rank)
        fail(at.who, ": a shape of ", given.size(), " sizes, but Octet holds at most ", shape::max_rank);
    const std::int64_t count = count_elements(at.who, of.dims);
    sizes dims = given;
    std::int64_t known = 1;
    std::size_t open = dims.size();
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (dims[i] == 0 && !zero_is_zero) {
            if (i >= of.dims.size())
                fail(at.who, ": size ", i, " of ", to_string(given), " is copied from an input of shape ",
                     to_string(of.dims), ", which has none there");
            dims[i] = of.dims[i];
        } else if (i == 0 && !of.is_constant() && given[0] > 0 && given[0] == at.into.batch) {
            dims[0] = 1;
        }
        if (dims[i] < -1) fail(at.who, ": a shape ", to_string(given), ": sizes must be -1 or more");
        if (dims[i] > shape::max_elements)
            fail(at.who, ": a shape ", to_string(given), ": no tensor may have more than ", shape::max_elements,
                 " elements");
        if (dims[i] == -1 && open != dims.size())
            fail(at.who, ": a shape ", to_string(given), ": only one size may be -1");
        if (dims[i] == -1)
            open = i;
        else if (known != 0 && dims[i] > shape::max_elements / known)
            fail(at.who, ": a shape ", to_string(given), ": no tensor may have more than ", shape::max_elements,
                 " elements");
        else
            known *= dims[i];
    }
    if (open != dims.size() && known > 0 && count % known == 0) dims[open] = count / known, known = count;
    if (known != count || (open != dims.size() && dims[open] == -1))
        fail(at.who, ": an input of shape ", to_string(of.dims), " cannot take the shape ", to_string(given),
             of.is_constant() ? ": the number of elements must stay"
                              : ": the number of elements must stay, and the first size is the batch (1 here), which "
                                "must stay apart");
    return dims;
}

inline void keep_batch(node_reader& at, const value& of, const sizes& dims) {
    if (!of.is_constant() && (dims.empty() || dims[0] != 1))
        fail(at.who, ": from shape ", to_string(of.dims), " to ", to_string(dims),
             ": the first size is the batch (1 here) and must stay first: keep it apart in the model, as in Reshape to "
             "[0, -1]");
}

inline void import_reshape(node_reader& at) {
    at.expect_inputs(2, 2);
    const bool zero_is_zero = at.into.opset >= 14 && at.integer("allowzero", 0) != 0;
    const value& of = at.input(0);
    sizes dims = reshape_target(at, of, at.constant_integers(1, "the shape"), zero_is_zero);
    keep_batch(at, of, dims);
    define_view(at, of, std::move(dims));
}

inline void import_flatten(node_reader& at) {
    at.expect_inputs(1, 1);
    const value& of = at.input(0);
    const std::int64_t rank = static_cast<std::int64_t>(of.dims.size()), given = at.integer("axis", 1);
    if (given < -rank || given > rank)
        fail(at.who, ": axis ", given, " is outside [", -rank, ", ", rank, "], its input has rank ", rank);
    const std::int64_t axis = given < 0 ? given + rank : given;
    std::int64_t outer = 1, inner = 1;
    for (std::int64_t i = 0; i < rank; ++i) (i < axis ? outer : inner) *= of.dims[static_cast<std::size_t>(i)];
    const sizes dims{outer, inner};
    keep_batch(at, of, dims);
    if (!of.is_constant() && axis == 0 && (at.into.symbolic_batch || at.into.batch != 1))
        fail(at.who, ": axis 0 flattens the batch too: flatten from axis 1");
    define_view(at, of, dims);
}

/// The axes that Squeeze, Unsqueeze, ReduceMean and Pad take as an attribute in early opsets and as an input in later
/// ones.
inline std::vector<std::int64_t> listed_axes(node_reader& at, std::size_t slot, int input_since) {
    if (at.into.opset < input_since) return at.integers("axes");
    return at.has_input(slot) ? at.constant_integers(slot, "the axes") : std::vector<std::int64_t>{};
}

inline void import_squeeze(node_reader& at) {
    at.expect_inputs(1, at.into.opset >= 13 ? 2 : 1);
    const value& of = at.input(0);
    const bool all = at.into.opset >= 13 ? !at.has_input(1) : !at.has("axes");
    const bool open_batch = !of.is_constant() && (at.into.symbolic_batch || at.into.batch != 1);
    std::vector<bool> drop(of.dims.size(), false);
    if (all)
        for (std::size_t i = 0; i < drop.size(); ++i) drop[i] = of.dims[i] == 1 && !(i == 0 && open_batch);
    for (const std::int64_t given : listed_axes(at, 1, 13)) {
        const std::size_t axis = at.axis(given, of.dims.size());
        if (of.dims[axis] != 1)
            fail(at.who, ": axis ", given, " of ", to_string(of.dims), " cannot be dropped: its size is not 1");
        drop[axis] = true;
    }
    if (!of.is_constant() && drop[0])
        fail(at.who, " drops the batch of ", to_string(of.dims), ": list the axes to drop without axis 0");
    sizes dims;
    for (std::size_t i = 0; i < drop.size(); ++i)
        if (!drop[i]) dims.push_back(of.dims[i]);
    define_view(at, of, std::move(dims));
}

inline void import_unsqueeze(node_reader& at) {
    at.expect_inputs(at.into.opset >= 13 ? 2 : 1, at.into.opset >= 13 ? 2 : 1);
    const value& of = at.input(0);
    const std::vector<std::int64_t> given = listed_axes(at, 1, 13);
    const std::size_t rank = of.dims.size() + given.size();
    if (rank > shape::max_rank)
        fail(at.who, ": a result of rank ", rank, ", but Octet holds at most ", shape::max_rank, " dimensions");
    std::vector<bool> fresh(rank, false);
    for (const std::int64_t each : given) {
        const std::size_t axis = at.axis(each, rank);
        if (fresh[axis]) fail(at.who, ": axis ", each, " is listed twice");
        fresh[axis] = true;
    }
    if (!of.is_constant() && fresh[0])
        fail(at.who, " puts a new axis before the batch of ", to_string(of.dims), ": the batch must stay first");
    sizes dims;
    for (std::size_t i = 0, next = 0; i < rank; ++i) dims.push_back(fresh[i] ? 1 : of.dims[next++]);
    define_view(at, of, std::move(dims));
}

inline void import_transpose(node_reader& at) {
    at.expect_inputs(1, 1);
    const value& of = at.input(0);
    const std::size_t rank = of.dims.size();
    axes turn;
    if (at.has("perm")) {
        std::vector<bool> seen(rank, false);
        for (const std::int64_t each : at.integers("perm")) {
            const std::size_t axis = at.axis(each, rank);
            if (each < 0 || seen[axis])
                fail(at.who, ": axis ", each, " in perm: every axis must be listed once, from 0 up");
            seen[axis] = true;
            turn.push_back(static_cast<int>(axis));
        }
        if (turn.size() != rank)
            fail(at.who, ": perm lists ", turn.size(), " axes, but its input has shape ", to_string(of.dims));
    } else {
        turn = identity(rank);
        std::reverse(turn.begin(), turn.end());
    }
    if (of.is_constant()) return at.define(fold_transpose(at, of, turn));
    if (turn[0] != 0) fail(at.who, " moves the batch of ", to_string(of.dims), ": axis 0 must stay first");
    value result = at.into.plain(of) ? of : at.into.arrange(at.name, of, identity(rank));
    const axes before = result.order;
    for (std::size_t i = 0; i < rank; ++i) result.order[i] = before[static_cast<std::size_t>(turn[i])];
    result.dims = permute(of.dims, turn);
    result.channels_last = turn == identity(rank) ? of.channels_last : turn == axes{0, 2, 3, 1};
    at.define(std::move(result));
}

}  // namespace octet::onnx::inline OCTET_ABI
