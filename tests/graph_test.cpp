// label: law
// The builder's checks and shape inference; passes keep the function of a network and fuse where, and only where, they
// may; fusion in a session changes no byte.
#include "octet/graph/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"
#include "octet/graph/passes.hpp"
#include "octet/graph/quantize.hpp"
#include "octet/graph/session.hpp"

namespace {

namespace op = octet::op;
using octet::graph;
using octet::layer_weights;
using octet::operation;
using octet::quantized_graph;
using octet::session;
using octet::shape;
using octet::tensor_id;
using octet::test::expect_error;
using octet::test::reals;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr octet::activation_range relu{0.0F, infinity}, relu6{0.0F, 6.0F};

layer_weights weights(int outputs, int inner, unsigned seed) {
    return {outputs, reals(static_cast<std::size_t>(outputs * inner), seed),
            reals(static_cast<std::size_t>(outputs), seed + 1)};
}
op::conv2d conv3x3(int outputs, int channels, unsigned seed) {
    return {weights(outputs, 9 * channels, seed), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}};
}
op::batch_norm norm(int channels, unsigned seed) {
    return {reals(static_cast<std::size_t>(channels), seed, 0.5F, 2.0F),
            reals(static_cast<std::size_t>(channels), seed + 1)};
}
op::pad pad_by(std::array<int, 6> before, std::array<int, 6> after, float value = 0.0F) {
    op::pad grow;
    grow.before = before, grow.after = after, grow.value = value;
    return grow;
}
op::transpose turned(std::array<int, 6> order) {
    op::transpose turn;
    turn.order = order;
    return turn;
}

/// A graph with inputs of the given shapes and one node over them, which must be refused with each of `parts`.
template <class... Parts>
void expect_refused(std::vector<shape> inputs, const operation& what, const Parts&... parts) {
    graph net;
    std::vector<tensor_id> ids;
    for (const shape& dims : inputs) ids.push_back(net.input("in", dims));
    expect_error([&] { net.add("n", what, ids); }, std::string(octet::kind_of(what)) + " 'n'", parts...);
    EXPECT_TRUE(net.nodes().empty());
    EXPECT_EQ(net.tensors().size(), inputs.size());
}

TEST(builder, refuses_what_fits_no_operation) {
    const shape image{1, 6, 5, 4};
    // weights
    const auto conv = [](int outputs, int inner, octet::window taps, int groups = 1) {
        return op::conv2d{weights(outputs, inner, 1), taps, groups};
    };
    expect_refused({{1, 6, 5}}, conv3x3(2, 5, 1), "1x6x5", "NHWC", "reshape it first");
    expect_refused({image}, conv(3, 35, {.kernel = {3, 3}}), "105 weights",
                   "3 outputs of 9 taps over 4 channels need 108", "read as batch, height, width, channels");
    expect_refused({image}, conv(3, 18, {.kernel = {3, 3}}, 2), "2 groups do not divide 4 input and 3 output");
    expect_refused({image}, conv(3, 12, {.kernel = {3, 3}}, 3), "3 groups do not divide 4 input");
    expect_refused({image}, conv(4, 36, {.kernel = {3, 3}}, 0), "0 groups");
    expect_refused({image}, op::conv2d{{}, {.kernel = {3, 3}}}, "0 output channels", "at least one");
    expect_refused({image}, op::conv2d{{-4, {}, {}}, {.kernel = {3, 3}}}, "-4 output channels");
    expect_refused({image}, op::conv2d{{2, std::vector<float>(72), {0.0F}}, {.kernel = {3, 3}}}, "bias",
                   "holds 1 values", "asks for 2");
    op::conv2d broken = conv3x3(2, 4, 3);
    broken.weights.values[5] = nan;
    expect_refused({image}, broken, "weights: value 5 is nan", "must be finite");
    broken = conv3x3(2, 4, 3), broken.weights.bias[1] = infinity;
    expect_refused({image}, broken, "bias: value 1 is inf");
    // windows
    expect_refused({image}, conv(1, 28, {.kernel = {7, 1}}), "window of 7", "height of 6", "enlarge");
    expect_refused({image}, conv(1, 12, {.kernel = {1, 3}, .dilation = {1, 3}}), "window of 7", "width of 5");
    expect_refused({image}, conv(1, 4, {.stride = {0, 1}}), "stride 0");
    expect_refused({image}, conv(1, 4, {.dilation = {1, -2}}), "dilation -2");
    expect_refused({image}, conv(1, 4, {.pad = {0, 0, -1, 0}}), "padding -1");
    expect_refused({image}, conv(1, 4, {.kernel = {0, 1}}), "kernel height 0");
    expect_refused({image},
                   op::conv2d{{1, {}, {0.0F}}, {.kernel = {1 << 20, 1 << 20}, .pad = {1 << 20, 1 << 20, 0, 0}}},
                   "1048576 x 1048576", "taps");
    expect_refused({{1, 1, 1, 1 << 30}},
                   op::conv2d{{1 << 30, {}, {}}, {.kernel = {4096, 4096}, .pad = {4095, 4095, 0, 0}}},
                   "no tensor may hold more");
    // linear, batch_norm, softmax
    expect_refused({{1}}, op::linear{weights(3, 1, 1)}, "shape 1,", "last dimension of features");
    expect_refused({{1, 6}}, op::linear{weights(3, 5, 1)}, "15 weights", "3 outputs of 1 taps over 6 channels need 18");
    expect_refused({image}, norm(5, 1), "factor", "holds 5 values", "asks for 4");
    expect_refused({image}, op::batch_norm{reals(4, 1), reals(3, 1)}, "shift", "holds 3");
    expect_refused({image}, op::batch_norm{reals(4, 1), {0, 0, infinity, 0}}, "shift: value 2 is inf");
    expect_refused({{1}}, norm(1, 1), "last dimension of features");
    expect_refused({{1}}, op::softmax{}, "last dimension of features");
    // pools
    const auto pool = [](octet::window taps) { return op::pool2d{octet::pool_kind::max, taps, false}; };
    expect_refused({{1, 6}}, pool({.kernel = {2, 2}}), "1x6", "NHWC");
    expect_refused({{1, 6}}, op::global_average_pool{}, "1x6", "NHWC");
    expect_refused({image}, pool({.kernel = {2, 2}, .pad = {2, 0, 0, 0}}), "padding 2, 0, 0, 0", "padding alone");
    expect_refused({image}, pool({.kernel = {2, 2}, .pad = {0, 0, 0, 2}}), "padding 0, 0, 0, 2", "padding alone");
    expect_refused({{1, 1, 1, 4}}, pool({.kernel = {2, 1}, .dilation = {3, 1}, .pad = {2, 0, 2, 0}}), "padding alone");
    // add, mul, concat
    expect_refused({image, {1, 6, 4, 4}}, op::add{}, "1x6x5x4 and 1x6x4x4", "do not broadcast");
    expect_refused({image, {1, 5, 4}}, op::mul{}, "'in' of shape 1x5x4", "rank of the result, 1x6x5x4", "reshape it");
    expect_refused({image}, op::add{}, "1 inputs, but it takes 2");
    expect_refused({image, image}, op::softmax{}, "2 inputs, but it takes 1");
    expect_refused({}, op::concat{1}, "0 inputs, but it takes at least 1");
    expect_refused({}, op::add{}, "0 inputs, but it takes 2");
    expect_refused({image, image}, op::concat{0}, "axis 0", "in [1, 3]");
    expect_refused({image, image}, op::concat{4}, "axis 4", "in [1, 3]");
    expect_refused({image, {1, 6, 4, 4}}, op::concat{3}, "1x6x5x4 and 1x6x4x4 differ outside axis 3");
    expect_refused({image, {1, 6, 5}}, op::concat{1}, "differ outside axis 1");
    // movement
    expect_refused({image}, pad_by({0, -1}, {}), "padding -1 and 0 of axis 1", "does not crop");
    expect_refused({image}, pad_by({0, 1 << 21}, {}), "padding 2097152");
    expect_refused({image}, pad_by({1}, {}), "from shape 1x6x5x4 to 2x6x5x4", "batch");
    expect_refused({image}, pad_by({}, {}, nan), "padding value is nan", "finite");
    expect_refused({image}, op::reshape{{1, 7, 17}}, "120 elements", "119", "keeps their number");
    expect_refused({image}, op::reshape{{6, 20}}, "from shape 1x6x5x4 to 6x20", "batch");
    expect_refused({image}, turned({0, 1, 1, 3}), "axis 1", "every axis once");
    expect_refused({image}, turned({0, 1, 2, 4}), "axis 4", "every axis once");
    expect_refused({image}, turned({1, 0, 2, 3}), "moves the batch", "axis 0 must stay first");
    // functions
    expect_refused({image}, op::clip{{2.0F, 1.0F}}, "clips to [2, 1]", "must not exceed");
    expect_refused({image}, op::clip{{nan, 1.0F}}, "must not exceed");
    expect_refused({image}, op::lookup{octet::function::leaky_relu, infinity}, "slope is inf", "finite");
}

TEST(builder, refuses_what_fits_no_graph) {
    graph net;
    expect_error([&] { net.input("x", {2, 3}); }, "input 'x'", "2x3", "must be 1 in a graph");
    expect_error([&] { net.input("x", {}); }, "input 'x'", "scalar", "must be 1");
    expect_error([&] { net.input("x", {1, 0}); }, "size 0", "at least 1");
    expect_error([&] { net.input("x", {1, -3}); }, "size -3");
    expect_error([&] { net.input("x", {1, 1 << 20, 1 << 20}); }, "more than 2147483647 elements");
    expect_error([&] { net.input("x", {1, 1, 1, 1, 1, 1, 1}); }, "rank 7", "at most 6");
    expect_error([&] { net.constant("c", {2, 3}, {1, 2, 3}); }, "constant 'c'", "3 values", "asks for 6");
    expect_error([&] { net.constant("c", {2}, {1, nan}); }, "constant 'c'", "value 1 is nan");
    const tensor_id x = net.input("x", {1, 3}), c = net.constant("c", {3}, {1, 2, 3});
    expect_error([&] { net.add("n", op::add{}, {x, 7}); }, "add 'n'", "no tensor 7", "graph of 2");
    expect_error([&] { net.add("n", op::add{}, {-1, x}); }, "add 'n'", "no tensor -1");
    expect_error([&] { net.add("n", op::add{}, {c, c}); }, "add 'n'", "every input is a constant", "fold");
    expect_error(
        [&] {
            net.add("n", op::add{}, {x, net.constant("k", {2, 3}, reals(6, 1))});
        },
        "add 'n'", "2x3", "batch and must be 1");
    expect_error([&] { net.add("n", op::add{}, {x, c}, {3.0F, 2.0F}); }, "add 'n'", "[3, 2]", "must not exceed");
    expect_error([&] { net.add("n", op::softmax{}, {x}, relu); }, "softmax 'n'", "no activation", "add a clip node");
    expect_error([&] { net.add("n", op::concat{1}, {x, x}, relu6); }, "concat 'n'", "add a clip node");
    expect_error([&] { net.output(9); }, "output", "no tensor 9");
    expect_error([&] { net.output(c); }, "output 'c'", "is a constant");
    expect_error([&] { const session<> one(octet::as_float(net)); }, "no output", "graph::output");
    net.output(net.add("n", op::softmax{}, {x}));
    expect_error([&] { const session<> one(octet::as_float(net), {.batch = 0}); }, "batch of 0", "at least 1");
}

TEST(builder, infers_shapes) {
    struct expected {
        std::vector<shape> inputs;
        operation what;
        shape out;
    };
    const shape image{1, 6, 5, 4};
    const octet::window halves{.kernel = {3, 3}, .stride = {2, 2}, .pad = {1, 1, 1, 1}};
    const octet::window up{.kernel = {3, 2}, .stride = {2, 2}, .ceil_mode = true};
    for (const expected& one : std::vector<expected>{
             {{image}, conv3x3(7, 4, 1), {1, 6, 5, 7}},
             {{image}, op::conv2d{weights(8, 9, 1), halves, 4}, {1, 3, 3, 8}},
             {{image}, op::conv2d{weights(2, 4 * 6, 1), {.kernel = {2, 3}, .dilation = {5, 2}}}, {1, 1, 1, 2}},
             {{{1, 9}}, op::linear{weights(3, 9, 1)}, {1, 3}},
             {{{1, 2, 9}}, op::linear{weights(3, 9, 1)}, {1, 2, 3}},
             {{image}, norm(4, 1), image},
             {{image}, op::pool2d{octet::pool_kind::max, halves, false}, {1, 3, 3, 4}},
             {{image}, op::pool2d{octet::pool_kind::average, up, true}, {1, 3, 3, 4}},
             {{image}, op::global_average_pool{}, {1, 1, 1, 4}},
             {{image, {1, 1, 1, 4}}, op::add{}, image},
             {{{1, 1, 5, 1}, {1, 6, 1, 4}}, op::mul{}, image},
             {{image, {1, 6, 5, 1}, image}, op::concat{3}, {1, 6, 5, 9}},
             {{image, {1, 2, 5, 4}}, op::concat{1}, {1, 8, 5, 4}},
             {{image}, pad_by({0, 1, 2, 3}, {0, 0, 1, 1}), {1, 7, 8, 8}},
             {{image}, op::reshape{{1, 120}}, {1, 120}},
             {{image}, turned({0, 3, 1, 2}), {1, 4, 6, 5}},
             {{image}, op::clip{relu}, image},
             {{image}, op::lookup{octet::function::tanh}, image},
             {{{1, 9}}, op::softmax{}, {1, 9}},
         }) {
        graph net;
        std::vector<tensor_id> ids;
        for (const shape& dims : one.inputs) ids.push_back(net.input("in", dims));
        const tensor_id id = net.add("n", one.what, ids);
        EXPECT_EQ(net.at(id).dims, one.out) << octet::kind_of(one.what) << ": " << octet::to_string(net.at(id).dims);
        EXPECT_EQ(net.at(id).name, "n");
        EXPECT_EQ(net.producer(id), 0);
        EXPECT_EQ(net.producer(ids[0]), -1);
        EXPECT_EQ(net.readers(id), 0);
        net.output(id);
        EXPECT_EQ(net.readers(id), 1);
        EXPECT_EQ(net.readers(ids[0]), 1);
    }
}

TEST(wiring, is_what_the_graph_says_of_each_tensor) {
    graph net;
    const tensor_id x = net.input("x", {1, 4}), c = net.constant("c", {4}, {1, 2, 3, 4});
    const tensor_id a = net.add("a", op::clip{relu}, {x}), b = net.add("b", op::mul{}, {a, c});
    const tensor_id sum = net.add("sum", op::add{}, {b, b});
    net.add("unread", op::softmax{}, {a});
    net.output(sum), net.output(a);
    const octet::wiring wires(net);
    for (tensor_id id = 0; id < static_cast<tensor_id>(net.tensors().size()); ++id) {
        EXPECT_EQ(wires.at(id).producer, net.producer(id)) << id;
        EXPECT_EQ(wires.at(id).readers, net.readers(id)) << id;
    }
    EXPECT_EQ(wires.at(a).reader, 3);
    EXPECT_EQ(wires.at(b).reader, 2);
    EXPECT_EQ(wires.at(sum).reader, -1) << "an output alone reads it";
}

// Passes.

std::vector<float> evaluate(const graph& net, unsigned seed) {
    session<> run(octet::as_float(net), {.batch = 2});
    for (std::size_t i = 0; i < run.inputs(); ++i)
        run.set_input(i, reals(static_cast<std::size_t>(run.input_shape(i).elements()), seed + static_cast<unsigned>(i),
                               -3.0F, 3.0F));
    run.run();
    std::vector<float> all;
    for (std::size_t i = 0; i < run.outputs(); ++i) {
        std::vector<float> one(static_cast<std::size_t>(run.output_shape(i).elements()));
        run.get_output(i, one);
        all.insert(all.end(), one.begin(), one.end());
    }
    return all;
}

/// Runs `pass`, after which the nodes are `kinds` and the function is what it was.
graph expect_after(graph net, void (*pass)(graph&), const std::vector<std::string_view>& kinds) {
    const std::vector<float> before = evaluate(net, 77);
    pass(net);
    std::vector<std::string_view> found;
    for (const octet::node& n : net.nodes()) found.push_back(octet::kind_of(n.what));
    EXPECT_EQ(found, kinds);
    const std::vector<float> after = evaluate(net, 77);
    EXPECT_EQ(before.size(), after.size());
    float size = 0.0F;
    for (const float x : before) size = std::max(size, std::fabs(x));
    EXPECT_GT(size, 0.0F);
    for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i)
        EXPECT_NEAR(before[i], after[i], 1e-5F * size);
    return net;
}

TEST(passes, batch_norm_folds_into_the_layer_before_it) {
    graph net;
    tensor_id x = net.input("x", {1, 6, 5, 4});
    x = net.add("conv", conv3x3(7, 4, 1), {x});
    x = net.add("norm", norm(7, 2), {x});
    x = net.add("again", norm(7, 3), {x}, relu);
    x = net.add("grouped", op::conv2d{weights(7, 9, 5), {.kernel = {3, 3}}, 7}, {x});
    x = net.add("third", norm(7, 6), {x});
    x = net.add("flat", op::reshape{{1, 84}}, {x});
    x = net.add("linear", op::linear{weights(5, 84, 8)}, {x});
    x = net.add("last", norm(5, 9), {x});
    net.output(x);
    const graph after = expect_after(net, octet::fold_batch_norm, {"conv2d", "conv2d", "reshape", "linear"});
    EXPECT_EQ(after.nodes()[0].activation, relu);
    EXPECT_EQ(after.outputs()[0], x);
}

TEST(passes, batch_norm_stays_where_folding_would_change_another_reader) {
    {
        graph net;  // two readers
        const tensor_id conv = net.add("conv", conv3x3(4, 4, 1), {net.input("x", {1, 6, 5, 4})});
        const tensor_id normed = net.add("norm", norm(4, 2), {conv});
        net.output(net.add("sum", op::add{}, {conv, normed}));
        expect_after(net, octet::fold_batch_norm, {"conv2d", "batch_norm", "add"});
        expect_after(net, octet::optimize, {"conv2d", "conv2d", "add"});
    }
    {
        graph net;  // a network output
        const tensor_id conv = net.add("conv", conv3x3(4, 4, 1), {net.input("x", {1, 6, 5, 4})});
        net.output(conv);
        net.output(net.add("norm", norm(4, 2), {conv}));
        expect_after(net, octet::fold_batch_norm, {"conv2d", "batch_norm"});
    }
    {
        graph net;  // an activation between
        const tensor_id conv = net.add("conv", conv3x3(4, 4, 1), {net.input("x", {1, 6, 5, 4})}, relu);
        net.output(net.add("norm", norm(4, 2), {conv}));
        expect_after(net, octet::fold_batch_norm, {"conv2d", "batch_norm"});
    }
}

TEST(passes, constants_become_batch_norm_where_a_pass_takes_it) {
    const auto one_for_each = [](graph& net, unsigned seed, shape dims = {1, 1, 1, 4}) {
        return net.constant("c", dims, reals(static_cast<std::size_t>(dims.elements()), seed));
    };
    {
        graph net;  // both orders of the operands, one value for all, activation kept
        tensor_id x = net.add("conv", conv3x3(4, 4, 1), {net.input("x", {1, 6, 5, 4})});
        x = net.add("mul", op::mul{}, {one_for_each(net, 2), x});
        x = net.add("add", op::add{}, {x, one_for_each(net, 3, {4})}, relu6);
        x = net.add("half", op::mul{}, {x, net.constant("half", {}, {0.5F})});
        net.output(x);
        expect_after(net, octet::constants_to_batch_norm, {"conv2d", "batch_norm", "batch_norm", "batch_norm"});
        const graph after = expect_after(net, octet::optimize, {"conv2d", "conv2d"});
        EXPECT_EQ(after.nodes()[0].activation, relu6);
    }
    {
        graph net;  // varies over pixels; enlarges the other operand
        tensor_id x = net.add("pixels", op::mul{}, {net.input("x", {1, 6, 5, 4}), one_for_each(net, 2, {1, 6, 5, 1})});
        x = net.add("column", op::add{}, {x, one_for_each(net, 4, {5, 1})});
        net.output(x);
        expect_after(net, octet::optimize, {"mul", "add"});
        graph grows;
        net.output(grows.add("grow", op::add{}, {grows.input("x", {1, 1, 1, 1}), one_for_each(grows, 3)}));
        grows.output(2);
        expect_after(grows, octet::optimize, {"add"});
    }
    {
        graph net;  // of rank 2: after a linear layer it folds, elsewhere it stays what has an int8 form
        const tensor_id x = net.input("x", {1, 4});
        net.output(net.add("bias", op::add{},
                           {net.add("linear", op::linear{weights(4, 4, 1)}, {x}), one_for_each(net, 2, {1, 4})}));
        net.output(net.add("scaled", op::mul{}, {x, one_for_each(net, 3, {4})}));
        expect_after(net, octet::optimize, {"linear", "mul"});
    }
}

TEST(passes, batch_norm_alone_becomes_a_depthwise_convolution) {
    graph net;
    tensor_id x = net.input("x", {1, 6, 5, 4});
    x = net.add("first", norm(4, 1), {x}, relu);
    x = net.add("pool", op::global_average_pool{}, {x});
    x = net.add("flat", op::reshape{{1, 4}}, {x});
    x = net.add("second", norm(4, 3), {x});
    net.output(x);
    const graph after =
        expect_after(net, octet::batch_norm_to_conv, {"conv2d", "global_average_pool", "reshape", "batch_norm"});
    EXPECT_EQ(after.nodes()[0].activation, relu);
    EXPECT_EQ(std::get<op::conv2d>(after.nodes()[0].what).groups, 4);
}

TEST(passes, activations_fuse_into_what_computes) {
    {
        graph net;
        tensor_id x = net.input("x", {1, 6, 5, 4});
        x = net.add("conv", conv3x3(4, 4, 1), {x});
        x = net.add("relu", op::clip{relu}, {x});
        x = net.add("low", op::clip{{-1.0F, 0.4F}}, {x});
        const tensor_id scaled = net.add("mul", op::mul{}, {x, x});
        x = net.add("sum", op::add{}, {x, net.add("cut", op::clip{{0.1F, 2.0F}}, {scaled})});
        x = net.add("last", op::clip{{0.25F, 0.5F}}, {x});
        net.output(x);
        const graph after = expect_after(net, octet::fuse_activations, {"conv2d", "mul", "add"});
        EXPECT_EQ(after.nodes()[0].activation, (octet::activation_range{0.0F, 0.4F}));
        EXPECT_EQ(after.nodes()[1].activation, (octet::activation_range{0.1F, 2.0F}));
        EXPECT_EQ(after.outputs()[0], x);
    }
    {
        graph net;  // clips that do not meet leave one value
        tensor_id x = net.add("one", op::clip{{1.0F, 2.0F}}, {net.input("x", {1, 4})});
        x = net.add("two", op::clip{{-3.0F, -2.0F}}, {x});
        net.output(x);
        expect_after(net, octet::fuse_activations, {"clip"});
    }
    {
        graph net;  // what moves bytes keeps its scale; two readers; a network output
        const tensor_id x = net.input("x", {1, 6, 5, 4});
        const tensor_id pool = net.add("pool", op::pool2d{octet::pool_kind::max, {.kernel = {2, 2}}, false}, {x});
        net.output(net.add("a", op::clip{relu}, {pool}));
        const tensor_id twice = net.add("twice", conv3x3(4, 4, 1), {x});
        net.output(net.add("sum", op::add{}, {twice, net.add("b", op::clip{relu}, {twice})}));
        const tensor_id shown = net.add("shown", conv3x3(4, 4, 3), {x});
        net.output(shown);
        net.output(net.add("c", op::clip{relu}, {shown}));
        expect_after(net, octet::fuse_activations, {"max_pool2d", "clip", "conv2d", "clip", "add", "conv2d", "clip"});
    }
}

TEST(passes, what_nobody_reads_goes) {
    graph net;
    const tensor_id x = net.input("x", {1, 4});
    net.output(net.add("kept", op::softmax{}, {x}));
    net.add("tail", op::softmax{}, {net.add("lost", op::lookup{octet::function::tanh}, {x})});
    expect_after(net, octet::remove_unread, {"softmax"});
}

TEST(passes, a_whole_network_keeps_its_function) {
    graph net;
    tensor_id x = net.input("x", {1, 9, 9, 3});
    x = net.add("mean", op::add{}, {x, net.constant("mean", {3}, {-0.4F, 0.1F, 0.3F})});
    x = net.add("conv1", op::conv2d{weights(8, 27, 1), {.kernel = {3, 3}, .stride = {2, 2}}}, {x});
    x = net.add("norm1", norm(8, 2), {x});
    const tensor_id skip = net.add("relu1", op::clip{relu}, {x});
    x = net.add("dw", op::conv2d{weights(8, 9, 3), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 8}, {skip});
    x = net.add("norm2", norm(8, 4), {x});
    x = net.add("relu2", op::clip{relu6}, {x});
    x = net.add("conv2", op::conv2d{weights(8, 8, 5), {}}, {x});
    x = net.add("norm3", norm(8, 6), {x});
    x = net.add("sum", op::add{}, {x, skip});
    x = net.add("relu3", op::clip{relu}, {x});
    x = net.add("pool", op::global_average_pool{}, {x});
    x = net.add("flat", op::reshape{{1, 8}}, {x});
    x = net.add("fc", op::linear{weights(5, 8, 7)}, {x});
    x = net.add("fc_bias", op::add{}, {x, net.constant("b", {5}, reals(5, 8))});
    net.output(net.add("p", op::softmax{}, {x}));
    expect_after(
        net, octet::optimize,
        {"conv2d", "conv2d", "conv2d", "conv2d", "add", "global_average_pool", "reshape", "linear", "softmax"});
}

// Fusion in int8 changes no byte.

std::vector<std::vector<std::int8_t>> int8_outputs(const quantized_graph& net, octet::session_options options) {
    options.batch = 2;
    session<> run(net, options);
    for (std::size_t i = 0; i < run.inputs(); ++i) {
        const std::vector<std::int8_t> q =
            octet::test::bytes(static_cast<std::size_t>(run.input_shape(i).elements()), 5 + static_cast<unsigned>(i));
        std::copy(q.begin(), q.end(), run.input(i).data);
    }
    run.run();
    std::vector<std::vector<std::int8_t>> all;
    for (std::size_t i = 0; i < run.outputs(); ++i) {
        const auto out = run.output(i);
        all.emplace_back(out.data, out.data + out.dims.elements());
    }
    return all;
}
int fused_adds(const quantized_graph& net, bool fuse) {
    const session<> run(net, {.fuse_residual = fuse});
    int count = 0;
    for (const octet::step& s : run.steps()) count += s.kernel.ends_with(" + add") ? 1 : 0;
    return count;
}
octet::samples for_graph(const graph& net, std::size_t count) {
    octet::samples all;
    all.count = count;
    for (const tensor_id id : net.inputs())
        all.inputs.push_back(
            reals(count * static_cast<std::size_t>(net.at(id).dims.elements()), 60 + static_cast<unsigned>(id)));
    return all;
}

/// A layer that clamps its bytes, and the same layer with its clip as a table after it, where all three tensors have
/// the same parameters: the clamp is the table.
TEST(fusion, a_clamp_is_the_table_of_its_clip) {
    for (const octet::activation_range range : {relu, relu6, octet::activation_range{-0.333F, 0.777F}})
        for (const bool adds : {false, true}) {
            const auto build = [&](bool fused) {
                graph net;
                const tensor_id x = net.input("x", {1, 6, 5, 4});
                const tensor_id y = net.input("y", {1, 6, 5, 4});
                const operation what = adds ? operation(op::add{}) : operation(conv3x3(4, 4, 1));
                const std::vector<tensor_id> inputs = adds ? std::vector{x, y} : std::vector{x};
                tensor_id out = net.add("layer", what, inputs, fused ? range : octet::activation_range{});
                if (!fused) out = net.add("clip", op::clip{range}, {out});
                net.output(out);
                return net;
            };
            const graph net = build(true);
            const quantized_graph one = octet::quantize(net, for_graph(net, 3));
            quantized_graph two = octet::as_float(build(false));
            for (octet::quantized_tensor& t : two.tensors) t = one.tensors[2];
            two.tensors[0] = one.tensors[0], two.tensors[1] = one.tensors[1];
            two.layers[0] = one.layers[0];
            two.layers[1].is_int8 = true;
            for (const octet::isa which : octet::supported_isas())
                EXPECT_EQ(int8_outputs(one, {.target = which}), int8_outputs(two, {.target = which}));
        }
}

TEST(fusion, a_residual_add_is_the_add_after_its_convolution) {
    struct form {
        const char* what;
        int fused;
        tensor_id (*build)(graph& net, tensor_id x);
    };
    for (const form& one : std::vector<form>{
             {"convolution first", 1,
              [](graph&net, tensor_id x) {
                  return net.add("s", op::add{}, {net.add("c", conv3x3(4, 4, 1), {x}, relu), x}, relu);
              }},
             {"convolution second", 1,
              [](graph&net, tensor_id x) {
                  return net.add("s", op::add{}, {x, net.add("c", conv3x3(4, 4, 1), {x})});
              }},
             {"two convolutions: the later takes the add", 1,
              [](graph&net, tensor_id x) {
                  const tensor_id a = net.add("a", conv3x3(4, 4, 1), {x}), b = net.add("b", conv3x3(4, 4, 3), {x});
                  return net.add("s", op::add{}, {b, a}, relu6);
              }},
             {"the later operand is no convolution", 0,
              [](graph&net, tensor_id x) {
                  const tensor_id a = net.add("a", conv3x3(4, 4, 1), {x});
                  return net.add("s", op::add{}, {a, net.add("t", op::lookup{octet::function::tanh}, {x})});
              }},
             {"a convolution that is read twice", 0,
              [](graph&net, tensor_id x) {
                  const tensor_id a = net.add("a", conv3x3(4, 4, 1), {x});
                  const tensor_id s = net.add("s", op::add{}, {a, x});
                  return net.add("m", op::mul{}, {s, a});
              }},
             {"a convolution added to itself", 0,
              [](graph&net, tensor_id x) {
                  const tensor_id a = net.add("a", conv3x3(4, 4, 1), {x});
                  return net.add("s", op::add{}, {a, a});
              }},
             {"a convolution that broadcasts", 0,
              [](graph&net, tensor_id x) {
                  const tensor_id a = net.add("a", conv3x3(1, 4, 1), {x});
                  return net.add("s", op::add{}, {x, a});
              }},
             {"a depthwise convolution", 0,
              [](graph&net, tensor_id x) {
                  const op::conv2d dw{weights(4, 9, 1), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 4};
                  return net.add("s", op::add{}, {x, net.add("a", dw, {x})});
              }},
             {"a chain of three, the last into a concatenation", 3,
              [](graph&net, tensor_id x) {
                  const tensor_id a = net.add("s1", op::add{}, {net.add("c1", conv3x3(4, 4, 1), {x}), x}, relu);
                  const tensor_id b = net.add("s2", op::add{}, {a, net.add("c2", conv3x3(4, 4, 3), {a})});
                  const tensor_id c = net.add("s3", op::add{}, {net.add("c3", conv3x3(4, 4, 5), {b}), a}, relu6);
                  return net.add("both", op::concat{3}, {c, b});
              }},
         }) {
        SCOPED_TRACE(one.what);
        graph net;
        net.output(one.build(net, net.input("x", {1, 7, 6, 4})));
        const quantized_graph int8 = octet::quantize(net, for_graph(net, 3));
        EXPECT_EQ(fused_adds(int8, true), one.fused);
        EXPECT_EQ(fused_adds(int8, false), 0);
        const auto expected = int8_outputs(int8, {.fuse_residual = false});
        for (const octet::isa which : octet::supported_isas())
            for (const octet::parallel& threads : {octet::parallel{}, octet::test::reverse_hook()})
                for (const bool fuse : {true, false})
                    EXPECT_EQ(int8_outputs(int8, {.target = which, .threads = threads, .fuse_residual = fuse}),
                              expected);
    }
}

/// A session takes Winograd where it is predicted to be faster, with and without an add behind it, and no byte changes.
TEST(winograd, changes_no_byte_of_a_session) {
    graph net;
    const tensor_id x = net.input("x", {1, 28, 28, 64});
    const tensor_id a = net.add("a", conv3x3(64, 64, 1), {x}, relu);
    net.output(net.add("s", op::add{}, {net.add("b", conv3x3(64, 64, 2), {a}), a}));
    const quantized_graph int8 = octet::quantize(net, for_graph(net, 2));
    const auto winograds = [&](octet::session_options options) {
        const session<> run(int8, options);
        int count = 0;
        for (const octet::step& s : run.steps()) count += s.kernel.starts_with("winograd") ? 1 : 0;
        return count;
    };
    const auto expected = int8_outputs(int8, {.target = octet::isa::scalar, .winograd = false});
    for (const octet::isa which : octet::supported_isas()) {
        SCOPED_TRACE(octet::to_string(which));
        EXPECT_EQ(winograds({.target = which, .winograd = false}), 0);
        EXPECT_EQ(winograds({.target = which}), which == octet::isa::sse41 ? 0 : 2);
        for (const bool winograd : {true, false})
            EXPECT_EQ(
                int8_outputs(int8, {.target = which, .threads = octet::test::reverse_hook(), .winograd = winograd}),
                expected);
    }
}

}  // namespace
