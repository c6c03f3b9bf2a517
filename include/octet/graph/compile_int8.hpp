// The int8 step of every operation. See compile.hpp for the walk over the graph.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/graph/program.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/nn/conv2d.hpp"
#include "octet/nn/depthwise_conv2d.hpp"
#include "octet/nn/elementwise.hpp"
#include "octet/nn/linear.hpp"
#include "octet/nn/lookup.hpp"
#include "octet/nn/movement.hpp"
#include "octet/nn/pool2d.hpp"
#include "octet/nn/softmax.hpp"

namespace octet::inline OCTET_ABI {

template <class Rounding>
class compiler;

/// The bytes that an activation leaves possible: its bounds, quantized.
inline clamp limits_of(activation_range range, quant_params output) noexcept {
    return {quantize_value(range.low, output, -128, 127), quantize_value(range.high, output, -128, 127)};
}

/// A visitor over operations that appends the int8 step of one node to a program.
template <class Rounding>
struct int8_steps {
    compiler<Rounding>& to;
    int index;
    const node& n;

    int in(std::size_t i = 0) const { return to.read_slot(n.inputs[i], true); }
    int out() const { return to.new_slot(n.output, true); }
    quant_params params(tensor_id id) const { return to.from_.at(id).params; }
    quant_params params_in(std::size_t i = 0) const { return params(n.inputs[i]); }
    quant_params params_out() const { return params(n.output); }
    clamp limits() const { return limits_of(n.activation, params_out()); }
    const quantized_layer& integers() const { return to.layer(index); }
    const parallel& threads() const { return to.options_.threads; }
    std::string who() const { return text(kind_of(n.what), " '", n.name, "'"); }

    template <class Body>
    step& emit(std::string_view kernel, isa target, const std::vector<int>& reads, int result, Body body,
               std::size_t scratch = 0) const {
        return to.emit(index, kernel, target, reads, {result}, scratch, std::move(body));
    }
    /// A step of one input that needs nothing but its views: body(in, out).
    template <class Body>
    step& emit_map(std::string_view kernel, isa target, Body body) const {
        const int from = in(), result = out();
        return emit(kernel, target, {from}, result, [=, run = std::move(body)](const memory& m) noexcept {
            run(m.template read<std::int8_t>(from), m.template write<std::int8_t>(result));
        });
    }

    conv2d_options options(const window& taps, int groups) const {
        const auto algorithm = to.options_.winograd ? conv2d_algorithm::automatic : conv2d_algorithm::direct;
        std::int64_t other_weights = -static_cast<std::int64_t>(integers().values.size());
        for (const quantized_layer& layer : to.from_.layers)
            other_weights += static_cast<std::int64_t>(layer.values.size());
        return {.stride = taps.stride,
                .dilation = taps.dilation,
                .pad = taps.pad,
                .groups = groups,
                .input = params_in(),
                .output = params_out(),
                .limits = limits(),
                .target = to.target_,
                .name = who(),
                .algorithm = algorithm,
                .expected_input = to.dims_of(n.inputs[0]),
                .expected_weights = other_weights};
    }
    conv2d<Rounding> make_conv(const layer_weights& weights, const window& taps, int groups) const {
        const quantized_layer& q = integers();
        const int depth = static_cast<int>(to.dims_of(n.inputs[0]).cols()) / groups;
        return conv2d<Rounding>({q.values, weights.outputs, taps.kernel, depth, q.scales, q.bias},
                                options(taps, groups), &to.made_.weights);
    }
    /// The step of a layer that runs as layer(in, out, scratch, threads).
    template <class Layer>
    step& emit_layer(Layer layer) const {
        const int from = in(), result = out();
        const std::string kernel = layer.kernel().name;
        const isa target = layer.kernel().target;
        const std::size_t scratch = layer.scratch_bytes(threads().workers);
        return emit(
            kernel, target, {from}, result,
            [=, run = std::move(layer)](const memory& m) noexcept {
                run(m.template read<std::int8_t>(from), m.template write<std::int8_t>(result), m.scratch, m.threads);
            },
            scratch);
    }

    void operator()(const op::conv2d& conv) const {
        if (!is_depthwise(conv, to.dims_of(n.inputs[0]))) {
            emit_layer(make_conv(conv.weights, conv.taps, conv.groups)).split = split_of(conv.taps);
            return;
        }
        const quantized_layer& q = integers();
        const auto channels = static_cast<std::size_t>(conv.groups), taps = q.values.size() / channels;
        std::vector<std::int8_t> by_tap(q.values.size());  // from [channels][taps] to [taps][channels]
        for (std::size_t i = 0; i < by_tap.size(); ++i) by_tap[i] = q.values[i % channels * taps + i / channels];
        const int from = in(), result = out();
        depthwise_conv2d<Rounding> layer({by_tap, conv.groups, conv.taps.kernel, q.scales, q.bias},
                                         options(conv.taps, conv.groups));
        const auto kernel = layer.kernel();
        const std::size_t scratch = layer.scratch_bytes(threads().workers);
        const shape dims = to.dims_of(n.output);
        const std::int64_t width = dims[2], image_rows = dims[0] * dims[1];
        step& made = emit(
            kernel.name, kernel.target, {from}, result,
            [=, run = std::move(layer)](const memory& m) noexcept {
                const memory all = m.whole();
                const auto x = all.template read<std::int8_t>(from);
                const auto y = all.template write<std::int8_t>(result);
                if (m.rows < 0)
                    run(x, y, m.scratch, m.threads);
                else
                    run.rows(x, y, m.first_row / width, static_cast<int>(m.rows / width), m.scratch);
            },
            scratch);
        made.split = row_split::outputs;
        // Few rows are cut anywhere, once for each worker: 14 over two are 7 and 7, level for the steps behind.
        const bool few = image_rows < depthwise_conv2d<Rounding>::few_rows;
        made.grain = static_cast<int>(few ? width : 4 * width);
        made.block = static_cast<int>(few ? width * image_rows : depthwise_conv2d<Rounding>::rows_a_call * width);
    }
    static row_split split_of(const window& taps) {
        const bool same = taps.kernel == extent{} && taps.stride == extent{} && taps.pad == padding{};
        return same ? row_split::rows : row_split::none;
    }
    void operator()(const op::linear& product) const {
        const quantized_layer& q = integers();
        const int inputs = static_cast<int>(to.dims_of(n.inputs[0]).cols());
        emit_layer(linear<Rounding>(
            {q.values, product.weights.outputs, inputs, q.scales, q.bias},
            {.input = params_in(), .output = params_out(), .limits = limits(), .target = to.target_, .name = who()},
            &to.made_.weights));
    }
    /// The convolution of this node and the add that reads it, in one step: see conv2d.
    void conv_and_add(const op::conv2d& conv, const node& sum) const {
        const tensor_id other_id = sum.inputs[0] == n.output ? sum.inputs[1] : sum.inputs[0];
        const int from = in(), other = to.read_slot(other_id, true), result = to.new_slot(sum.output, true);
        auto layer = make_conv(conv.weights, conv.taps, conv.groups);
        const quant_params sum_params = params(sum.output);
        // In the order of the add's operands, which its formula is not free to change.
        const bool first = sum.inputs[0] == n.output;
        add_layer<Rounding> add(params(sum.inputs[0]), params(sum.inputs[1]), sum_params,
                                limits_of(sum.activation, sum_params), to.target_, text("add '", sum.name, "'"));
        const auto kernel = layer.kernel();
        const std::size_t scratch = layer.scratch_bytes(threads().workers);
        step& made = emit(
            text(kernel.name, " + add"), kernel.target, {from, other}, result,
            [=, run = std::move(layer)](const memory& m) noexcept {
                run(m.template read<std::int8_t>(from), m.template write<std::int8_t>(result), m.scratch, m.threads,
                    {&add, m.template read<std::int8_t>(other), first});
            },
            scratch);
        made.split = split_of(conv.taps);
    }
    void operator()(const op::batch_norm&) const {
        fail(who(), ": a batch normalization that could not be folded has no int8 form: leave it in float");
    }
    void operator()(const op::pool2d& pool) const {
        if (pool.kind == pool_kind::max)
            emit_layer(max_pool2d(pool.taps, params_in(), to.target_, who()));
        else
            emit_layer(average_pool2d<Rounding>(pool.taps, pool.count_include_pad, params_in(), params_out(),
                                                to.target_, who()));
    }
    void operator()(const op::global_average_pool&) const {
        const shape dims = to.dims_of(n.inputs[0]);
        emit_layer(global_average_pool<Rounding>(dims[1] * dims[2], params_in(), params_out(), to.target_, who()));
    }
    void operator()(const op::add&) const { binary<add_layer<Rounding>>(); }
    void operator()(const op::mul&) const { binary<mul_layer<Rounding>>(); }
    template <class Layer>
    void binary() const {
        const int a = in(0), b = in(1), result = out();
        Layer layer(params_in(0), params_in(1), params_out(), limits(), to.target_, who());
        emit(layer.kernel().name, layer.kernel().target, {a, b}, result, [=](const memory& m) noexcept {
            layer(m.template read<std::int8_t>(a), m.template read<std::int8_t>(b),
                  m.template write<std::int8_t>(result), m.threads);
        });
    }
    void operator()(const op::concat& join) const { to.template compile_concat<std::int8_t>(index, join); }
    void operator()(const op::reshape&) const { to.template compile_reshape<std::int8_t>(index); }
    void operator()(const op::pad& grow) const {
        const auto value = static_cast<std::int8_t>(quantize_value(grow.value, params_out(), -128, 127));
        emit_map("copy", isa::scalar, [before = grow.before, value](auto from, auto result) noexcept {
            pad_copy(from, result, before, value);
        });
    }
    void operator()(const op::transpose& turn) const {
        emit_map("copy", isa::scalar,
                 [order = turn.order](auto from, auto result) noexcept { transpose_copy(from, result, order); });
    }
    void operator()(const op::clip& cut) const {
        table([range = cut.range](float x) { return held(x, range); });
    }
    void operator()(const op::lookup& what) const {
        table([what](float x) { return apply(what.what, x, what.alpha); });
    }
    template <class F>
    void table(const F& f) const {
        lookup_layer layer(params_in(), params_out(), f, to.target_);
        emit_map(layer.kernel().name, layer.kernel().target, layer).split = row_split::rows;
    }
    void operator()(const op::softmax&) const {
        const std::int64_t cols = to.dims_of(n.inputs[0]).cols();
        softmax_layer layer(params_in(), params_out(), cols, to.target_, who());
        emit_map("softmax", layer.kernel().target, layer);
    }
};

}  // namespace octet::inline OCTET_ABI
