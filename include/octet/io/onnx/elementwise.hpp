// Operators that work element by element: activations, and Add, Sub, Mul, Div with broadcasting.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "octet/io/onnx/quantization.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// A function of each element needs no layout: it is applied to the stored tensor, and both lenses stay.
inline void define_unary(node_reader& at, operation what) {
    value of = at.computed(0, "the operand");
    of.id = at.emit(std::move(what), {of.id});
    at.define(std::move(of));
}

inline void import_relu(node_reader& at) {
    at.expect_inputs(1, 1);
    define_unary(at, op::clip{{.low = 0.0F}});
}

/// min(max(x, low), high), so that bounds the wrong way round give `high` everywhere, as ONNX says.
inline void import_clip(node_reader& at) {
    constexpr float most = std::numeric_limits<float>::max();  // what files write where they mean no bound
    activation_range range{-most, most};
    if (at.into.opset >= 11) {
        at.expect_inputs(1, 3);
        if (at.has_input(1)) range.low = at.constant_real(1, "min");
        if (at.has_input(2)) range.high = at.constant_real(2, "max");
    } else {
        at.expect_inputs(1, 1);
        range = {at.real("min", -most), at.real("max", most)};
    }
    if (std::isnan(range.low) || std::isnan(range.high))
        fail(at.who, ": a bound is not a number: give it a value or leave it out");
    if (range.low <= -most) range.low = activation_range{}.low;
    if (range.high >= most) range.high = activation_range{}.high;
    range.low = std::min(range.low, range.high);
    if (range == activation_range{}) return at.define(at.computed(0, "the operand"));
    define_unary(at, op::clip{range});
}

inline void import_sigmoid(node_reader& at) {
    at.expect_inputs(1, 1);
    define_unary(at, op::lookup{function::logistic});
}
inline void import_tanh(node_reader& at) {
    at.expect_inputs(1, 1);
    define_unary(at, op::lookup{function::tanh});
}
inline void import_hard_swish(node_reader& at) {
    at.expect_inputs(1, 1);
    define_unary(at, op::lookup{function::hard_swish});
}
inline void import_leaky_relu(node_reader& at) {
    at.expect_inputs(1, 1);
    define_unary(at, op::lookup{function::leaky_relu, at.real("alpha", 0.01F)});
}

/// A constant of one element, which broadcasts to any layout.
inline tensor_id scalar(node_reader& at, const char* suffix, float number) {
    return at.into.net.constant(at.into.unique(at.name + suffix), {1}, {number});
}

/// min(max(alpha * x + beta, 0), 1)
inline void import_hard_sigmoid(node_reader& at) {
    at.expect_inputs(1, 1);
    const float alpha = at.real("alpha", 0.2F), beta = at.real("beta", 0.5F);
    value of = at.computed(0, "the operand");
    of.id = at.emit(op::mul{}, {of.id, scalar(at, "/alpha", alpha)}, "/scaled");
    of.id = at.emit(op::add{}, {of.id, scalar(at, "/beta", beta)}, "/shifted");
    of.id = at.emit(op::clip{{0.0F, 1.0F}}, {of.id});
    at.define(std::move(of));
}

/// The constant as a tensor of the graph that broadcasts against a plain computed value, whose layout it takes. Leading
/// sizes of 1 are left away: [C, 1, 1] against an NHWC image becomes [C].
inline tensor_id stored_constant(node_reader& at, std::size_t slot, const sizes& dims, const std::vector<float>& reals,
                                 const value& against) {
    const std::size_t rank = against.dims.size();
    sizes whole(rank - dims.size(), 1);
    whole.insert(whole.end(), dims.begin(), dims.end());
    const axes turn = inverse(against.order);  // stored axis j of the constant is ONNX axis turn[j]
    sizes kept = permute(whole, turn);
    std::vector<float> elements = permute_elements(reals, whole, turn);
    while (kept.size() > 1 && kept[0] == 1) kept.erase(kept.begin());
    at.into.spend(at.who, static_cast<std::int64_t>(elements.size()));
    return at.into.net.constant(at.into.unique(std::string(at.source.inputs[slot])),
                                importer::checked(at.input_name(slot, "the constant"), kept), std::move(elements));
}

/// x op c for a computed x and a constant c: a difference adds -c, a quotient multiplies by 1 / c.
inline void define_with_constant(node_reader& at, arithmetic what, std::size_t computed_slot) {
    const std::size_t slot = 1 - computed_slot;
    value of = at.computed(computed_slot, "the operand");
    const value& constant = at.constant(slot, "the constant");
    std::vector<float> reals = at.constant_reals(slot, "the constant");
    at.into.spend(at.who, static_cast<std::int64_t>(reals.size()));
    const bool sum = what == arithmetic::add || what == arithmetic::subtract;
    if (what == arithmetic::divide && computed_slot == 1)
        fail(at.who,
             " divides a constant by a computed value, which Octet does not compute: rewrite the model without it");
    if (what == arithmetic::subtract && computed_slot == 1)
        of.id = at.emit(op::mul{}, {of.id, scalar(at, "/minus_one", -1.0F)}, "/negated");
    else if (what == arithmetic::subtract)
        for (float& each : reals) each = -each;
    if (what == arithmetic::divide)
        for (float& each : reals) each = 1.0F / each;
    sizes dims = constant.dims;
    if (reals.size() == 1) dims = {1};
    if (dims.size() > of.dims.size())
        fail(at.input_name(slot, "the constant"), " has shape ", to_string(dims),
             ", of higher rank than the other operand's ", to_string(of.dims), ": the batch would no longer be first");
    const std::size_t lead = of.dims.size() - dims.size();
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const std::int64_t size = of.dims[lead + i];
        if (dims[i] != size && dims[i] != 1 && (size != 1 || lead + i == 0))
            fail(at.input_name(slot, "the constant"), " of shape ", to_string(dims), " does not broadcast to ",
                 to_string(of.dims), ": sizes must be equal or 1, and 1 for the batch");
    }
    if (reals.size() != 1 && !at.into.plain(of)) of = at.into.arrange(at.name, of, canonical(of));
    const tensor_id other =
        reals.size() == 1 ? scalar(at, "/constant", reals[0]) : stored_constant(at, slot, dims, reals, of);
    if (what == arithmetic::add || what == arithmetic::multiply) note_constant(at, other, *constant.data);
    of.id = sum ? at.emit(op::add{}, {of.id, other}) : at.emit(op::mul{}, {of.id, other});
    for (std::size_t i = 0; i < dims.size(); ++i) of.dims[lead + i] = std::max(of.dims[lead + i], dims[i]);
    at.define(std::move(of));
}

/// Two computed operands, brought to one layout: that of the larger, or the canonical one if either has it.
inline void define_pair(node_reader& at, arithmetic what) {
    value a = at.computed(0, "the left operand"), b = at.computed(1, "the right operand");
    if (what == arithmetic::divide)
        fail(at.who, " divides by a computed value, which Octet does not compute: rewrite the model without it");
    if (a.dims.size() != b.dims.size())
        fail(at.who, ": shapes ", to_string(a.dims), " and ", to_string(b.dims),
             " have different ranks: the batch of one would meet another axis, reshape it to equal rank");
    const bool same = a.order == b.order && a.dims == b.dims && at.into.stored(a) == at.into.stored(b);
    if (!same) {
        const std::int64_t left = count_elements(at.who, a.dims), right = count_elements(at.who, b.dims);
        const value& lead = left != right                                 ? (left > right ? a : b)
                            : at.into.plain(b) && b.order == canonical(b) ? b
                                                                          : a;
        const axes want = at.into.plain(lead) ? lead.order : canonical(lead);
        a = at.into.arrange(at.name, a, want);
        b = at.into.arrange(at.name, b, want);
    }
    if (what == arithmetic::subtract) b.id = at.emit(op::mul{}, {b.id, scalar(at, "/minus_one", -1.0F)}, "/negated");
    a.id = what == arithmetic::multiply ? at.emit(op::mul{}, {a.id, b.id}) : at.emit(op::add{}, {a.id, b.id});
    for (std::size_t i = 0; i < a.dims.size(); ++i) a.dims[i] = std::max(a.dims[i], b.dims[i]);
    a.channels_last = a.channels_last || b.channels_last;
    at.define(std::move(a));
}

inline void import_arithmetic(node_reader& at, arithmetic what) {
    at.expect_inputs(2, 2);
    const value &a = at.input(0), &b = at.input(1);
    if (a.is_constant() && b.is_constant()) return at.define(fold_arithmetic(at, what, a, b));
    if (!a.is_constant() && !b.is_constant()) return define_pair(at, what);
    define_with_constant(at, what, a.is_constant() ? 1 : 0);
}

inline void import_add(node_reader& at) { import_arithmetic(at, arithmetic::add); }
inline void import_sub(node_reader& at) { import_arithmetic(at, arithmetic::subtract); }
inline void import_mul(node_reader& at) { import_arithmetic(at, arithmetic::multiply); }
inline void import_div(node_reader& at) { import_arithmetic(at, arithmetic::divide); }

}  // namespace octet::onnx::inline OCTET_ABI
