// ONNX models of one operator for the peer ONNX Runtime. All bytes are uint8 (int8 + 128), because on x86 ONNX Runtime
// is fast for uint8 activations with int8 weights only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "octet/io/onnx/writer.hpp"
#include "problem.hpp"

namespace octet::bench {

using integers = onnx::sizes;
using onnx::attr;

/// Names of the scalars `name`_scale and `name`_zero, which it adds.
inline std::vector<std::string> add_params(onnx::model_writer& to, const std::string& name, float scale,
                                           std::uint8_t zero) {
    to.initializer(name + "_scale", {}, onnx::proto::float32, std::vector{scale});
    to.initializer(name + "_zero", {}, onnx::proto::uint8, std::vector{zero});
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
        made.model_.input("a", {p.rows, p.depth}, onnx::proto::uint8);
        made.add_weights({p.depth, p.cols}, p.cols);
        made.repeat("QLinearMatMul", {"a", made.x_[0], made.x_[1], "w", "w_scale", "w_zero", made.z_[0], made.z_[1]},
                    {}, "", {p.rows, p.cols});
        return made;
    }
    static operator_model of(const conv_problem& p) {
        operator_model made(p.operations() / (p.depthwise() ? 100e9 : 500e9));
        made.model_.input("a", {1, p.size, p.size, p.channels}, onnx::proto::uint8);
        made.add_weights({p.output_channels(), p.depthwise() ? 1 : p.channels, p.kernel, p.kernel},
                         p.output_channels());
        made.model_.initializer("bias", {p.output_channels()}, onnx::proto::int32,
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
        made.model_.input("a", {1, p.size, p.size, p.channels}, onnx::proto::uint8);
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
        made.model_.input("a", image, onnx::proto::uint8);
        std::vector<std::string> inputs{"a", made.x_[0], made.x_[1]};
        if (p.what != elementwise::logistic) {
            made.model_.input("b", image, onnx::proto::uint8);
            inputs.insert(inputs.end(), {"b", made.y_[0], made.y_[1]});
        }
        inputs.insert(inputs.end(), {made.z_[0], made.z_[1]});
        constexpr const char* kinds[] = {"QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearAdd"};
        made.repeat(kinds[static_cast<int>(p.what)], inputs, {}, "com.microsoft", image);
        return made;
    }

  private:
    /// "w", int8 of the whole range, with a scale for each of `outputs` and zero point 0.
    void add_weights(const integers& dims, int outputs) {
        const std::int64_t count = std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
        std::vector<std::int8_t> values;
        for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<std::int8_t>(i * 37 % 255 - 127));
        model_.initializer("w", dims, onnx::proto::int8, values);
        model_.initializer("w_scale", {outputs}, onnx::proto::float32, std::vector<float>(product(outputs), 0.002F));
        model_.initializer("w_zero", {outputs}, onnx::proto::int8, std::vector<std::int8_t>(product(outputs), 0));
    }
    void repeat(const char* kind, const std::vector<std::string>& inputs,
                const std::vector<onnx::attribute>& attributes, const char* domain, const integers& result) {
        for (int i = 0; i < copies_; ++i) model_.node(kind, inputs, {text("out", i)}, attributes, "", domain);
        model_.output(text("out", copies_ - 1), result, onnx::proto::uint8);
    }

    onnx::model_writer model_{13};
    int copies_;
    std::vector<std::string> x_, y_, z_;
};

}  // namespace octet::bench
