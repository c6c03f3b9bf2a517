// QDQ models out and in again: the same bytes, names, layout; and what cannot be written or read.
#include <octet/graph/quantize.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "onnx_compiled_once.hpp"
#include "onnx_writer.hpp"
#include "operator_networks.hpp"

namespace octet::test {
namespace {

quantized_graph parse_quantized(const std::string& bytes) {
    return compiled_once::parse_quantized(std::as_bytes(std::span(bytes.data(), bytes.size())), "test.onnx");
}

/// The outputs of every sample, back to back.
template <class Rounding = nearest_even>
std::vector<float> outputs(const quantized_graph& net, const samples& data) {
    session<Rounding> run(net);
    std::vector<float> all;
    const auto elements = static_cast<std::size_t>(run.input_shape(0).elements());
    for (std::size_t i = 0; i < data.count; ++i) {
        run.set_input(0, data.slice(0, i, 1, elements));
        run.run();
        for (std::size_t k = 0; k < run.outputs(); ++k) {
            std::vector<float> one(static_cast<std::size_t>(run.output_shape(k).elements()));
            run.get_output(k, one);
            all.insert(all.end(), one.begin(), one.end());
        }
    }
    return all;
}

/// "conv1 fc ": the names of the layers that run in float, but for those that only move what they are given.
std::string float_layers(const quantized_graph& net) {
    std::string all;
    for (std::size_t i = 0; i < net.layers.size(); ++i)
        if (!net.layers[i].is_int8 && !octet::detail::moves_bytes(net.net.nodes()[i].what, net.rounding))
            all += net.net.nodes()[i].name + " ";
    return all;
}

void expect_same_border(const quantized_graph& a, const quantized_graph& b) {
    const auto same = [&](std::span<const tensor_id> left, std::span<const tensor_id> right) {
        ASSERT_EQ(left.size(), right.size());
        for (std::size_t i = 0; i < left.size(); ++i) {
            const tensor &x = a.net.at(left[i]), &y = b.net.at(right[i]);
            EXPECT_EQ(x.name, y.name);
            EXPECT_EQ(x.dims, y.dims);
            EXPECT_EQ(x.form.channels_first, y.form.channels_first);
            EXPECT_EQ(x.form.batch, y.form.batch);
        }
    };
    same(a.net.inputs(), b.net.inputs());
    same(a.net.outputs(), b.net.outputs());
}

template <class Rounding = nearest_even>
void expect_round_trip(const quantized_graph& net, const samples& data) {
    for (const auto type : {onnx::activation_type::uint8, onnx::activation_type::int8}) {
        const std::string file = compiled_once::serialize(net, {.activations = type});
        const quantized_graph again = parse_quantized(file);
        EXPECT_TRUE(outputs<Rounding>(net, data) == outputs<Rounding>(again, data));
        EXPECT_EQ(float_layers(net), float_layers(again));
        EXPECT_LE(again.net.nodes().size(), net.net.nodes().size());  // reshapes in a row become one
        expect_same_border(net, again);
    }
}

TEST(onnx_export, every_operator_comes_back_with_the_same_bytes) {
    for (const auto& [name, net] : operator_networks()) {
        SCOPED_TRACE(name);
        const quantized_graph int8 = quantize(net, operator_samples(20));
        expect_round_trip(int8, operator_samples(5, 77));
        const session<> before(int8), after(parse_quantized(compiled_once::serialize(int8)));
        EXPECT_EQ(before.output_is_int8(0), after.output_is_int8(0));
        if (before.output_is_int8(0)) {
            EXPECT_EQ(before.output_params(0), after.output_params(0));
        }
    }
}

/// A ReLU that the parameters imply stands in no node of the file, and is there again in the float network that is
/// read.
TEST(onnx_export, what_is_lost_is_the_same_after_a_round_trip) {
    const samples data = operator_samples(5, 77);
    for (const auto& [name, net] : operator_networks())
        for (const char* in_float : {"", "op", "first"}) {
            SCOPED_TRACE(name + ", in float: " + in_float);
            quantize_options how;
            if (*in_float != 0) how.leave_in_float = {in_float};
            const quantized_graph int8 = quantize(net, operator_samples(20), how);
            const quantized_graph again = parse_quantized(compiled_once::serialize(int8));
            const quantization_report before = report(net, int8, data), after = report(net, again, data);
            EXPECT_EQ(before.layers.back().signal_to_noise, after.layers.back().signal_to_noise);
            EXPECT_EQ(before.float_weight_bytes, after.float_weight_bytes);
            (void)report(again.net, again, data);
        }
    const quantized_graph again =
        parse_quantized(compiled_once::serialize(quantize(operator_networks().at("add, relu"), operator_samples(20))));
    signal_and_noise left;  // of the integers as reals
    const std::vector<float> held = outputs(as_float(again.net), data),
                             f = outputs(as_float(operator_networks().at("add, relu")), data);
    for (std::size_t i = 0; i < f.size(); ++i) left.add(f[i], held[i]);
    EXPECT_GT(left.decibel(), 20.0);
}

/// A clip to [1, 6] of a result whose parameters end at 0.51.
TEST(onnx_export, a_clip_beyond_the_parameters_stays_in_order) {
    graph net;
    net.output(net.add("p", op::linear{{1, {1.0F}, {0.0F}}}, {net.input("x", {1, 1})}, {.low = 1, .high = 6}));
    const samples data(2, {0.0F, 6.0F});
    quantized_graph int8 = quantize(net, data);
    int8.tensors[static_cast<std::size_t>(net.outputs()[0])].params = {scale(0.002F), zero_point(-128)};
    const quantized_graph again = parse_quantized(compiled_once::serialize(int8));
    EXPECT_EQ(outputs(int8, data), outputs(again, data));
    const activation_range held = again.net.nodes()[0].activation;
    EXPECT_EQ(held.low, held.high);
    EXPECT_FLOAT_EQ(held.low, 0.51F);
}

TEST(onnx_export, float_layers_stay_float) {
    for (const auto& [name, net] : operator_networks()) {
        SCOPED_TRACE(name);
        expect_round_trip(quantize(net, operator_samples(20), {.leave_in_float = {"op"}}), operator_samples(5, 77));
    }
}

TEST(onnx_export, other_policies_come_back) {
    for (const char* name : {"conv2d", "average_pool2d", "add, relu", "concat"}) {
        SCOPED_TRACE(name);
        const graph net = operator_networks().at(name);
        expect_round_trip<tflite>(quantize(net, operator_samples(20), {.rounding = rounding_policy::tflite}),
                                  operator_samples(5, 77));
        expect_round_trip<single>(quantize(net, operator_samples(20), {.rounding = rounding_policy::single}),
                                  operator_samples(5, 77));
    }
}

TEST(onnx_export, schemes_and_granularities) {
    const graph net = operator_networks().at("conv2d");
    expect_round_trip(quantize(net, operator_samples(20), {.activation_scheme = scheme::symmetric}),
                      operator_samples(5, 77));
    expect_round_trip(quantize(net, operator_samples(20), {.weight_granularity = granularity::per_tensor}),
                      operator_samples(5, 77));
}

/// A network in the layout of the file: N, C, H, W with a fixed batch, or N, H, W, C with an open one.
TEST(onnx_export, layout_names_and_batch_are_those_of_the_source) {
    onnx_writer first(13);
    first.input("data", {2, 3, 6, 5}).weights("w", {4, 3, 3, 3}).node("Conv", {"data", "w"}, {"c"}, {}, "conv");
    first.node("Relu", {"c"}, {"image out"}, {}, "relu").output("image out", {2, 4, 4, 3});
    onnx_writer last(13);
    last.input("data", {-1, 6, 5, 3}).node("Transpose", {"data"}, {"t"}, {attr("perm", integers{0, 3, 1, 2})});
    last.weights("w", {4, 3, 3, 3}).node("Conv", {"t", "w"}, {"c"}, {}, "conv");
    last.node("Transpose", {"c"}, {"image out"}, {attr("perm", integers{0, 2, 3, 1})}).output("image out", {});
    const samples data(6, reals(6 * 90, 3));
    for (const onnx_writer* model : {&first, &last}) {
        const quantized_graph net = quantize(parse(*model), data);
        expect_round_trip(net, data);
        const std::string bytes = compiled_once::serialize(net);
        const auto file = onnx::proto::read_model(bytes);
        ASSERT_EQ(file.inputs.size(), 1U);
        EXPECT_EQ(file.inputs[0].name, "data");
        EXPECT_EQ(file.outputs[0].name, "image out");
        EXPECT_EQ(file.opsets[0].version, 17);
        integers in, out;
        for (const auto& d : file.inputs[0].dims) in.push_back(d.fixed ? d.size : -1);
        for (const auto& d : file.outputs[0].dims) out.push_back(d.fixed ? d.size : -1);
        EXPECT_EQ(in, model == &first ? (integers{2, 3, 6, 5}) : (integers{-1, 6, 5, 3}));
        EXPECT_EQ(out, model == &first ? (integers{2, 4, 4, 3}) : (integers{-1, 4, 3, 4}));
        int conv = 0;
        for (const auto& n : file.nodes) conv += n.name == "conv" && n.kind == "Conv" ? 1 : 0;
        EXPECT_EQ(conv, 1);
    }
}

TEST(onnx_export, integers_of_the_file) {
    const quantized_graph net = quantize(operator_networks().at("conv2d"), operator_samples(20));
    const std::string bytes = compiled_once::serialize(net),
                      signed_bytes = compiled_once::serialize(net, {onnx::activation_type::int8});
    const auto type_of = [](const std::string& file, std::string_view name) {
        for (const auto& t : onnx::proto::read_model(file).initializers)
            if (t.name == name) return static_cast<int>(t.type);
        return 0;
    };
    EXPECT_EQ(type_of(bytes, "first_zero_point"), 2);
    EXPECT_EQ(type_of(signed_bytes, "first_zero_point"), 3);
    EXPECT_EQ(type_of(bytes, "op_weight_quantized"), 3);
    EXPECT_EQ(type_of(bytes, "op_bias_quantized"), 6);
}

/// A tensor that is input and output, and one that is an output twice.
TEST(onnx_export, names_are_utf8) {
    graph net;
    const tensor_id x = net.input("x\xff", {1, 3});
    const tensor_id y = net.add("t\xff", op::lookup{function::tanh}, {x});
    net.output(net.add("c\xff", op::clip{{-0.5F, 0.5F}}, {y}));
    const std::string bytes = compiled_once::serialize(octet::quantize(net, {4, numbers(12)}));
    for (const std::string name : {"x", "t", "c"}) {
        EXPECT_NE(bytes.find(name + "?"), std::string::npos);
        EXPECT_EQ(bytes.find(name + "\xff"), std::string::npos);
    }
}

TEST(onnx_export, outputs_that_are_something_else_too) {
    graph net = operator_networks().at("add");
    net.output(net.nodes()[0].output);
    net.output(net.nodes()[0].output);
    net.output(net.inputs()[0]);
    const quantized_graph int8 = quantize(net, operator_samples(20));
    const quantized_graph again = parse_quantized(compiled_once::serialize(int8));
    EXPECT_EQ(outputs(int8, operator_samples(3)), outputs(again, operator_samples(3)));
    ASSERT_EQ(again.net.outputs().size(), 4U);
}

TEST(onnx_export, what_has_no_form) {
    const auto refused = [](graph net, const char* what) {
        const quantized_graph int8 = quantize(std::move(net), operator_samples(5));
        expect_error([&] { compiled_once::serialize(int8); }, "'op'", what, "has no form in ONNX opset 17");
    };
    graph pool;
    tensor_id x = pool.input("image", operator_input);
    pool.output(pool.add("op", op::pool2d{pool_kind::average, {.kernel = {2, 2}, .dilation = {2, 2}}}, {x}));
    refused(pool, "an average pool with dilation");
    graph rows;
    x = rows.add("rows", op::reshape{{1, 42, 4}}, {rows.input("image", operator_input)});
    rows.output(rows.add("op", op::linear{random_weights(3, 4, 1)}, {x}));
    refused(rows, "a layer with a bias");
    graph norm;
    x = norm.add("rows", op::reshape{{1, 42, 4}}, {norm.input("image", operator_input)});
    norm.output(norm.add("op", op::batch_norm{{1, 2, 3, 4}, {1, 2, 3, 4}}, {x}));
    refused(norm, "a batch normalization");
    quantized_graph apart = quantize(operator_networks().at("max_pool2d"), operator_samples(5));
    apart.tensors.back().params.scale = scale(1.0F);
    expect_error([&] { compiled_once::serialize(apart); }, "max_pool2d 'op'", "'first'", "have different parameters");
    expect_error([&] { compiled_once::save(apart, "/nowhere/at/all.onnx"); }, "max_pool2d 'op'");
    const quantized_graph fine = quantize(operator_networks().at("conv2d"), operator_samples(5));
    expect_error([&] { compiled_once::save(fine, "/nowhere/at/all.onnx"); },
                 "ONNX model '/nowhere/at/all.onnx' cannot be written (No such file or directory)");
    expect_error([&] { compiled_once::save(fine, "/dev/full"); },
                 "'/dev/full' cannot be written (No space left on device)");
}

TEST(onnx_export, a_file_is_loaded_again) {
    const quantized_graph net = quantize(operator_networks().at("conv2d"), operator_samples(20));
    const std::string path = testing::TempDir() + "octet_export_test.onnx";
    compiled_once::save(net, path);
    const quantized_graph again = compiled_once::load_quantized(path);
    EXPECT_EQ(outputs(net, operator_samples(5, 77)), outputs(again, operator_samples(5, 77)));
    expect_error([&] { onnx::load(path); }, path, "QuantizeLinear", "octet::onnx::load_quantized");
    std::remove(path.c_str());
}

}  // namespace
}  // namespace octet::test
