// label: threads
// Calibrations as data: the same however they were made, added up from parts, as bytes and back, damaged; what quantize
// makes of them; one range for a whole network; and the scales of weights that calibration chooses.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"
#include "octet/io/calibration.hpp"

namespace {

namespace op = octet::op;
using namespace octet;
using octet::test::expect_error;
using octet::test::reals;

constexpr std::size_t image_size = 6 * 5 * 2;
constexpr activation_range relu{0.0F, std::numeric_limits<float>::infinity()};

layer_weights weights(int outputs, int inner, unsigned seed) {
    return {outputs, reals(static_cast<std::size_t>(outputs * inner), seed),
            reals(static_cast<std::size_t>(outputs), seed + 1)};
}
/// Views, a concatenation, a fixed range, batch normalization that folds.
graph network(unsigned seed = 1) {
    graph net;
    const tensor_id image = net.input("image", {1, 6, 5, 2});
    tensor_id x = net.add("conv", op::conv2d{weights(4, 18, seed), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}}, {image});
    x = net.add("norm", op::batch_norm{reals(4, 2, 0.5F, 1.5F), reals(4, 3)}, {x});
    x = net.add("relu", op::clip{relu}, {x});
    x = net.add("dw", op::conv2d{weights(4, 9, 4), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 4}, {x});
    x = net.add("joined", op::concat{3}, {image, x});
    x = net.add("flat", op::reshape{{1, 180}}, {x});
    x = net.add("fc", op::linear{weights(5, 180, 6)}, {x});
    net.output(net.add("p", op::softmax{}, {x}));
    return net;
}
std::vector<float> values(std::size_t count) { return reals(count * image_size, 20, -1.0F, 1.5F); }
samples images(std::size_t count) { return {count, values(count)}; }
samples part(std::size_t first, std::size_t end) {
    const std::vector<float> all = values(end);
    return {end - first, std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(first * image_size), all.end())};
}
std::vector<activation_observer> all_observers() {
    return {percentile{99.0}, min_max{}, mean_squared_error{}, kl_divergence{}, automatic{}};
}

void expect_same(const quantized_graph& a, const quantized_graph& b) {
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (std::size_t t = 0; t < a.tensors.size(); ++t) {
        EXPECT_EQ(a.tensors[t].params, b.tensors[t].params) << a.net.tensors()[t].name;
        EXPECT_EQ(a.tensors[t].observed, b.tensors[t].observed) << a.net.tensors()[t].name;
    }
    for (std::size_t i = 0; i < a.layers.size(); ++i) {
        EXPECT_EQ(a.layers[i].values, b.layers[i].values);
        EXPECT_EQ(a.layers[i].scales, b.layers[i].scales);
        EXPECT_EQ(a.layers[i].bias, b.layers[i].bias);
    }
    EXPECT_EQ(a.warnings, b.warnings);
}

TEST(calibration, order_batch_threads_isa_and_parts_cannot_show) {
    const calibration whole = calibrate(network(), images(6), {.target = isa::scalar});
    EXPECT_EQ(whole.samples, 6U);
    for (const isa which : supported_isas())
        for (const int batch : {1, 4}) {
            EXPECT_TRUE(whole == calibrate(network(), images(6), {.batch = batch, .target = which}));
            for (const parallel& threads : {test::reverse_hook(), test::thread_hook()})
                EXPECT_TRUE(whole == calibrate(network(), images(6), {batch, threads, which}));
        }
    calibration parts = calibrate(network(), part(4, 6), {.batch = 2});
    parts.merge(calibrate(network(), part(0, 1)));
    parts.merge(calibrate(network(), part(1, 4)));
    EXPECT_TRUE(whole == parts);
}

TEST(calibration, quantizes_as_its_samples_do) {
    const calibration seen = calibrate(network(), images(6));
    const calibration read = calibration_from_bytes(to_bytes(seen));
    int turn = 0;
    for (const activation_observer& how : all_observers()) {
        const scheme grid = ++turn % 2 == 0 ? scheme::asymmetric : scheme::symmetric;
        const quantize_options options{.activations = how, .activation_scheme = grid, .leave_in_float = {"dw"}};
        const quantized_graph of_samples = quantize(network(), images(6), options);
        expect_same(of_samples, quantize(network(), seen, options));
        expect_same(of_samples, quantize(network(), read, options));
    }
    EXPECT_EQ(quantize(network(), calibrate(network(), images(1))).warnings.size(), 1U);
}

TEST(calibration, of_another_network_is_refused) {
    const calibration seen = calibrate(network(), images(2));
    expect_error([&] { quantize(network(2), seen); }, "another network");
    graph clipped = network();
    for (node& step : clipped.edit())
        if (auto* clip = std::get_if<op::clip>(&step.what)) clip->range.high = 6.0F;
    expect_error([&] { quantize(clipped, seen); }, "another network");
    expect_error([&] { quantize(network(), calibration{}); }, "another network", "watched 0 tensors",
                 "calibrate this model");
    calibration empty = seen;
    empty.samples = 0;
    expect_error([&] { quantize(network(), empty); }, "no samples");
    calibration other = calibrate(network(2), images(2));
    expect_error([&] { other.merge(seen); }, "two networks");
}

TEST(calibration, every_parameter_of_an_operation_tells_networks_apart) {
    const auto of = [](const operation& what) {
        graph net;
        net.output(net.add("layer", what, {net.input("image", {1, 4, 4, 2})}));
        return fingerprint(net);
    };
    const window same{.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, shifted{.kernel = {3, 3}, .pad = {2, 1, 0, 1}},
        spread{.kernel = {3, 3}, .dilation = {2, 2}, .pad = {2, 2, 2, 2}}, up{{3, 3}, {}, {}, {1, 1, 1, 1}, true};
    const layer_weights eight = weights(4, 8, 1);
    const std::vector<std::vector<operation>> alike{
        {op::conv2d{weights(4, 18, 1), same}, op::conv2d{weights(4, 18, 1), shifted},
         op::conv2d{weights(4, 18, 1), spread}, op::conv2d{weights(4, 18, 2), same}},
        {op::conv2d{eight, {.kernel = {2, 2}}}, op::conv2d{eight, {.kernel = {2, 2}, .ceil_mode = true}}},
        {op::pool2d{pool_kind::average, same}, op::pool2d{pool_kind::max, same}, op::pool2d{pool_kind::average, up},
         op::pool2d{pool_kind::average, shifted}, op::pool2d{pool_kind::average, same, true}},
        {op::pad{{0, 1}, {0, 1}}, op::pad{{0, 2}, {}}, op::pad{{0, 1}, {0, 1}, 0.5F}},
        {op::transpose{{0, 1, 2, 3}}, op::transpose{{0, 2, 1, 3}}},
        {op::lookup{function::leaky_relu, 0.1F}, op::lookup{function::leaky_relu, 0.2F}, op::lookup{function::tanh}},
        {op::clip{relu}, op::clip{{0.0F, 6.0F}}}};
    for (const auto& some : alike)
        for (std::size_t i = 0; i < some.size(); ++i)
            for (std::size_t k = 0; k < some.size(); ++k)
                EXPECT_EQ(of(some[i]) == of(some[k]), i == k) << kind_of(some[i]) << i << " " << k;
}

TEST(calibration, moving_averages_are_kept_apart) {
    const moving_average slow{0.75};
    const calibration seen = calibrate(network(), images(6), {.moving = slow});
    for (std::size_t t = 0; t < seen.tensors.size(); ++t) {
        if (seen.tensors[t].seen.values() == 0) continue;
        moving_extremes expected;
        for (std::size_t i = 0; i < 6; ++i)
            advance(expected, slow, calibrate(network(), part(i, i + 1)).tensors[t].seen.extremes());
        if (seen.tensors[t].name != "joined" && seen.tensors[t].name != "flat") {
            EXPECT_EQ(seen.tensors[t].average, expected) << seen.tensors[t].name;
        }
        EXPECT_LE(seen.tensors[t].average.min, expected.min);
        EXPECT_GE(seen.tensors[t].average.max, expected.max);
    }
    const quantize_options average{.activations = slow};
    const quantized_graph all = quantize(network(), images(6), average);
    expect_same(all, quantize(network(), seen, average));
    expect_same(all, quantize(network(), calibration_from_bytes(to_bytes(seen)), average));
    const auto input = static_cast<std::size_t>(all.net.inputs()[0]);
    EXPECT_LE(all.tensors[input].observed.min, range_of(seen.tensors[input].average).min);
    // What depends on order says so: it does not merge, and another batch is another average.
    calibration other = seen;
    expect_error([&] { other.merge(seen); }, "moving averages", "order");
    EXPECT_NE(calibrate(network(), images(6), {.batch = 3, .moving = slow}).tensors[input].average,
              seen.tensors[input].average);
    expect_error([&] { quantize(network(), calibrate(network(), images(2)), average); }, "0.75", "kept none",
                 "calibrate_options::moving");
    expect_error([&] { quantize(network(), seen, {.activations = moving_average{0.5}}); }, "0.5", "0.75");
}

TEST(calibration, global_is_one_range_for_the_network) {
    for (const activation_observer& how : all_observers()) {
        const quantized_graph apart = quantize(network(), images(4), {.activations = how});
        const quantized_graph one = quantize(network(), images(4), {.activations = how, .global = true});
        range whole;
        std::size_t together = 0, fixed = 0;
        for (std::size_t t = 0; t < apart.tensors.size(); ++t) {
            if (!one.tensors[t].is_int8 || one.net.tensors()[t].name == "p") continue;
            whole.min = std::min(whole.min, apart.tensors[t].observed.min);
            whole.max = std::max(whole.max, apart.tensors[t].observed.max);
        }
        for (std::size_t t = 0; t < one.tensors.size(); ++t) {
            if (!one.tensors[t].is_int8) continue;
            const bool is_fixed = one.tensors[t].params == quant_params{scale(1.0F / 256), zero_point(-128)};
            fixed += is_fixed, together += !is_fixed;
            EXPECT_TRUE(is_fixed || one.tensors[t].observed == whole) << one.net.tensors()[t].name;
        }
        EXPECT_EQ(fixed, 1U);  // softmax
        EXPECT_GE(together, 6U);
    }
}

// Weights.

double output_error(const layer_weights& w, std::size_t channel, std::size_t inner, double step, double mean,
                    double variance) {
    double sum = 0.0, squares = 0.0;
    for (std::size_t k = channel * inner; k < (channel + 1) * inner; ++k) {
        const double q = std::min(std::max(std::nearbyint(w.values[k] / step), -127.0), 127.0);
        sum += w.values[k] - step * q, squares += std::pow(w.values[k] - step * q, 2);
    }
    return variance * squares + mean * mean * sum * sum;
}

TEST(weight_scales, least_error_is_the_best_near_the_largest_weight) {
    graph net;
    const layer_weights w = weights(6, 9, 1);
    net.output(
        net.add("dw", op::conv2d{w, {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 6}, {net.input("x", {1, 8, 8, 6})}));
    const samples data{3, reals(3 * 8 * 8 * 6, 2, 0.0F, 1.0F)};
    const quantized_graph largest = quantize(net, data);
    const quantized_graph least = quantize(net, data, {.weights = weight_scales::least_error});
    for (std::size_t c = 0; c < 6; ++c) {
        const double first = double{largest.layers[0].scales[c].value}, found = double{least.layers[0].scales[c].value};
        double best = std::numeric_limits<double>::infinity();
        for (int k = 104; k <= 160; ++k) best = std::min(best, output_error(w, c, 9, first * k / 128, 0.5, 1.0 / 12));
        EXPECT_LE(output_error(w, c, 9, found, 0.5, 1.0 / 12), 1.1 * best);  // moments of 0.8 % bins
        EXPECT_NEAR(found / first * 128, std::round(found / first * 128), 1e-3);
    }
    // What it is for: outputs nearer to those of the float network.
    const auto noise = [&](const quantized_graph& int8) {
        graph rounded = net;
        rounded.for_each_weights([&](const node&, layer_weights& to) {
            for (std::size_t k = 0; k < to.values.size(); ++k)
                to.values[k] = int8.layers[0].scales[k / 9].value * int8.layers[0].values[k];
        });
        session<> real(as_float(net)), other(as_float(rounded));
        std::vector<float> a(8 * 8 * 6), b(a.size());
        const std::vector<float> image = reals(a.size(), 9, 0.0F, 1.0F);
        real(image, a), other(image, b);
        double sum = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
        return sum;
    };
    EXPECT_LT(noise(least), 0.5 * noise(largest));
    // automatic measures weights as well, unless told not to.
    const auto automatic_with = [&](std::optional<weight_scales> how) {
        return quantize(net, data, {.activations = automatic{}, .weights = how});
    };
    expect_same(automatic_with({}), automatic_with(weight_scales::least_error));
    EXPECT_EQ(automatic_with(weight_scales::largest).layers[0].scales, largest.layers[0].scales);
    EXPECT_NE(automatic_with({}).layers[0].scales, largest.layers[0].scales);
}

TEST(weight_scales, least_error_of_degenerate_layers_is_the_largest) {
    for (const float x : {0.0F, std::numeric_limits<float>::quiet_NaN()})
        for (const granularity grain : {granularity::per_channel, granularity::per_tensor}) {
            const auto with = [&](weight_scales how) {
                return quantize(network(), {2, std::vector<float>(2 * image_size, x)},
                                {.weight_granularity = grain, .weights = how});
            };
            EXPECT_EQ(with(weight_scales::largest).layers[0].scales, with(weight_scales::least_error).layers[0].scales);
        }
    graph net;
    net.output(net.add("fc", op::linear{{2, std::vector<float>(8, 0.0F), {0, 1}}}, {net.input("x", {1, 4})}));
    EXPECT_EQ(quantize(net, {2, reals(8, 1)}, {.weights = weight_scales::least_error}).layers[0].scales[0].value, 1.0F);
}

// Bytes.

calibration small() {
    calibration all{7, 3, moving_average{0.5}, {{"a"}, {""}}};
    const std::vector<float> seen{1.0F, -2.0F, 0.0F, 1e-30F, 3e38F, std::numeric_limits<float>::infinity()};
    advance(all.tensors[0].average, *all.moving, all.tensors[0].seen.observe(seen));
    return all;
}
std::string refusal(std::span<const std::byte> bytes) {
    try {
        calibration_from_bytes(bytes, "test");
    } catch (const error& e) {
        EXPECT_NE(std::string(e.what()).find("'test'"), std::string::npos) << e.what();
        return e.what();
    }
    return "";
}
/// With the check sum that fits.
std::vector<std::byte> summed(std::vector<std::byte> bytes) {
    const std::uint64_t hash = detail::fnv1a({bytes.data(), bytes.size() - 8});
    for (std::size_t i = 0; i < 8; ++i) bytes[bytes.size() - 8 + i] = static_cast<std::byte>(hash >> (8 * i));
    return bytes;
}

TEST(calibration_bytes, round_trip) {
    for (const calibration& all : {calibration{}, small(), calibrate(network(), images(3)),
                                   calibrate(network(), images(3), {.moving = moving_average{0.1}})}) {
        const std::vector<std::byte> bytes = to_bytes(all);
        EXPECT_TRUE(calibration_from_bytes(bytes) == all);
        EXPECT_LE(bytes.size(), 64 + all.tensors.size() * 4000);
    }
}

TEST(calibration_bytes, are_the_same_on_every_machine) {
    EXPECT_EQ(detail::fnv1a(to_bytes(small())), 320115269018105871U);
    EXPECT_EQ(detail::fnv1a(to_bytes(calibrate(network(), images(3)))), 13008890472267330108U);
}

TEST(calibration_bytes, every_truncation_and_every_flipped_bit_is_refused) {
    const std::vector<std::byte> bytes = to_bytes(small());
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_NE(refusal({bytes.data(), length}), "") << length;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            std::vector<std::byte> damaged = bytes;
            damaged[i] ^= static_cast<std::byte>(1 << bit);
            EXPECT_NE(refusal(damaged), "") << i << " " << bit;
        }
    std::vector<std::byte> longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_NE(refusal(longer), "");
}

/// Damage that a check sum does not show, because who did it wrote a new one: a valid state, which says what it holds
/// in the same bytes, or an error.
TEST(calibration_bytes, forged_bytes_are_a_state_or_an_error) {
    const std::vector<std::byte> bytes = to_bytes(small());
    std::size_t refused = 0, accepted = 0;
    for (std::size_t i = 0; i + 8 < bytes.size(); ++i)
        for (int value = 0; value < 256; value += 15) {
            std::vector<std::byte> forged = bytes;
            forged[i] = static_cast<std::byte>(value);
            forged = summed(std::move(forged));
            if (!refusal(forged).empty()) {
                ++refused;
                continue;
            }
            ++accepted;
            const calibration all = calibration_from_bytes(forged);
            EXPECT_TRUE(calibration_from_bytes(to_bytes(all)) == all);
            for (const tensor_calibration& one : all.tensors) {
                const range found = select(percentile{}, one.seen);
                EXPECT_TRUE(std::isfinite(found.min) && found.min <= found.max);
            }
        }
    EXPECT_GT(refused, 100U);
    EXPECT_GT(accepted, 100U);
    for (std::size_t length = 8; length + 8 < bytes.size(); ++length) {
        std::vector<std::byte> shorter(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
        shorter.resize(length + 8);
        EXPECT_NE(refusal(summed(std::move(shorter))), "");
    }
}

TEST(calibration_bytes, refusals_say_why) {
    std::vector<std::byte> bytes = to_bytes(small());
    EXPECT_NE(refusal({bytes.data(), 3}).find("is no calibration"), std::string::npos);
    EXPECT_NE(refusal({bytes.data(), 60}).find("check sum"), std::string::npos);
    bytes[8] = std::byte{2};
    EXPECT_NE(refusal(bytes).find("has version 2, and this library reads 1"), std::string::npos);
}

TEST(calibration_files, are_written_and_read) {
    const std::string path = testing::TempDir() + "octet_calibration_test.cal";
    const calibration all = calibrate(network(), images(2));
    save_calibration(path, all);
    EXPECT_TRUE(load_calibration(path) == all);
    std::FILE* file = std::fopen(path.c_str(), "r+b");
    ASSERT_NE(file, nullptr);
    std::fputs("other", file), std::fclose(file);
    expect_error([&] { load_calibration(path); }, path, "is no calibration");
    std::remove(path.c_str());
    expect_error([&] { load_calibration(path); }, path);
    expect_error([&] { save_calibration("/nowhere/at.all", all); }, "/nowhere/at.all");
}

}  // namespace
