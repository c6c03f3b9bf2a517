// label: law, threads
// Int8 convolution, matrix product and depthwise convolution against sums written out in 64 bits: every instruction
// set, result and split into tasks returns the same bytes, and nothing outside the operands is touched.
#include "octet/nn/conv2d.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <ostream>
#include <vector>

#include "compiled_once.hpp"
#include "guarded.hpp"
#include "network_data.hpp"
#include "octet/nn/depthwise_conv2d.hpp"
#include "octet/nn/linear.hpp"

namespace {

using octet::clamp;
using octet::extent;
using octet::isa;
using octet::padding;
using octet::quant_params;
using octet::scale;
using octet::shape;
using octet::tensor_view;
using octet::zero_point;
using octet::test::guard;
using octet::test::guarded;

struct problem {
    int batch = 1, height = 5, width = 6, channels = 7, outputs = 9;
    extent kernel{3, 3};
    extent stride{};
    extent dilation{};
    padding pad{};
    int groups = 1;
    int z_in = 5, z_out = -3;
    clamp limits{};
    bool extreme = false;  ///< inputs and weights take their largest magnitudes only
    bool one_scale = false;

    int depth() const { return channels / groups; }
    int taps() const { return kernel.height * kernel.width; }
    extent outputs_a_side() const {
        const auto along = [](int size, int k, int s, int d, int before, int after) {
            return (size + before + after - d * (k - 1) - 1) / s + 1;
        };
        return {along(height, kernel.height, stride.height, dilation.height, pad.top, pad.bottom),
                along(width, kernel.width, stride.width, dilation.width, pad.left, pad.right)};
    }
    shape in() const { return {batch, height, width, channels}; }
    shape out() const { return {batch, outputs_a_side().height, outputs_a_side().width, outputs}; }
};

std::ostream& operator<<(std::ostream& to, const problem& p) {
    return to << octet::to_string(p.in()) << " -> " << octet::to_string(p.out()) << ", kernel " << p.kernel.height
              << "x" << p.kernel.width << ", stride " << p.stride.height << "," << p.stride.width << ", dilation "
              << p.dilation.height << "," << p.dilation.width << ", padding " << p.pad.top << "," << p.pad.left << ","
              << p.pad.bottom << "," << p.pad.right << ", groups " << p.groups << ", zero points " << p.z_in << ","
              << p.z_out;
}

const std::vector<problem>& problems() {
    static const std::vector<problem> all{
        {},
        {.kernel = {1, 1}},
        {.height = 9, .width = 11, .channels = 3, .outputs = 17, .kernel = {1, 1}, .z_in = -128, .z_out = 127},
        {.channels = 64, .outputs = 33, .kernel = {1, 1}, .z_in = 127, .z_out = -128},
        {.height = 7, .width = 7, .stride = {2, 2}, .pad = {1, 1, 1, 1}},
        {.height = 8, .width = 9, .stride = {3, 2}, .pad = {0, 2, 1, 0}, .z_in = -100},
        {.height = 9, .width = 8, .dilation = {2, 3}, .pad = {3, 1, 0, 2}, .z_in = 100},
        {.height = 6, .width = 6, .stride = {2, 1}, .dilation = {2, 2}, .pad = {2, 2, 2, 2}, .z_in = -7},
        {.batch = 3, .height = 4, .width = 5, .pad = {1, 1, 1, 1}, .one_scale = true},
        {.batch = 2, .channels = 8, .outputs = 6, .pad = {1, 0, 1, 2}, .groups = 2},
        {.channels = 15, .outputs = 10, .pad = {0, 1, 0, 1}, .groups = 5},
        {.channels = 6, .outputs = 12, .pad = {1, 1, 1, 1}, .groups = 6},
        {.height = 13, .width = 12, .channels = 2, .outputs = 5, .kernel = {11, 9}, .pad = {5, 4, 5, 4}, .z_in = 60},
        {.height = 1, .width = 40, .channels = 1, .outputs = 1, .kernel = {1, 7}, .pad = {0, 3, 0, 3}},
        {.height = 3, .width = 3, .channels = 5, .outputs = 70, .pad = {2, 2, 2, 2}, .limits = {-3, 90}},
        {.height = 2, .width = 2, .channels = 1, .outputs = 2, .kernel = {5, 5}, .pad = {4, 4, 4, 4}, .z_in = -50},
        {.height = 21,
         .width = 115,
         .channels = 3,
         .outputs = 33,
         .kernel = {7, 7},
         .stride = {2, 2},
         .pad = {3, 3, 3, 3},
         .z_in = -11},
        {.batch = 2, .height = 5, .width = 224, .channels = 3, .outputs = 32, .stride = {2, 2}, .pad = {0, 0, 1, 1}},
        {.height = 9, .width = 10, .channels = 3, .kernel = {2, 2}, .stride = {3, 4}, .pad = {1, 1, 5, 6}, .z_in = 77},
        {.height = 6, .width = 7, .channels = 21, .kernel = {3, 2}, .dilation = {3, 1}, .pad = {2, 1, 2, 1}},
        {.height = 3, .width = 1, .channels = 2, .kernel = {1, 3}, .pad = {0, 6, 0, 5}, .z_in = 5},
        {.channels = 130, .outputs = 4, .z_in = -128, .limits = {-128, 126}, .extreme = true},
        {.height = 12, .width = 10, .channels = 4, .outputs = 16, .z_in = 127, .extreme = true},
    };
    return all;
}

const std::vector<problem>& depthwise_problems() {
    static const std::vector<problem> all{
        {.channels = 9, .outputs = 9, .groups = 9},
        {.channels = 16, .outputs = 16, .pad = {1, 1, 1, 1}, .groups = 16, .z_in = -128, .z_out = 12},
        {.height = 9, .width = 7, .channels = 33, .outputs = 33, .stride = {2, 2}, .pad = {0, 0, 1, 1}, .groups = 33},
        {.batch = 2, .channels = 70, .outputs = 70, .pad = {1, 2, 0, 1}, .groups = 70, .z_in = 127, .one_scale = true},
        {.height = 11,
         .width = 12,
         .channels = 5,
         .outputs = 5,
         .kernel = {5, 5},
         .stride = {1, 2},
         .dilation = {2, 1},
         .pad = {2, 2, 2, 2},
         .groups = 5},
        {.channels = 1, .outputs = 1, .groups = 1, .limits = {0, 77}},
        {.channels = 24, .outputs = 24, .kernel = {1, 1}, .groups = 24},
        {.height = 4,
         .width = 4,
         .channels = 130,
         .outputs = 130,
         .kernel = {7, 7},
         .pad = {3, 3, 3, 3},
         .groups = 130,
         .z_in = 90,
         .extreme = true},
    };
    return all;
}

/// The operands of a problem, and its answer by the definition.
struct data {
    problem p;
    std::vector<std::int8_t> in, weights;
    std::vector<std::int32_t> bias;
    std::vector<scale> scales;
    quant_params input, output;

    explicit data(const problem& of, unsigned seed = 1) : p(of) {
        const auto inner = static_cast<std::size_t>(p.taps() * p.depth()), count = static_cast<std::size_t>(p.outputs);
        in = octet::test::bytes(static_cast<std::size_t>(p.in().elements()), seed);
        weights = octet::test::bytes(count * inner, seed + 1, -127);
        if (p.extreme) {
            for (std::size_t i = 0; i < in.size(); ++i) in[i] = i % 3 == 0 ? 127 : -128;
            for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i / inner % 2 == 0 ? 127 : -127;
        }
        const std::vector<float> spread = octet::test::reals(2 * count, seed + 2, 0.3F, 3.0F);
        const auto size = 70.0F * 70.0F * std::sqrt(static_cast<float>(inner));
        for (std::size_t o = 0; o < count; ++o) {
            bias.push_back(static_cast<std::int32_t>((spread[count + o] - 1.5F) * size));
            if (o == 0 || !p.one_scale) scales.emplace_back(0.01F * spread[o]);
        }
        input = {scale(0.07F), zero_point(p.z_in)};
        output = {scale(0.07F * 0.01F * size / 60.0F), zero_point(p.z_out)};
    }
    const scale& weight_scale(int o) const { return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(o)]; }
    octet::conv2d_options options(std::optional<isa> target) const {
        return {p.stride, p.dilation, p.pad, p.groups, input, output, p.limits, target, "conv 'a'"};
    }

    template <class Result>
    std::vector<typename Result::stored> expected() const {
        const shape out = p.out();
        std::vector<typename Result::stored> all;
        for (int b = 0; b < p.batch; ++b)
            for (int r = 0; r < out[1]; ++r)
                for (int c = 0; c < out[2]; ++c)
                    for (int o = 0; o < p.outputs; ++o) {
                        const std::int64_t acc = sum(b, r, c, o);
                        EXPECT_EQ(acc, static_cast<std::int32_t>(acc));
                        const auto m = Result::make(input.scale, weight_scale(o), output.scale, "reference");
                        all.push_back(
                            octet::result_of<Result>(static_cast<std::int32_t>(acc), m, output.zero_point, p.limits));
                    }
        return all;
    }
    std::int64_t sum(int b, int r, int c, int o) const {
        std::int64_t acc = bias[static_cast<std::size_t>(o)];
        const int group = o / (p.outputs / p.groups);
        for (int y = 0; y < p.kernel.height; ++y)
            for (int x = 0; x < p.kernel.width; ++x)
                for (int k = 0; k < p.depth(); ++k) {
                    const int row = r * p.stride.height + y * p.dilation.height - p.pad.top;
                    const int col = c * p.stride.width + x * p.dilation.width - p.pad.left;
                    if (row < 0 || row >= p.height || col < 0 || col >= p.width) continue;  // (z - z) * w
                    const int at = ((b * p.height + row) * p.width + col) * p.channels + group * p.depth() + k;
                    const int w = ((o * p.kernel.height + y) * p.kernel.width + x) * p.depth() + k;
                    acc +=
                        std::int64_t{in[static_cast<std::size_t>(at)] - p.z_in} * weights[static_cast<std::size_t>(w)];
                }
        return acc;
    }
};

/// A view of `values` in memory that ends, or begins, at an unmapped page, with `gap` elements of 77 between the rows.
template <class T = std::int8_t>
struct strided {
    guarded<T> memory;
    tensor_view<T> view;

    strided(const shape& dims, std::ptrdiff_t gap, guard side)
        : memory(static_cast<std::size_t>((dims.rows() - 1) * (dims.cols() + gap) + dims.cols()), side),
          view(memory.data(), dims, static_cast<std::ptrdiff_t>(dims.cols()) + gap) {
        for (T& q : memory) q = 77;
    }
    void fill(const std::vector<T>& values) const {
        for (std::size_t i = 0; i < values.size(); ++i) at(i) = values[i];
    }
    T& at(std::size_t i) const {
        const auto cols = static_cast<std::size_t>(view.cols());
        return view.row(static_cast<std::int64_t>(i / cols))[i % cols];
    }
    std::vector<T> values() const {
        std::vector<T> all;
        for (std::size_t i = 0; i < static_cast<std::size_t>(view.dims.elements()); ++i) all.push_back(at(i));
        return all;
    }
    bool gaps_untouched() const {
        for (std::int64_t r = 0; r + 1 < view.rows(); ++r)
            for (std::int64_t c = view.cols(); c < view.stride; ++c)
                if (view.row(r)[c] != 77) return false;
        return true;
    }
};

/// Built from weights that are unmapped before it runs.
template <class Result>
octet::conv2d<Result> build(const data& d, std::optional<isa> target) {
    guarded<std::int8_t> weights(d.weights.size());
    std::copy(d.weights.begin(), d.weights.end(), weights.begin());
    guarded<std::int32_t> bias(d.bias.size());
    std::copy(d.bias.begin(), d.bias.end(), bias.begin());
    octet::conv2d_options options = d.options(target);
    if (!octet::stores_int8<Result>) options.output = {}, options.limits = {};
    return {octet::conv2d_weights{weights.all(), d.p.outputs, d.p.kernel, d.p.depth(), d.scales, bias.all()}, options};
}

template <class Layer, class T>
void expect_bytes(const Layer& layer, const data& d, const std::vector<T>& expected,
                  const octet::parallel& threads = {}) {
    EXPECT_EQ(layer.output_shape(d.p.in()), d.p.out());
    for (const guard side : {guard::end, guard::begin})
        for (const std::ptrdiff_t gap : {0, 13}) {
            const strided in(d.p.in(), gap, side);
            const strided<T> out(d.p.out(), 2 * gap, side);
            in.fill(d.in);
            const guarded<std::byte> scratch(layer.scratch_bytes(threads.workers), side);
            layer(in.view, out.view, scratch.data(), threads);
            ASSERT_EQ(out.values(), expected);
            EXPECT_TRUE(out.gaps_untouched());
            EXPECT_EQ(in.values(), d.in);
        }
}

template <class Rounding>
class conv2d_of : public testing::Test {};
using policies = testing::Types<octet::nearest_even, octet::tflite, octet::single>;
TYPED_TEST_SUITE(conv2d_of, policies);

template <class Result>
class a_result : public testing::Test {};
using results =
    testing::Types<octet::nearest_even, octet::tflite, octet::single, octet::accumulators, octet::dequantized>;
TYPED_TEST_SUITE(a_result, results);

TYPED_TEST(a_result, of_conv2d_is_that_of_the_sums_written_out_on_every_isa) {
    for (const problem& p : problems()) {
        const data d(p);
        const auto expected = d.expected<TypeParam>();
        for (const isa which : octet::supported_isas()) {
            SCOPED_TRACE(testing::Message() << p << ", " << octet::to_string(which));
            const octet::conv2d<TypeParam> layer = build<TypeParam>(d, which);
            EXPECT_EQ(layer.kernel().target, octet::choose_gemm<TypeParam>(which).target);
            expect_bytes(layer, d, expected);
        }
    }
}

TYPED_TEST(a_result, of_linear_is_that_of_the_sums_written_out_on_every_isa) {
    for (const problem& p :
         {problem{.height = 1, .width = 1, .channels = 70, .outputs = 133, .kernel = {1, 1}, .z_in = -128},
          problem{.batch = 3, .height = 7, .channels = 19, .outputs = 41, .kernel = {1, 1}, .limits = {-9, 100}},
          problem{.width = 50, .channels = 3, .outputs = 5, .kernel = {1, 1}, .z_in = 127, .one_scale = true},
          problem{.channels = 257, .outputs = 2, .kernel = {1, 1}, .limits = {-128, 126}, .extreme = true}}) {
        const data d(p);
        const auto expected = d.expected<TypeParam>();
        octet::linear_options options{.input = d.input, .name = "fc"};
        if (octet::stores_int8<TypeParam>) options.output = d.output, options.limits = p.limits;
        for (const isa which : octet::supported_isas()) {
            SCOPED_TRACE(testing::Message() << p << ", " << octet::to_string(which));
            options.target = which;
            const octet::linear<TypeParam> layer({d.weights, p.outputs, p.channels, d.scales, d.bias}, options);
            EXPECT_EQ(layer.kernel().target, which);
            for (const octet::parallel& threads : {octet::parallel{}, octet::test::reverse_hook()})
                expect_bytes(layer, d, expected, threads);

            const shape rows{p.in().rows(), p.channels};
            std::vector<typename TypeParam::stored> flat(expected.size());
            const guarded<std::byte> scratch(layer.scratch_bytes(1));
            layer({d.in.data(), rows}, {flat.data(), layer.output_shape(rows)}, scratch.data());
            EXPECT_EQ(flat, expected) << "of a matrix";
        }
    }
}

TEST(linear, set_up_errors_name_layer_value_and_remedy) {
    using octet::test::expect_error;
    const std::vector<std::int8_t> weights(6, 1);
    const std::vector<scale> scales{scale(0.5F)};
    const std::vector<std::int32_t> bias(2, 0);
    const octet::linear_weights w{weights, 2, 3, scales, bias};
    const octet::linear<octet::accumulators> sums(w, {.name = "fc"});
    EXPECT_EQ(sums.output_shape({3}), shape({2}));
    EXPECT_EQ(sums.output_shape({4, 5, 3}), shape({4, 5, 2}));
    expect_error([&] { sums.output_shape({3, 4}); }, "fc", "3x4", "rows of 3 values");
    expect_error([&] { sums.output_shape({}); }, "fc", "scalar", "rows of 3 values");
    expect_error([&] { octet::linear<>({weights, 2, 4, scales, bias}, {.name = "fc"}); }, "fc", "6 weights", "8");
    expect_error([&] { octet::linear<>(w, {.limits = {3, 2}, .name = "fc"}); }, "fc", "[3, 2]", "ordered");
    const quant_params huge{scale(3e38F), {}}, other{scale(2.0F), {}};
    const std::vector<scale> large{scale(3.0F)};
    expect_error(
        [&] {
            octet::linear<octet::dequantized>({weights, 2, 3, large, bias}, {.input = huge, .name = "fc"});
        },
        "fc, output channel 0", "scale of the sums is inf", "finite");
    const char* const remedy = "belong to int8 results";
    expect_error([&] { octet::linear<octet::dequantized>(w, {.output = other, .name = "fc"}); }, "fc", remedy);
    expect_error([&] { octet::linear<octet::accumulators>(w, {.limits = {0, 127}, .name = "fc"}); }, "fc", remedy);
    expect_error(
        [&] {
            octet::conv2d<octet::accumulators>({weights, 2, {1, 1}, 3, scales, bias},
                                               {.name = "conv", .algorithm = octet::conv2d_algorithm::winograd});
        },
        "conv", "int8 results only", "leave the choice");
}

TYPED_TEST(conv2d_of, depthwise_too) {
    for (const problem& p : depthwise_problems()) {
        const data d(p);
        const std::vector<std::int8_t> expected = d.expected<TypeParam>();
        guarded<std::int8_t> turned(d.weights.size());  // OHW to HWC
        for (int o = 0; o < p.channels; ++o)
            for (int t = 0; t < p.taps(); ++t)
                turned[static_cast<std::size_t>(t * p.channels + o)] =
                    d.weights[static_cast<std::size_t>(o * p.taps() + t)];
        for (const isa which : octet::supported_isas()) {
            SCOPED_TRACE(testing::Message() << p << ", " << octet::to_string(which));
            const octet::depthwise_conv2d<TypeParam> layer({turned.all(), p.channels, p.kernel, d.scales, d.bias},
                                                           d.options(which));
            expect_bytes(layer, d, expected);
            expect_bytes(layer, d, expected, octet::test::reverse_hook());
        }
    }
}

TYPED_TEST(conv2d_of, a_fused_add_is_the_add_after_it) {
    for (const problem& p :
         {problem{.batch = 2, .height = 9, .pad = {1, 1, 1, 1}}, problem{.outputs = 40, .kernel = {1, 1}},
          problem{.channels = 8, .outputs = 6, .groups = 2, .limits = {-20, 100}},
          problem{.height = 3, .width = 4, .channels = 8, .outputs = 402, .kernel = {1, 1}, .groups = 2}}) {
        const data d(p);
        const std::vector<std::int8_t> other = octet::test::bytes(static_cast<std::size_t>(p.out().elements()), 9),
                                       first = d.expected<TypeParam>();
        for (const isa which : octet::supported_isas())
            for (const bool y_first : {true, false}) {
                SCOPED_TRACE(testing::Message() << p << ", " << octet::to_string(which) << ", y first " << y_first);
                const quant_params b{scale(d.output.scale.value * 0.61F), zero_point(-31)};
                const quant_params sum_params{scale(d.output.scale.value * 1.37F), zero_point(21)};
                const octet::add_layer<TypeParam> sum(y_first ? d.output : b, y_first ? b : d.output, sum_params,
                                                      {-90, 111}, which, "add 'b'");
                std::vector<std::int8_t> expected(first.size());
                const tensor_view<const std::int8_t> y{first.data(), p.out()}, x{other.data(), p.out()};
                sum(y_first ? y : x, y_first ? x : y, {expected.data(), p.out()});

                const octet::conv2d<TypeParam> layer = build<TypeParam>(d, which);
                for (const octet::parallel& threads : {octet::parallel{}, octet::test::reverse_hook()}) {
                    const strided out(p.out(), 5, guard::end), residual(p.out(), 3, guard::end);
                    residual.fill(other);
                    const guarded<std::byte> scratch(layer.scratch_bytes(threads.workers));
                    layer({d.in.data(), p.in()}, out.view, scratch.data(), threads, {&sum, residual.view, y_first});
                    EXPECT_EQ(out.values(), expected);
                    EXPECT_TRUE(out.gaps_untouched());
                }
            }
    }
}

TEST(conv2d, threads_cannot_show) {
    for (const problem& p : {problem{.batch = 2, .height = 13, .width = 17, .pad = {1, 1, 1, 1}},
                             problem{.height = 1, .width = 1, .kernel = {1, 1}},
                             problem{.height = 1, .width = 1, .channels = 50, .outputs = 333, .kernel = {1, 1}},
                             problem{.height = 4, .width = 3, .channels = 8, .outputs = 402, .groups = 2},
                             // few rows and columns that come out even; more rows of one pointer than go into a call
                             problem{.height = 8, .width = 10, .channels = 20, .outputs = 192, .kernel = {1, 1}},
                             problem{.height = 37, .width = 41, .channels = 5, .outputs = 20, .kernel = {1, 1}},
                             problem{.height = 31, .width = 67, .channels = 3, .outputs = 20, .pad = {1, 1, 1, 1}},
                             problem{.height = 40, .width = 30, .channels = 6, .outputs = 4, .groups = 2}}) {
        const data d(p);
        const std::vector<std::int8_t> expected = d.expected<octet::nearest_even>();
        for (const isa which : octet::supported_isas()) {
            const octet::conv2d<> layer = build<octet::nearest_even>(d, which);
            expect_bytes(layer, d, expected);
            expect_bytes(layer, d, expected, octet::test::reverse_hook());
            expect_bytes(layer, d, expected, octet::test::thread_hook());
        }
    }
}

#ifndef NDEBUG
TEST(conv2d_death_test, views_that_do_not_fit_stop_a_debug_build) {
    const data d(problem{.height = 5, .width = 5, .pad = {1, 1, 1, 1}});
    const octet::conv2d<> layer = build<octet::nearest_even>(d, isa::scalar);
    const strided in(d.p.in(), 0, guard::end), other(d.p.in().with(3, d.p.in()[3] + 1), 0, guard::end);
    const strided out(d.p.out(), 0, guard::end), less(d.p.out().with(1, 4), 0, guard::end);
    const guarded<std::byte> scratch(layer.scratch_bytes(1));
    EXPECT_DEATH(layer(other.view, out.view, scratch.data()), "takes NHWC with");
    EXPECT_DEATH(layer(in.view, less.view, scratch.data()), "output_shape");
    EXPECT_DEATH(layer(in.view, out.view, nullptr), "scratch");
    const std::vector<std::int8_t> weights(6);
    const std::vector<std::int32_t> bias(2);
    const std::vector<octet::scale> one(1, octet::scale(1));
    const octet::linear<> product{{weights, 2, 3, one, bias}, {}};
    std::array<std::int8_t, 9> x{}, y{};
    EXPECT_DEATH(product({x.data(), {3, 3}}, {y.data(), {2, 2}}, scratch.data()), "output_shape");
}
#endif

/// Weights that hold -128, as a model that was quantized elsewhere may: every instruction set stays exact.
TEST(conv2d, weights_of_minus_128_stay_exact) {
    for (const int fill : {-128, 127}) {
        data d({.channels = 40, .outputs = 5, .z_in = -128});
        for (std::size_t i = 0; i < d.weights.size(); ++i) d.weights[i] = i % 5 == 0 ? 127 : -128;
        for (std::int8_t& x : d.in) x = static_cast<std::int8_t>(fill);
        const std::vector<std::int8_t> expected = d.expected<octet::nearest_even>();
        for (const isa which : octet::supported_isas()) expect_bytes(build<octet::nearest_even>(d, which), d, expected);
    }
}

/// The largest sum that the proof lets pass is exact, one more is an error that names layer, channel and sum.
TEST(conv2d, accumulators_reach_the_limit_and_not_beyond) {
    for (const isa which : octet::supported_isas()) {
        data d({.height = 1, .width = 1, .channels = 4, .outputs = 3, .kernel = {1, 1}, .z_in = -128});
        d.weights = {1, 1, 1, 1, 127, 127, 127, 127, 1, 1, 1, 1};
        d.in = {127, 127, 127, 127};
        const std::int32_t reach = 255 * 4 * 127;
        d.bias = {0, 0x7fffffff - reach, 0};
        d.output = {scale(0.07F * 0.01F * 0x1p25F), zero_point(0)};
        expect_bytes(build<octet::nearest_even>(d, which), d, d.expected<octet::nearest_even>());
        ++d.bias[1];
        octet::test::expect_error([&] { build<octet::nearest_even>(d, which); }, "conv 'a'", "channel 1",
                                  "can reach 2147483648", "enlarge the scale");
        d.bias[1] = -d.bias[1];
        octet::test::expect_error([&] { build<octet::nearest_even>(d, which); }, "conv 'a'", "channel 1", "2147483648");
    }
}

TEST(conv2d, set_up_errors_name_layer_value_and_remedy) {
    const data d({.channels = 8, .outputs = 6, .groups = 2});
    const auto make = [&](auto change) {
        octet::conv2d_weights w{d.weights, d.p.outputs, d.p.kernel, d.p.depth(), d.scales, d.bias};
        octet::conv2d_options o = d.options({});
        change(w, o);
        octet::conv2d<> layer(w, o);
        return layer.output_shape({1, 5, 6, 8});
    };
    using octet::test::expect_error;
    EXPECT_EQ(make([](auto&, auto&) {}), d.p.out());
    expect_error([&] { make([](auto& w, auto&) { w.outputs = 0; }); }, "conv 'a'", "0 x", "at least 1");
    expect_error([&] { make([](auto& w, auto&) { w.depth = 0; }); }, "conv 'a'", "at least 1");
    expect_error([&] { make([](auto& w, auto&) { w.values = w.values.first(9); }); }, "conv 'a'", "9 weights", "216");
    expect_error([&] { make([](auto& w, auto&) { w.scales = w.scales.first(4); }); }, "conv 'a'", "4 weight scales",
                 "6");
    expect_error([&] { make([](auto& w, auto&) { w.bias = w.bias.first(5); }); }, "conv 'a'", "5 biases", "6");
    expect_error([&] { make([](auto&, auto& o) { o.groups = 4; }); }, "conv 'a'", "4 groups", "6 output channels");
    expect_error([&] { make([](auto&, auto& o) { o.groups = 0; }); }, "conv 'a'", "0 groups");
    expect_error([&] { make([](auto& w, auto&) { w.kernel = {0, 3}; }); }, "conv 'a'", "kernel height 0");
    expect_error([&] { make([](auto& w, auto&) { w.kernel = {1 << 16, 1 << 16}; }); }, "conv 'a'", "65536 x 65536");
    expect_error([&] { make([](auto&, auto& o) { o.stride = {0, 1}; }); }, "conv 'a'", "stride 0");
    expect_error([&] { make([](auto&, auto& o) { o.pad = {-1, 0, 0, 0}; }); }, "conv 'a'", "padding -1");
    expect_error([&] { make([](auto&, auto& o) { o.dilation = {4, 1}; }); }, "conv 'a'", "window of 9", "height of 5");
    expect_error([&] { make([](auto&, auto& o) { o.input.zero_point = zero_point(300); }); }, "conv 'a'",
                 "zero point 300 of the input", "[-128, 127]");
    expect_error([&] { make([](auto&, auto& o) { o.output.zero_point = zero_point(-129); }); }, "conv 'a'",
                 "zero point -129 of the output");
    expect_error([&] { make([](auto&, auto& o) { o.limits = {-1000, 1000}; }); }, "conv 'a'", "[-1000, 1000]");
    expect_error([&] { make([](auto&, auto& o) { o.limits = {100, -100}; }); }, "conv 'a'", "[100, -100]", "ordered");

    const std::vector<scale> tiny(6, scale(1e-30F));
    const auto underflow = [&](auto& w, auto& o) { w.scales = tiny, o.input.scale = scale(1e-30F); };
    expect_error([&] { make(underflow); }, "conv 'a', output channel 0", "multiplier is 0",
                 "finite and greater than 0");
    const auto overflow = [](auto&, auto& o) { o.input.scale = scale(1e30F), o.output.scale = scale(1e-30F); };
    expect_error([&] { make(overflow); }, "conv 'a', output channel 0", "(input)", "(weights)", "(output)",
                 "multiplier is inf");

    const octet::conv2d<> layer = build<octet::nearest_even>(d, {});
    expect_error([&] { layer.output_shape({1, 5, 6, 7}); }, "conv 'a'", "1x5x6x7", "NHWC with 8 channels");
    expect_error([&] { layer.output_shape({5, 6, 8}); }, "conv 'a'", "5x6x8", "NHWC");
    expect_error([&] { layer.output_shape({1, 2, 6, 8}); }, "conv 'a'", "window of 3", "height of 2");
}

TEST(depthwise_conv2d, set_up_errors_name_layer_value_and_remedy) {
    const data d({.channels = 9, .outputs = 9, .groups = 9});
    const auto make = [&](auto change) {
        octet::depthwise_weights w{d.weights, 9, d.p.kernel, d.scales, d.bias};
        octet::conv2d_options o = d.options({});
        change(w, o);
        octet::depthwise_conv2d<> layer(w, o);
        return layer.output_shape({1, 5, 6, 9});
    };
    using octet::test::expect_error;
    EXPECT_EQ(make([](auto&, auto&) {}), d.p.out());
    expect_error([&] { make([](auto& w, auto&) { w.values = w.values.first(80); }); }, "conv 'a'", "80 weights", "81");
    expect_error([&] { make([](auto& w, auto&) { w.channels = -1; }); }, "conv 'a'", "at least 1");
    expect_error([&] { make([](auto& w, auto&) { w.bias = w.bias.first(5); }); }, "conv 'a'", "5 biases");
    expect_error([&] { make([](auto&, auto& o) { o.output.scale = scale(3e38F), o.input.scale = scale(1e-30F); }); },
                 "conv 'a', output channel 0", "multiplier");
    std::vector<std::int32_t> bias = d.bias;
    bias[4] = std::numeric_limits<std::int32_t>::min();
    expect_error([&] { make([&](auto& w, auto&) { w.bias = bias; }); }, "conv 'a'", "channel 4", "can reach");
}

}  // namespace
