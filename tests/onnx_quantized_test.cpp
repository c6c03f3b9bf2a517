// QDQ models as other tools write them: which operators become int8 layers, with which integers, and what is refused.
#include <octet/graph/session.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"
#include "onnx_compiled_once.hpp"
#include "onnx_writer.hpp"
#include "shared_data.hpp"

namespace octet::test {
namespace {

/// Adds QuantizeLinear and DequantizeLinear behind `name`, in uint8; returns what comes out, `name`_d.
std::string stored(onnx_writer& to, const std::string& name, float step, int zero) {
    to.floats(name + "_s", {}, {step});
    to.initializer(tensor_bytes(name + "_z", {}, 2, std::vector<std::uint8_t>{static_cast<std::uint8_t>(zero)}));
    to.node("QuantizeLinear", {name, name + "_s", name + "_z"}, {name + "_q"});
    to.node("DequantizeLinear", {name + "_q", name + "_s", name + "_z"}, {name + "_d"});
    return name + "_d";
}
/// A constant of integers behind DequantizeLinear, `name`.
template <class T>
std::string constant(onnx_writer& to, const std::string& name, const integers& dims, int type,
                     const std::vector<T>& values, const std::vector<float>& scales, T zero = 0, int axis = 0) {
    const integers many = scales.size() == 1 ? integers{} : integers{static_cast<std::int64_t>(scales.size())};
    to.initializer(tensor_bytes(name + "_q", dims, type, values)).floats(name + "_s", many, scales);
    to.initializer(tensor_bytes(name + "_z", many, type, std::vector<T>(scales.size(), zero)));
    to.node("DequantizeLinear", {name + "_q", name + "_s", name + "_z"}, {name}, {attr("axis", axis)});
    return name;
}

quantized_graph load(const onnx_writer& model) {
    const std::string bytes = model.bytes();
    return compiled_once::parse_quantized(std::as_bytes(std::span(bytes.data(), bytes.size())), "test.onnx");
}
std::string refused(const onnx_writer& model) {
    try {
        load(model);
    } catch (const error& wrong) {
        return wrong.what();
    }
    return "";
}
std::vector<float> run(const quantized_graph& net, const std::vector<float>& in) {
    session<> one(net);
    std::vector<float> out(static_cast<std::size_t>(one.output_shape(0).elements()));
    one(in, out);
    return out;
}
float rounded(float x, float step, int zero) {
    return step * (std::min(std::max(std::nearbyint(x / step) + static_cast<float>(zero), 0.0F), 255.0F) -
                   static_cast<float>(zero));
}
/// "conv2d* relu": the kinds of the nodes, with a star for int8.
std::string layers(const quantized_graph& net) {
    std::string all;
    for (std::size_t i = 0; i < net.layers.size(); ++i)
        all += text(all.empty() ? "" : " ", kind_of(net.net.nodes()[i].what), net.layers[i].is_int8 ? "*" : "");
    return all;
}

const std::vector<float> four{-0.9F, 0.2F, 0.45F, 1.1F};

/// x -> stored -> Gemm (w, b) -> Relu -> stored.
struct gemm_model {
    onnx_writer file{13};
    gemm_model() { file.input("x", {1, 4}); }
    quantized_graph with(const std::vector<std::string>& parameters, int transposed = 1) {
        const std::string x = stored(file, "x", 0.01F, 100);
        std::vector<std::string> inputs{x};
        inputs.insert(inputs.end(), parameters.begin(), parameters.end());
        file.node("Gemm", inputs, {"g"}, {attr("transB", transposed)}).node("Relu", {"g"}, {"y"});
        return load(file.output(stored(file, "y", 0.02F, 0)));
    }
};

TEST(onnx_quantized, weights_of_every_kind_are_the_same_integers) {
    const std::vector<std::int8_t> values{-128, 127, 5, -7, 0, 64, -64, 1};
    std::vector<std::uint8_t> raised;
    std::vector<float> reals;
    std::vector<std::int8_t> turned;
    for (const int q : values) {
        raised.push_back(static_cast<std::uint8_t>(q + 128));
        reals.push_back(static_cast<float>(q) * 0.03F);
    }
    for (std::size_t i = 0; i < 4; ++i) turned.push_back(values[i]), turned.push_back(values[4 + i]);
    const std::vector<std::int32_t> bias{1000, -2000};

    std::vector<quantized_graph> all;
    for (int form = 0; form < 7; ++form) {
        gemm_model model;
        onnx_writer& to = model.file;
        std::string w, b;
        if (form == 0) w = constant(to, "w", {2, 4}, 3, values, {0.03F, 0.03F});
        if (form == 1) w = constant(to, "w", {2, 4}, 3, values, {0.03F});
        if (form == 2) w = constant<std::uint8_t>(to, "w", {2, 4}, 2, raised, {0.03F}, 128);
        if (form == 3) w = constant(to, "w", {4, 2}, 3, turned, {0.03F, 0.03F}, std::int8_t{0}, 1);
        if (form == 4) {  // a tool that keeps float weights quantizes them in the model
            to.floats("f", {2, 4}, reals).floats("f_s", {}, {0.03F});
            to.initializer(tensor_bytes("f_z", {}, 3, std::vector<std::int8_t>{0}));
            to.node("QuantizeLinear", {"f", "f_s", "f_z"}, {"f_q"});
            to.node("DequantizeLinear", {"f_q", "f_s", "f_z"}, {w = "w"});
        }
        if (form == 5) constant(to, "t", {4, 2}, 3, turned, {0.03F, 0.03F}, std::int8_t{0}, 1);
        if (form == 6) constant<std::uint8_t>(to, "t", {2, 4}, 2, raised, {0.03F}, 128);
        if (form >= 5) to.node("Transpose", {"t"}, {w = "w"}, {attr("perm", integers{1, 0})});
        if (form == 1)
            to.floats(b = "b", {2}, {0.01F * 0.03F * 1000, 0.01F * 0.03F * -2000});
        else
            b = constant(to, "b", {2}, 6, bias, {0.01F * 0.03F, 0.01F * 0.03F});
        all.push_back(model.with({w, b}, form == 3 || form == 6 ? 0 : 1));
    }
    const std::vector<float> y = run(all[0], four);
    for (std::size_t o = 0; o < 2; ++o) {
        float sum = static_cast<float>(bias[o]);
        for (std::size_t i = 0; i < 4; ++i)
            sum += rounded(four[i], 0.01F, 100) / 0.01F * static_cast<float>(values[4 * o + i]);
        EXPECT_NEAR(y[o], rounded(std::max(sum, 0.0F) * 0.0003F, 0.02F, 0), 1e-5F);
    }
    for (const quantized_graph& net : all) {
        EXPECT_EQ(layers(net), "linear*");
        EXPECT_EQ(net.layers[0].values, values);
        EXPECT_EQ(net.layers[0].bias, bias);
        EXPECT_EQ(run(net, four), y);
    }
}

/// q = quantize(f(dequantize x)), whatever the parameters before and after.
TEST(onnx_quantized, nodes_that_move_bytes_are_rescaled_where_the_model_does) {
    onnx_writer pool(13);
    pool.input("x", {1, 1, 2, 2});
    pool.node("MaxPool", {stored(pool, "x", 0.01F, 100)}, {"p"}, {attr("kernel_shape", integers{2, 1})});
    const quantized_graph a = load(pool.output(stored(pool, "p", 0.03F, 7)));
    EXPECT_EQ(layers(a), "max_pool2d* clip*");
    EXPECT_EQ(run(a, four), (std::vector<float>{rounded(rounded(0.45F, 0.01F, 100), 0.03F, 7),
                                                rounded(rounded(1.1F, 0.01F, 100), 0.03F, 7)}));

    onnx_writer join(13);
    join.input("x", {1, 4}).node("Sigmoid", {stored(join, "x", 0.01F, 100)}, {"s"});
    join.node("Concat", {"x_d", stored(join, "s", 0.004F, 0)}, {"c"}, {attr("axis", 1)});
    const quantized_graph b = load(join.output(stored(join, "c", 0.02F, 50)));
    EXPECT_EQ(layers(b), "logistic* clip* clip* concat*");
    const std::vector<float> y = run(b, four);
    for (std::size_t i = 0; i < 4; ++i) {
        const float x = rounded(four[i], 0.01F, 100);
        EXPECT_EQ(y[i], rounded(x, 0.02F, 50));
        EXPECT_EQ(y[4 + i], rounded(rounded(1 / (1 + std::exp(-x)), 0.004F, 0), 0.02F, 50));
    }
}

TEST(onnx_quantized, what_stays_in_float_says_why_and_reads_rounded_values) {
    onnx_writer file(13);
    file.input("x", {1, 4}).node("Tanh", {"x"}, {"t"});  // before any rounding
    const std::string t = stored(file, "t", 0.25F, 128);
    file.node("Tanh", {t}, {"u"}).node("Relu", {t}, {"r"});  // one in float, one in int8
    file.node("Add", {"u", stored(file, "r", 0.5F, 0)}, {"y"});
    const quantized_graph net = load(file.output("y"));
    EXPECT_EQ(layers(net), "tanh clip* tanh clip* add");
    EXPECT_EQ(net.layers[0].reason, "what it reads is not quantized");
    EXPECT_EQ(net.layers[2].reason, "its result is not quantized");
    const std::vector<float> y = run(net, four);
    for (std::size_t i = 0; i < 4; ++i) {
        const float q = rounded(std::tanh(four[i]), 0.25F, 128);
        EXPECT_NEAR(y[i], std::tanh(q) + rounded(std::max(q, 0.0F), 0.5F, 0), 1e-6F);
    }

    onnx_writer twice(13);  // one float tensor, stored in two ways
    twice.input("x", {1, 4}).node("Tanh", {"x"}, {"t"}).node("Identity", {"t"}, {"i"});
    twice.node("Relu", {stored(twice, "t", 0.25F, 128)}, {"r"}).node("Relu", {stored(twice, "i", 0.4F, 128)}, {"s"});
    twice.node("Add", {stored(twice, "r", 0.25F, 0), stored(twice, "s", 0.4F, 0)}, {"y"});
    const std::vector<float> z = run(load(twice.output("y")), four);
    for (std::size_t i = 0; i < 4; ++i) {
        const float v = std::tanh(four[i]);
        EXPECT_NEAR(z[i],
                    rounded(std::max(rounded(v, 0.25F, 128), 0.0F), 0.25F, 0) +
                        rounded(std::max(rounded(v, 0.4F, 128), 0.0F), 0.4F, 0),
                    1e-6F);
    }

    gemm_model plain;
    plain.file.weights("w", {2, 4});
    onnx_writer& to = plain.file;
    to.node("Gemm", {stored(to, "x", 0.01F, 100), "w"}, {"g"}, {attr("transB", 1)});
    to.node("Relu", {stored(to, "g", 0.02F, 3)}, {"y"});
    const quantized_graph weights = load(to.output(stored(to, "y", 0.02F, 0)));
    EXPECT_EQ(layers(weights), "linear clip*");
    EXPECT_EQ(weights.layers[0].reason, "its weights are not quantized");
}

TEST(onnx_quantized, inputs_and_outputs_may_be_integers) {
    for (const int type : {2, 3}) {
        onnx_writer file(13);
        file.input("x", {1, 4}, type).floats("s", {}, {0.5F});
        file.initializer(tensor_bytes("z", {}, type, std::vector<std::uint8_t>{3}));
        file.node("DequantizeLinear", {"x", "s", "z"}, {"d"}).node("Relu", {"d"}, {"r"});
        file.node("QuantizeLinear", {"r", "s", "z"}, {"y"}).output("y", {1, 4}, type);
        const quantized_graph net = load(file);
        EXPECT_EQ(layers(net), "clip*");
        EXPECT_EQ(net.at(net.net.inputs()[0]).params, (quant_params{scale(0.5F), zero_point(type == 2 ? -125 : 3)}));
        session<> one(net);
        EXPECT_TRUE(one.input_is_int8(0) && one.output_is_int8(0));
    }
}

TEST(onnx_quantized, what_is_refused) {
    const auto expect = [](const onnx_writer& model, const std::vector<std::string>& parts) {
        const std::string message = refused(model);
        for (const std::string& part : parts)
            EXPECT_NE(message.find(part), std::string::npos) << part << "\n" << message;
    };
    const auto weights = [](auto values, int type, auto zero, float step = 0.03F) {
        gemm_model model;
        onnx_writer& to = model.file;
        to.node("Gemm", {stored(to, "x", 0.01F, 100), constant(to, "w", {1, 4}, type, values, {step}, zero)}, {"g"},
                {attr("transB", 1)});
        return to.output(stored(to, "g", 0.02F, 3));
    };
    expect(weights(std::vector<std::uint8_t>{0, 1, 2, 255}, 2, std::uint8_t{5}),
           {"linear 'g'", "250 steps from the zero point", "quantize them symmetrically"});
    expect(weights(std::vector<std::int8_t>{0, 1, 2, 3}, 3, std::int8_t{0}, -1.0F), {"'w_s' holds -1"});

    onnx_writer plain(13);
    expect(plain.input("x", {1, 4}).node("Relu", {"x"}, {"y"}).output("y"), {"octet::onnx::load"});
    onnx_writer integer(13);
    stored(integer.input("x", {1, 4}), "x", 0.1F, 3);
    expect(integer.node("Relu", {"x_q"}, {"y"}).output("y"), {"'x_q' holds integers", "QDQ"});
    onnx_writer other(13);
    stored(other.input("x", {1, 4}), "x", 0.1F, 3);
    other.floats("t", {}, {0.2F}).node("DequantizeLinear", {"x_q", "t", "x_z"}, {"y"});
    expect(other.output("y"), {"reads with scale 0.2", "both must be the same"});
    onnx_writer real(13);
    real.input("x", {1, 4}).floats("s", {}, {0.2F}).node("DequantizeLinear", {"x", "s"}, {"y"});
    expect(real.output("y"), {"'x' is float"});
    onnx_writer channels(13);
    channels.input("x", {1, 4}).floats("s", {4}, {1, 1, 1, 1}).node("QuantizeLinear", {"x", "s"}, {"y"});
    expect(channels.output("y"), {"an activation with 4 scales"});
    onnx_writer wide(13);
    wide.input("x", {1, 4}).floats("s", {}, {1}).initializer(tensor_bytes("z", {}, 6, std::vector<int>{0}));
    expect(wide.node("QuantizeLinear", {"x", "s", "z"}, {"y"}).output("y"), {"data type 6", "int8 (3) and uint8 (2)"});
    onnx_writer policy(13);
    policy.metadata("octet.rounding", "up");
    policy.input("x", {1, 4}).node("Relu", {stored(policy, "x", 0.1F, 3)}, {"y"});
    expect(policy.output(stored(policy, "y", 0.1F, 3)), {"rounding policy 'up'"});
    onnx_writer integral(13);
    integral.input("x", {1, 4}, 2).input("w", {1, 4}, 3);
    expect(integral.node("QLinearAdd", {"x"}, {"y"}, {}, "", "com.microsoft").output("y"),
           {"QLinearAdd", "QuantFormat.QDQ"});
}

/// MLPerf Tiny's keyword spotting in QDQ form, int8 in and out, beside what ONNX Runtime returned for it.
TEST(onnx_quantized, keyword_spotting_gives_the_bytes_of_onnx_runtime) {
    const auto sounds = read_elements<std::int8_t>(shared_data("kws/dev_inputs_i8.bin"));
    const auto expected = read_elements<std::int8_t>(shared_data("kws/dev_expected_kws_qdq_ort_i8.bin"));
    if (sounds.empty()) GTEST_SKIP() << "no models at " << shared_data("") << ": set OCTET_TEST_DATA to their folder";
    session<> ours(compiled_once::load_quantized(shared_data("models/kws_qdq.onnx")));
    const std::size_t size = 490, scores = 12, count = sounds.size() / size;
    ASSERT_EQ(expected.size(), count * scores);
    std::size_t equal = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(sounds.begin() + static_cast<std::ptrdiff_t>(i * size), size, ours.input(0).data);
        ours.run();
        for (std::size_t k = 0; k < scores; ++k) equal += ours.output(0).data[k] == expected[i * scores + k] ? 1 : 0;
    }
    const double percent = 100.0 * static_cast<double>(equal) / static_cast<double>(expected.size());
    std::printf("| load_quantized, kws_qdq.onnx | %8.4f %% of %zu bytes after the softmax as ONNX Runtime's |\n",
                percent, expected.size());
    EXPECT_GE(percent, 99.9);
}

}  // namespace
}  // namespace octet::test
