// Real networks on real data: float outputs equal those that ONNX Runtime gave, and int8 accuracy stays by float's.
// Prints its table. The data are not part of the project: without them the tests skip, and say so.
#include <octet/graph/quantize.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "onnx_compiled_once.hpp"
#include "shared_data.hpp"

namespace {

using namespace octet;

template <class T>
std::vector<T> read(const std::string& file) {
    return test::read_elements<T>(test::shared_data(file));
}

/// (value - mean) / scale of every stored byte.
template <class T>
std::vector<float> read_real(const std::string& file, float mean, float scale) {
    std::vector<float> reals;
    for (const T byte : read<T>(file)) reals.push_back((static_cast<float>(byte) - mean) / scale);
    return reals;
}

template <class T>
std::vector<int> read_labels(const std::string& file) {
    const std::vector<T> bytes = read<T>(file);
    return {bytes.begin(), bytes.end()};
}

struct trial {
    const char* model;
    samples calibration;
    std::vector<float> images;
    std::vector<int> labels;
    std::vector<float> expected;  // the float model's outputs by ONNX Runtime; empty where none were recorded
};

struct outcome {
    int float_correct = 0;
    int int8_correct = 0;
    double worst = 0.0;  // max |a - b| / max |b| over the samples
    double percent(int correct, std::size_t count) const { return 100.0 * correct / static_cast<double>(count); }
};

std::size_t best(const std::vector<float>& scores) {
    return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

/// Where kernels run slowly, few samples look for faults in memory, and accuracy is another build's to hold.
#if defined(OCTET_TEST_FEW_SAMPLES)
constexpr std::size_t few = 4;
#else
constexpr std::size_t few = 1'000'000;
#endif

outcome run(trial t) {
    t.labels.resize(std::min(t.labels.size(), few));
    if (t.calibration.count > few) {
        t.calibration.inputs[0].resize(t.calibration.inputs[0].size() / t.calibration.count * few);
        t.calibration.count = few;
    }
    const graph model = compiled_once::load(test::shared_data(text("models/", t.model)));
    for (const node& n : model.nodes())
        EXPECT_FALSE(std::holds_alternative<op::transpose>(n.what)) << n.name << " is a transpose left in " << t.model;
    const auto begin = std::chrono::steady_clock::now();
    const quantized_graph int8 = quantize(model, t.calibration);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(int8.quantized_layers(), static_cast<int>(int8.net.nodes().size()));

    session<> real(as_float(int8.net)), bytes(int8);
    const auto inputs = static_cast<std::size_t>(real.input_shape(0).elements());
    std::vector<float> wanted(static_cast<std::size_t>(real.output_shape(0).elements())), got(wanted.size());
    outcome all;
    for (std::size_t i = 0; i < t.labels.size(); ++i) {
        const std::span<const float> image(t.images.data() + i * inputs, inputs);
        real(image, wanted);
        bytes(image, got);
        all.float_correct += best(wanted) == static_cast<std::size_t>(t.labels[i]) ? 1 : 0;
        all.int8_correct += best(got) == static_cast<std::size_t>(t.labels[i]) ? 1 : 0;
        if (t.expected.empty()) continue;
        double most = 0.0, off = 0.0;
        for (std::size_t k = 0; k < wanted.size(); ++k) {
            const double b = t.expected[i * wanted.size() + k];
            most = std::max(most, std::fabs(b));
            off = std::max(off, std::fabs(static_cast<double>(wanted[k]) - b));
        }
        all.worst = std::max(all.worst, off / most);
    }
    std::printf(
        "%-36s %2d of %2zu layers int8, calibrated on %3zu in %4.1f s; float %6.2f %%, int8 %6.2f %% of %zu; "
        "float against ONNX Runtime %s%.1e\n",
        t.model, int8.quantized_layers(), int8.net.nodes().size(), t.calibration.count, seconds.count(),
        all.percent(all.float_correct, t.labels.size()), all.percent(all.int8_correct, t.labels.size()),
        t.labels.size(), t.expected.empty() ? "(not recorded) " : "", all.worst);
    EXPECT_LE(all.worst, 1e-3);
    return all;
}

class models : public testing::Test {
  protected:
    void SetUp() override {
        if (read<char>("models/mnist.onnx").empty())
            GTEST_SKIP() << "no models at " << test::shared_data("") << ": set OCTET_TEST_DATA to their folder";
    }
};

TEST_F(models, mnist_stays_within_a_fifth_of_a_point) {
    const outcome got = run({"mnist.onnx",
                             {200, read_real<std::uint8_t>("mnist/calib_u8.bin", 0, 1)},
                             read_real<std::uint8_t>("mnist/dev_u8.bin", 0, 1),
                             read_labels<std::uint8_t>("mnist/dev_labels_u8.bin"),
                             read<float>("mnist/dev_expected_mnist_ort_f32.bin")});
    EXPECT_GE(got.int8_correct, got.float_correct - 6);  // 0.2 % of 3,000
}

TEST_F(models, resnet8_stays_within_half_a_point) {
    const outcome got = run({"resnet8_cifar10_float.onnx",
                             {500, read_real<std::uint8_t>("cifar10/calib_u8.bin", 0, 1)},
                             read_real<std::uint8_t>("cifar10/dev_u8.bin", 0, 1),
                             read_labels<std::uint8_t>("cifar10/dev_labels_u8.bin"),
                             {}});
    EXPECT_GE(got.int8_correct, got.float_correct - 5);  // 0.5 % of 1,000
}

TEST_F(models, keyword_spotting_stays_within_three_samples) {
    const float scale = 1.0F / 0.58470291F;
    const outcome got = run({"kws_dscnn_float_bn.onnx",
                             {100, read_real<std::int8_t>("kws/calib_inputs_i8.bin", 83, scale)},
                             read_real<std::int8_t>("kws/dev_inputs_i8.bin", 83, scale),
                             read_labels<std::uint8_t>("kws/dev_labels_u8.bin"),
                             read<float>("kws/dev_expected_kws_dscnn_float_bn_ort_f32.bin")});
    EXPECT_GE(got.int8_correct, got.float_correct - 3);
}

TEST_F(models, mobilenet_v1_reaches_45_percent) {
    std::vector<int> classes;
    std::ifstream list(test::shared_data("imagenet/dev_classes.txt"));
    for (int c = 0; list >> c;) classes.push_back(c + 1);  // output 0 is the background
    const outcome got = run({"mobilenet_v1_025_224_float.onnx",
                             {51, read_real<std::uint8_t>("imagenet/calib_u8.bin", 127.5F, 127.5F)},
                             read_real<std::uint8_t>("imagenet/dev_u8.bin", 127.5F, 127.5F),
                             classes,
                             read<float>("imagenet/dev_expected_mobilenet_v1_025_224_float_ort_f32.bin")});
    EXPECT_EQ(classes.size(), 200U);
    if (classes.size() > few) return;
    EXPECT_EQ(got.float_correct, 97);  // 48.5 %
    EXPECT_GE(got.int8_correct, 90);   // 45.0 %
}

/// One calibration, and what each observer makes of it: the share of the 200 images that int8 gets right, and how much
/// of the float network's scores (before the softmax) is lost.
TEST_F(models, mobilenet_v1_with_automatic_observers_reaches_46_percent_and_a_half) {
    std::vector<int> classes;
    std::ifstream list(test::shared_data("imagenet/dev_classes.txt"));
    for (int c = 0; list >> c && classes.size() < few;) classes.push_back(c + 1);
    const std::vector<float> images = read_real<std::uint8_t>("imagenet/dev_u8.bin", 127.5F, 127.5F);
    const graph model = compiled_once::load(test::shared_data("models/mobilenet_v1_025_224_float.onnx"));
    samples watched{51, read_real<std::uint8_t>("imagenet/calib_u8.bin", 127.5F, 127.5F)};
    if (watched.count > few)
        watched.inputs[0].resize(watched.inputs[0].size() / watched.count * few), watched.count = few;
    const calibration seen = calibrate(model, watched, {.moving = moving_average{0.9}});

    const auto scores_of = [&](const quantized_graph& net) {
        session<> run(net);
        tensor_id scores = net.net.outputs()[0];
        for (const node& n : net.net.nodes())
            if (std::holds_alternative<op::linear>(n.what) || std::holds_alternative<op::conv2d>(n.what))
                scores = n.output;
        const auto pixels = static_cast<std::size_t>(run.input_shape(0).elements());
        std::vector<std::vector<float>> all(classes.size());
        for (std::size_t i = 0; i < classes.size(); ++i) {
            run.set_input(0, {images.data() + i * pixels, pixels});
            run.run_observed([&]<class T>(tensor_id id, tensor_view<const T> values) {
                for (std::int64_t k = 0; id == scores && k < values.dims.elements(); ++k)
                    if constexpr (std::is_same_v<T, float>)
                        all[i].push_back(values.data[k]);
                    else
                        all[i].push_back(dequantize_value(values.data[k], net.at(id).params));
            });
        }
        return all;
    };
    const auto correct = [&](const std::vector<std::vector<float>>& scores) {
        int sum = 0;
        for (std::size_t i = 0; i < classes.size(); ++i) sum += static_cast<int>(best(scores[i])) == classes[i] ? 1 : 0;
        return sum;
    };
    const auto percent = [&](int count) { return 100.0 * count / static_cast<double>(classes.size()); };
    const std::vector<std::vector<float>> real = scores_of(as_float(quantize(model, seen).net));
    std::printf("| MobileNetV1-0.25, float: %.1f %%\n", percent(correct(real)));
    struct choice {
        const char* name;
        quantize_options how;
    };
    int automatic_correct = 0;
    double automatic_decibel = 0.0, default_decibel = 0.0;
    for (const choice& one :
         std::vector<choice>{{"percentile 99.999", {}},
                             {"percentile 99.999, weights by least error", {.weights = weight_scales::least_error}},
                             {"percentile 99.99", {.activations = percentile{99.99}}},
                             {"min_max", {.activations = min_max{}}},
                             {"moving_average 0.9", {.activations = moving_average{0.9}}},
                             {"mean_squared_error", {.activations = mean_squared_error{}}},
                             {"kl_divergence", {.activations = kl_divergence{}}},
                             {"percentile 99.999, global", {.global = true}},
                             {"automatic", {.activations = automatic{}}}}) {
        const auto begin = std::chrono::steady_clock::now();
        const quantized_graph int8 = quantize(model, seen, one.how);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
        const std::vector<std::vector<float>> got = scores_of(int8);
        double signal = 0.0, noise = 0.0;
        for (std::size_t i = 0; i < real.size(); ++i)
            for (std::size_t k = 0; k < real[i].size(); ++k)
                signal += std::pow(double{real[i][k]}, 2), noise += std::pow(double{real[i][k]} - double{got[i][k]}, 2);
        const double decibel = 10.0 * std::log10(signal / noise);
        std::printf("| MobileNetV1-0.25, %-42s int8 %.1f %%, scores %.1f dB, chosen in %.1f s\n", one.name,
                    percent(correct(got)), decibel, seconds.count());
        if (std::string(one.name) == "percentile 99.999") default_decibel = decibel;
        if (std::string(one.name) == "automatic") automatic_decibel = decibel, automatic_correct = correct(got);
    }
    EXPECT_GT(automatic_decibel, default_decibel + 3.0);
    if (classes.size() != 200U) return;
    EXPECT_EQ(correct(real), 97);      // 48.5 %
    EXPECT_GE(automatic_correct, 93);  // 46.5 %
}

}  // namespace
