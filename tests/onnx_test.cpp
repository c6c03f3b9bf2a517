// The ONNX importer: what each operator becomes, where transposes remain and where they must not, and the shared
// models.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/session.hpp"
#include "onnx_compiled_once.hpp"
#include "onnx_writer.hpp"
#include "shared_data.hpp"

namespace octet::test {
namespace {

std::vector<float> run(const graph& net, const std::vector<float>& in) {
    session<> runner{as_float(net)};
    std::vector<float> out(static_cast<std::size_t>(runner.output_shape(0).elements()));
    runner(in, out);
    return out;
}

template <class Operation>
const Operation& only(const graph& net) {
    for (const node& each : net.nodes())
        if (const auto* found = std::get_if<Operation>(&each.what)) return *found;
    throw std::runtime_error("no such operation among: " + kinds(net));
}

shape output_shape(const graph& net) { return net.at(net.outputs()[0]).dims; }

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5) << "element " << i;
}

/// One node "y" from "x" (and initializers that the caller adds).
onnx_writer one(std::int64_t opset, const integers& dims, const char* kind, const std::vector<std::string>& more = {},
                const std::vector<attribute>& attributes = {}) {
    std::vector<std::string> inputs{"x"};
    inputs.insert(inputs.end(), more.begin(), more.end());
    onnx_writer model(opset);
    model.input("x", dims).node(kind, inputs, {"y"}, attributes, "the_node").output("y");
    return model;
}

// ---- Conv and pools

TEST(onnx_conv, weights_turn_from_oihw_to_ohwi) {
    const std::vector<float> oihw{1, 2, 3, 4, 5, 6, 7, 8};  // 1 output, 2 inputs, 2 x 2
    const graph net = parse(one(13, {1, 2, 5, 4}, "Conv", {"w"}).floats("w", {1, 2, 2, 2}, oihw));
    const auto& conv = only<op::conv2d>(net);
    EXPECT_EQ(conv.weights.values, (std::vector<float>{1, 5, 2, 6, 3, 7, 4, 8}));
    EXPECT_EQ(conv.weights.bias, std::vector<float>{0});
    EXPECT_EQ(net.at(net.inputs()[0]).dims, (shape{1, 5, 4, 2}));
    EXPECT_EQ(output_shape(net), (shape{1, 4, 3, 1}));
    EXPECT_EQ(net.nodes()[0].name, "the_node");
    EXPECT_EQ(net.at(net.outputs()[0]).name, "y");
}

TEST(onnx_conv, attributes_arrive) {
    const graph net = parse(one(11, {-1, 4, 9, 9}, "Conv", {"w", "b"},
                                {attr("pads", integers{1, 2, 3, 0}), attr("strides", integers{2, 1}), attr("group", 2),
                                 attr("dilations", integers{1, 2}), attr("kernel_shape", integers{3, 2})})
                                .weights("w", {6, 2, 3, 2})
                                .floats("b", {6}, {1, 2, 3, 4, 5, 6}));
    const auto& conv = only<op::conv2d>(net);
    EXPECT_EQ(conv.groups, 2);
    EXPECT_EQ(conv.taps.pad, (padding{1, 2, 3, 0}));
    EXPECT_EQ(conv.taps.stride, (extent{2, 1}));
    EXPECT_EQ(conv.taps.dilation, (extent{1, 2}));
    EXPECT_EQ(conv.taps.kernel, (extent{3, 2}));
    EXPECT_EQ(conv.weights.bias, (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(output_shape(net), (shape{1, 6, 9, 6}));
}

TEST(onnx_conv, auto_pad_of_every_kind) {
    const auto pads = [](const char* kind, std::int64_t size, std::int64_t kernel, std::int64_t stride) {
        const graph net = parse(one(13, {1, 1, size, size}, "Conv", {"w"},
                                    {attr("auto_pad", kind), attr("strides", integers{stride, stride})})
                                    .weights("w", {1, 1, kernel, kernel}));
        const auto& conv = only<op::conv2d>(net);
        if (std::string(kind).starts_with("SAME")) {
            EXPECT_EQ(output_shape(net)[1], (size + stride - 1) / stride);
        }
        return std::pair{conv.taps.pad.top, conv.taps.pad.bottom};
    };
    EXPECT_EQ(pads("SAME_UPPER", 28, 5, 1), (std::pair{2, 2}));
    EXPECT_EQ(pads("SAME_UPPER", 224, 3, 2), (std::pair{0, 1}));
    EXPECT_EQ(pads("SAME_LOWER", 224, 3, 2), (std::pair{1, 0}));
    EXPECT_EQ(pads("SAME_UPPER", 5, 1, 3), (std::pair{0, 0}));
    EXPECT_EQ(pads("VALID", 10, 3, 1), (std::pair{0, 0}));
    EXPECT_EQ(pads("NOTSET", 10, 3, 1), (std::pair{0, 0}));
}

TEST(onnx_pool, both_kinds_with_their_options) {
    const graph most =
        parse(one(12, {1, 3, 7, 7}, "MaxPool", {},
                  {attr("kernel_shape", integers{2, 3}), attr("strides", integers{2, 2}), attr("ceil_mode", 1),
                   attr("pads", integers{0, 1, 0, 1}), attr("dilations", integers{2, 1})}));
    const auto& pool = only<op::pool2d>(most);
    EXPECT_EQ(pool.kind, pool_kind::max);
    EXPECT_TRUE(pool.taps.ceil_mode);
    EXPECT_EQ(pool.taps.kernel, (extent{2, 3}));
    EXPECT_EQ(pool.taps.dilation, (extent{2, 1}));
    EXPECT_EQ(pool.taps.pad, (padding{0, 1, 0, 1}));
    const graph mean = parse(one(11, {1, 3, 6, 6}, "AveragePool", {},
                                 {attr("kernel_shape", integers{3, 3}), attr("auto_pad", "SAME_UPPER"),
                                  attr("ceil_mode", 1), attr("count_include_pad", 1)}));
    EXPECT_TRUE(only<op::pool2d>(mean).count_include_pad);
    EXPECT_FALSE(only<op::pool2d>(mean).taps.ceil_mode);
    EXPECT_EQ(output_shape(mean), (shape{1, 6, 6, 3}));
    EXPECT_EQ(kinds(parse(one(13, {1, 3, 6, 6}, "GlobalAveragePool"))), "global_average_pool");
}

TEST(onnx_pool, indices_may_be_declared_but_not_read) {
    onnx_writer model(12);
    model.input("x", {1, 1, 4, 4}).node("MaxPool", {"x"}, {"y", "i"}, {attr("kernel_shape", integers{2, 2})}, "pool");
    EXPECT_EQ(kinds(parse(onnx_writer(model).output("y"))), "max_pool2d");
    EXPECT_NE(refusal(onnx_writer(model).output("i")).find("Indices"), std::string::npos);
    EXPECT_NE(refusal(onnx_writer(model).node("Relu", {"i"}, {"z"}).output("z")).find("Indices"), std::string::npos);
}

TEST(onnx_pool, reduce_mean_over_the_image_is_a_global_average_pool) {
    const graph kept = parse(one(13, {1, 3, 6, 6}, "ReduceMean", {}, {attr("axes", integers{-2, -1})}));
    EXPECT_EQ(kinds(kept), "global_average_pool");
    EXPECT_EQ(output_shape(kept), (shape{1, 1, 1, 3}));
    const graph dropped =
        parse(one(18, {1, 3, 6, 6}, "ReduceMean", {"axes"}, {attr("keepdims", 0)}).ints("axes", {2, 3}));
    EXPECT_EQ(kinds(dropped), "global_average_pool reshape");
    EXPECT_EQ(output_shape(dropped), (shape{1, 3}));
    EXPECT_NE(
        refusal(one(13, {1, 3, 6, 6}, "ReduceMean", {}, {attr("axes", integers{1})})).find("height and the width"),
        std::string::npos);
}

// ---- Gemm, MatMul, BatchNormalization, Softmax

TEST(onnx_gemm, alpha_beta_and_both_orders) {
    const std::vector<float> b{1, 2, 3, 4, 5, 6};
    for (const int transposed : {0, 1}) {
        const integers dims = transposed != 0 ? integers{2, 3} : integers{3, 2};
        const graph net = parse(
            one(13, {1, 3}, "Gemm", {"b", "c"}, {attr("alpha", 2.0F), attr("beta", 0.5F), attr("transB", transposed)})
                .floats("b", dims, b)
                .floats("c", {1, 2}, {8, 10}));
        const auto& layer = only<op::linear>(net);
        EXPECT_EQ(layer.weights.values, transposed != 0 ? (std::vector<float>{2, 4, 6, 8, 10, 12})
                                                        : (std::vector<float>{2, 6, 10, 4, 8, 12}));
        EXPECT_EQ(layer.weights.bias, (std::vector<float>{4, 5}));
    }
}

TEST(onnx_gemm, bias_forms) {
    const auto bias = [](const integers& dims, const std::vector<float>& c) {
        return only<op::linear>(parse(one(13, {1, 3}, "Gemm", {"b", "c"}).weights("b", {3, 2}).floats("c", dims, c)))
            .weights.bias;
    };
    EXPECT_EQ(bias({}, {3}), (std::vector<float>{3, 3}));
    EXPECT_EQ(bias({1}, {3}), (std::vector<float>{3, 3}));
    EXPECT_EQ(bias({2}, {3, 4}), (std::vector<float>{3, 4}));
    EXPECT_EQ(only<op::linear>(parse(one(13, {1, 3}, "Gemm", {"b"}).weights("b", {3, 2}))).weights.bias,
              (std::vector<float>{0, 0}));
    EXPECT_NE(
        refusal(one(13, {1, 3}, "Gemm", {"b", "c"}).weights("b", {3, 2}).weights("c", {2, 1})).find("the bias 'c'"),
        std::string::npos);
}

TEST(onnx_matmul, any_rank_on_the_left_and_a_vector_on_the_right) {
    EXPECT_EQ(output_shape(parse(one(13, {1, 5, 3}, "MatMul", {"b"}).weights("b", {3, 2}))), (shape{1, 5, 2}));
    EXPECT_EQ(output_shape(parse(one(13, {1, 5, 3}, "MatMul", {"b"}).weights("b", {1, 3, 2}))), (shape{1, 5, 2}));
    EXPECT_EQ(output_shape(parse(one(13, {1, 5, 3}, "MatMul", {"b"}).weights("b", {3}))), (shape{1, 5}));
    EXPECT_NE(refusal(one(13, {1, 5, 3}, "MatMul", {"b"}).weights("b", {2, 3, 2})).find("one matrix"),
              std::string::npos);
    EXPECT_NE(refusal(one(13, {1, 5, 3}, "MatMul", {"b"}).weights("b", {4, 2})).find("do not fit"), std::string::npos);
}

TEST(onnx_batch_norm, statistics_become_factor_and_shift) {
    for (const std::int64_t opset : {7, 9, 14, 15, 21}) {
        const graph net = parse(one(opset, {1, 2, 3, 3}, "BatchNormalization", {"s", "b", "m", "v"},
                                    {attr("epsilon", 0.25F), attr("momentum", 0.5F)})
                                    .floats("s", {2}, {2, 3})
                                    .floats("b", {2}, {1, -1})
                                    .floats("m", {2}, {4, 5})
                                    .floats("v", {2}, {0.75F, 3.75F}));
        const auto& norm = only<op::batch_norm>(net);
        EXPECT_EQ(norm.factor, (std::vector<float>{2, 1.5F}));
        EXPECT_EQ(norm.shift, (std::vector<float>{-7, -8.5F}));
    }
}

TEST(onnx_softmax, both_meanings_of_axis) {
    EXPECT_EQ(kinds(parse(one(13, {1, 4}, "Softmax"))), "softmax");
    EXPECT_EQ(kinds(parse(one(8, {1, 4}, "Softmax"))), "softmax");
    EXPECT_EQ(kinds(parse(one(13, {1, 4, 5, 6}, "Softmax", {}, {attr("axis", 1)}))), "softmax")
        << "channels stand last";
    EXPECT_EQ(kinds(parse(one(8, {1, 4, 1, 1}, "Softmax"))), "softmax") << "one axis larger than 1";
    const graph flat = parse(one(8, {1, 4, 5}, "Softmax", {}, {attr("axis", 1)}));
    EXPECT_EQ(kinds(flat), "reshape softmax reshape") << "up to opset 12 the axes from 1 on go together";
    EXPECT_EQ(output_shape(flat), (shape{1, 4, 5}));
    const std::vector<float> out = run(flat, numbers(20));
    double sum = 0;
    for (const float each : out) sum += each;
    EXPECT_NEAR(sum, 1.0, 1e-5);
    EXPECT_NE(refusal(one(13, {1, 4}, "Softmax", {}, {attr("axis", 0)})).find("batch"), std::string::npos);
}

// ---- Element by element

TEST(onnx_unary, activations) {
    const auto alone = [](std::int64_t opset, const char* kind, const std::vector<attribute>& attributes = {}) {
        return kinds(parse(one(opset, {1, 4}, kind, {}, attributes)));
    };
    EXPECT_EQ(alone(7, "Relu"), "clip");
    EXPECT_EQ(alone(7, "Sigmoid"), "logistic");
    EXPECT_EQ(alone(7, "Tanh"), "tanh");
    EXPECT_EQ(alone(14, "HardSwish"), "hard_swish");
    EXPECT_EQ(alone(7, "LeakyRelu", {attr("alpha", 0.5F)}), "leaky_relu");
    EXPECT_EQ(alone(7, "HardSigmoid"), "mul add clip");
    EXPECT_NE(refusal(one(13, {1, 4}, "HardSwish")).find("in opset 13"), std::string::npos);
    EXPECT_EQ(only<op::lookup>(parse(one(7, {1, 4}, "LeakyRelu", {}, {attr("alpha", 0.5F)}))).alpha, 0.5F);
    EXPECT_EQ(only<op::lookup>(parse(one(7, {1, 4}, "LeakyRelu"))).alpha, 0.01F);
    const std::vector<float> out = run(parse(one(7, {1, 3}, "HardSigmoid")), {-9.0F, 1.0F, 9.0F});
    expect_near(out, {0.0F, 0.7F, 1.0F});
}

TEST(onnx_unary, clip_takes_attributes_until_10_and_inputs_after) {
    const float infinity = std::numeric_limits<float>::infinity();
    const graph old = parse(one(10, {1, 4}, "Clip", {}, {attr("min", 0.0F), attr("max", 6.0F)}));
    EXPECT_EQ(only<op::clip>(old).range, (activation_range{0, 6}));
    const graph both = parse(one(11, {1, 4}, "Clip", {"lo", "hi"}).floats("lo", {}, {-1}).floats("hi", {}, {6}));
    EXPECT_EQ(only<op::clip>(both).range, (activation_range{-1, 6}));
    const graph upper = parse(one(13, {1, 4}, "Clip", {"", "hi"}).floats("hi", {}, {6}));
    EXPECT_EQ(only<op::clip>(upper).range, (activation_range{-infinity, 6}));
    const graph crossed = parse(one(13, {1, 4}, "Clip", {"lo", "hi"}).floats("lo", {}, {9}).floats("hi", {}, {6}));
    EXPECT_EQ(only<op::clip>(crossed).range, (activation_range{6, 6}));
    EXPECT_EQ(only<op::clip>(parse(one(9, {1, 4}, "Clip", {}, {attr("min", 0.0F)}))).range,
              (activation_range{0, infinity}));
    EXPECT_EQ(kinds(parse(one(13, {1, 4}, "Clip"))), "") << "no bounds, no node";
    EXPECT_NE(refusal(one(11, {1, 4}, "Clip", {}, {attr("min", 0.0F)})).find("'min' does not belong to Clip"),
              std::string::npos);
}

TEST(onnx_arithmetic, constants_take_the_layout_of_the_image) {
    const graph channels = parse(one(13, {1, 3, 4, 5}, "Add", {"c"}).floats("c", {3, 1, 1}, {1, 2, 3}));
    EXPECT_EQ(channels.at(channels.nodes()[0].inputs[1]).dims, (shape{3}));
    EXPECT_EQ(channels.at(channels.nodes()[0].inputs[1]).constant, (std::vector<float>{1, 2, 3}));
    const graph plane = parse(one(13, {1, 2, 2, 3}, "Mul", {"c"}).floats("c", {2, 3}, {1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(plane.at(plane.nodes()[0].inputs[1]).dims, (shape{2, 3, 1}));
    const graph whole = parse(one(13, {1, 2, 1, 2}, "Sub", {"c"}).floats("c", {1, 2, 1, 2}, {1, 2, 3, 4}));
    EXPECT_EQ(kinds(whole), "add");
    EXPECT_EQ(whole.at(whole.nodes()[0].inputs[1]).constant, (std::vector<float>{-1, -3, -2, -4}));
    const graph quotient = parse(one(13, {1, 2}, "Div", {"c"}).floats("c", {}, {4}));
    EXPECT_EQ(kinds(quotient), "mul");
    EXPECT_EQ(quotient.at(quotient.nodes()[0].inputs[1]).constant, std::vector<float>{0.25F});
    EXPECT_NE(refusal(one(13, {1, 2}, "Div", {"c"}).floats("c", {}, {0})).find("finite"), std::string::npos);
}

TEST(onnx_arithmetic, a_constant_minus_and_two_computed) {
    onnx_writer reversed(13);
    reversed.input("x", {1, 2}).floats("c", {2}, {10, 20}).node("Sub", {"c", "x"}, {"y"}).output("y");
    expect_near(run(parse(reversed), {1, 2}), {9, 18});
    onnx_writer pair(13);
    pair.input("x", {1, 2}).node("Relu", {"x"}, {"r"}).node("Sub", {"r", "x"}, {"y"}).output("y");
    expect_near(run(parse(pair), {1, -2}), {0, 2});
    onnx_writer quotient(13);
    quotient.input("x", {1, 2}).node("Relu", {"x"}, {"r"}).node("Div", {"r", "x"}, {"y"}).output("y");
    EXPECT_NE(refusal(quotient).find("divides by a computed value"), std::string::npos);
}

TEST(onnx_arithmetic, squeeze_and_excite_keeps_the_layout) {
    onnx_writer model(13);
    model.input("x", {1, 4, 6, 6})
        .node("GlobalAveragePool", {"x"}, {"g"})
        .node("Flatten", {"g"}, {"f"})
        .weights("w", {4, 4})
        .node("Gemm", {"f", "w"}, {"h"})
        .node("Sigmoid", {"h"}, {"s"})
        .ints("shape", {-1, 4, 1, 1})
        .node("Reshape", {"s", "shape"}, {"r"})
        .node("Mul", {"x", "r"}, {"y"})
        .output("y");
    EXPECT_EQ(kinds(parse(model)), "global_average_pool reshape linear logistic reshape mul");
}

TEST(onnx_concat, joins_the_channels_last) {
    onnx_writer model(13);
    model.input("x", {1, 2, 3, 4})
        .node("Relu", {"x"}, {"r"})
        .node("Concat", {"x", "r"}, {"y"}, {attr("axis", -3)})
        .output("y");
    const graph net = parse(model);
    EXPECT_EQ(only<op::concat>(net).axis, 3);
    EXPECT_EQ(output_shape(net), (shape{1, 3, 4, 4}));
    EXPECT_NE(refusal(one(13, {1, 2}, "Concat", {"x"}, {attr("axis", 0)})).find("batch"), std::string::npos);
}

TEST(onnx_pad, attributes_until_10_and_inputs_after) {
    const auto check = [](const graph& net) {
        const auto& pad = only<op::pad>(net);
        EXPECT_EQ(output_shape(net), (shape{1, 7, 4, 5}));
        EXPECT_EQ(pad.before, (std::array<int, shape::max_rank>{0, 1, 0, 2}));
        EXPECT_EQ(pad.after, (std::array<int, shape::max_rank>{0, 3, 0, 1}));
        EXPECT_EQ(pad.value, 1.5F);
    };
    check(
        parse(one(10, {1, 2, 3, 4}, "Pad", {}, {attr("pads", integers{0, 2, 1, 0, 0, 1, 3, 0}), attr("value", 1.5F)})));
    check(parse(one(13, {1, 2, 3, 4}, "Pad", {"p", "v"}).ints("p", {0, 2, 1, 0, 0, 1, 3, 0}).floats("v", {}, {1.5F})));
    check(parse(one(18, {1, 2, 3, 4}, "Pad", {"p", "v", "a"})
                    .ints("p", {1, 2, 3, 1})
                    .ints("a", {-2, 1})
                    .floats("v", {}, {1.5F})));
    EXPECT_NE(
        refusal(one(13, {1, 2}, "Pad", {"p"}, {attr("mode", "reflect")}).ints("p", {0, 0, 0, 1})).find("'reflect'"),
        std::string::npos);
    EXPECT_NE(refusal(one(13, {1, 2}, "Pad", {"p"}).ints("p", {0, -1, 0, 0})).find("does not crop"), std::string::npos);
    EXPECT_NE(refusal(one(13, {1, 2}, "Pad", {"p"}).ints("p", {1, 0, 0, 0})).find("the batch"), std::string::npos);
}

// ---- Views

TEST(onnx_reshape, zero_and_minus_one_and_the_batch) {
    const auto to = [](std::int64_t batch, const integers& target) {
        return output_shape(parse(one(13, {batch, 4, 6}, "Reshape", {"s"}).ints("s", target)));
    };
    EXPECT_EQ(to(-1, {0, -1}), (shape{1, 24}));
    EXPECT_EQ(to(-1, {-1, 24}), (shape{1, 24}));
    EXPECT_EQ(to(-1, {1, 24}), (shape{1, 24}));
    EXPECT_EQ(to(8, {8, 2, -1}), (shape{1, 2, 12}));
    EXPECT_EQ(to(8, {-1, 3, 8}), (shape{1, 3, 8}));
    EXPECT_EQ(to(1, {0, 0, 2, 3}), (shape{1, 2, 3, 4})) << "rank 4 is stored NHWC";
    for (const integers& target :
         {integers{-1, 6}, integers{-1}, integers{24, 1}, integers{0, 5, -1}, integers{0, -1, -1}, integers{0, -2, 4},
          integers{0, 4, 6, 0}, integers{0, INT64_MAX, 2}, integers{0, INT64_MIN}})
        EXPECT_FALSE(refusal(one(13, {-1, 4, 6}, "Reshape", {"s"}).ints("s", target)).empty());
    EXPECT_FALSE(refusal(one(14, {1, 4, 6}, "Reshape", {"s"}, {attr("allowzero", 1)}).ints("s", {0, 24})).empty());
}

TEST(onnx_squeeze, both_forms) {
    EXPECT_EQ(output_shape(parse(one(11, {1, 1, 3, 1}, "Squeeze", {}, {attr("axes", integers{1, -1})}))),
              (shape{1, 3}));
    EXPECT_EQ(output_shape(parse(one(13, {1, 1, 3, 1}, "Squeeze", {"a"}).ints("a", {3}))), (shape{1, 1, 3}));
    EXPECT_EQ(output_shape(parse(one(13, {-1, 1, 3, 1}, "Squeeze"))), (shape{1, 3}));
    EXPECT_EQ(output_shape(parse(one(11, {1, 3}, "Unsqueeze", {}, {attr("axes", integers{1})}))), (shape{1, 1, 3}));
    EXPECT_EQ(output_shape(parse(one(13, {1, 3}, "Unsqueeze", {"a"}).ints("a", {-1, 1}))), (shape{1, 3, 1, 1}));
    EXPECT_NE(refusal(one(13, {1, 1, 3}, "Squeeze", {"a"}).ints("a", {0})).find("batch"), std::string::npos);
    EXPECT_NE(refusal(one(13, {1, 1, 3}, "Squeeze", {"a"}).ints("a", {2})).find("not 1"), std::string::npos);
    EXPECT_NE(refusal(one(13, {1, 3}, "Unsqueeze", {"a"}).ints("a", {0})).find("batch"), std::string::npos);
}

TEST(onnx_flatten, from_axis_1) {
    EXPECT_EQ(output_shape(parse(one(13, {-1, 3, 4, 5}, "Flatten"))), (shape{1, 60}));
    EXPECT_EQ(output_shape(parse(one(13, {-1, 1, 4}, "Flatten", {}, {attr("axis", -1)}))), (shape{1, 4}));
    EXPECT_NE(refusal(one(13, {-1, 3, 4, 5}, "Flatten", {}, {attr("axis", 2)})).find("batch"), std::string::npos);
    EXPECT_NE(refusal(one(13, {-1, 3, 4, 5}, "Flatten", {}, {attr("axis", 0)})).find("batch"), std::string::npos);
}

TEST(onnx_views, identity_dropout_and_constants_leave_no_node) {
    onnx_writer model(12);
    model.input("x", {1, 4})
        .node("Identity", {"x"}, {"a"})
        .node("Dropout", {"a"}, {"b", "mask"}, {attr("seed", 3)})
        .node("Constant", {}, {"s"}, {attr_tensor("value", tensor_bytes("", {2}, 7, integers{0, -1}))})
        .node("Reshape", {"b", "s"}, {"c"})
        .node("Relu", {"c"}, {"y"})
        .output("y");
    EXPECT_EQ(kinds(parse(model)), "clip");
    EXPECT_NE(refusal(onnx_writer(model).node("Relu", {"mask"}, {"z"})).find("mask"), std::string::npos);
}

TEST(onnx_fold, constants_are_computed_at_import) {
    onnx_writer model(13);
    model.input("x", {1, 3})
        .node("Constant", {}, {"one"}, {attr("value_float", 1.0F)})
        .node("Constant", {}, {"list"}, {attr("value_floats", std::vector<float>{1, 2, 3, 4, 5, 6})})
        .node("Constant", {}, {"rows"}, {attr("value_int", 2)})
        .node("Constant", {}, {"shape"}, {attr("value_ints", integers{2, -1})})
        .node("Reshape", {"list", "shape"}, {"matrix"})
        .node("Transpose", {"matrix"}, {"turned"})  // 3 x 2: 1 4 2 5 3 6
        .node("Add", {"turned", "one"}, {"more"})   // 2 5 3 6 4 7
        .node("Cast", {"rows"}, {"two"}, {attr("to", 1)})
        .node("Div", {"more", "two"}, {"half"})
        .node("Sub", {"half", "one"}, {"less"})
        .node("Mul", {"less", "two"}, {"w"})  // 0 3 1 4 2 5
        .node("Identity", {"w"}, {"same"})
        .node("MatMul", {"x", "same"}, {"y"})
        .output("y");
    EXPECT_EQ(only<op::linear>(parse(model)).weights.values, (std::vector<float>{0, 1, 2, 3, 4, 5}));
}

TEST(onnx_fold, every_data_type_that_is_read) {
    const auto weights = [](const std::string& tensor) {
        return only<op::linear>(parse(one(13, {1, 2}, "MatMul", {"w"}).initializer(tensor))).weights.values;
    };
    const std::vector<float> expected{1.5F, -2.0F};
    EXPECT_EQ(weights(tensor_bytes("w", {2, 1}, 1, expected)), expected);
    EXPECT_EQ(weights(tensor_bytes("w", {2, 1}, 11, std::vector<double>{1.5, -2.0})), expected);
    EXPECT_EQ(weights(tensor_bytes("w", {2, 1}, 10, std::vector<std::uint16_t>{0x3e00, 0xc000})), expected);
    const auto typed = [](int type, int field, const auto& write) {
        std::string bytes;
        protozero::pbf_writer out(bytes);
        const integers dims{2, 1};
        out.add_packed_int64(1, dims.begin(), dims.end());
        out.add_int32(2, type);
        out.add_string(8, "w");
        write(out, static_cast<std::uint32_t>(field));
        return bytes;
    };
    const double doubles[] = {1.5, -2.0};
    const std::int32_t halves[] = {0x3e00, 0xc000};
    EXPECT_EQ(
        weights(typed(1, 4, [&](auto& out, auto f) { out.add_packed_float(f, expected.begin(), expected.end()); })),
        expected);
    EXPECT_EQ(weights(typed(1, 4, [&](auto& out, auto f) { out.add_float(f, 1.5F), out.add_float(f, -2.0F); })),
              expected);
    EXPECT_EQ(weights(typed(11, 10, [&](auto& out, auto f) { out.add_packed_double(f, doubles, doubles + 2); })),
              expected);
    EXPECT_EQ(weights(typed(10, 5, [&](auto& out, auto f) { out.add_packed_int32(f, halves, halves + 2); })), expected);
    const auto integer = [&](int type, std::int64_t value) {
        const std::int64_t both[] = {value, 1};
        return refusal(one(13, {1, 2}, "MatMul", {"w"}).initializer(typed(type, 7, [&](auto& out, auto f) {
            out.add_packed_int64(f, both, both + 2);
        })));
    };
    constexpr std::int64_t beyond = std::int64_t{1} << 31;
    for (const auto& [type, value] : {std::pair{3, std::int64_t{-129}}, {2, -1}, {2, 256}, {6, beyond}, {9, 256}})
        EXPECT_NE(integer(type, value).find(text("'w' holds ", value)), std::string::npos) << integer(type, value);
    for (const auto& [type, value] : {std::pair{3, std::int64_t{-128}}, {2, 255}, {6, -beyond}, {7, 4 * beyond}})
        EXPECT_NE(integer(type, value).find("wrong data type"), std::string::npos) << integer(type, value);
}

TEST(onnx_fold, half_precision_of_every_kind) {
    EXPECT_EQ(onnx::from_half(0x3c00), 1.0F);
    EXPECT_EQ(onnx::from_half(0x8000), 0.0F);
    EXPECT_EQ(onnx::from_half(0x7bff), 65504.0F);
    EXPECT_EQ(onnx::from_half(0x0001), std::ldexp(1.0F, -24));
    EXPECT_EQ(onnx::from_half(0x0400), std::ldexp(1.0F, -14));
    EXPECT_EQ(onnx::from_half(0xfc00), -std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(onnx::from_half(0x7e00)));
}

// ---- Layout

TEST(onnx_layout, flatten_moves_columns_instead_of_elements) {
    const auto model = [](bool detour) {
        onnx_writer made(13);
        made.input("x", {1, 3, 8, 6})
            .weights("w", {5, 3, 3, 3})
            .node("Conv", {"x", "w"}, {"c"})
            .node("Flatten", {"c"}, {"f"});
        made.weights("g", {120, 7}, 2).weights("z", {7}, 3);
        // Adding a vector of 120 zeros asks for the flattened order itself, so that a transpose is made.
        if (detour) made.floats("zeros", {120}, std::vector<float>(120, 0.0F)).node("Add", {"f", "zeros"}, {"h"});
        made.node("Dropout", {detour ? "h" : "f"}, {"d"}).node("Gemm", {"d", "g", "z"}, {"y"}).output("y");
        return parse(made);
    };
    const graph direct = model(false), detour = model(true);
    EXPECT_EQ(kinds(direct), "conv2d reshape linear");
    EXPECT_EQ(kinds(detour), "conv2d transpose reshape add linear");
    const std::vector<float> image = numbers(3 * 8 * 6, 9);
    expect_near(run(direct, image), run(detour, image));
}

TEST(onnx_layout, elementwise_between_flatten_and_matmul_keeps_the_columns) {
    onnx_writer model(13);
    model.input("x", {-1, 4, 3, 3}).node("Relu", {"x"}, {"a"}).ints("s", {0, 36}).node("Reshape", {"a", "s"}, {"f"});
    model.node("Tanh", {"f"}, {"t"}).weights("w", {36, 2}).node("MatMul", {"t", "w"}, {"y"}).output("y");
    EXPECT_EQ(kinds(parse(model)), "clip tanh reshape linear");
}

TEST(onnx_layout, a_network_in_nhwc_that_transposes_around_keeps_no_transpose) {
    onnx_writer model(13);
    model.input("x", {-1, 8, 6, 3})
        .floats("mean", {3}, {1, 2, 3})
        .node("Sub", {"x", "mean"}, {"n"})
        .node("Transpose", {"n"}, {"t"}, {attr("perm", integers{0, 3, 1, 2})})
        .weights("w", {5, 3, 3, 3})
        .node("Conv", {"t", "w"}, {"c"}, {attr("pads", integers{1, 1, 1, 1})})
        .node("Transpose", {"c"}, {"u"}, {attr("perm", integers{0, 2, 3, 1})})
        .floats("bias", {5}, {1, 2, 3, 4, 5})
        .node("Add", {"u", "bias"}, {"b"})
        .node("Transpose", {"b"}, {"v"}, {attr("perm", integers{0, 3, 1, 2})})
        .node("MaxPool", {"v"}, {"p"}, {attr("kernel_shape", integers{2, 2}), attr("strides", integers{2, 2})})
        .node("Transpose", {"p"}, {"y"}, {attr("perm", integers{0, 2, 3, 1})})
        .output("y");
    const graph net = parse(model);
    EXPECT_EQ(kinds(net), "add conv2d add max_pool2d");
    EXPECT_EQ(net.at(net.inputs()[0]).dims, (shape{1, 8, 6, 3}));
    EXPECT_EQ(output_shape(net), (shape{1, 4, 3, 5}));
    EXPECT_EQ(net.at(net.outputs()[0]).name, "y");
}

TEST(onnx_layout, transposes_that_move_elements_are_made_and_right) {
    // Channel shuffle: 2 groups of 3 channels; channel g * 3 + i goes to i * 2 + g.
    onnx_writer model(13);
    model.input("x", {1, 6, 2, 2})
        .ints("s5", {0, 2, 3, 2, 2})
        .ints("s4", {0, 6, 2, 2})
        .node("Reshape", {"x", "s5"}, {"a"})
        .node("Transpose", {"a"}, {"b"}, {attr("perm", integers{0, 2, 1, 3, 4})})
        .node("Reshape", {"b", "s4"}, {"y"})
        .output("y");
    const graph net = parse(model);
    std::vector<float> in(24);
    for (std::size_t i = 0; i < 24; ++i) in[i] = static_cast<float>(i);  // NHWC: pixel * 6 + channel
    const std::vector<float> out = run(net, in);
    for (std::size_t pixel = 0; pixel < 4; ++pixel)
        for (std::size_t g = 0; g < 2; ++g)
            for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(out[pixel * 6 + i * 2 + g], in[pixel * 6 + g * 3 + i]);
}

TEST(onnx_layout, a_flat_input_becomes_an_image_of_one_channel_without_a_transpose) {
    onnx_writer model(13);
    model.input("x", {-1, 12}).ints("s", {-1, 1, 4, 3}).node("Reshape", {"x", "s"}, {"i"}, {}, "to_image");
    model.weights("w", {2, 1, 1, 1}).node("Conv", {"i", "w"}, {"y"}).output("y");
    const graph net = parse(model);
    EXPECT_EQ(kinds(net), "reshape conv2d");
    EXPECT_EQ(net.nodes()[0].name, "to_image");
}

TEST(onnx_layout, two_readers_share_one_transpose) {
    onnx_writer model(13);
    model.input("x", {1, 4, 3, 3}).node("Flatten", {"x"}, {"f"}).weights("c", {36});
    model.node("Add", {"f", "c"}, {"a"}).node("Mul", {"f", "c"}, {"b"}).node("Add", {"a", "b"}, {"y"}).output("y");
    EXPECT_EQ(kinds(parse(model)), "transpose reshape add mul add");
}

TEST(onnx_names, equal_names_are_told_apart_and_rubbish_is_made_printable) {
    onnx_writer model(13);
    model.input("x", {1, 2}).node("Relu", {"x"}, {"a"}, {}, "same").node("Tanh", {"a"}, {"b"}, {}, "same");
    model.node("Relu", {"b"}, {"y"}, {}, std::string("\x01\xff") + std::string(5000, 'n')).output("y");
    const graph net = parse(model);
    EXPECT_EQ(net.nodes()[0].name, "same");
    EXPECT_EQ(net.nodes()[1].name, "same_2");
    EXPECT_EQ(net.nodes()[2].name.substr(0, 4), "??nn");
    EXPECT_LT(net.nodes()[2].name.size(), 300U);
}

TEST(onnx_names, only_utf8_is_printable) {
    for (const char* good :
         {"a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        EXPECT_EQ(octet::printable(good), good);
    // Longer than the shortest form, a surrogate, beyond U+10FFFF, cut off.
    for (const char* bad :
         {"\xc0\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xe0\xa0"})
        EXPECT_EQ(octet::printable(bad), std::string(std::string_view(bad).size(), '?'));
}

TEST(onnx_inputs, initializers_listed_as_inputs_are_constants) {
    onnx_writer model(8);
    model.input("x", {1, 3}).input("w", {3, 2}).weights("w", {3, 2}).node("MatMul", {"x", "w"}, {"y"}).output("y");
    const graph net = parse(model);
    EXPECT_EQ(net.inputs().size(), 1U);
    EXPECT_EQ(kinds(net), "linear");
}

// ---- The shared models

struct shared_model {
    const char* file;
    shape in, out;
    std::size_t nodes;
};

class onnx_shared : public testing::TestWithParam<shared_model> {};

TEST_P(onnx_shared, imports_without_a_transpose) {
    const std::string path = shared_data(std::string("models/") + GetParam().file);
    if (read_file(path).empty()) GTEST_SKIP() << path << " is missing";
    const graph net = compiled_once::load(path);
    for (const node& each : net.nodes()) EXPECT_FALSE(std::holds_alternative<op::transpose>(each.what)) << each.name;
    EXPECT_EQ(net.at(net.inputs()[0]).dims, GetParam().in);
    EXPECT_EQ(output_shape(net), GetParam().out);
    EXPECT_EQ(net.nodes().size(), GetParam().nodes);
}

INSTANTIATE_TEST_SUITE_P(models, onnx_shared,
                         testing::Values(shared_model{"mnist.onnx", {1, 28, 28, 1}, {1, 10}, 11},
                                         shared_model{"resnet8_cifar10_float.onnx", {1, 32, 32, 3}, {1, 10}, 23},
                                         shared_model{"kws_dscnn_float_bn.onnx", {1, 49, 10, 1}, {1, 12}, 31},
                                         shared_model{
                                             "mobilenet_v1_025_224_float.onnx", {1, 224, 224, 3}, {1, 1001}, 58},
                                         shared_model{"vww96_float.onnx", {1, 96, 96, 3}, {1, 2}, 58},
                                         shared_model{"ad01_float.onnx", {1, 640}, {1, 640}, 19}),
                         [](const auto& each) {
                             const std::string file = each.param.file;
                             return file.substr(0, file.find_first_of("_.0"));
                         });

TEST(onnx_shared_outputs, mnist_equals_the_recorded_outputs) {
    const std::string path = shared_data("models/mnist.onnx");
    const auto images = read_file(shared_data("mnist/dev_u8.bin"));
    const auto expected = read_file(shared_data("mnist/dev_expected_mnist_ort_f32.bin"));
    if (images.empty() || expected.empty() || read_file(path).empty())
        GTEST_SKIP() << path << " or its samples are missing";
    session<> runner{as_float(compiled_once::load(path))};
    float worst = 0, largest = 0;
    for (std::size_t n = 0; n < 50; ++n) {
        const std::vector<float> in(images.begin() + static_cast<std::ptrdiff_t>(n * 784),
                                    images.begin() + static_cast<std::ptrdiff_t>((n + 1) * 784));
        std::vector<float> out(10), want(10);
        std::memcpy(want.data(), expected.data() + n * 40, 40);
        runner(in, out);
        for (std::size_t i = 0; i < 10; ++i)
            worst = std::max(worst, std::fabs(out[i] - want[i])), largest = std::max(largest, std::fabs(want[i]));
    }
    EXPECT_LE(worst, 1e-5F * largest);
}

}  // namespace
}  // namespace octet::test
