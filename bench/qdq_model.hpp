// ONNX models for the peer ONNX Runtime: one operator, or a whole quantized network with Octet's own integers. All
// bytes are uint8 (int8 + 128), because on x86 ONNX Runtime is fast for uint8 activations with int8 weights only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "octet/graph/quantized_graph.hpp"
#include "onnx_writer.hpp"
#include "problem.hpp"

namespace octet::bench {

using test::attr;
using test::integers;
using test::onnx_writer;
using test::tensor_bytes;

inline constexpr int onnx_float = 1, onnx_u8 = 2, onnx_s8 = 3, onnx_s32 = 6;

template <class T>
void add_values(onnx_writer& to, const std::string& name, const integers& dims, int type,
                const std::vector<T>& values) {
    to.initializer(tensor_bytes(name, dims, type, values));
}
/// Names of the scalars `name`_scale and `name`_zero, which it adds.
inline std::vector<std::string> add_params(onnx_writer& to, const std::string& name, float scale, std::uint8_t zero) {
    add_values(to, name + "_scale", {}, onnx_float, std::vector{scale});
    add_values(to, name + "_zero", {}, onnx_u8, std::vector{zero});
    return {name + "_scale", name + "_zero"};
}

/// `copies` nodes of one operator, all with the same inputs. ONNX Runtime then spends little of the time outside of
/// them; graph optimization must be off, which would merge them.
class operator_model {
  public:
    /// Of an operator that takes about so many seconds: as many copies as make 50 us, at most 32.
    explicit operator_model(double seconds) : copies_(std::clamp(static_cast<int>(50e-6 / seconds), 1, 32)) {
        model_.import_opset("com.microsoft", 1);
        for (const char* name : {"x", "y", "z"}) {
            const auto made = add_params(model_, name, name[0] == 'z' ? 0.07F : 0.05F, name[0] == 'x' ? 120 : 130);
            (name[0] == 'x' ? x_ : name[0] == 'y' ? y_ : z_) = made;
        }
    }
    int copies() const noexcept { return copies_; }
    std::string bytes() const { return model_.bytes(); }

    static operator_model of(const gemm_problem& p) {
        operator_model made(p.operations() / (p.rows == 1 ? 100e9 : 500e9));
        made.model_.input("a", {p.rows, p.depth}, onnx_u8);
        made.add_weights({p.depth, p.cols}, p.cols);
        made.repeat("QLinearMatMul", {"a", made.x_[0], made.x_[1], "w", "w_scale", "w_zero", made.z_[0], made.z_[1]},
                    {}, "", {p.rows, p.cols});
        return made;
    }
    static operator_model of(const conv_problem& p) {
        operator_model made(p.operations() / (p.depthwise() ? 100e9 : 500e9));
        made.model_.input("a", {1, p.size, p.size, p.channels}, onnx_u8);
        made.add_weights({p.output_channels(), p.depthwise() ? 1 : p.channels, p.kernel, p.kernel},
                         p.output_channels());
        add_values(made.model_, "bias", {p.output_channels()}, onnx_s32,
                   std::vector<std::int32_t>(product(p.output_channels()), 100));
        made.repeat("QLinearConv",
                    {"a", made.x_[0], made.x_[1], "w", "w_scale", "w_zero", made.z_[0], made.z_[1], "bias"},
                    {attr("channels_last", 1), attr("group", p.depthwise() ? p.channels : 1),
                     attr("pads", integers(4, p.padding())), attr("strides", integers(2, p.stride)),
                     attr("kernel_shape", integers(2, p.kernel))},
                    "com.microsoft", {1, p.side(), p.side(), p.output_channels()});
        return made;
    }
    static operator_model of(const pool_problem& p) {
        operator_model made(static_cast<double>(p.input_bytes() + p.output_bytes()) / 30e9);
        made.model_.input("a", {1, p.size, p.size, p.channels}, onnx_u8);
        const integers result{1, p.side(), p.side(), p.channels};
        if (p.global_average())
            made.repeat("QLinearGlobalAveragePool", {"a", made.x_[0], made.x_[1], made.z_[0], made.z_[1]},
                        {attr("channels_last", 1)}, "com.microsoft", result);
        else
            made.repeat("NhwcMaxPool", {"a"},
                        {attr("pads", integers(4, p.padding())), attr("strides", integers(2, p.stride)),
                         attr("kernel_shape", integers(2, p.kernel))},
                        "com.microsoft", result);
        return made;
    }
    static operator_model of(const elementwise_problem& p) {
        operator_model made(static_cast<double>(p.input_bytes() + p.output_bytes()) / 30e9);
        const integers image{1, p.size, p.size, p.channels};
        made.model_.input("a", image, onnx_u8);
        std::vector<std::string> inputs{"a", made.x_[0], made.x_[1]};
        if (p.what != elementwise::logistic) {
            made.model_.input("b", image, onnx_u8);
            inputs.insert(inputs.end(), {"b", made.y_[0], made.y_[1]});
        }
        inputs.insert(inputs.end(), {made.z_[0], made.z_[1]});
        constexpr const char* kinds[] = {"QLinearAdd", "QLinearMul", "QLinearSigmoid"};
        made.repeat(kinds[static_cast<int>(p.what)], inputs, {}, "com.microsoft", image);
        return made;
    }

  private:
    /// "w", int8 of the whole range, with a scale for each of `outputs` and zero point 0.
    void add_weights(const integers& dims, int outputs) {
        const std::int64_t count = std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
        std::vector<std::int8_t> values;
        for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<std::int8_t>(i * 37 % 255 - 127));
        add_values(model_, "w", dims, onnx_s8, values);
        add_values(model_, "w_scale", {outputs}, onnx_float, std::vector<float>(product(outputs), 0.002F));
        add_values(model_, "w_zero", {outputs}, onnx_s8, std::vector<std::int8_t>(product(outputs), 0));
    }
    void repeat(const char* kind, const std::vector<std::string>& inputs,
                const std::vector<test::attribute>& attributes, const char* domain, const integers& result) {
        for (int i = 0; i < copies_; ++i) model_.node(kind, inputs, {text("out", i)}, attributes, "", domain);
        model_.output(text("out", copies_ - 1), result, onnx_u8);
    }

    onnx_writer model_;
    int copies_;
    std::vector<std::string> x_, y_, z_;
};

/// A quantized network as a QDQ model, NCHW: float operators between DequantizeLinear and QuantizeLinear. Throws
/// octet::error for operations that the benchmarked networks do not have.
class network_model {
  public:
    static std::string bytes(const quantized_graph& from) { return network_model(from).model_.bytes(); }

  private:
    explicit network_model(const quantized_graph& from) : from_(from) {
        for (const tensor_id id : from.net.inputs()) {
            model_.input(text("in", id), nchw(id));
            store(text("in", id), id);
        }
        for (std::size_t i = 0; i < from.net.nodes().size(); ++i) add(from.net.nodes()[i], from.layers[i]);
        for (const tensor_id id : from.net.outputs()) model_.output(name(id), nchw(id));
    }

    static std::string name(tensor_id id) { return text("t", id); }
    integers nchw(tensor_id id) const {
        const shape& d = from_.net.at(id).dims;
        if (d.rank() == 4) return {d[0], d[3], d[1], d[2]};
        return {d.sizes().begin(), d.sizes().end()};
    }
    /// The tensor, from the values `raw`: through uint8 where the graph stores it in int8.
    void store(const std::string& raw, tensor_id id) {
        const quantized_tensor& how = from_.at(id);
        if (!how.is_int8)
            fail("'", from_.net.at(id).name, "' is float: the peer takes networks that are int8 throughout");
        const auto params = bench::add_params(model_, name(id), how.params.scale.value,
                                              static_cast<std::uint8_t>(how.params.zero_point.value + 128));
        model_.node("QuantizeLinear", {raw, params[0], params[1]}, {name(id) + "_u8"});
        model_.node("DequantizeLinear", {name(id) + "_u8", params[0], params[1]}, {name(id)});
    }
    /// `values` of `dims` as reals: a scale for each index of the first axis.
    template <class T>
    std::string reals(const std::string& title, const integers& dims, int type, const std::vector<T>& values,
                      const std::vector<float>& scales) {
        const auto outputs = static_cast<std::int64_t>(scales.size());
        add_values(model_, title + "_q", dims, type, values);
        add_values(model_, title + "_scale", {outputs}, onnx_float, scales);
        add_values(model_, title + "_zero", {outputs}, type, std::vector<T>(scales.size(), T{0}));
        model_.node("DequantizeLinear", {title + "_q", title + "_scale", title + "_zero"}, {title}, {attr("axis", 0)});
        return title;
    }
    std::string bias(const std::string& title, const quantized_layer& q, quant_params input) {
        std::vector<float> scales;
        for (const scale s : q.scales) scales.push_back(input.scale.value * s.value);
        return reals(title + "_b", {static_cast<std::int64_t>(q.bias.size())}, onnx_s32, q.bias, scales);
    }
    static std::vector<float> values_of(const std::vector<scale>& scales) {
        std::vector<float> values;
        for (const scale s : scales) values.push_back(s.value);
        return values;
    }
    /// The activation, unless the bytes that follow cannot hold more than it lets through.
    std::string held(const std::string& raw, const node& step) {
        const quant_params p = from_.at(step.output).params;
        const float low = p.scale.value * static_cast<float>(-128 - p.zero_point.value);
        const float high = p.scale.value * static_cast<float>(127 - p.zero_point.value);
        const bool below = step.activation.low > low - p.scale.value / 2,
                   above = step.activation.high < high - p.scale.value / 2;
        if (!(below && step.activation.low > low) && !above) return raw;
        add_values(model_, raw + "_low", {}, onnx_float, std::vector{step.activation.low});
        add_values(model_, raw + "_high", {}, onnx_float, std::vector{step.activation.high});
        model_.node("Clip", {raw, raw + "_low", raw + "_high"}, {raw + "_held"});
        return raw + "_held";
    }

    void add(const node& step, const quantized_layer& q) {
        const std::string raw = name(step.output) + "_raw", from = name(step.inputs[0]);
        const quant_params input = from_.at(step.inputs[0]).params;
        const auto window_of = [](const window& w) {
            return std::vector{attr("kernel_shape", integers{w.kernel.height, w.kernel.width}),
                               attr("strides", integers{w.stride.height, w.stride.width}),
                               attr("dilations", integers{w.dilation.height, w.dilation.width}),
                               attr("pads", integers{w.pad.top, w.pad.left, w.pad.bottom, w.pad.right})};
        };
        if (const auto* conv = std::get_if<op::conv2d>(&step.what)) {
            const std::int64_t outputs = conv->weights.outputs, taps = conv->taps.taps();
            const std::int64_t depth = static_cast<std::int64_t>(q.values.size()) / outputs / taps;
            std::vector<std::int8_t> oihw;
            for (std::int64_t o = 0; o < outputs; ++o)
                for (std::int64_t c = 0; c < depth; ++c)
                    for (std::int64_t t = 0; t < taps; ++t)
                        oihw.push_back(q.values[static_cast<std::size_t>((o * taps + t) * depth + c)]);
            auto attributes = window_of(conv->taps);
            attributes.push_back(attr("group", conv->groups));
            const integers dims{outputs, depth, conv->taps.kernel.height, conv->taps.kernel.width};
            model_.node("Conv",
                        {from, reals(raw + "_w", dims, onnx_s8, oihw, values_of(q.scales)), bias(raw, q, input)}, {raw},
                        attributes);
        } else if (const auto* layer = std::get_if<op::linear>(&step.what)) {
            const std::int64_t outputs = layer->weights.outputs;
            const integers dims{outputs, static_cast<std::int64_t>(q.values.size()) / outputs};
            model_.node("Gemm",
                        {from, reals(raw + "_w", dims, onnx_s8, q.values, values_of(q.scales)), bias(raw, q, input)},
                        {raw}, {attr("transB", 1)});
        } else if (std::holds_alternative<op::add>(step.what)) {
            model_.node("Add", {from, name(step.inputs[1])}, {raw});
        } else if (std::holds_alternative<op::global_average_pool>(step.what)) {
            model_.node("GlobalAveragePool", {from}, {raw});
        } else if (const auto* pool = std::get_if<op::pool2d>(&step.what);
                   pool != nullptr && pool->kind == pool_kind::max) {
            auto attributes = window_of(pool->taps);
            attributes.push_back(attr("ceil_mode", pool->taps.ceil_mode ? 1 : 0));
            model_.node("MaxPool", {from}, {raw}, attributes);
        } else if (const shape& dims = from_.net.at(step.inputs[0]).dims;
                   std::holds_alternative<op::reshape>(step.what) && dims.elements() == dims.cols()) {
            model_.node("Flatten", {from}, {raw});
        } else {
            fail("the peer ONNX Runtime is given no ", kind_of(step.what), ": '", step.name, "'");
        }
        store(held(raw, step), step.output);
    }

    const quantized_graph& from_;
    onnx_writer model_;
};

}  // namespace octet::bench
