// The float step of every operation. See compile.hpp for the walk over the graph.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "octet/graph/program.hpp"
#include "octet/nn/conv2d_float.hpp"
#include "octet/nn/depthwise_conv2d_float.hpp"
#include "octet/nn/float_layers.hpp"
#include "octet/nn/movement.hpp"

namespace octet::inline OCTET_ABI {

template <class Rounding>
class compiler;

/// A visitor over operations that appends the float step of one node to a program.
template <class Rounding>
struct float_steps {
    compiler<Rounding>& to;
    int index;
    const node& n;

    int in(std::size_t i = 0) const { return to.read_slot(n.inputs[i], false); }
    int out() const { return to.new_slot(n.output, false); }
    shape dims(std::size_t i = 0) const { return to.dims_of(n.inputs[i]); }
    const parallel& threads() const { return to.options_.threads; }

    template <class Body>
    void emit(std::string_view kernel, const std::vector<int>& reads, int result, Body body, std::size_t scratch = 0,
              isa target = isa::scalar) const {
        to.emit(index, kernel, target, reads, {result}, scratch, std::move(body));
    }
    /// A step of one input that needs nothing but its views: body(in, out).
    template <class Body>
    void emit_map(const char* kernel, Body body) const {
        const int from = in(), result = out();
        emit(kernel, {from}, result,
             [=](const memory& m) noexcept { body(m.template read<float>(from), m.template write<float>(result)); });
    }

    /// The step of a layer that runs as layer(in, out, scratch, threads).
    template <class Layer>
    void emit_layer(Layer layer) const {
        const int from = in(), result = out();
        const auto kernel = layer.kernel();
        const std::size_t scratch = layer.scratch_bytes(threads().workers);
        emit(
            kernel.name, {from}, result,
            [=, run = std::move(layer)](const memory& m) noexcept {
                run(m.template read<float>(from), m.template write<float>(result), m.scratch, m.threads);
            },
            scratch, kernel.target);
    }
    void operator()(const op::conv2d& conv) const {
        const layer_weights& w = conv.weights;
        if (is_depthwise(conv, dims()))
            emit_layer(depthwise_conv2d_float(w.values, w.bias, conv.taps, n.activation, to.target_));
        else
            emit_layer(conv2d_float(w.values, w.bias, static_cast<int>(dims().cols()) / conv.groups, conv.taps,
                                    conv.groups, n.activation, to.target_));
    }
    void operator()(const op::linear& linear) const {
        const int from = in(), result = out();
        auto layer = conv2d_float(linear.weights.values, linear.weights.bias, static_cast<int>(dims().cols()), window{},
                                  1, n.activation, to.target_);
        const auto kernel = layer.kernel();
        const std::size_t scratch = layer.scratch_bytes(threads().workers);
        emit(
            kernel.name, {from}, result,
            [=, run = std::move(layer)](const memory& m) noexcept {
                run(as_pixels(m.template read<float>(from)), as_pixels(m.template write<float>(result)), m.scratch,
                    m.threads);
            },
            scratch, kernel.target);
    }
    void operator()(const op::batch_norm& norm) const {
        emit_map("float multiply-add", [norm, range = n.activation](auto from, auto result) noexcept {
            batch_norm_float(from, result, norm.factor, norm.shift, range);
        });
    }
    void operator()(const op::pool2d& pool) const {
        const int from = in(), result = out();
        emit(
            pool.kind == pool_kind::max ? "float max" : "float average", {from}, result,
            [=](const memory& m) noexcept {
                const auto to_view = m.template write<float>(result);
                const sliding<float> over{m.template read<float>(from),
                                          pool.taps,
                                          {static_cast<int>(to_view.dims[1]), static_cast<int>(to_view.dims[2])}};
                auto** table = reinterpret_cast<const float**>(m.scratch);
                if (pool.kind == pool_kind::max)
                    max_pool_float(over, to_view, table);
                else
                    average_pool_float(over, to_view, pool.count_include_pad, table);
            },
            sizeof(void*) * static_cast<std::size_t>(pool.taps.taps()));
    }
    void operator()(const op::global_average_pool&) const {
        emit_map("float average", [](auto from, auto result) noexcept { global_average_pool_float(from, result); });
    }
    void operator()(const op::add&) const {
        binary("float add", [](auto... all) noexcept { add_float(all...); });
    }
    void operator()(const op::mul&) const {
        binary("float mul", [](auto... all) noexcept { mul_float(all...); });
    }
    template <class Body>
    void binary(const char* kernel, Body body) const {
        const int a = in(0), b = in(1), result = out();
        emit(kernel, {a, b}, result, [=, range = n.activation](const memory& m) noexcept {
            body(m.template read<float>(a), m.template read<float>(b), m.template write<float>(result), range,
                 m.threads);
        });
    }
    void operator()(const op::concat& join) const { to.template compile_concat<float>(index, join); }
    void operator()(const op::reshape&) const { to.template compile_reshape<float>(index); }
    void operator()(const op::pad& grow) const {
        emit_map("copy", [before = grow.before, value = grow.value](auto from, auto result) noexcept {
            pad_copy(from, result, before, value);
        });
    }
    void operator()(const op::transpose& turn) const {
        emit_map("copy",
                 [order = turn.order](auto from, auto result) noexcept { transpose_copy(from, result, order); });
    }
    void operator()(const op::clip& cut) const {
        emit_map("float clip", [range = cut.range](auto from, auto result) noexcept {
            map_float(from, result, [=](float x) noexcept { return held(x, range); });
        });
    }
    void operator()(const op::lookup& table) const {
        emit_map("float function", [table](auto from, auto result) noexcept {
            map_float(from, result, [=](float x) noexcept { return apply(table.what, x, table.alpha); });
        });
    }
    void operator()(const op::softmax&) const {
        emit_map("float softmax", [](auto from, auto result) noexcept { softmax_float(from, result); });
    }
};

}  // namespace octet::inline OCTET_ABI
