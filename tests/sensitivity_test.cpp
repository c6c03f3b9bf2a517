// label: law, threads
// The ranking of sensitivity: a layer that was made to suffer stands first, and every figure is that of a network which
// quantize gives for the same names.
#include <octet/ptq/sensitivity.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"

namespace {

using octet::graph;
using octet::sensitivity_ranking;
using octet::tensor_id;
using octet::test::expect_error;
using octet::test::reals;

constexpr std::size_t features = 12;

/// Four layers; "bad" has one weight of 60 beside weights below 0.5, which per tensor leaves those few levels. Its
/// input 0 is a constant 0 after "first", so that only rounding sees the difference.
graph network() {
    const auto linear = [](unsigned seed) {
        return octet::op::linear{{12, reals(144, seed, -0.5F, 0.5F), reals(12, seed)}};
    };
    octet::op::linear first = linear(1), bad = linear(2);
    std::fill_n(first.weights.values.begin(), features, 0.0F);
    first.weights.bias[0] = 0.0F;
    bad.weights.values[0] = 60.0F;
    graph net;
    tensor_id x = net.input("x", {1, 12});
    x = net.add("first", first, {x}, {.low = 0});
    x = net.add("bad", bad, {x}, {.low = 0});
    x = net.add("third", linear(3), {x}, {.low = 0});
    net.output(net.add("last", linear(4), {x}));
    return net;
}
octet::samples data(std::size_t count = 15) { return {count, reals(count * features, 9)}; }

const octet::quantize_options per_tensor{.weight_granularity = octet::granularity::per_tensor};

double decibel(const octet::quantized_graph& of) {
    const octet::samples all = data();
    octet::session<> real(octet::as_float(of.net)), run(of);
    octet::signal_and_noise left;
    for (std::size_t s = 0; s < all.count; ++s) {
        std::vector<float> f(12), q(12);
        real(all.slice(0, s, 1, features), f), run(all.slice(0, s, 1, features), q);
        for (std::size_t i = 0; i < q.size(); ++i) left.add(f[i], q[i]);
    }
    return left.decibel();
}

bool same(const octet::output_quality& a, const octet::output_quality& b) {
    return a.signal_to_noise == b.signal_to_noise && a.accuracy == b.accuracy;
}
void expect_same(const sensitivity_ranking& a, const sensitivity_ranking& b) {
    ASSERT_EQ(a.layers.size(), b.layers.size());
    EXPECT_TRUE(same(a.all_float, b.all_float) && same(a.all_int8, b.all_int8));
    for (std::size_t i = 0; i < a.layers.size(); ++i) {
        EXPECT_EQ(a.layers[i].name, b.layers[i].name);
        EXPECT_TRUE(same(a.layers[i].alone, b.layers[i].alone) && same(a.layers[i].without, b.layers[i].without));
    }
}

TEST(sensitivity, the_layer_that_suffers_stands_first) {
    const sensitivity_ranking ranking = octet::sensitivity(network(), data(), {.quantize = per_tensor});
    ASSERT_EQ(ranking.layers.size(), 4U);
    EXPECT_EQ(ranking.samples, 15U);
    EXPECT_EQ(ranking.layers[0].name, "bad");
    EXPECT_EQ(ranking.layers[0].operation, "linear");
    EXPECT_LT(ranking.layers[0].alone.signal_to_noise + 10, ranking.layers[1].alone.signal_to_noise);
    EXPECT_GT(ranking.layers[0].without.signal_to_noise, ranking.all_int8.signal_to_noise + 10);
    for (std::size_t i = 1; i < 4; ++i)
        EXPECT_LE(ranking.layers[i - 1].alone.signal_to_noise, ranking.layers[i].alone.signal_to_noise);
    EXPECT_EQ(ranking.all_float.signal_to_noise, std::numeric_limits<double>::infinity());
    EXPECT_FALSE(ranking.all_int8.accuracy.has_value());
}

TEST(sensitivity, every_figure_is_that_of_quantize_with_the_same_names) {
    for (octet::quantize_options how : {per_tensor, octet::quantize_options{.activations = octet::automatic{}},
                                        octet::quantize_options{.global = true}}) {
        const sensitivity_ranking ranking = octet::sensitivity(network(), data(), {.quantize = how});
        const auto measured = [&](std::vector<std::string> in_float) {
            how.leave_in_float = std::move(in_float);
            return decibel(octet::quantize(network(), data(), how));
        };
        EXPECT_EQ(ranking.all_int8.signal_to_noise, measured({}));
        for (const octet::layer_sensitivity& layer : ranking.layers) {
            EXPECT_EQ(layer.without.signal_to_noise, measured({layer.name})) << layer.name;
            std::vector<std::string> others{"first", "bad", "third", "last"};
            std::erase(others, layer.name);
            EXPECT_EQ(layer.alone.signal_to_noise, measured(others)) << layer.name;
        }
        EXPECT_EQ(measured(octet::worst(ranking, 1)), ranking.layers[0].without.signal_to_noise);
    }
    const sensitivity_ranking ranking = octet::sensitivity(network(), data(), {.quantize = per_tensor});
    EXPECT_EQ(octet::worst(ranking, 1), std::vector<std::string>{"bad"});
    EXPECT_EQ(octet::worst(ranking, 0).size(), 0U);
    EXPECT_EQ(octet::worst(ranking, 9).size(), 4U);
}

TEST(sensitivity, threads_and_instruction_sets_change_nothing) {
    const octet::samples some = data(5);
    const sensitivity_ranking reference =
        octet::sensitivity(network(), some, {.quantize = per_tensor, .target = octet::isa::scalar});
    for (const octet::isa which : octet::supported_isas())
        expect_same(octet::sensitivity(network(), some, {.quantize = per_tensor, .target = which}), reference);
    expect_same(octet::sensitivity(network(), some, {.quantize = per_tensor, .threads = octet::test::reverse_hook()}),
                reference);
    expect_same(octet::sensitivity(network(), some, {.quantize = per_tensor, .threads = octet::test::thread_hook()}),
                reference);
}

TEST(sensitivity, accuracy_is_the_share_of_labels_found) {
    const octet::samples all = data();
    octet::session<> real(octet::as_float(network()));
    std::vector<int> labels;
    for (std::size_t s = 0; s < all.count; ++s) {
        std::vector<float> scores(12);
        real(all.slice(0, s, 1, features), scores);
        labels.push_back(static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin()));
    }
    labels[0] = (labels[0] + 1) % 12;
    const sensitivity_ranking ranking = octet::sensitivity(network(), all, {.labels = labels});
    EXPECT_EQ(ranking.all_float.accuracy, 14.0 / 15);
    for (const octet::layer_sensitivity& layer : ranking.layers)
        EXPECT_TRUE(layer.alone.accuracy >= 0.5 && layer.without.accuracy >= 0.5) << layer.name;
    labels[3] = 12;
    expect_error([&] { octet::sensitivity(network(), all, {.labels = labels}); }, "label 3 is 12", "0 to 11");
    labels.pop_back();
    expect_error([&] { octet::sensitivity(network(), all, {.labels = labels}); }, "14 labels for 15 samples");
}

TEST(sensitivity, progress_reaches_its_end) {
    struct told {
        std::size_t calls = 0, last = 0, most = 0;
        octet::progress hook() {
            return {this, [](void* self, std::size_t done, std::size_t all) noexcept {
                        auto& own = *static_cast<told*>(self);
                        ++own.calls, own.last = done, own.most = all;
                    }};
        }
    } runs, calibrated;
    octet::sensitivity(network(), data(3),
                       {.quantize = {.calibration = {.progress = calibrated.hook()}}, .progress = runs.hook()});
    EXPECT_EQ(runs.calls, 3U * (2 * 4 + 2));
    EXPECT_EQ(runs.last, runs.calls);
    EXPECT_EQ(runs.most, runs.calls);
    EXPECT_EQ(calibrated.calls, 3U) << "calibrated once";
}

TEST(sensitivity, ranks_what_would_be_int8) {
    const auto names = [](const sensitivity_ranking& of) {
        std::vector<std::string> all = octet::worst(of, of.layers.size());
        std::sort(all.begin(), all.end());
        return all;
    };
    EXPECT_EQ(names(octet::sensitivity(network(), data(2), {.quantize = {.leave_in_float = {"bad", "last"}}})),
              (std::vector<std::string>{"first", "third"}));

    graph one;  // nothing is left in int8 without its only layer
    one.output(one.add("only", octet::op::linear{{2, {1, 2, 3, 4}, {0, 0}}}, {one.input("x", {1, 2})}));
    const sensitivity_ranking alone = octet::sensitivity(one, {2, {1, 2, 3, 5}});
    EXPECT_EQ(alone.layers[0].alone.signal_to_noise, alone.all_int8.signal_to_noise);
    EXPECT_EQ(alone.layers[0].without.signal_to_noise, std::numeric_limits<double>::infinity());

    graph twins;  // two layers of one name are left in float together, and ranked together
    tensor_id x = twins.input("x", {1, 2});
    x = twins.add("same", octet::op::linear{{2, {1, 2, 3, 4}, {0, 0}}}, {x});
    twins.output(twins.add("same", octet::op::linear{{2, {4, 3, 2, 1}, {0, 0}}}, {x}));
    EXPECT_EQ(octet::sensitivity(twins, {2, {1, 2, 3, 5}}).layers.size(), 1U);
}

TEST(sensitivity, refuses_what_cannot_be_measured) {
    expect_error([] { octet::sensitivity(network(), {0, std::vector<float>{}}); }, "no samples");
    expect_error(
        [] { octet::sensitivity(network(), data(), {.quantize = {.rounding = octet::rounding_policy::tflite}}); },
        "tflite", "nearest_even");
    expect_error([] { octet::sensitivity(network(), data(), {.quantize = {.leave_in_float = {"none"}}}); }, "'none'");
}

}  // namespace
