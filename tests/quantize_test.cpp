// label: law, threads
// quantize: the same integers however calibration ran; what its options mean; what it refuses; what it makes of bad
// samples; and weight transforms from outside.
#include "octet/graph/quantize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"
#include "octet/graph/session.hpp"

namespace {

namespace op = octet::op;
using octet::graph;
using octet::quantize_options;
using octet::quantized_graph;
using octet::samples;
using octet::session;
using octet::shape;
using octet::tensor_id;
using octet::test::expect_error;
using octet::test::reals;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr octet::activation_range relu{0.0F, infinity};
constexpr std::size_t image_size = 6 * 5 * 3;

octet::layer_weights weights(int outputs, int inner, unsigned seed) {
    return {outputs, reals(static_cast<std::size_t>(outputs * inner), seed),
            reals(static_cast<std::size_t>(outputs), seed + 1)};
}

/// Convolutions, a concatenation that is partly copied, reshapes that are views, a pool, a residual, a linear layer.
graph network() {
    graph net;
    const tensor_id image = net.input("image", {1, 6, 5, 3});
    const tensor_id conv =
        net.add("conv", op::conv2d{weights(6, 27, 1), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}}, {image});
    const tensor_id act = net.add("relu", op::clip{relu}, {conv});
    const tensor_id dw = net.add("dw", op::conv2d{weights(6, 9, 3), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 6}, {act});
    const tensor_id sum = net.add("sum", op::add{}, {net.add("pw", op::conv2d{weights(6, 6, 5), {}}, {dw}), act});
    const tensor_id fixed = net.constant("fixed", {1, 6, 5, 1}, reals(30, 7));
    const tensor_id joined = net.add("joined", op::concat{3}, {image, sum, fixed, image});
    const tensor_id rows = net.add("rows", op::reshape{{1, 30, 13}}, {joined});
    const tensor_id mixed = net.add("mixed", op::linear{weights(4, 13, 8)}, {rows});
    const tensor_id flat = net.add("flat", op::reshape{{1, 120}}, {mixed});
    const tensor_id classes = net.add("classes", op::linear{weights(5, 120, 10)}, {flat});
    net.output(net.add("p", op::softmax{}, {classes}));
    return net;
}
samples images(std::size_t count, unsigned seed = 20) { return {count, reals(count * image_size, seed)}; }

std::size_t find(const quantized_graph& net, const std::string& name) {
    for (std::size_t t = 0; t < net.tensors.size(); ++t)
        if (net.net.tensors()[t].name == name) return t;
    ADD_FAILURE() << "no tensor " << name;
    return 0;
}
const octet::quantized_layer& layer(const quantized_graph& net, const std::string& name) {
    for (std::size_t i = 0; i < net.layers.size(); ++i)
        if (net.net.nodes()[i].name == name) return net.layers[i];
    ADD_FAILURE() << "no node " << name;
    return net.layers.front();
}
bool mentions(const std::vector<std::string>& warnings, const std::string& part) {
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const std::string& one) { return one.find(part) != std::string::npos; });
}

void expect_same_integers(const quantized_graph& a, const quantized_graph& b) {
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (std::size_t t = 0; t < a.tensors.size(); ++t) {
        EXPECT_EQ(a.tensors[t].is_int8, b.tensors[t].is_int8);
        EXPECT_EQ(a.tensors[t].params, b.tensors[t].params) << a.net.tensors()[t].name;
        EXPECT_EQ(a.tensors[t].observed, b.tensors[t].observed) << a.net.tensors()[t].name;
    }
    ASSERT_EQ(a.layers.size(), b.layers.size());
    for (std::size_t i = 0; i < a.layers.size(); ++i) {
        EXPECT_EQ(a.layers[i].is_int8, b.layers[i].is_int8);
        EXPECT_EQ(a.layers[i].values, b.layers[i].values);
        EXPECT_EQ(a.layers[i].scales, b.layers[i].scales);
        EXPECT_EQ(a.layers[i].bias, b.layers[i].bias);
        EXPECT_EQ(a.layers[i].reason, b.layers[i].reason);
    }
    EXPECT_EQ(a.rounding, b.rounding);
    EXPECT_EQ(a.warnings, b.warnings);
}

/// Weights in [-127, 127], and max(z + 128, 127 - z) * sum |q_w| + |bias| <= 2^31 - 1 for every channel.
void expect_proved(const quantized_graph& net) {
    for (std::size_t i = 0; i < net.layers.size(); ++i) {
        const octet::quantized_layer& q = net.layers[i];
        const std::size_t outputs = q.bias.size();
        if (outputs == 0) continue;
        const std::int32_t z = net.at(net.net.nodes()[i].inputs[0]).params.zero_point.value;
        const std::int64_t reach = std::max(z + 128, 127 - z);
        const std::size_t inner = q.values.size() / outputs;
        EXPECT_TRUE(q.scales.size() == 1 || q.scales.size() == outputs);
        for (std::size_t o = 0; o < outputs; ++o) {
            std::int64_t sum = 0;
            for (std::size_t k = o * inner; k < (o + 1) * inner; ++k) {
                EXPECT_GE(q.values[k], -127);
                sum += std::abs(int{q.values[k]});
            }
            EXPECT_LE(std::abs(std::int64_t{q.bias[o]}) + reach * sum, 0x7fffffff);
        }
    }
}

TEST(quantize, threads_isa_and_batch_of_calibration_cannot_show) {
    struct choice {
        octet::range_selection how;
        std::vector<std::string> in_float;
    };
    for (const choice& one :
         {choice{octet::min_max{}, {}}, choice{octet::percentile{99.0}, {"joined"}},
          choice{octet::min_max{}, {"rows", "joined", "sum"}}, choice{octet::percentile{90.0}, {"flat", "conv"}}}) {
        const auto with = [&](octet::calibrate_options calibration) {
            return octet::quantize(
                network(), images(11),
                {.activations = one.how, .leave_in_float = one.in_float, .calibration = calibration});
        };
        const quantized_graph expected = with({.target = octet::isa::scalar});
        expect_proved(expected);
        for (const octet::isa which : octet::supported_isas())
            for (const int batch : {1, 2, 4, 11, 100})
                expect_same_integers(expected, with({.batch = batch, .target = which}));
        for (const octet::parallel& threads : {octet::test::reverse_hook(), octet::test::thread_hook()})
            for (const int batch : {1, 3}) expect_same_integers(expected, with({.batch = batch, .threads = threads}));
    }
}

TEST(quantize, a_node_that_nobody_reads_cannot_show) {
    const auto scaled = [](bool with_dead_reader) {
        graph net;
        const tensor_id x = net.input("x", {1, 4});
        const tensor_id y = net.add("fc", op::linear{{3, reals(12, 1), reals(3, 2)}}, {x});
        if (with_dead_reader) net.add("dead", op::softmax{}, {y});
        const tensor_id factor = net.constant("factor", {1, 3}, {0.5F, 2.0F, 3.0F});
        net.output(net.add("scaled", op::mul{}, {y, factor}));
        return net;
    };
    const samples data(5, reals(20, 3));
    const octet::quantized_graph alone = octet::quantize(scaled(false), data),
                                 with_dead = octet::quantize(scaled(true), data);
    ASSERT_EQ(alone.layers.size(), 1U);
    ASSERT_EQ(with_dead.layers.size(), 1U);
    EXPECT_EQ(with_dead.layers[0].values, alone.layers[0].values);
    EXPECT_EQ(with_dead.layers[0].bias, alone.layers[0].bias);
    EXPECT_EQ(with_dead.at(with_dead.net.outputs()[0]).params, alone.at(alone.net.outputs()[0]).params);
}

TEST(quantize, the_order_of_samples_cannot_show) {
    const samples data = images(7);
    samples reversed = data;
    for (std::size_t i = 0; i < 7; ++i)
        std::copy_n(data.inputs[0].begin() + static_cast<std::ptrdiff_t>(i * image_size), image_size,
                    reversed.inputs[0].begin() + static_cast<std::ptrdiff_t>((6 - i) * image_size));
    for (const int batch : {1, 3})
        expect_same_integers(octet::quantize(network(), data),
                             octet::quantize(network(), reversed, {.calibration = {.batch = batch}}));
}

/// Histograms hold every value of every sample: views and concatenations that are written piece by piece too.
TEST(calibrate, every_tensor_is_seen_whole_and_once) {
    graph net = network();
    octet::optimize(net);
    for (const int batch : {1, 2, 5}) {
        const std::vector<octet::tensor_calibration> seen = octet::calibrate(net, images(5), {.batch = batch}).tensors;
        for (std::size_t t = 0; t < seen.size(); ++t) {
            const octet::tensor& one = net.tensors()[t];
            if (net.producer(static_cast<tensor_id>(t)) < 0 && t != 0)
                continue;  // constants, and what fusing left over
            EXPECT_EQ(seen[t].seen.finite(), 5U * static_cast<std::uint64_t>(one.dims.elements())) << one.name;
        }
    }
}

/// After every run, in order, up to the last sample; what is left over after whole batches is a run of its own.
TEST(calibrate, progress_is_told) {
    using told = std::vector<std::pair<std::size_t, std::size_t>>;
    graph net = network();
    octet::optimize(net);
    const auto told_for = [&](int batch) {
        told all;
        octet::calibrate(net, images(5),
                         {.batch = batch, .progress = {&all, [](void* to, std::size_t done, std::size_t of) noexcept {
                                                           static_cast<told*>(to)->emplace_back(done, of);
                                                       }}});
        return all;
    };
    EXPECT_EQ(told_for(1), (told{{1, 5}, {2, 5}, {3, 5}, {4, 5}, {5, 5}}));
    EXPECT_EQ(told_for(2), (told{{2, 5}, {4, 5}, {5, 5}}));
    EXPECT_EQ(told_for(100), (told{{5, 5}}));
}

TEST(quantize, ranges_are_those_of_the_float_network) {
    const samples data = images(9);
    const quantized_graph all = octet::quantize(network(), data);
    session<> run(octet::as_float(all.net), {.batch = 9});
    run.set_input(0, data.inputs[0]);
    std::vector<octet::range> seen(all.tensors.size());
    run.run_observed([&]<class T>(tensor_id id, octet::tensor_view<const T> view) {
        octet::range& r = seen[static_cast<std::size_t>(id)];
        for (std::int64_t row = 0; row < view.rows(); ++row)
            for (std::int64_t c = 0; c < view.cols(); ++c) {
                r.min = std::min(r.min, static_cast<float>(view.row(row)[c]));
                r.max = std::max(r.max, static_cast<float>(view.row(row)[c]));
            }
    });
    for (const char* name : {"relu", "dw", "pw"}) {
        const std::size_t t = find(all, name);
        EXPECT_EQ(all.tensors[t].observed, seen[t]) << name;
        EXPECT_EQ(all.tensors[t].params,
                  (octet::quantizer<octet::asymmetric, octet::per_tensor>::choose_params(seen[t])));
    }
    // What moves bytes shares the parameters of all it joins.
    const octet::quant_params joined = all.tensors[find(all, "joined")].params;
    for (const char* name : {"image", "sum", "fixed", "rows"}) EXPECT_EQ(all.tensors[find(all, name)].params, joined);
    const octet::range whole = all.tensors[find(all, "joined")].observed;
    EXPECT_EQ(whole.min, std::min({seen[0].min, seen[find(all, "sum")].min}));
    // What a function returns at all is a fixed range.
    EXPECT_EQ(all.tensors[find(all, "p")].params,
              (octet::quant_params{octet::scale(1.0F / 256), octet::zero_point(-128)}));
}

TEST(quantize, fixed_ranges_of_functions) {
    for (const auto& [what, expected] :
         {std::pair{octet::function::logistic, octet::quant_params{octet::scale(1.0F / 256), octet::zero_point(-128)}},
          {octet::function::tanh, octet::quant_params{octet::scale(1.0F / 128), octet::zero_point(0)}}}) {
        graph net;
        net.output(net.add("f", op::lookup{what}, {net.input("x", {1, 8})}));
        EXPECT_EQ(octet::quantize(net, {2, reals(16, 1)}).tensors[1].params, expected);
    }
}

/// A padding value outside the observed range widens it.
TEST(quantize, padding_is_in_range) {
    graph net;
    op::pad grow;
    grow.after = {0, 1}, grow.value = -9.0F;
    net.output(net.add("grow", grow, {net.input("x", {1, 8})}));
    const quantized_graph all = octet::quantize(net, {2, reals(16, 1, 0.5F, 1.0F)});
    EXPECT_EQ(all.tensors[1].observed.min, -9.0F);
    EXPECT_EQ(all.tensors[0].params, all.tensors[1].params);
}

TEST(quantize, a_percentile_clips_what_min_max_keeps) {
    graph net;
    net.output(net.add("fc", op::linear{weights(4, 50, 1)}, {net.input("image", {1, 50})}));
    samples data{40, reals(2000, 2)};
    data.inputs[0][77] = 1000.0F;
    const quantized_graph kept = octet::quantize(net, data);
    const quantized_graph cut = octet::quantize(net, data, {.activations = octet::percentile{99.9}});
    EXPECT_EQ(kept.tensors[0].observed.max, 1000.0F);
    EXPECT_TRUE(mentions(kept.warnings, "'image'"));
    EXPECT_TRUE(mentions(kept.warnings, "percentile"));
    EXPECT_LE(cut.tensors[0].observed.max, 1.01F);
    EXPECT_FALSE(mentions(cut.warnings, "'image'"));
}

TEST(quantize, granularity_is_the_number_of_scales) {
    const quantized_graph channel = octet::quantize(network(), images(3));
    const quantized_graph whole =
        octet::quantize(network(), images(3), {.weight_granularity = octet::granularity::per_tensor});
    expect_proved(channel), expect_proved(whole);
    for (const char* name : {"conv", "dw", "pw", "mixed", "classes"}) {
        const octet::quantized_layer &many = layer(channel, name), &one = layer(whole, name);
        EXPECT_EQ(many.scales.size(), many.bias.size());
        EXPECT_EQ(one.scales.size(), 1U);
        const std::size_t inner = many.values.size() / many.bias.size();
        for (std::size_t o = 0; o < many.bias.size(); ++o) {
            const auto begin = many.values.begin() + static_cast<std::ptrdiff_t>(o * inner);
            const auto [low, high] = std::minmax_element(begin, begin + static_cast<std::ptrdiff_t>(inner));
            EXPECT_EQ(std::max(-*low, int{*high}), 127);  // every channel uses its whole range
        }
        float largest = 0.0F;
        for (const octet::scale step : many.scales) largest = std::max(largest, step.value);
        EXPECT_EQ(one.scales[0].value, largest);
    }
}

TEST(quantize, weights_and_bias_are_the_nearest_integers) {
    graph net;
    const octet::layer_weights w = weights(9, 30, 4);
    net.output(net.add("fc", op::linear{w}, {net.input("x", {1, 30})}));
    const quantized_graph all = octet::quantize(net, {3, reals(90, 1)});
    const octet::quantized_layer& q = all.layers[0];
    for (std::size_t o = 0; o < 9; ++o) {
        const double step = double{q.scales[o].value}, bias_step = step * double{all.tensors[0].params.scale.value};
        for (std::size_t k = o * 30; k < (o + 1) * 30; ++k)
            EXPECT_LE(std::fabs(q.values[k] * step - double{w.values[k]}), 0.5001 * step);
        EXPECT_LE(std::fabs(q.bias[o] * bias_step - double{w.bias[o]}), 0.5001 * bias_step);
    }
}

TEST(quantize, symmetric_activations_have_zero_point_0) {
    const quantized_graph all = octet::quantize(network(), images(3), {.activation_scheme = octet::scheme::symmetric});
    for (std::size_t t = 0; t < all.tensors.size(); ++t) {
        EXPECT_EQ(all.tensors[t].params.zero_point.value, 0);
        const octet::range r = all.tensors[t].observed;
        const float most = std::max(-r.min, r.max);
        EXPECT_NEAR(all.tensors[t].params.scale.value, most > 0.0F ? most / 127 : 1.0F, 1e-6F * most);
    }
    expect_proved(all);
    session<> run(all);
    std::vector<float> out(5);
    run(reals(image_size, 3), out);
    EXPECT_NEAR(std::accumulate(out.begin(), out.end(), 0.0F), 1.0F, 0.05F);
}

TEST(quantize, layers_are_left_in_float_as_asked) {
    const quantized_graph all = octet::quantize(network(), images(3), {.leave_in_float = {"pw", "classes"}});
    for (std::size_t i = 0; i < all.layers.size(); ++i) {
        const std::string& name = all.net.nodes()[i].name;
        const bool left = name == "pw" || name == "classes";
        EXPECT_EQ(all.layers[i].is_int8, !left) << name;
        EXPECT_EQ(all.layers[i].reason, left ? "left in float as asked" : "");
        EXPECT_TRUE(!left || all.layers[i].values.empty());
    }
    EXPECT_EQ(all.quantized_layers(), static_cast<int>(all.layers.size()) - 2);
}

/// A reshape or concatenation in float is a view that no step makes; who reads it in int8 still needs its range.
TEST(quantize, views_left_in_float_have_a_range) {
    const quantized_graph int8 = octet::quantize(network(), images(20));
    for (const char* name : {"rows", "flat", "joined"}) {
        const quantized_graph all = octet::quantize(network(), images(20), {.leave_in_float = {name}});
        const octet::range r = all.tensors[find(all, name)].observed;
        EXPECT_LT(r.min, -0.5F) << name;
        EXPECT_GT(r.max, 0.5F) << name;
        // The classes before softmax, which would turn a step into anything: as far from the float ones as if all
        // were int8.
        const auto classes = [](const quantized_graph& net) {
            session<> run(net);
            run.set_input(0, reals(image_size, 5));
            std::vector<float> values;
            run.run_observed([&]<class T>(tensor_id id, octet::tensor_view<const T> view) {
                if (static_cast<std::size_t>(id) != find(net, "classes")) return;
                for (std::int64_t c = 0; c < view.cols(); ++c)
                    if constexpr (std::is_same_v<T, float>)
                        values.push_back(view.data[c]);
                    else
                        values.push_back(octet::dequantize_value(view.data[c], net.at(id).params));
            });
            EXPECT_EQ(values.size(), 5U);
            return values;
        };
        const std::vector<float> expected = classes(octet::as_float(all.net));
        const std::vector<float> one = classes(int8), two = classes(all);
        const octet::range reach = int8.tensors[find(int8, "classes")].observed;
        for (std::size_t i = 0; i < 5; ++i) {
            EXPECT_NEAR(one[i], expected[i], 0.03F * (reach.max - reach.min)) << name;
            EXPECT_NEAR(two[i], expected[i], 0.03F * (reach.max - reach.min)) << name;
        }
    }
}

TEST(quantize, what_has_no_int8_form_says_so) {
    graph net;
    const tensor_id x = net.input("x", {1, 8});
    const tensor_id soft = net.add("soft", op::softmax{}, {x});
    net.output(net.add("norm", op::batch_norm{reals(8, 1, 1.0F, 2.0F), reals(8, 2)}, {soft}));
    const quantized_graph all = octet::quantize(net, {2, reals(16, 1)});
    EXPECT_EQ(all.quantized_layers(), 1);
    EXPECT_EQ(all.layers[1].reason, "has no int8 form here");
    session<> run(all);
    std::vector<float> out(8);
    run(reals(8, 3), out);
    EXPECT_FALSE(run.output_is_int8(0));
}

TEST(quantize, refuses_what_makes_no_sense) {
    expect_error([] { octet::quantize(network(), samples{}); }, "no samples", "at least one");
    expect_error([] { octet::quantize(network(), samples{0, std::vector<float>{}}); }, "no samples");
    expect_error(
        [] {
            octet::quantize(network(), {2, reals(image_size, 1)});
        },
        "input 'image'", "1x6x5x3", "2 samples take 90 values each", "90 were given");
    expect_error(
        [] {
            octet::quantize(network(), {std::size_t{1} << 63, std::vector<float>{}});
        },
        "9223372036854775808 samples", "0 were given");
    expect_error(
        [] {
            octet::quantize(network(), {1, {reals(image_size, 1), reals(3, 1)}});
        },
        "samples for 2 inputs", "the network has 1");
    expect_error([] { octet::quantize(network(), images(2), {.calibration = {.batch = 0}}); }, "batch of 0");
    expect_error([] { octet::quantize(network(), images(2), {.calibration = {.threads = {.workers = 0}}}); },
                 "0 workers", "at least 1");
    expect_error(
        [] {
            octet::quantize(network(), images(2), {.leave_in_float = {"pw", "con"}});
        },
        "names 'con'", "no node has that name");
    expect_error([] { octet::quantize(network(), images(2), {.leave_in_float = {"relu"}}); }, "names 'relu'",
                 "after folding");
    graph empty;
    empty.output(empty.input("x", {1, 3}));
    expect_error([&] { octet::quantize(empty, {1, reals(3, 1)}); }, "nothing to quantize", "0 nodes");
    graph endless;
    endless.add("p", op::softmax{}, {endless.input("x", {1, 3})});
    expect_error([&] { octet::quantize(endless, {1, reals(3, 1)}); }, "no output", "graph::output");
    graph twice;
    tensor_id x = twice.input("x", {1, 3});
    for (int i = 0; i < 2; ++i) x = twice.add("p", op::softmax{}, {x});
    twice.output(x);
    expect_error(
        [&] {
            octet::quantize(twice, {1, reals(3, 1)}, {.leave_in_float = {"p"}});
        },
        "none of the 2 nodes", "2 of them are left in float");
    graph one;
    one.output(one.add("p", op::softmax{}, {one.input("x", {1, 3})}));
    expect_error(
        [&] {
            octet::quantize(one, {1, reals(3, 1)}, {.leave_in_float = {"p"}});
        },
        "nothing to quantize", "1 nodes", "1 of them are left in float");
}

TEST(quantize, bad_samples_give_warnings_and_a_network_that_runs) {
    struct bad {
        const char* what;
        std::vector<float> image;
        const char* warning;
    };
    const std::vector<float> sound = reals(image_size, 6);
    const auto spoiled = [&](float with) {
        std::vector<float> image = sound;
        image[17] = with;
        return image;
    };
    for (const bad& one : std::vector<bad>{
             {"all zero", std::vector<float>(image_size, 0.0F), "are 0"},
             {"a constant", std::vector<float>(image_size, 0.25F), "values are 0.25"},
             {"one NaN", spoiled(nan), "values are NaN"},
             {"one infinity", spoiled(-infinity), "values are infinite"},
             {"only NaN", std::vector<float>(image_size, nan), "no finite value"},
             {"only infinity", std::vector<float>(image_size, infinity), "no finite value"},
             {"one huge", spoiled(3e38F), "less than 1/16 of the levels"},
             {"only huge", std::vector<float>(image_size, -3e38F), "values are -3"},
             {"tiny", std::vector<float>(image_size, 1e-40F), "finer than the smallest scale"},
         })
        for (const octet::range_selection& how : {octet::range_selection{octet::min_max{}}, {octet::percentile{}}})
            for (const octet::granularity grain : {octet::granularity::per_channel, octet::granularity::per_tensor}) {
                SCOPED_TRACE(one.what);
                const quantized_graph all =
                    octet::quantize(network(), {1, one.image}, {.activations = how, .weight_granularity = grain});
                EXPECT_TRUE(mentions(all.warnings, one.warning));
                EXPECT_TRUE(mentions(all.warnings, "'image'"));
                expect_proved(all);
                for (const octet::quantized_tensor& t : all.tensors) {
                    EXPECT_TRUE(std::isnormal(t.params.scale.value) && t.params.scale.value > 0.0F);
                    EXPECT_EQ(octet::quantize_value(0.0F, t.params, -128, 127), t.params.zero_point.value);
                }
                for (const octet::quantized_layer& l : all.layers)
                    for (const octet::scale s : l.scales) EXPECT_TRUE(std::isnormal(s.value) && s.value > 0.0F);
                session<> run(all, {.target = octet::isa::scalar});
                for (const std::vector<float>& image : {sound, one.image}) {
                    std::vector<float> out(5, -1.0F);
                    run(image, out);
                    for (const float p : out) EXPECT_TRUE(p >= 0.0F && p <= 1.0F);
                }
            }
}

TEST(quantize, a_sound_network_gives_no_warning) {
    EXPECT_EQ(octet::quantize(network(), images(20)).warnings, std::vector<std::string>{});
}

/// Inputs of nearly nothing beside a bias of nearly everything.
TEST(quantize, a_bias_that_no_scale_of_weights_can_hold_is_refused) {
    graph net;
    net.output(net.add("fc", op::linear{{2, reals(8, 1), {0.0F, -3e38F}}}, {net.input("x", {1, 4})}));
    expect_error(
        [&] {
            octet::quantize(net, {2, reals(8, 2, -1e-20F, 1e-20F)});
        },
        "linear 'fc'", "output 1", "-3.00000001e+38", "leave the layer in float");
}

/// A channel whose weights are nearly nothing would need a bias of far more than 32 bits at the scale they ask for: the
/// scale is doubled until the proof holds, and no further.
TEST(quantize, a_dead_channel_with_a_large_bias_gets_a_larger_scale) {
    for (const octet::granularity grain : {octet::granularity::per_channel, octet::granularity::per_tensor}) {
        graph net;
        octet::layer_weights w = weights(4, 9, 1);
        for (std::size_t k = 9; k < 18; ++k) w.values[k] *= 1e-12F;  // dead, with a bias
        for (std::size_t k = 18; k < 27; ++k) w.values[k] = 0.0F;    // of zeros alone: scale 1
        w.bias = {0.5F, -40.0F, 3.0F, 1e9F};
        net.output(net.add("fc", op::linear{w}, {net.input("x", {1, 9})}));
        const quantized_graph all = octet::quantize(net, {3, reals(27, 1)}, {.weight_granularity = grain});
        expect_proved(all);
        const octet::quantized_layer& q = all.layers[0];
        const double input = double{all.tensors[0].params.scale.value};
        for (std::size_t o = 0; o < 4; ++o) {
            const double step = input * double{q.scales[q.scales.size() == 1 ? 0 : o].value};
            EXPECT_LE(std::fabs(q.bias[o] * step - double{w.bias[o]}), 0.5001 * step);
        }
        const auto grown = [&](std::size_t channel, float largest) {
            const float scale = q.scales[channel].value, wanted = largest / 127.0F;
            const double steps = std::log2(double{scale} / double{wanted});
            EXPECT_NEAR(steps, std::round(steps), 1e-6);  // a power of two
            return static_cast<int>(std::lround(steps));
        };
        const auto largest = [&](std::size_t from, std::size_t to) {
            float most = 0.0F;
            for (std::size_t k = from; k < to; ++k) most = std::max(most, std::fabs(w.values[k]));
            return most;
        };
        if (grain == octet::granularity::per_tensor) {
            EXPECT_GT(grown(0, largest(0, 36)), 0);
            continue;
        }
        EXPECT_EQ(grown(0, largest(0, 9)), 0);
        EXPECT_EQ(q.scales[2].value, 1.0F);
        for (const std::size_t o : {std::size_t{1}, std::size_t{3}}) {
            EXPECT_GT(grown(o, largest(9 * o, 9 * o + 9)), 0);
            EXPECT_GT(std::fabs(double{w.bias[o]}) / (input * double{q.scales[o].value} / 2), 0.9 * 0x7fffffff);
        }
        session<> run(all);
        std::vector<float> out(4);
        run(reals(9, 2), out);
        EXPECT_NEAR(out[3], 1e9F, 1e7F);
    }
}

// Weight transforms from outside of graph/: a pass is a function of a graph&.

/// Sets the smaller half of each layer's weights, by magnitude, to 0.
void prune(graph& net) {
    net.for_each_weights([](const octet::node&, octet::layer_weights& w) {
        std::vector<float> sizes;
        for (const float x : w.values) sizes.push_back(std::fabs(x));
        const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
        std::nth_element(sizes.begin(), middle, sizes.end());
        for (float& x : w.values)
            if (std::fabs(x) < *middle) x = 0.0F;
    });
}

TEST(for_each_weights, a_pass_from_outside_changes_weights) {
    graph net = network();
    std::vector<std::string> names;
    net.for_each_weights([&](const octet::node& n, octet::layer_weights&) { names.push_back(n.name); });
    EXPECT_EQ(names, (std::vector<std::string>{"conv", "dw", "pw", "mixed", "classes"}));

    graph same = network();
    same.for_each_weights([](const octet::node&, octet::layer_weights& w) {
        for (float& x : w.values) x *= 1.0F;
    });
    const quantized_graph before = octet::quantize(network(), images(4));
    expect_same_integers(before, octet::quantize(same, images(4)));

    prune(net);
    const quantized_graph pruned = octet::quantize(net, images(4));
    for (std::size_t i = 0; i < pruned.layers.size(); ++i) {
        const std::vector<std::int8_t>& q = pruned.layers[i].values;
        if (q.empty()) continue;
        EXPECT_GE(static_cast<std::size_t>(std::count(q.begin(), q.end(), std::int8_t{0})), q.size() / 2);
        EXPECT_EQ(pruned.layers[i].scales, before.layers[i].scales);  // the largest weights stayed
        for (std::size_t k = 0; k < q.size(); ++k) EXPECT_TRUE(q[k] == 0 || q[k] == before.layers[i].values[k]);
    }
    session<> run(pruned);
    std::vector<float> out(5);
    run(reals(image_size, 3), out);
    EXPECT_NEAR(std::accumulate(out.begin(), out.end(), 0.0F), 1.0F, 0.05F);
}

TEST(for_each_weights, a_pass_that_breaks_a_layer_is_found) {
    graph shorter = network();
    shorter.for_each_weights([](const octet::node&, octet::layer_weights& w) { w.values.pop_back(); });
    expect_error([&] { octet::quantize(shorter, images(2)); }, "conv2d 'conv'", "161 weights", "need 162");
    expect_error([&] { session<> run(octet::as_float(shorter)); }, "conv2d 'conv'", "161 weights");
    graph broken = network();
    broken.for_each_weights(
        [](const octet::node&, octet::layer_weights& w) { w.bias[0] = std::numeric_limits<float>::quiet_NaN(); });
    expect_error([&] { octet::quantize(broken, images(2)); }, "conv2d 'conv', bias", "nan", "finite");
}

}  // namespace
