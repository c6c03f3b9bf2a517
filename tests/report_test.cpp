// label: law
// The report says what really happened: against sums formed here, on graphs whose losses are known beforehand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <octet/graph/quantize.hpp>
#include <octet/report/text.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"

namespace {

using octet::activation_range;
using octet::graph;
using octet::samples;
using octet::tensor_id;

std::vector<float> wave(std::size_t count, unsigned step, float size) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = size * (static_cast<float>(i * step % 101) / 50.0F - 1.0F);
    return values;
}

octet::op::conv2d conv(int outputs, int inputs, int size, unsigned step) {
    const auto count = static_cast<std::size_t>(outputs * inputs * size * size);
    const int pad = size / 2;
    return {{outputs, wave(count, step, 0.2F), wave(static_cast<std::size_t>(outputs), 7, 0.1F)},
            {.kernel = {size, size}, .pad = {pad, pad, pad, pad}}};
}

/// A residual block, a concatenation, a pool and a classifier.
graph small_network() {
    graph net;
    tensor_id x = net.input("image", {1, 6, 6, 4});
    const tensor_id a = net.add("first", conv(8, 4, 3, 37), {x}, {.low = 0});
    const tensor_id b = net.add("second", conv(8, 8, 3, 29), {a});
    x = net.add("sum", octet::op::add{}, {b, a}, {.low = 0});
    const tensor_id c = net.add("left", conv(4, 8, 1, 31), {x});
    const tensor_id d = net.add("right", conv(4, 8, 3, 23), {x});
    x = net.add("join", octet::op::concat{3}, {c, d});
    x = net.add("pool", octet::op::pool2d{octet::pool_kind::max, {.kernel = {2, 2}, .stride = {2, 2}}}, {x});
    x = net.add("flat", octet::op::reshape{{1, 72}}, {x});
    x = net.add("scores", octet::op::linear{{5, wave(5 * 72, 41, 0.3F), wave(5, 3, 0.2F)}}, {x});
    net.output(x);
    return net;
}
constexpr std::size_t small_elements = 6 * 6 * 4;
samples small_samples(std::size_t count) { return {count, wave(count * small_elements, 17, 1.0F)}; }

const octet::layer_report& layer(const octet::quantization_report& of, const std::string& name) {
    for (const octet::layer_report& one : of.layers)
        if (one.name == name) return one;
    ADD_FAILURE() << "no layer is called " << name;
    return of.layers.front();
}

/// y = x, for one value a sample.
graph identity(activation_range activation = {}) {
    graph net;
    net.output(net.add("identity", octet::op::linear{{1, {1.0F}, {0.0F}}}, {net.input("x", {1, 1})}, activation));
    return net;
}

TEST(report, snr_of_the_last_layer_is_that_of_the_outputs) {
    const graph net = small_network();
    const samples data = small_samples(9);
    const octet::quantized_graph int8 = octet::quantize(net, data);
    octet::session<> real(octet::as_float(int8.net)), quantized(int8);
    double signal = 0, noise = 0;
    for (std::size_t s = 0; s < data.count; ++s) {
        std::vector<float> f(5), q(5);
        real(data.slice(0, s, 1, small_elements), f);
        quantized(data.slice(0, s, 1, small_elements), q);
        for (std::size_t i = 0; i < 5; ++i) {
            signal += double{f[i]} * double{f[i]};
            noise += (double{f[i]} - double{q[i]}) * (double{f[i]} - double{q[i]});
        }
    }
    ASSERT_GT(noise, 0.0);
    const double expected = 10.0 * std::log10(signal / noise);
    const auto all = octet::report(net, int8, data);
    EXPECT_NEAR(layer(all, "scores").signal_to_noise, expected, 1e-9);
    EXPECT_GT(expected, 20.0);
    EXPECT_EQ(all.samples, 9U);
}

TEST(report, every_layer_stands_in_it_with_its_kernel) {
    const graph net = small_network();
    const samples data = small_samples(4);
    const auto all = octet::report(net, octet::quantize(net, data), data);
    ASSERT_EQ(all.layers.size(), 9U);
    EXPECT_EQ(all.quantized_layers, 9U);
    EXPECT_EQ(all.conversions, 0U);
    EXPECT_EQ(layer(all, "sum").operation, "add");
    EXPECT_TRUE(layer(all, "sum").target.has_value()) << "the add is measured apart from its convolution";
    EXPECT_FALSE(layer(all, "flat").target.has_value());
    EXPECT_EQ(layer(all, "flat").kernel, "view");
    EXPECT_EQ(layer(all, "flat").signal_to_noise, layer(all, "pool").signal_to_noise);
    for (const octet::layer_report& one : all.layers) {
        EXPECT_TRUE(one.is_int8 && one.reason.empty()) << one.name;
        EXPECT_TRUE(std::isfinite(one.signal_to_noise) && one.signal_to_noise > 15.0) << one.name;
        EXPECT_LT(one.observed.min, one.observed.max) << one.name;
    }
    // Its parts stand in it, so what they lost together is what it lost.
    const double join = layer(all, "join").signal_to_noise;
    const auto [worse, better] = std::minmax(layer(all, "left").signal_to_noise, layer(all, "right").signal_to_noise);
    EXPECT_TRUE(worse <= join && join <= better);
}

TEST(report, float_layers_say_why) {
    const graph net = small_network();
    const samples data = small_samples(4);
    const octet::quantized_graph int8 = octet::quantize(net, data, {.leave_in_float = {"second", "pool"}});
    const auto all = octet::report(net, int8, data);
    EXPECT_EQ(all.quantized_layers, 7U);
    EXPECT_FALSE(layer(all, "second").is_int8);
    EXPECT_EQ(layer(all, "second").reason, "left in float as asked");
    EXPECT_GT(all.conversions, 0U);
    const std::string words = octet::to_text(all);
    EXPECT_NE(words.find("7 of 9 layers in int8"), std::string::npos) << words;
    EXPECT_NE(words.find("in float: conv2d 'second': left in float as asked"), std::string::npos) << words;
}

TEST(report, every_isa_measures_the_same) {
    const graph net = small_network();
    const samples data = small_samples(5);
    const octet::quantized_graph int8 = octet::quantize(net, data);
    const auto reference = octet::report(net, int8, data, {.target = octet::isa::scalar});
    for (const octet::isa which : octet::supported_isas()) {
        const auto all = octet::report(net, int8, data, {.target = which});
        EXPECT_EQ(layer(all, "first").target, octet::choose_gemm<octet::nearest_even>(which).target);
        for (std::size_t i = 0; i < all.layers.size(); ++i) {
            EXPECT_EQ(all.layers[i].signal_to_noise, reference.layers[i].signal_to_noise) << all.layers[i].name;
            EXPECT_EQ(all.layers[i].saturated, reference.layers[i].saturated) << all.layers[i].name;
        }
    }
}

TEST(report, what_loses_nothing_is_exact) {
    // The steps of [-1, 127/128] are 1/128, and every value is a whole number of them.
    const std::vector<float> values{-1.0F, -0.5F, 0.0F, 0.25F, 1.0F - 1.0F / 128};
    graph net;
    net.output(net.add("flat", octet::op::reshape{{1, 1, 5}}, {net.input("x", {1, 5})}));
    const samples data(1, values);
    const auto all = octet::report(net, octet::quantize(net, data), data);
    EXPECT_EQ(all.layers[0].params.scale.value, 1.0F / 128);
    EXPECT_EQ(all.layers[0].signal_to_noise, std::numeric_limits<double>::infinity());
    EXPECT_EQ(all.layers[0].saturated, 0.0);
    EXPECT_NE(octet::to_text(all).find("exact"), std::string::npos);
}

TEST(report, saturated_counts_what_the_range_cut_off) {
    const samples calibration(2, std::vector<float>{-1.0F, 1.0F});
    const samples data(8, std::vector<float>{-4.0F, 4.0F, 8.0F, 0.5F, -0.5F, 0.0F, 1.0F, -1.0F});
    const graph net = identity();
    const octet::quantized_graph int8 = octet::quantize(net, calibration);
    EXPECT_EQ(octet::report(net, int8, data).layers[0].saturated, 3.0 / 8);
    EXPECT_EQ(octet::report(net, int8, calibration).layers[0].saturated, 0.0) << "the ends themselves are not cut";
    EXPECT_EQ(octet::report(net, int8, data, {.most_samples = 2}).layers[0].saturated, 1.0);

    // A fused ReLU brings -4 to 0 in the float network too: nothing was cut off there.
    const graph clipped = identity({.low = 0});
    EXPECT_EQ(octet::report(clipped, octet::quantize(clipped, calibration), data).layers[0].saturated, 2.0 / 8);
}

TEST(report, sizes_are_the_sums_of_their_parts) {
    graph net;
    tensor_id x = net.input("image", {1, 4, 4, 2});
    x = net.add("conv", conv(3, 2, 3, 37), {x});
    x = net.add("scaled", octet::op::batch_norm{{1, 2, 3}, {0, 1, 0}}, {x});
    x = net.add("shifted", octet::op::add{}, {x, net.constant("map", {1, 4, 4, 3}, wave(48, 5, 1.0F))});
    net.output(x);
    const samples data(3, wave(3 * 32, 17, 1.0F));
    const octet::quantized_graph int8 = octet::quantize(net, data);
    const auto all = octet::report(net, int8, data);
    EXPECT_EQ(all.model_nodes, 3U);
    ASSERT_EQ(all.layers.size(), 2U) << "the batch normalization is folded";
    EXPECT_EQ(all.float_weight_bytes, 4U * (54 + 3 + 48));
    EXPECT_EQ(all.int8_weight_bytes, 54U + 4 * 3 + 4 * 3 + 48);
    EXPECT_EQ(all.float_arena_bytes, octet::session<>(octet::as_float(int8.net)).plan().total_bytes());
    EXPECT_EQ(all.int8_arena_bytes, octet::session<>(int8).plan().total_bytes());
}

TEST(report, refuses_what_does_not_belong_together) {
    const graph net = small_network();
    const octet::quantized_graph int8 = octet::quantize(net, small_samples(2));
    const auto refused = [&](const graph& model, const char* why) {
        octet::test::expect_error([&] { octet::report(model, int8, small_samples(2)); }, why,
                                  "needs the model that was quantized");
    };
    refused(identity(), "input 0 is 1x1 in the model and 1x6x6x4 in the int8 network");
    graph more = small_network();
    more.input("more", {1, 1});
    refused(more, "the model has 2 inputs and the int8 network 1");
    graph less;  // without the pool: its operands are there, no result of its shape is
    less.output(less.add("first", conv(8, 4, 3, 37), {less.input("image", {1, 6, 6, 4})}, {.low = 0}));
    refused(less, "conv2d 'second' of the int8 network has no counterpart among the model's 1 nodes after folding");
    const auto wired = [](bool in_a_row) {  // names and shapes are the same
        graph one;
        const tensor_id x = one.input("image", {1, 6, 6, 4}), a = one.add("a", conv(4, 4, 1, 31), {x});
        one.output(one.add("b", conv(4, 4, 1, 23), {in_a_row ? a : x}));
        one.output(a);
        return one;
    };
    octet::test::expect_error(
        [&] { octet::report(wired(true), octet::quantize(wired(false), small_samples(2)), small_samples(2)); },
        "conv2d 'b' of the int8 network has no counterpart", "these operands");
    EXPECT_THROW(octet::report(net, int8, samples(0, std::vector<float>{})), octet::error);
    EXPECT_THROW(octet::report(net, int8, samples(2, wave(small_elements, 3, 1.0F))), octet::error);
    EXPECT_THROW(octet::report<octet::tflite>(net, int8, small_samples(2)), octet::error);
}

/// Two branches of one shape, made in either order, and with another number of tensors before them.
graph branches(bool swapped, bool folded) {
    graph net;
    tensor_id x = net.input("image", {1, 6, 6, 4});
    x = net.add("first", conv(8, 4, 3, 37), {x});
    if (!folded) x = net.add("norm", octet::op::batch_norm{wave(8, 0, -1.0F), wave(8, 50, 0.0F)}, {x});
    x = net.add("relu", octet::op::clip{{.low = 0}}, {x});
    tensor_id a = 0, b = 0;
    for (const bool second : {swapped, !swapped})
        (second ? b : a) = net.add(second ? "b" : "a", conv(4, 8, 1, second ? 23 : 31), {x});
    net.output(net.add("join", octet::op::concat{3}, {a, b}));
    return net;
}

TEST(report, layers_are_found_whatever_their_order_and_names) {
    const samples data = small_samples(4);
    const octet::quantized_graph int8 = octet::quantize(branches(false, true), data);
    const octet::quantization_report expected = octet::report(branches(false, true), int8, data);
    for (const bool swapped : {false, true})
        for (const bool folded : {false, true}) {
            const octet::quantization_report all = octet::report(branches(swapped, folded), int8, data);
            ASSERT_EQ(all.layers.size(), expected.layers.size());
            for (std::size_t i = 0; i < all.layers.size(); ++i) {
                EXPECT_EQ(all.layers[i].signal_to_noise, expected.layers[i].signal_to_noise) << all.layers[i].name;
                EXPECT_EQ(all.layers[i].float_weight_bytes, expected.layers[i].float_weight_bytes);
            }
        }
    EXPECT_NE(layer(expected, "a").signal_to_noise, layer(expected, "b").signal_to_noise);

    octet::quantized_graph renamed = int8;  // then order tells the branches apart
    for (std::size_t t = 0; t < renamed.tensors.size(); ++t)
        renamed.net.rename(static_cast<tensor_id>(t), octet::text("t", t));
    EXPECT_EQ(octet::report(branches(false, false), renamed, data).layers[2].signal_to_noise,
              expected.layers[2].signal_to_noise);
    const auto own = octet::report(int8.net, int8, data, {.timed_runs = 1});
    EXPECT_EQ(own.layers.back().signal_to_noise, expected.layers.back().signal_to_noise);
    EXPECT_GT(own.layers[1].float_microseconds, 0.0);
}

/// How many warnings hold all of `parts`.
template <class... Parts>
int warned(const octet::quantization_report& of, const Parts&... parts) {
    int count = 0;
    for (const std::string& warning : of.warnings) count += (... && (warning.find(parts) != std::string::npos)) ? 1 : 0;
    return count;
}

TEST(report, warns_of_saturation_above_a_hundredth) {
    const samples calibration(2, std::vector<float>{-1.0F, 1.0F});
    const octet::quantized_graph int8 = octet::quantize(identity(), calibration);
    std::vector<float> values(200, 0.5F);
    values[7] = 9, values[8] = -9;
    EXPECT_EQ(warned(octet::report(identity(), int8, {200, values}), "beyond the range"), 0) << "2 of 200: 1 %";
    values[9] = 7;
    const auto all = octet::report(identity(), int8, {200, values});
    EXPECT_EQ(warned(all, "linear 'identity': 1.5 % of its values lie beyond the range [-1, 1]", "percentile"), 1);
    EXPECT_EQ(warned(all, "input 'x': 1.5 %"), 1);
    const std::string words = octet::to_text(all);
    EXPECT_EQ(words.find("warning: input 'x': 1.5 %"), 0U) << "warnings come first: " << words;

    // A range that the operation itself fixes: no calibration helps the values above 255/256.
    graph net;
    net.output(net.add("logistic", octet::op::lookup{}, {net.input("x", {1, 1})}));
    const samples large(2, std::vector<float>{-20.0F, 20.0F});
    const auto fixed = octet::report(net, octet::quantize(net, large), large);
    EXPECT_EQ(fixed.layers[0].saturated, 0.0);
    EXPECT_EQ(warned(fixed, "beyond the range"), 0);
    // A model may bring a narrower one, which does cut.
    octet::quantized_graph narrow = octet::quantize(net, large);
    octet::quantized_tensor& output = narrow.tensors[1];
    output.params.scale = octet::scale(1.0F / 512);
    output.observed = {0.0F, 255.0F / 512};
    const auto cut = octet::report(net, narrow, large);
    EXPECT_EQ(cut.layers[0].saturated, 0.5);
    EXPECT_EQ(warned(cut, "logistic 'logistic': 50 % of its values lie beyond the range"), 1);
}

/// Two 1x1 convolutions of one input, joined; the second multiplies by `factor`.
graph join_of(float factor) {
    graph net;
    const tensor_id x = net.input("x", {1, 2, 2, 2});
    const std::vector<float> same{1, 0, 0, 1}, scaled{factor, 0, 0, factor};
    const tensor_id a = net.add("a", octet::op::conv2d{{2, same, {0, 0}}}, {x});
    const tensor_id b = net.add("b", octet::op::conv2d{{2, scaled, {0, 0}}}, {x});
    net.output(net.add("join", octet::op::concat{3}, {a, b}));
    return net;
}

TEST(report, warns_of_a_concatenation_whose_inputs_differ_by_more_than_4_times) {
    const samples data(3, wave(24, 17, 1.0F));
    const auto report = [&](float factor, const octet::quantize_options& how = {}) {
        return octet::report(join_of(factor), octet::quantize(join_of(factor), data, how), data);
    };
    EXPECT_EQ(warned(report(4.5F), "concat 'join'", "'b'", "'a'", "less than 1/4"), 1);
    EXPECT_EQ(warned(report(0.2F), "concat 'join'", "'b'", "'a'", "less than 1/4"), 1);
    EXPECT_EQ(warned(report(3.5F), "concat"), 0);
    EXPECT_EQ(warned(report(4.5F, {.leave_in_float = {"join"}}), "concat"), 0);
}

/// Four channels, each the input times its factor.
graph channels_of(std::vector<float> factors, activation_range activation = {}) {
    graph net;
    net.output(net.add("layer", octet::op::linear{{4, std::move(factors), {0, 0, 0, 0}}}, {net.input("x", {1, 1})},
                       activation));
    return net;
}

TEST(report, warns_of_channels_that_do_nothing_or_get_few_levels) {
    const samples data(5, std::vector<float>{0.5F, 1.0F, 0.25F, 0.75F, 0.875F});
    const auto report = [&](const graph& net, octet::granularity weights = octet::granularity::per_channel) {
        return octet::report(net, octet::quantize(net, data, {.weight_granularity = weights}), data);
    };
    const auto healthy = report(channels_of({1, -0.5F, 0.02F, 0.9F}));
    EXPECT_TRUE(healthy.warnings.empty()) << healthy.warnings.front();

    const auto dead = report(channels_of({1, 0, 2, 1e-7F}));
    EXPECT_EQ(warned(dead, "linear 'layer': 2 of 4 output channels (1, 3) are dead"), 1);
    EXPECT_EQ(dead.warnings.size(), 1U);

    const auto silent = report(channels_of({1, -1, -2, 1}, {.low = 0}));
    EXPECT_EQ(warned(silent, "linear 'layer': 2 of 4 output channels (1, 2) are 0 for every sample"), 1);
    EXPECT_EQ(silent.warnings.size(), 1U);

    const graph uneven = channels_of({1, 0.009F, 0.5F, 0.011F});
    EXPECT_EQ(warned(report(uneven), "the values of 1 of 4 output channels (1) reach less than 1/100"), 1);
    EXPECT_EQ(warned(report(uneven), "the weights of"), 0) << "each has its own scale";
    EXPECT_EQ(warned(report(uneven, octet::granularity::per_tensor), "the weights of 1 of 4 output channels (1)",
                     "quantize weights per channel"),
              1);
    const octet::quantized_graph in_float =
        octet::quantize(small_network(), small_samples(2), {.leave_in_float = {"first"}});
    EXPECT_EQ(warned(octet::report(small_network(), in_float, small_samples(2)), "'first'", "levels"), 0);
}

TEST(report, the_healthy_network_has_no_warnings) {
    const samples data = small_samples(9);
    const auto all = octet::report(small_network(), octet::quantize(small_network(), data), data);
    EXPECT_TRUE(all.warnings.empty()) << all.warnings.front();
}

TEST(report, histograms_hold_every_value_between_the_extremes) {
    const graph net = small_network();
    const samples data = small_samples(5);
    const auto all = octet::report(net, octet::quantize(net, data), data);
    const auto sum = [](const octet::layer_report& of) {
        std::uint64_t values = 0;
        for (const std::uint64_t count : of.seen.bars) values += count;
        return values;
    };
    EXPECT_EQ(sum(layer(all, "first")), 5U * 6 * 6 * 8);
    EXPECT_EQ(sum(layer(all, "join")), 5U * 6 * 6 * 8) << "a view holds what its parts hold";
    EXPECT_EQ(sum(layer(all, "scores")), 5U * 5);
    ASSERT_EQ(all.inputs.size(), 1U);
    EXPECT_EQ(all.inputs[0].name, "image");
    EXPECT_EQ(sum(all.inputs[0]), 5U * small_elements);
    EXPECT_EQ(all.inputs[0].seen.all, (octet::range{-1, 1}));
    EXPECT_EQ(layer(all, "first").seen.all.min, 0.0F);
    EXPECT_GT(layer(all, "first").seen.all.max, 0.0F);

    // 64 bars over [-1, 1]: 1 stands in the last, and values a quarter apart in bars 8 apart.
    const samples known(6, std::vector<float>{-1.0F, -0.7421875F, 0.0078125F, 0.2578125F, 1.0F, 1.0F});
    const auto bars = octet::report(identity(), octet::quantize(identity(), known), known).layers[0].seen.bars;
    ASSERT_EQ(bars.size(), 64U);
    for (const std::size_t at : {0U, 8U, 32U, 40U}) EXPECT_EQ(bars[at], 1U) << at;
    EXPECT_EQ(bars[63], 2U);
    const samples same(3, std::vector<float>{2, 2, 2});
    EXPECT_EQ(octet::report(identity(), octet::quantize(identity(), same), same).layers[0].seen.bars[0], 3U);
}

TEST(report, layers_have_their_sizes_and_if_asked_their_times) {
    const graph net = small_network();
    const samples data = small_samples(2);
    const octet::quantized_graph int8 = octet::quantize(net, data);
    const auto untimed = octet::report(net, int8, data), timed = octet::report(net, int8, data, {.timed_runs = 3});
    EXPECT_EQ(layer(untimed, "first").float_weight_bytes, 4U * (8 * 36 + 8));
    EXPECT_EQ(layer(untimed, "first").int8_weight_bytes, 8U * 36 + 4 * 8 + 4 * 8);
    EXPECT_EQ(layer(untimed, "pool").float_weight_bytes, 0U);
    std::size_t bytes = 0;
    for (const octet::layer_report& one : untimed.layers) {
        EXPECT_EQ(one.int8_microseconds, 0.0) << one.name;
        EXPECT_EQ(one.float_microseconds, 0.0) << one.name;
        bytes += one.int8_weight_bytes;
    }
    EXPECT_EQ(bytes, untimed.int8_weight_bytes);
    EXPECT_EQ(untimed.timed_runs, 0U);
    EXPECT_EQ(timed.timed_runs, 3U);
    // What a clock says is no test's business but this: it has been read for whatever runs, and for nothing else.
    for (const char* name : {"first", "left", "right", "pool", "scores"}) {
        EXPECT_GT(layer(timed, name).int8_microseconds, 0.0) << name;
        EXPECT_GT(layer(timed, name).float_microseconds, 0.0) << name;
    }
    EXPECT_EQ(layer(timed, "flat").int8_microseconds, 0.0) << "a view";
    EXPECT_EQ(layer(timed, "sum").int8_microseconds, 0.0) << "it runs inside the convolution before it";
    EXPECT_GT(layer(timed, "sum").float_microseconds, 0.0);
    EXPECT_EQ(octet::to_text(untimed).find("int8 us"), std::string::npos);
    EXPECT_NE(octet::to_text(timed).find("int8 us"), std::string::npos);
}

TEST(report, text_is_a_table_of_at_most_140_columns) {
    graph net;
    tensor_id x = net.input("image", {1, 6, 6, 4});
    const std::string name = "a/very/long/name/as/exporters/like/to/write/block_17/Conv2D_3\x1b[31m\n";
    x = net.add(name, conv(4, 4, 3, 37), {x});
    x = net.add("average", octet::op::global_average_pool{}, {x});
    net.output(net.add("probabilities", octet::op::softmax{}, {x}));
    std::vector<float> values = wave(4 * small_elements, 17, 1.23456e-9F);
    const samples data(4, values);
    const auto all = octet::report(net, octet::quantize(net, data), data);
    std::ostringstream printed;
    printed << all;
    EXPECT_EQ(printed.str(), octet::to_text(all));

    std::istringstream lines(octet::table_text(all));
    std::size_t width = 0, count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        EXPECT_LE(line.size(), 140U) << line;
        if (count == 0) width = line.size();
        EXPECT_EQ(line.size(), width) << line;
        for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << line;
    }
    EXPECT_EQ(count, 4U);
    EXPECT_NE(octet::table_text(all).find("17/Conv2D_3?[31m?"), std::string::npos);
}

}  // namespace
