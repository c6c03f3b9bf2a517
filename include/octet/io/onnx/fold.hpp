// Nodes whose operands are all constants: their result is computed now and becomes a constant itself.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "octet/io/onnx/node_reader.hpp"

namespace octet::onnx::inline OCTET_ABI {

enum class arithmetic { add, subtract, multiply, divide };

inline value make_constant(sizes dims, literal elements) {
    value made;
    made.dims = std::move(dims);
    made.data = std::make_shared<const literal>(std::move(elements));
    return made;
}

/// The same elements under another shape: nothing is copied.
inline value with_dims(value of, sizes dims) {
    of.dims = std::move(dims);
    return of;
}

inline void fold_constant(node_reader& at) {
    at.expect_inputs(0, 0);
    literal made;
    if (at.has("value")) {
        const proto::tensor& given = at.tensor("value");
        const std::string who = text(at.who, ", attribute 'value'");
        at.into.spend(who, count_elements(who, given.dims));
        return at.define(make_constant(given.dims, decode(who, given)));
    }
    sizes dims;
    if (at.has("value_float") || at.has("value_floats")) {
        made.type = literal::kind::real;
        made.data_type = proto::float32;
        made.reals = at.has("value_float") ? std::vector<float>{at.real("value_float", 0)} : at.reals("value_floats");
        if (!at.has("value_float")) dims = {static_cast<std::int64_t>(made.reals.size())};
    } else if (at.has("value_int") || at.has("value_ints")) {
        made.type = literal::kind::integer;
        made.data_type = proto::int64;
        made.integers =
            at.has("value_int") ? std::vector<std::int64_t>{at.integer("value_int", 0)} : at.integers("value_ints");
        if (!at.has("value_int")) dims = {static_cast<std::int64_t>(made.integers.size())};
    } else {
        fail(at.who, " holds none of value, value_float(s) and value_int(s): strings and sparse tensors are not read");
    }
    at.define(make_constant(std::move(dims), std::move(made)));
}

inline value fold_transpose(node_reader& at, const value& of, const axes& order) {
    at.into.spend(at.who, static_cast<std::int64_t>(of.data->reals.size() + of.data->integers.size()));
    literal turned{.type = of.data->type,
                   .reals = permute_elements(of.data->reals, of.dims, order),
                   .integers = permute_elements(of.data->integers, of.dims, order),
                   .data_type = of.data->data_type,
                   .scales = of.data->scales,
                   .zero_point = of.data->zero_point};
    if (turned.scales.size() > 1) turned.axis = static_cast<std::size_t>(inverse(order)[of.data->axis]);
    return make_constant(permute(of.dims, order), std::move(turned));
}

/// Cast of a constant: to float (1, 10, 11) or to an integer (6, 7), which truncates toward 0.
inline value fold_cast(node_reader& at, const value& of, std::int64_t to) {
    const bool real = to == proto::float32 || to == proto::float64 || to == proto::float16;
    if (of.data->type == literal::kind::other) at.refuse_types(of, 0, "operand");
    if (!real && to != proto::int32 && to != proto::int64)
        fail(at.who, ": a cast to data type ", to, " is not read: only float (1, 10, 11) and integers (6, 7) are");
    if (of.data->data_type == to) return of;
    at.into.spend(at.who, static_cast<std::int64_t>(of.data->reals.size() + of.data->integers.size()));
    literal made{.type = real ? literal::kind::real : literal::kind::integer, .data_type = to};
    if (real) {
        made.reals = of.data->reals;
        for (const std::int64_t each : of.data->integers) made.reals.push_back(static_cast<float>(each));
    } else {
        made.integers = of.data->integers;
        for (const float each : of.data->reals) {
            if (!(std::fabs(each) < 9.2e18F)) fail(at.who, ": value ", each, " does not fit into an integer");
            made.integers.push_back(static_cast<std::int64_t>(each));
        }
    }
    return make_constant(of.dims, std::move(made));
}

inline float apply(arithmetic what, float a, float b, const std::string&) noexcept {
    switch (what) {
        case arithmetic::add:
            return a + b;
        case arithmetic::subtract:
            return a - b;
        case arithmetic::multiply:
            return a * b;
        default:
            return a / b;
    }
}

inline std::int64_t apply(arithmetic what, std::int64_t a, std::int64_t b, const std::string& who) {
    std::int64_t result = 0;
    bool broken = false;
    switch (what) {
        case arithmetic::add:
            broken = __builtin_add_overflow(a, b, &result);
            break;
        case arithmetic::subtract:
            broken = __builtin_sub_overflow(a, b, &result);
            break;
        case arithmetic::multiply:
            broken = __builtin_mul_overflow(a, b, &result);
            break;
        case arithmetic::divide:
            broken = b == 0 || (b == -1 && a == std::numeric_limits<std::int64_t>::min());
            if (!broken) result = a / b;
    }
    if (broken) fail(who, ": ", a, " and ", b, " have no result in 64 bits: correct the constants");
    return result;
}

/// a op b of two constants, where one has the shape of the result: a fold never expands.
inline value fold_arithmetic(node_reader& at, arithmetic what, const value& a, const value& b) {
    if (a.data->type == literal::kind::other) at.refuse_types(a, 0, "operand");
    if (b.data->type != a.data->type) at.refuse_types(b, 1, "operand");
    const std::size_t rank = std::max(a.dims.size(), b.dims.size());
    sizes left(rank - a.dims.size(), 1), right(rank - b.dims.size(), 1), dims;
    left.insert(left.end(), a.dims.begin(), a.dims.end());
    right.insert(right.end(), b.dims.begin(), b.dims.end());
    for (std::size_t i = 0; i < rank; ++i) {
        if (left[i] != right[i] && left[i] != 1 && right[i] != 1)
            fail(at.who, ": shapes ", to_string(a.dims), " and ", to_string(b.dims), " do not broadcast");
        dims.push_back(left[i] == 1 ? right[i] : left[i]);
    }
    if (dims != left && dims != right)
        fail(at.who, ": constants of shapes ", to_string(a.dims), " and ", to_string(b.dims),
             " expand each other: store the result as an initializer instead");
    const std::int64_t count = count_elements(at.who, dims);
    at.into.spend(at.who, count);
    literal made{.type = a.data->type, .data_type = a.data->data_type};
    const auto combine = [&](const auto& x, const auto& y, auto& to) {
        sizes index(rank, 0);
        for (std::int64_t k = 0; k < count; ++k) {
            std::int64_t i = 0, j = 0;
            for (std::size_t axis = 0; axis < rank; ++axis) {
                i = i * left[axis] + (left[axis] == 1 ? 0 : index[axis]);
                j = j * right[axis] + (right[axis] == 1 ? 0 : index[axis]);
            }
            to.push_back(apply(what, x[static_cast<std::size_t>(i)], y[static_cast<std::size_t>(j)], at.who));
            for (std::size_t axis = rank; axis-- > 0;) {
                if (++index[axis] < dims[axis]) break;
                index[axis] = 0;
            }
        }
    };
    if (made.type == literal::kind::real)
        combine(a.data->reals, b.data->reals, made.reals);
    else
        combine(a.data->integers, b.data->integers, made.integers);
    return make_constant(std::move(dims), std::move(made));
}

}  // namespace octet::onnx::inline OCTET_ABI
