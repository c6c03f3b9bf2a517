// label: law, threads
// Sessions: runs allocate nothing and throw nothing, and neither instruction set, threads, batch nor layout show in a
// byte. This file counts every allocation of the program.
#include "octet/graph/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"
#include "octet/graph/quantize.hpp"

namespace {

std::atomic<int> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    void* raw = nullptr;
    if (posix_memalign(&raw, std::max(alignment, sizeof(void*)), bytes == 0 ? 1 : bytes) != 0) throw std::bad_alloc();
    return raw;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, 16); }
void* operator new[](std::size_t bytes) { return counted(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t a) { return counted(bytes, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t bytes, std::align_val_t a) { return counted(bytes, static_cast<std::size_t>(a)); }
// By these octet::buffer and std::stable_sort ask for their memory.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes, 16); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t a, const std::nothrow_t&) noexcept {
    return counted(bytes, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a, const std::nothrow_t&) noexcept {
    return counted(bytes, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

namespace op = octet::op;
using octet::graph;
using octet::quantized_graph;
using octet::session;
using octet::session_options;
using octet::shape;
using octet::tensor_id;
using octet::test::expect_error;
using octet::test::reals;

static_assert(noexcept(std::declval<session<>&>().run()));
static_assert(noexcept(std::declval<const session<>&>().inputs()) && noexcept(std::declval<const session<>&>().plan()));
static_assert(noexcept(std::declval<const octet::step&>().run(octet::memory{})));
static_assert(std::is_nothrow_move_constructible_v<octet::step>);
static_assert(noexcept(std::declval<const octet::conv2d<>&>()({}, {}, nullptr)));
static_assert(noexcept(std::declval<const octet::depthwise_conv2d<>&>()({}, {}, nullptr)));
static_assert(noexcept(std::declval<const octet::linear<>&>()({}, {}, nullptr)));
static_assert(noexcept(std::declval<const octet::add_layer<>&>()({}, {}, {})));
static_assert(noexcept(std::declval<const octet::lookup_layer&>()({}, {})));
static_assert(noexcept(std::declval<const octet::conv2d_float&>()({}, {}, nullptr)));

octet::layer_weights weights(int outputs, int inner, unsigned seed) {
    return {outputs, reals(static_cast<std::size_t>(outputs * inner), seed),
            reals(static_cast<std::size_t>(outputs), seed + 1)};
}

/// Every operation, one input, one output [1, 5].
graph every_operation() {
    constexpr octet::activation_range relu{0.0F, 1e30F};
    graph net;
    tensor_id x = net.input("image", {1, 12, 10, 3});
    x = net.add("conv", op::conv2d{weights(8, 27, 1), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}}, {x});
    x = net.add("relu", op::clip{relu}, {x});
    const tensor_id skip = net.add("max", op::pool2d{octet::pool_kind::max, {.kernel = {2, 2}, .stride = {2, 2}}}, {x});
    x = net.add("dw", op::conv2d{weights(8, 9, 3), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 8}, {skip});
    x = net.add("swish", op::lookup{octet::function::hard_swish}, {x});
    x = net.add("grouped", op::conv2d{weights(8, 4, 5), {}, 2}, {x});
    x = net.add("sum", op::add{}, {x, skip});
    const tensor_id gate =
        net.add("gate", op::lookup{octet::function::logistic}, {net.add("squeeze", op::global_average_pool{}, {x})});
    const tensor_id gated = net.add("gated", op::mul{}, {x, gate});
    const tensor_id mean =
        net.add("mean", op::pool2d{octet::pool_kind::average, {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, true}, {gated});
    x = net.add("joined", op::concat{3}, {gated, mean, skip});
    op::pad grow;
    grow.before = {0, 1, 0, 0}, grow.after = {0, 0, 2, 0}, grow.value = 0.25F;
    x = net.add("grown", grow, {x});
    op::transpose turn;
    turn.order = {0, 2, 1, 3};
    x = net.add("turned", turn, {x});
    x = net.add("norm", op::batch_norm{reals(24, 8, 0.5F, 1.5F), reals(24, 9)}, {x});
    x = net.add("rows", op::reshape{{1, 7, 7 * 24}}, {x});
    x = net.add("linear", op::linear{weights(6, 168, 10)}, {x});
    x = net.add("flat", op::reshape{{1, 42}}, {x});
    x = net.add("classes", op::linear{weights(5, 42, 12)}, {x});
    net.output(net.add("p", op::softmax{}, {x}));
    return net;
}
constexpr std::size_t image_size = 12 * 10 * 3;

quantized_graph in_int8(const octet::quantize_options& options = {}) {
    return octet::quantize(every_operation(), {5, reals(5 * image_size, 20)}, options);
}

std::vector<float> evaluate(session<>& run, const std::vector<float>& in) {
    std::vector<float> out(static_cast<std::size_t>(run.output_shape(0).elements()), -7.0F);
    run(in, out);
    return out;
}

TEST(session, runs_allocate_nothing) {
    const quantized_graph mixed = in_int8({.leave_in_float = {"gated", "linear", "dw"}});
    for (const quantized_graph& net : {in_int8(), mixed, octet::as_float(every_operation())})
        for (const octet::parallel& threads : {octet::parallel{}, octet::test::reverse_hook()})
            for (const bool nchw : {false, true}) {
                session<> run(net, {.batch = 2, .threads = threads, .nchw = nchw});
                const std::vector<float> in = reals(2 * image_size, 21);
                std::vector<float> out(10);
                const int before = allocations;
                run.run();
                run(in, out);
                run.set_input(0, in);
                run.get_output(0, out);
                EXPECT_EQ(allocations, before);
            }
    const int before = allocations;
    const std::vector<float> one(1);
    const octet::buffer<float> two(1);
    EXPECT_EQ(allocations, before + 2);  // the counter counts
}

template <class Rounding>
class rounded : public testing::Test {};
using policies = testing::Types<octet::nearest_even, octet::tflite, octet::single>;
TYPED_TEST_SUITE(rounded, policies);

/// The network's output bytes, and those of every tensor on the way, for one image after the other.
template <class Rounding>
std::vector<std::vector<std::int8_t>> trace(const quantized_graph& net, const session_options& options) {
    session<Rounding> run(net, options);
    std::vector<std::vector<std::int8_t>> all(net.net.tensors().size());
    const auto batch = static_cast<std::size_t>(options.batch);
    const std::vector<float> images = reals(4 * image_size, 22);
    for (std::size_t first = 0; first < 4; first += batch) {
        run.set_input(0, std::span(images).subspan(first * image_size, batch * image_size));
        run.run_observed([&]<class T>(tensor_id id, octet::tensor_view<const T> view) {
            for (std::int64_t r = 0; r < view.rows(); ++r)
                for (std::int64_t c = 0; c < view.cols(); ++c)
                    if constexpr (std::is_same_v<T, std::int8_t>)
                        all[static_cast<std::size_t>(id)].push_back(view.row(r)[c]);
        });
    }
    return all;
}

TYPED_TEST(rounded, isa_threads_and_batch_cannot_show) {
    const quantized_graph net = in_int8({.rounding = TypeParam::policy});
    const auto expected = trace<TypeParam>(net, {.target = octet::isa::scalar});
    EXPECT_EQ(expected[static_cast<std::size_t>(net.net.outputs()[0])].size(), 4U * 5U);
    std::vector<std::int8_t> distinct = expected[static_cast<std::size_t>(net.net.nodes()[0].output)];
    std::sort(distinct.begin(), distinct.end());
    EXPECT_GT(std::unique(distinct.begin(), distinct.end()) - distinct.begin(), 50);  // it is no constant
    for (const octet::isa which : octet::supported_isas())
        for (const octet::parallel& threads :
             {octet::parallel{}, octet::test::reverse_hook(), octet::test::thread_hook()})
            for (const int batch : {1, 2, 4}) {
                session_options options{.batch = batch, .target = which, .threads = threads};
                // Tensors that a larger batch makes in place are not shown: the rest is the same.
                const auto found = trace<TypeParam>(net, options);
                for (std::size_t t = 0; t < found.size(); ++t) {
                    if (found[t].empty() || expected[t].empty()) continue;
                    EXPECT_EQ(found[t], expected[t]) << t;
                }
                EXPECT_FALSE(found[static_cast<std::size_t>(net.net.outputs()[0])].empty());
            }
}

/// Two blocks as MobileNetV2 has them, at 24 x 16: depthwise, 1x1 with an add, 1x1, a table. Wide enough for chains.
octet::graph pointwise_blocks() {
    octet::graph net;
    tensor_id x = net.input("image", {1, 24, 16, 3});
    x = net.add("stem", op::conv2d{weights(24, 3, 30), {}}, {x});
    for (unsigned block = 0; block < 2; ++block) {
        const unsigned seed = 40 + 10 * block;
        const tensor_id skip = x;
        const octet::window taps{.kernel = {3, 3}, .pad = {1, 1, 1, 1}};
        x = net.add(octet::text("dw", block), op::conv2d{weights(24, 9, seed), taps, 24}, {x});
        x = net.add(octet::text("project", block), op::conv2d{weights(24, 24, seed + 1), {}}, {x});
        x = net.add(octet::text("add", block), op::add{}, {x, skip});
        x = net.add(octet::text("expand", block), op::conv2d{weights(70, 24, seed + 2), {}}, {x});
        x = net.add(octet::text("table", block), op::lookup{octet::function::hard_swish}, {x});
        x = net.add(octet::text("narrow", block), op::conv2d{weights(24, 70, seed + 3), {}}, {x});
    }
    net.output(x);
    return net;
}

/// Counts the calls of the hook that it wraps.
struct counting_hook {
    octet::parallel inner;
    int forks = 0;
    octet::parallel hook() {
        return {this, inner.workers, [](void* context, int tasks, octet::parallel::task body, void* argument) noexcept {
                    auto& self = *static_cast<counting_hook*>(context);
                    ++self.forks;
                    self.inner.run(self.inner.context, tasks, body, argument);
                }};
    }
};

TEST(session, workers_go_through_chains_of_steps_and_give_the_same_bytes) {
    static constexpr std::size_t size = 24 * 16 * 3;
    const octet::graph net = pointwise_blocks();
    const quantized_graph int8 = octet::quantize(net, {4, reals(4 * size, 50)});
    for (const int batch : {1, 2})
        for (const octet::isa which : octet::supported_isas()) {
            const std::vector<float> in = reals(static_cast<std::size_t>(batch) * size, 51);
            session<> alone(int8, {.batch = batch, .target = octet::isa::scalar});
            const std::vector<float> expected = evaluate(alone, in);
            for (const octet::parallel& inner : {octet::test::reverse_hook(), octet::test::thread_hook()}) {
                counting_hook threads{inner};
                session<> run(int8, {.batch = batch, .target = which, .threads = threads.hook()});
                EXPECT_EQ(evaluate(run, in), expected);
                EXPECT_EQ(run.steps().size(), 11U);
                threads.forks = 0;
                run.run();
                EXPECT_EQ(threads.forks, 3);  // the stem; two chains that begin with dw
            }
        }
}

/// A reshape of parts that stand below one another has as many rows as each, and other ones: no chain goes through it.
TEST(session, a_chain_ends_before_a_reshape_of_parts_made_in_place) {
    octet::graph net;
    const tensor_id image = net.input("image", {1, 24, 16, 8});
    const tensor_id a = net.add("a", op::conv2d{weights(8, 8, 60), {}}, {image});
    const tensor_id b = net.add("b", op::conv2d{weights(8, 8, 61), {}}, {image});
    const tensor_id both = net.add("both", op::concat{1}, {a, b});
    const tensor_id wide = net.add("wide", op::reshape{{1, 24, 16, 16}}, {both});
    net.output(net.add("c", op::conv2d{weights(8, 16, 62), {}}, {wide}));
    const std::vector<float> in = reals(24 * 16 * 8, 63);
    const quantized_graph int8 = octet::quantize(net, {1, in});
    session<> alone(int8);
    for (const octet::parallel& inner : {octet::test::reverse_hook(), octet::test::thread_hook()}) {
        counting_hook threads{inner};
        session<> run(int8, {.threads = threads.hook()});
        EXPECT_EQ(evaluate(run, in), evaluate(alone, in));
        threads.forks = 0;
        run.run();
        EXPECT_EQ(threads.forks, 2);  // a and b, then c
    }
}

TEST(session, float_shows_neither_isa_nor_threads_nor_batch) {
    const quantized_graph net = octet::as_float(every_operation());
    session<> reference(net, {.target = octet::isa::scalar});
    const std::vector<float> in = reals(4 * image_size, 23);
    std::vector<float> expected;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::vector<float> one(in.begin() + static_cast<std::ptrdiff_t>(i * image_size),
                                     in.begin() + static_cast<std::ptrdiff_t>((i + 1) * image_size));
        const std::vector<float> out = evaluate(reference, one);
        expected.insert(expected.end(), out.begin(), out.end());
    }
    for (const octet::isa which : octet::supported_isas())
        for (const octet::parallel& threads : {octet::parallel{}, octet::test::thread_hook()}) {
            session<> run(net, {.batch = 4, .target = which, .threads = threads});
            EXPECT_EQ(evaluate(run, in), expected);
        }
}

TEST(session, another_rounding_policy_is_refused) {
    const quantized_graph net = in_int8({.rounding = octet::rounding_policy::tflite});
    expect_error([&] { const session<> run(net); }, "rounding policy 'tflite'", "rounds as 'nearest_even'",
                 "octet::session<octet::tflite>");
    expect_error([&] { const session<octet::single> run(in_int8()); }, "'nearest_even'", "'single'");
    const session<octet::tflite> floats(octet::as_float(every_operation()));  // nothing is rounded
    EXPECT_FALSE(floats.output_is_int8(0));
}

TEST(session, nchw_is_nhwc_with_its_axes_moved) {
    graph net;
    tensor_id x = net.input("x", {1, 15, 20, 3});
    x = net.add("conv", op::conv2d{weights(7, 27, 1), {.kernel = {3, 3}}}, {x});
    net.output(x);
    const quantized_graph int8 = octet::quantize(net, {3, reals(3 * 900, 2)});
    for (const quantized_graph& one : {int8, octet::as_float(net)}) {
        session<> nhwc(one, {.batch = 2}), nchw(one, {.batch = 2, .nchw = true});
        EXPECT_EQ(nchw.input_shape(0), (shape{2, 15, 20, 3}));
        const auto moved = [](const std::vector<float>& from, std::size_t pixels, std::size_t channels) {
            std::vector<float> to(from.size());
            for (std::size_t n = 0; n < 2; ++n)
                for (std::size_t p = 0; p < pixels; ++p)
                    for (std::size_t c = 0; c < channels; ++c)
                        to[(n * channels + c) * pixels + p] = from[(n * pixels + p) * channels + c];
            return to;
        };
        const std::vector<float> in = reals(1800, 3);
        EXPECT_EQ(evaluate(nchw, moved(in, 300, 3)), moved(evaluate(nhwc, in), 13 * 18, 7));
    }
}

TEST(session, inputs_and_outputs_are_the_stored_values) {
    const quantized_graph net = in_int8();
    session<> run(net, {.batch = 2});
    EXPECT_EQ(run.inputs(), 1U);
    EXPECT_EQ(run.outputs(), 1U);
    EXPECT_EQ(run.input_shape(0), (shape{2, 12, 10, 3}));
    EXPECT_EQ(run.output_shape(0), (shape{2, 5}));
    EXPECT_TRUE(run.input_is_int8(0) && run.output_is_int8(0));
    EXPECT_EQ(run.input_params(0), net.at(0).params);
    EXPECT_EQ(run.output_params(0), net.at(net.net.outputs()[0]).params);

    const std::vector<float> in = reals(2 * image_size, 24);
    const std::vector<float> out = evaluate(run, in);
    for (std::size_t i = 0; i < in.size(); ++i)
        EXPECT_EQ(run.input(0).data[i], octet::quantize_value(in[i], run.input_params(0), -128, 127));
    for (std::size_t i = 0; i < out.size(); ++i)
        EXPECT_EQ(out[i], octet::dequantize_value(run.output(0).data[i], run.output_params(0)));
    EXPECT_GT(*std::max_element(out.begin(), out.end()), 0.0F);

    // Inputs persist: another run gives the same, whatever the arena holds by now.
    const std::vector<std::int8_t> first(run.output(0).data, run.output(0).data + 10);
    const std::vector<std::int8_t> held(run.input(0).data, run.input(0).data + in.size());
    for (int i = 0; i < 3; ++i) run.run();
    EXPECT_EQ(std::vector<std::int8_t>(run.output(0).data, run.output(0).data + 10), first);
    EXPECT_EQ(std::vector<std::int8_t>(run.input(0).data, run.input(0).data + in.size()), held);

    session<> moved = std::move(run);  // views stay valid: the arena does not move
    moved.run();
    EXPECT_EQ(std::vector<std::int8_t>(moved.output(0).data, moved.output(0).data + 10), first);
}

TEST(session, wrong_use_is_an_error_before_any_work) {
    session<> run(in_int8()), floats(octet::as_float(every_operation()));
    std::vector<float> in(image_size, 0.5F), out(5, 42.0F);
    run.set_input(0, in);
    const std::vector<std::int8_t> held(run.input(0).data, run.input(0).data + image_size);
    const auto unchanged = [&] {
        EXPECT_EQ(out, std::vector<float>(out.size(), 42.0F));
        EXPECT_EQ(std::vector<std::int8_t>(run.input(0).data, run.input(0).data + image_size), held);
    };
    in.assign(image_size - 1, 9.0F);
    expect_error([&] { run(in, out); }, "input 0", "1x12x10x3", "needs 360 values", "359 were given");
    unchanged();
    expect_error([&] { run.set_input(0, in); }, "input 0", "359 were given");
    unchanged();
    in.assign(image_size, 9.0F), out.assign(6, 42.0F);
    expect_error([&] { run(in, out); }, "output 0", "1x5", "needs 5 values", "6 were given");
    unchanged();
    expect_error([&] { run.get_output(0, out); }, "output 0", "6 were given");
    unchanged();
    expect_error([&] { run.input(1); }, "no input 1", "has 1");
    expect_error([&] { run.output(1); }, "no output 1", "has 1");
    expect_error([&] { run.set_input(3, in); }, "no input 3");
    expect_error([&] { run.get_output(3, out); }, "no output 3");
    expect_error([&] { run.input<float>(0); }, "input 0 is stored as int8", "input<std::int8_t>");
    expect_error([&] { run.output<float>(0); }, "output 0 is stored as int8", "output<std::int8_t>");
    expect_error([&] { floats.input(0); }, "input 0 is stored as float", "input<float>");
    expect_error([&] { floats.output<std::int8_t>(0); }, "output 0 is stored as float", "output<float>");
    expect_error([] { session<> all(in_int8(), {.batch = 1 << 30}); }, "batch of 1073741824", "of shape 1x",
                 "2147483647 elements", "lower the batch");
}

TEST(samples, a_batch_is_whole) {
    session<> run(in_int8(), {.batch = 2});
    octet::samples three(3, std::vector<float>(3 * image_size, 0.5F));
    octet::set_samples(run, three, 0);
    octet::set_samples(run, three, 1);
    for (const std::size_t first : {std::size_t{2}, std::size_t{3}, ~std::size_t{0}})
        expect_error([&] { octet::set_samples(run, three, first); }, "input 0: a batch of 2 from sample",
                     "there are 3 samples");
    three.inputs[0].pop_back();
    expect_error([&] { octet::set_samples(run, three, 1); }, "there are 2 samples");
    three.inputs.clear();
    expect_error([&] { octet::set_samples(run, three, 0); }, "there are 0 samples");
}

/// Of a 2 x 2 image with 3 channels and a row of values: what stood channel by channel stands pixel by pixel.
TEST(samples, planes_become_pixels) {
    graph net;
    net.output(net.input("image", {1, 2, 2, 3}));
    net.output(net.input("row", {1, 4}));
    const octet::samples planes(2, {{1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24,  //
                                     5, 6, 7, 8, 15, 16, 17, 18, 25, 26, 27, 28},
                                    {1, 2, 3, 4, 5, 6, 7, 8}});
    const octet::samples pixels = octet::from_nchw(net, planes);
    EXPECT_EQ(pixels.count, 2U);
    EXPECT_EQ(pixels.inputs[0], (std::vector<float>{1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24,  //
                                                    5, 15, 25, 6, 16, 26, 7, 17, 27, 8, 18, 28}));
    EXPECT_EQ(pixels.inputs[1], planes.inputs[1]);
    expect_error([&] { octet::from_nchw(net, octet::samples(1, planes.inputs)); }, "input 'image'", "12 values each",
                 "24 were given");
}

/// Two inputs, one int8 and one that a float layer reads too; outputs in the middle, an input, the same one twice.
TEST(session, several_inputs_and_outputs) {
    graph net;
    const tensor_id a = net.input("a", {1, 4, 4, 3}), b = net.input("b", {1, 4, 4, 3});
    const tensor_id sum = net.add("sum", op::add{}, {a, b});
    const tensor_id act = net.add("act", op::lookup{octet::function::tanh}, {b});
    const tensor_id conv = net.add("conv", op::conv2d{weights(2, 3, 1), {}}, {sum});
    net.output(sum), net.output(conv), net.output(act), net.output(a), net.output(conv);
    const octet::samples data{4, {reals(4 * 48, 1), reals(4 * 48, 2)}};
    const quantized_graph int8 = octet::quantize(net, data, {.leave_in_float = {"act"}});
    session<> run(int8), floats(octet::as_float(net));
    EXPECT_EQ(run.inputs(), 2U);
    EXPECT_EQ(run.outputs(), 5U);
    EXPECT_TRUE(run.input_is_int8(0));
    EXPECT_FALSE(run.input_is_int8(1));
    EXPECT_FALSE(run.output_is_int8(2));
    std::vector<float> out(48);
    expect_error([&] { run(data.inputs[0], out); }, "2 inputs and 5 outputs", "set_input, run and get_output");
    for (session<>* one : {&run, &floats}) {
        one->set_input(0, data.slice(0, 1, 1, 48));
        one->set_input(1, data.slice(1, 1, 1, 48));
        one->run();
    }
    for (std::size_t i = 0; i < 5; ++i) {
        const auto count = static_cast<std::size_t>(run.output_shape(i).elements());
        std::vector<float> got(count), expected(count);
        run.get_output(i, got);
        floats.get_output(i, expected);
        const float step = run.output_is_int8(i) ? run.output_params(i).scale.value : 1e-30F;
        for (std::size_t k = 0; k < count; ++k) EXPECT_NEAR(got[k], expected[k], 3 * step) << i;
    }
    EXPECT_EQ(run.output(1).data, run.output(4).data);
    EXPECT_EQ(run.output(3).data, run.input(0).data);
}

/// A float layer between int8 ones: its input is the stored bytes as reals, its output becomes bytes by the rule.
TEST(session, layers_left_in_float_convert_at_their_edges) {
    graph net;
    tensor_id x = net.input("x", {1, 6, 5, 4});
    const tensor_id first = net.add("first", op::conv2d{weights(4, 4, 1), {}}, {x});
    const tensor_id middle = net.add("middle", op::conv2d{weights(4, 4, 3), {}}, {first});
    const tensor_id last = net.add("last", op::conv2d{weights(4, 4, 5), {}}, {middle});
    net.output(first), net.output(middle), net.output(last);
    const quantized_graph mixed = octet::quantize(net, {4, reals(480, 2)}, {.leave_in_float = {"middle"}});
    EXPECT_EQ(mixed.quantized_layers(), 2);
    EXPECT_NE(mixed.layers[1].reason.find("as asked"), std::string::npos);
    session<> run(mixed);
    EXPECT_TRUE(run.output_is_int8(0) && !run.output_is_int8(1) && run.output_is_int8(2));
    run.set_input(0, reals(120, 4));
    run.run();
    std::vector<std::string> kernels;
    for (const octet::step& s : run.steps())
        if (s.node < 0) kernels.push_back(s.kernel.substr(0, s.kernel.find(' ')));
    EXPECT_EQ(kernels, (std::vector<std::string>{"dequantize", "quantize"}));

    const auto of_first = run.output(0);
    const auto of_middle = run.output<float>(1);
    const octet::layer_weights w = weights(4, 4, 3);
    for (std::int64_t r = 0; r < of_first.rows(); ++r)
        for (std::size_t o = 0; o < 4; ++o) {
            float acc = w.bias[o];
            for (std::size_t k = 0; k < 4; ++k)
                acc = std::fma(octet::dequantize_value(of_first.row(r)[k], run.output_params(0)), w.values[4 * o + k],
                               acc);
            EXPECT_EQ(of_middle.row(r)[o], acc);
        }
    // The last layer alone, over the middle one's bytes.
    graph tail;
    tail.output(tail.add("last", op::conv2d{weights(4, 4, 5), {}}, {tail.input("x", {1, 6, 5, 4})}));
    quantized_graph alone = octet::as_float(tail);
    alone.tensors = {mixed.at(middle), mixed.at(last)};
    alone.tensors[0].is_int8 = true;
    alone.layers[0] = mixed.layers[2];
    session<> reference(alone);
    reference.set_input(0, {of_middle.data, 120});
    reference.run();
    for (std::size_t i = 0; i < 120; ++i) EXPECT_EQ(reference.output(0).data[i], run.output(2).data[i]);
}

TEST(session, the_memory_plan_is_known_and_kept) {
    const quantized_graph net = in_int8();
    const session<> one(net), four(net, {.batch = 4}), threaded(net, {.threads = octet::test::reverse_hook()});
    EXPECT_GT(one.plan().arena_bytes, 0U);
    EXPECT_GE(four.plan().arena_bytes, 4 * one.plan().arena_bytes - 64 * 4 * one.plan().blocks.size());
    EXPECT_EQ(one.plan().arena_bytes, session<>(net).plan().arena_bytes);
    EXPECT_GE(threaded.plan().scratch_bytes, 2 * one.plan().scratch_bytes);
    for (const octet::allocation& b : one.plan().blocks) {
        EXPECT_FALSE(b.name.empty());
        EXPECT_LE(b.offset + b.size, one.plan().arena_bytes);
        EXPECT_LE(b.first, b.last);
        EXPECT_LE(b.last, static_cast<int>(one.steps().size()));
    }
    for (const octet::step& s : one.steps()) EXPECT_FALSE(s.kernel.empty());
}

/// Of every layout: 64, 32 or 16 columns a panel, groups of 4, 2 or 1 depths. Narrow groups take whole panels each, and
/// leave room for what is behind them.
TEST(session, packed_weights_stand_in_one_piece) {
    using octet::isa;
    graph net;
    tensor_id x = net.input("image", {1, 4, 4, 128});
    x = net.add("grouped", op::conv2d{weights(128, 36, 1), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 32}, {x});
    x = net.add("dw", op::conv2d{weights(128, 9, 3), {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 128}, {x});
    x = net.add("wide", op::conv2d{weights(200, 128, 5), {}}, {x});
    x = net.add("rows", op::reshape{{1, 3200}}, {x});
    net.output(net.add("classes", op::linear{weights(5, 3200, 7)}, {x}));
    const quantized_graph int8 = octet::quantize(net, octet::samples(1, reals(4 * 4 * 128, 9)));
    for (const isa which : octet::supported_isas()) {
        const bool is_512 = which == isa::avx512_vnni || which == isa::avx512bw;
        const bool by_four = which == isa::avx512_vnni || which == isa::avx_vnni;
        const std::size_t panel = is_512 ? 64 : which == isa::avx2 || which == isa::avx_vnni ? 32 : 16;
        const std::size_t group = by_four ? 4 : which == isa::scalar ? 1 : 2;
        const auto packed = [&](std::size_t columns, std::size_t depth) {
            const std::size_t bytes = (columns + panel - 1) / panel * panel * ((depth + group - 1) / group * group);
            return (bytes + 63) / 64 * 64;
        };
        EXPECT_EQ(session<>(int8, {.target = which, .winograd = false}).weight_bytes(),
                  32 * packed(4, 36) + packed(200, 128) + packed(5, 3200))
            << octet::to_string(which);
    }
}

/// Weights in a slab go with what is moved, and a copy has its own: nothing of what came before is read.
TEST(session, moved_and_copied_weights_outlive_what_they_came_from) {
    const quantized_graph net = in_int8();
    const std::vector<float> image = reals(image_size, 30);
    session<> stays(net);
    auto first = std::make_unique<session<>>(net);
    session<> moved = std::move(*first);
    first.reset();
    EXPECT_EQ(evaluate(moved, image), evaluate(stays, image));

    const std::vector<std::int8_t> values{1, -2, 3, 4, 5, -6}, x{7, 8, 9};
    const std::vector<octet::scale> scales{octet::scale(1)};
    const std::vector<std::int32_t> bias{10, 20};
    auto lends = std::make_unique<octet::slab>(4096);
    auto built = std::make_unique<octet::linear<>>(octet::linear_weights{values, 2, 3, scales, bias},
                                                   octet::linear_options{}, lends.get());
    EXPECT_GT(lends->used(), 0U);
    const octet::linear<> copy = *built;
    built.reset();
    lends.reset();
    std::vector<std::int8_t> y(2);
    octet::buffer<std::byte> scratch(copy.scratch_bytes(1));
    copy({x.data(), {1, 3}}, {y.data(), {1, 2}}, scratch.data());
    EXPECT_EQ(y, (std::vector<std::int8_t>{28, 34}));  // 7 - 16 + 27 + 10, 28 + 40 - 54 + 20
}

}  // namespace
