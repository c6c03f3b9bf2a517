// What octet::onnx::save writes, run by ONNX Runtime: the bytes of its integer kernels against Octet's. Prints the
// share that is equal. Needs the npm package onnxruntime-node; without it the tests skip, and say so.
#include <octet/graph/quantize.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "onnx_compiled_once.hpp"
#include "operator_networks.hpp"
#include "shared_data.hpp"

namespace octet::test {
namespace {

namespace fs = std::filesystem;

std::string_view view(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class onnxruntime : public testing::Test {
  protected:
    void SetUp() override {
        if (std::string(OCTET_ONNXRUNTIME).empty())
            GTEST_SKIP() << "no ONNX Runtime: npm install --prefix build --ignore-scripts onnxruntime-node@1.30.0";
        std::string name = testing::TempDir() + "octet_onnxruntime_XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override {
        if (!folder.empty()) fs::remove_all(folder);
    }

    std::string path(const char* name) const { return (folder / name).string(); }

    /// Runs lines of commands; every answer must be a number.
    void ask(const std::string& commands) const {
        write_file(path("commands"), commands, "commands");
        const std::string line = text("'", OCTET_NODE, "' '", OCTET_ONNXRUNTIME_SCRIPT, "' '", OCTET_ONNXRUNTIME,
                                      "' < '", path("commands"), "' > '", path("answers"), "'");
        const int code = std::system(line.c_str());
        const std::string answers = octet::read_file(path("answers"), "answers");
        ASSERT_EQ(code, 0) << line << "\n" << answers;
        ASSERT_EQ(answers.find("error"), std::string::npos) << answers;
    }

    std::string model_path(std::size_t i) const { return path(text("model", i, ".onnx").c_str()); }
    void write_models(const std::vector<std::string>& models) const {
        for (std::size_t i = 0; i < models.size(); ++i) write_file(model_path(i), models[i], "model");
    }
    /// The outputs of each model for the same samples, back to back, by ONNX Runtime.
    std::vector<std::vector<float>> run(const std::vector<std::string>& models,
                                        const std::vector<float>& samples) const {
        write_models(models);
        write_file(path("in"), view(samples), "samples");
        std::string commands;
        for (std::size_t i = 0; i < models.size(); ++i)
            commands += text("load 1 all ", model_path(i), "\ncompute ", i, " ", path("in"), " ", path("out"), i, "\n");
        ask(commands);
        std::vector<std::vector<float>> all;
        for (std::size_t i = 0; i < models.size(); ++i) all.push_back(read_elements<float>(text(path("out"), i)));
        return all;
    }
    /// How many nodes of each kind are left when ONNX Runtime has optimized each model.
    std::vector<std::map<std::string, int>> optimized(const std::vector<std::string>& models) const {
        write_models(models);
        std::string commands;
        for (std::size_t i = 0; i < models.size(); ++i)
            commands += text("optimize ", model_path(i), " ", path("optimized"), i, "\n");
        ask(commands);
        std::vector<std::map<std::string, int>> all(models.size());
        for (std::size_t i = 0; i < models.size(); ++i) {
            const std::string bytes = octet::read_file(text(path("optimized"), i), "model");
            for (const auto& n : onnx::proto::read_model(bytes).nodes) ++all[i][std::string(n.kind)];
        }
        return all;
    }

    struct agreement {
        std::size_t values = 0, equal = 0;
        int worst = 0;  // steps
        double percent() const { return 100.0 * static_cast<double>(equal) / static_cast<double>(values); }
    };
    /// Of each output of the network, over samples as the file takes them, with what ONNX Runtime returned.
    static std::vector<agreement> compare(const quantized_graph& int8, const std::vector<float>& samples,
                                          const std::vector<float>& theirs) {
        const tensor& input = int8.net.at(int8.net.inputs()[0]);
        session<> ours(int8, {.nchw = input.form.channels_first});
        std::vector<agreement> all(ours.outputs());
        std::size_t at = 0;
        for (std::size_t from = 0; from < samples.size();) {
            for (std::size_t i = 0; i < ours.inputs(); ++i) {
                const auto count = static_cast<std::size_t>(ours.input_shape(i).elements());
                ours.set_input(i, {samples.data() + from, count});
                from += count;
            }
            ours.run();
            for (std::size_t i = 0; i < ours.outputs(); ++i) {
                std::vector<float> real(static_cast<std::size_t>(ours.output_shape(i).elements()));
                ours.get_output(i, real);
                const float step = ours.output_is_int8(i) ? ours.output_params(i).scale.value : 1e-5F;
                for (const float x : real) {
                    const float theirs_here = at < theirs.size() ? theirs[at] : NAN;
                    const int off = static_cast<int>(std::lrint(std::fabs(x - theirs_here) / step));
                    ++all[i].values, ++at;
                    all[i].equal += off == 0 ? 1 : 0;
                    all[i].worst = std::max(all[i].worst, off);
                }
            }
        }
        EXPECT_EQ(at, theirs.size());
        return all;
    }

    /// Declares what the last node, a softmax, reads as an output too; then compares both.
    void compare_before_softmax(const char* name, quantized_graph int8, const std::vector<float>& samples) const {
        ASSERT_TRUE(std::holds_alternative<op::softmax>(int8.net.nodes().back().what));
        const std::map<std::string, int> kinds = optimized({compiled_once::serialize(int8)})[0];
        int8.net.output(int8.net.nodes().back().inputs[0]);
        const std::vector<agreement> all = compare(int8, samples, run({compiled_once::serialize(int8)}, samples)[0]);
        const agreement& before = all[1];
        std::printf(
            "| ONNX Runtime, %-18s | before the softmax %8.4f %% of %zu bytes equal, at most %d steps apart; "
            "after it %8.4f %% |\n",
            name, before.percent(), before.values, before.worst, all[0].percent());
        std::string left;
        for (const auto& [kind, count] : kinds) left += text(left.empty() ? "" : ", ", count, " ", kind);
        std::printf("| ONNX Runtime, %-18s | runs %s |\n", name, left.c_str());
        EXPECT_GE(before.percent(), 99.9);
        EXPECT_EQ(kinds.count("Conv") + kinds.count("Gemm") + kinds.count("MatMul"), 0U) << left;
    }

    fs::path folder;
};

/// Images of N, H, W, C as N, C, H, W.
std::vector<float> channels_first(const std::vector<float>& images, std::size_t pixels, std::size_t channels) {
    std::vector<float> turned(images.size());
    for (std::size_t i = 0; i < images.size(); ++i) {
        const std::size_t image = i / (pixels * channels), p = i / channels % pixels, c = i % channels;
        turned[(image * channels + c) * pixels + p] = images[i];
    }
    return turned;
}

template <class T>
std::vector<float> reals_of(const std::string& file, std::size_t skip, std::size_t count, float mean, float factor) {
    std::vector<float> all;
    for (const T byte : read_elements<T>(file, skip)) {
        if (all.size() == count) break;
        all.push_back((static_cast<float>(byte) - mean) * factor);
    }
    return all;
}

TEST_F(onnxruntime, demo) {
    constexpr std::size_t image = 24 * 24;
    const std::string data = OCTET_DEMO_DATA;
    const graph model = compiled_once::load(data + "/demo.onnx");
    const auto calibration = reals_of<std::uint8_t>(data + "/calibration_images.npy", 128, 100 * image, 128, 1.0F / 64);
    const auto images = reals_of<std::uint8_t>(data + "/test_images.npy", 128, 1000 * image, 128, 1.0F / 64);
    ASSERT_EQ(calibration.size(), 100 * image);
    compare_before_softmax("demo", quantize(model, {100, calibration}), images);
}

TEST_F(onnxruntime, resnet8) {
    constexpr std::size_t image = 32 * 32 * 3;
    const auto calibration = reals_of<std::uint8_t>(shared_data("cifar10/calib_u8.bin"), 0, 200 * image, 0, 1);
    const auto images = reals_of<std::uint8_t>(shared_data("cifar10/dev_u8.bin"), 0, 200 * image, 0, 1);
    if (images.empty()) GTEST_SKIP() << "no models at " << shared_data("") << ": set OCTET_TEST_DATA to their folder";
    const graph model = compiled_once::load(shared_data("models/resnet8_cifar10_float.onnx"));
    compare_before_softmax("ResNet8", quantize(model, {200, calibration}), channels_first(images, 32 * 32, 3));
}

TEST_F(onnxruntime, keyword_spotting) {
    constexpr std::size_t sound = 49 * 10;
    const auto calibration =
        reals_of<std::int8_t>(shared_data("kws/calib_inputs_i8.bin"), 0, 100 * sound, 83, 0.58470291F);
    const auto sounds = reals_of<std::int8_t>(shared_data("kws/dev_inputs_i8.bin"), 0, 300 * sound, 83, 0.58470291F);
    if (sounds.empty()) GTEST_SKIP() << "no models at " << shared_data("") << ": set OCTET_TEST_DATA to their folder";
    const graph model = compiled_once::load(shared_data("models/kws_dscnn_float_bn.onnx"));
    compare_before_softmax("KWS", quantize(model, {100, calibration}), sounds);
}

TEST_F(onnxruntime, mobilenet_v1) {
    constexpr std::size_t image = 224 * 224 * 3;
    const auto calibration =
        reals_of<std::uint8_t>(shared_data("imagenet/calib_u8.bin"), 0, 20 * image, 127.5F, 1 / 127.5F);
    const auto images = reals_of<std::uint8_t>(shared_data("imagenet/dev_u8.bin"), 0, 100 * image, 127.5F, 1 / 127.5F);
    if (images.empty()) GTEST_SKIP() << "no models at " << shared_data("") << ": set OCTET_TEST_DATA to their folder";
    const graph model = compiled_once::load(shared_data("models/mobilenet_v1_025_224_float.onnx"));
    compare_before_softmax("MobileNetV1-0.25", quantize(model, {20, calibration}),
                           channels_first(images, 224 * 224, 3));
}

/// Every operator by itself, after a convolution: the share of equal bytes, and which kernel ONNX Runtime runs.
TEST_F(onnxruntime, every_operator) {
    const samples seen = operator_samples(50);
    const std::vector<float> images = operator_samples(20, 77).inputs[0];
    std::vector<quantized_graph> networks;
    std::vector<std::string> unsigned_models, signed_models, mixed_models;
    for (const auto& [name, net] : operator_networks()) {
        networks.push_back(quantize(net, seen));
        unsigned_models.push_back(compiled_once::serialize(networks.back()));
        signed_models.push_back(compiled_once::serialize(networks.back(), {onnx::activation_type::int8}));
        mixed_models.push_back(compiled_once::serialize(quantize(net, seen, {.leave_in_float = {"op"}})));
    }
    const auto as_uint8 = run(unsigned_models, images), as_int8 = run(signed_models, images),
               in_float = run(mixed_models, images);
    const auto kinds = optimized(unsigned_models);
    std::size_t i = 0;
    for (const auto& [name, net] : operator_networks()) {
        SCOPED_TRACE(name);
        const agreement u = compare(networks[i], images, as_uint8[i])[0],
                        s = compare(networks[i], images, as_int8[i])[0];
        const agreement real = compare(quantize(net, seen, {.leave_in_float = {"op"}}), images, in_float[i])[0];
        std::string left;
        for (const auto& [kind, count] : kinds[i])
            if (kind != "QLinearConv" && kind != "Transpose" && kind != "QuantizeLinear" && kind != "DequantizeLinear")
                left += " " + kind;
        std::printf("| ONNX Runtime, %-24s | %8.4f %% of %5zu bytes equal, at most %d steps apart; int8 %8.4f %% |%s\n",
                    name.c_str(), u.percent(), u.values, u.worst, s.percent(), left.c_str());
        EXPECT_GE(std::min(u.percent(), s.percent()), 99.0);
        EXPECT_LE(std::max(u.worst, s.worst), 1);
        EXPECT_LE(real.worst, 20) << "steps, or 1e-5";
        ++i;
    }
}

/// A comparison that finds nothing would be worth nothing: one bias changed by one step of the output shows.
TEST_F(onnxruntime, a_difference_is_seen) {
    const quantized_graph net = quantize(operator_networks().at("conv2d, groups"), operator_samples(50));
    const std::vector<float> images = operator_samples(20, 77).inputs[0];
    quantized_graph other = net;
    other.layers[1].bias[0] += static_cast<std::int32_t>(
        other.tensors.back().params.scale.value /
        (other.at(other.net.nodes()[1].inputs[0]).params.scale.value * other.layers[1].scales[0].value));
    const agreement seen = compare(net, images, run({compiled_once::serialize(other)}, images)[0])[0];
    EXPECT_LT(seen.percent(), 90.0);
    EXPECT_EQ(seen.worst, 1);
}

}  // namespace
}  // namespace octet::test
