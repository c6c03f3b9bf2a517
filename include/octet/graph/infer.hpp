// Shape inference, and the checks that every operation makes of its operands and weights when it enters a graph.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/core/shape.hpp"
#include "octet/graph/operation.hpp"

namespace octet::inline OCTET_ABI {

/// Throws octet::error unless `values` holds `count` finite reals.
inline void check_values(const std::string& who, const std::vector<float>& values, std::size_t count) {
    if (values.size() != count) fail(who, " holds ", values.size(), " values where its shape asks for ", count);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!ieee::is_finite(values[i]))
            fail(who, ": value ", i, " is ", values[i], ": every weight and constant must be finite");
}

/// The shape of a op b under NumPy's broadcasting: sizes are aligned at the last axis, and 1 stretches.
inline shape broadcast_shapes(const std::string& who, const shape& a, const shape& b) {
    const shape& longer = a.rank() >= b.rank() ? a : b;
    const shape& shorter = a.rank() >= b.rank() ? b : a;
    shape result = longer;
    for (int i = 1; i <= shorter.rank(); ++i) {
        const std::int64_t one = longer[longer.rank() - i], other = shorter[shorter.rank() - i];
        if (one != other && one != 1 && other != 1)
            fail(who, ": shapes ", to_string(a), " and ", to_string(b),
                 " do not broadcast: sizes must be equal or 1, counted from the last");
        result = result.with(longer.rank() - i, one == 1 ? other : one);
    }
    return result;
}

namespace detail {

/// Inputs is std::span<const shape> (a parameter, so that only units that build graphs compile these functions).
template <class Inputs>
struct infer_visitor {
    const std::string& who;
    Inputs in;

    void need_rank(int rank, const char* form) const {
        if (in[0].rank() != rank)
            fail(who, ": the input has shape ", to_string(in[0]), ", but must be ", form, ": reshape it first");
    }
    void need_features() const {
        if (in[0].rank() < 2)
            fail(who, ": the input has shape ", to_string(in[0]),
                 ", but needs a batch and a last dimension of features: reshape it first");
    }
    /// Weights of `outputs` x (taps x depth) values, where taps <= window::max_taps and depth <= 2^31 - 1.
    void check_weights(const layer_weights& w, std::int64_t taps, std::int64_t depth) const {
        if (w.outputs < 1) fail(who, ": ", w.outputs, " output channels: there must be at least one");
        const std::int64_t inner = taps * depth;
        if (inner > shape::max_elements / w.outputs)
            fail(who, ": weights of ", w.outputs, " x ", inner, " values: no tensor may hold more than ",
                 shape::max_elements);
        if (w.values.size() != static_cast<std::size_t>(inner * w.outputs))
            fail(who, ": ", w.values.size(), " weights, but ", w.outputs, " outputs of ", taps, " taps over ", depth,
                 " channels need ", inner * w.outputs, ": the input is ", to_string(in[0]),
                 in[0].rank() == 4 ? ", read as batch, height, width, channels" : "");
        check_values(text(who, ", weights"), w.values, w.values.size());
        check_values(text(who, ", bias"), w.bias, static_cast<std::size_t>(w.outputs));
    }
    void same_batch(const shape& out) const {
        if (out.rank() < 1 || out[0] != in[0][0])
            fail(who, ": from shape ", to_string(in[0]), " to ", to_string(out),
                 ": the first size is the batch and must stay where and what it is");
    }
    shape slide(const window& taps, std::int64_t channels) const {
        const extent out = taps.outputs(who, in[0][1], in[0][2]);
        return {in[0][0], out.height, out.width, channels};
    }

    shape operator()(const op::conv2d& conv) const {
        need_rank(4, "NHWC");
        const std::int64_t channels = in[0][3];
        if (conv.groups < 1 || channels % conv.groups != 0 || conv.weights.outputs % conv.groups != 0)
            fail(who, ": ", conv.groups, " groups do not divide ", channels, " input and ", conv.weights.outputs,
                 " output channels");
        const shape out = slide(conv.taps, conv.weights.outputs < 1 ? 1 : conv.weights.outputs);
        check_weights(conv.weights, conv.taps.taps(), channels / conv.groups);
        return out;
    }
    shape operator()(const op::linear& layer) const {
        need_features();
        check_weights(layer.weights, 1, in[0].cols());
        return in[0].with(in[0].rank() - 1, layer.weights.outputs);
    }
    shape operator()(const op::batch_norm& norm) const {
        need_features();
        const auto channels = static_cast<std::size_t>(in[0].cols());
        check_values(text(who, ", factor"), norm.factor, channels);
        check_values(text(who, ", shift"), norm.shift, channels);
        return in[0];
    }
    shape operator()(const op::pool2d& pool) const {
        need_rank(4, "NHWC");
        const window& w = pool.taps;
        const shape out = slide(w, in[0][3]);
        if (!all_reach(out[1], in[0][1], w.kernel.height, w.stride.height, w.dilation.height, w.pad.top) ||
            !all_reach(out[2], in[0][2], w.kernel.width, w.stride.width, w.dilation.width, w.pad.left))
            fail(who, ": padding ", w.pad.top, ", ", w.pad.left, ", ", w.pad.bottom, ", ", w.pad.right,
                 " lets a window of ", to_string(in[0]), " lie in padding alone: take less padding");
        return out;
    }
    /// Whether each of `count` windows along an axis has a tap in [0, size). One that begins inside has.
    static bool all_reach(std::int64_t count, std::int64_t size, int taps, int step, int spread, int before) noexcept {
        for (std::int64_t start = -before; start < 0 && start <= (count - 1) * step - before; start += step) {
            const std::int64_t first = (-start + spread - 1) / spread;  // the first tap from 0 on
            if (first >= taps || start + first * spread >= size) return false;
        }
        return (count - 1) * step - before < size;
    }
    shape operator()(const op::global_average_pool&) const {
        need_rank(4, "NHWC");
        return {in[0][0], 1, 1, in[0][3]};
    }
    shape operator()(const op::add&) const { return binary(); }
    shape operator()(const op::mul&) const { return binary(); }
    shape binary() const {
        const shape out = broadcast_shapes(who, in[0], in[1]);
        if (out[0] != 1)
            fail(who, ": the result has shape ", to_string(out), ": its first size is the batch and must be 1");
        return out;
    }
    shape operator()(const op::concat& join) const {
        if (join.axis < 1 || join.axis >= in[0].rank())
            fail(who, ": axis ", join.axis, " of ", to_string(in[0]), " cannot be concatenated: it must be in [1, ",
                 in[0].rank() - 1, "]");
        std::int64_t size = 0;
        for (const shape& part : in) {
            if (part.rank() != in[0].rank() || part.with(join.axis, 1) != in[0].with(join.axis, 1))
                fail(who, ": shapes ", to_string(in[0]), " and ", to_string(part), " differ outside axis ", join.axis);
            size += part[join.axis];
        }
        return in[0].with(join.axis, size);
    }
    shape operator()(const op::pad& grow) const {
        shape out = in[0];
        for (int axis = 0; axis < out.rank(); ++axis) {
            const auto i = static_cast<std::size_t>(axis);
            constexpr int most = 1 << 20;
            if (grow.before[i] < 0 || grow.after[i] < 0 || grow.before[i] > most || grow.after[i] > most)
                fail(who, ": padding ", grow.before[i], " and ", grow.after[i], " of axis ", axis, " is outside [0, ",
                     most, "]: Octet pads, it does not crop");
            out = out.with(axis, out[axis] + grow.before[i] + grow.after[i]);
        }
        if (!ieee::is_finite(grow.value)) fail(who, ": the padding value is ", grow.value, ", but must be finite");
        same_batch(out);
        return out;
    }
    shape operator()(const op::reshape& to) const {
        if (to.dims.elements() != in[0].elements())
            fail(who, ": ", to_string(in[0]), " has ", in[0].elements(), " elements and ", to_string(to.dims), " has ",
                 to.dims.elements(), ": a reshape keeps their number");
        same_batch(to.dims);
        return to.dims;
    }
    shape operator()(const op::transpose& turn) const {
        shape out = in[0];
        unsigned seen = 0;
        for (int axis = 0; axis < out.rank(); ++axis) {
            const int from = turn.order[static_cast<std::size_t>(axis)];
            if (from < 0 || from >= out.rank() || ((seen >> from) & 1U) != 0)
                fail(who, ": axis ", from, " in the order of a transpose of ", to_string(in[0]),
                     ": the order must hold every axis once");
            seen |= 1U << from;
            out = out.with(axis, in[0][from]);
        }
        if (turn.order[0] != 0) fail(who, ": the transpose moves the batch: axis 0 must stay first");
        return out;
    }
    shape operator()(const op::clip& cut) const {
        if (!(cut.range.low <= cut.range.high))
            fail(who, ": clips to [", cut.range.low, ", ", cut.range.high,
                 "]: the lower bound must not exceed the upper");
        return in[0];
    }
    shape operator()(const op::lookup& table) const {
        if (!ieee::is_finite(table.alpha)) fail(who, ": the slope is ", table.alpha, ", but must be finite");
        return in[0];
    }
    shape operator()(const op::softmax&) const {
        need_features();
        return in[0];
    }
};

}  // namespace detail

/// The shape of the result, after every check of the operation (one of op::, or an operation) against its inputs. `who`
/// names the node in errors.
template <class Operation>
shape infer_shape(const std::string& who, const Operation& what, std::span<const shape> inputs) {
    if constexpr (std::is_same_v<Operation, operation>) {
        return std::visit([&](const auto& one) { return infer_shape(who, one, inputs); }, what);
    } else {
        constexpr bool pair = std::is_same_v<Operation, op::add> || std::is_same_v<Operation, op::mul>;
        constexpr bool any = std::is_same_v<Operation, op::concat>;
        if (any ? inputs.empty() : inputs.size() != (pair ? 2U : 1U))
            fail(who, ": ", inputs.size(), " inputs, but it takes ", any ? "at least 1" : pair ? "2" : "1");
        return detail::infer_visitor<std::span<const shape>>{who, inputs}(what);
    }
}

}  // namespace octet::inline OCTET_ABI
