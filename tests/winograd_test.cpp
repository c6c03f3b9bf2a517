// label: law, threads
// Convolution by Winograd against kernel/gemm_reference.hpp: every instruction set, rounding policy and split into
// tasks returns its bytes, at every edge of tiles, panels and vectors, and nothing outside the operands is touched.
#include "octet/nn/winograd_conv2d.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if !defined(OCTET_AVX_VNNI_AS_AVX512)  // the library of kernels is compiled without it
#include "compiled_once.hpp"
#endif
#include "guarded.hpp"
#include "kernel_data.hpp"
#include "network_data.hpp"
#include "octet/kernel/gemm_reference.hpp"
#include "octet/nn/conv2d.hpp"
#include "tested_isas.hpp"

namespace {

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

using octet::winograd_weights_made;
constexpr auto both_ways = {winograd_weights_made::at_set_up, winograd_weights_made::by_every_run};

enum class fill { random, lowest, highest, alternating };

struct problem {
    int batch = 1, height = 8, width = 8, channels = 32, outputs = 64;
    padding pad{1, 1, 1, 1};
    int z_in = 5, z_out = -3;
    octet::clamp limits{};
    fill inputs = fill::random, weights = fill::random;
    float gain = 1;  ///< 1: results spread over int8

    shape in() const { return {batch, height, width, channels}; }
    shape out() const { return {batch, height + pad.top + pad.bottom - 2, width + pad.left + pad.right - 2, outputs}; }
};

std::ostream& operator<<(std::ostream& to, const problem& p) {
    return to << octet::to_string(p.in()) << " -> " << octet::to_string(p.out()) << ", padding " << p.pad.top << ","
              << p.pad.left << "," << p.pad.bottom << "," << p.pad.right << ", zero points " << p.z_in << "," << p.z_out
              << ", limits " << p.limits.low << ".." << p.limits.high << ", gain " << p.gain;
}

std::int8_t extreme(fill how, std::size_t i) {
    return how == fill::lowest || (how == fill::alternating && i % 2 == 0) ? -128 : 127;
}

/// The operands of a problem, and its answer by the definition.
template <class Rounding>
struct data {
    problem p;
    std::vector<std::int8_t> in, weights;
    std::vector<std::int32_t> bias;
    std::vector<scale> scales;
    quant_params input, output;

    explicit data(const problem& of, unsigned seed = 1) : p(of) {
        const auto inner = static_cast<std::size_t>(9 * p.channels), count = static_cast<std::size_t>(p.outputs);
        in = octet::test::bytes(static_cast<std::size_t>(p.in().elements()), seed);
        weights = octet::test::bytes(count * inner, seed + 1);
        if (p.inputs != fill::random)
            for (std::size_t i = 0; i < in.size(); ++i) in[i] = extreme(p.inputs, i / 3);
        if (p.weights != fill::random)
            for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = extreme(p.weights, i / 2);
        const float size = p.weights == fill::random ? 70.0F * 70.0F * std::sqrt(static_cast<float>(inner))
                                                     : 128.0F * 128.0F * static_cast<float>(inner);
        for (const float x : octet::test::reals(count, seed + 2)) bias.push_back(static_cast<std::int32_t>(x * size));
        for (const float x : octet::test::reals(count, seed + 3, 0.003F, 0.03F)) scales.emplace_back(x);
        input = {scale(0.07F), zero_point(p.z_in)};
        output = {scale(0.07F * 0.01F * size / 60.0F / p.gain), zero_point(p.z_out)};
    }
    octet::conv2d_weights layer_weights() const { return {weights, p.outputs, {3, 3}, p.channels, scales, bias}; }
    octet::conv2d_options options(isa target) const {
        return {
            .pad = p.pad, .input = input, .output = output, .limits = p.limits, .target = target, .name = "conv 'a'"};
    }
    octet::winograd_conv2d<Rounding> build(isa target, winograd_weights_made made) const {
        return {layer_weights(), options(target), made};
    }

    std::vector<std::int8_t> expected() const {
        const shape out = p.out();
        const std::vector<std::int8_t> outside(static_cast<std::size_t>(p.channels), static_cast<std::int8_t>(p.z_in));
        const auto multipliers = octet::make_multipliers<Rounding>("law", input.scale, scales, output.scale,
                                                                   static_cast<std::size_t>(p.outputs));
        std::vector<std::int8_t> all;
        for (std::int64_t pixel = 0; pixel < out.rows(); ++pixel) {
            const std::int8_t* taps[9];
            for (int t = 0; t < 9; ++t) {
                const std::int64_t row = pixel / out[2] % out[1] + t / 3 - p.pad.top;
                const std::int64_t col = pixel % out[2] + t % 3 - p.pad.left;
                const bool inside = row >= 0 && row < p.height && col >= 0 && col < p.width;
                const std::int64_t at = (pixel / out[2] / out[1] * p.height + row) * p.width + col;
                taps[t] = inside ? in.data() + at * p.channels : outside.data();
            }
            for (std::size_t o = 0; o < bias.size(); ++o) {
                const std::int8_t* w = weights.data() + o * static_cast<std::size_t>(9 * p.channels);
                const std::int32_t acc =
                    octet::accumulate_reference(taps, 1, 9, p.channels, input.zero_point, w, bias[o]);
                all.push_back(octet::requantize<Rounding>(acc, multipliers[o], output.zero_point, p.limits));
            }
        }
        return all;
    }
};

/// Runs the layer on operands that end, or begin, at unmapped pages, with gaps between pixels that must stay.
template <class Rounding>
void expect_bytes(const octet::winograd_conv2d<Rounding>& layer, const data<Rounding>& d,
                  const std::vector<std::int8_t>& expected, const octet::parallel& threads = {}, std::ptrdiff_t gap = 0,
                  const octet::residual_add<Rounding>& add = {}) {
    ASSERT_EQ(layer.output_shape(d.p.in()), d.p.out());
    for (const guard side : {guard::end, guard::begin}) {
        const auto make = [&](const shape& dims) {
            return guarded<std::int8_t>(static_cast<std::size_t>((dims.rows() - 1) * (dims.cols() + gap) + dims.cols()),
                                        side);
        };
        const guarded<std::int8_t> in = make(d.p.in()), out = make(d.p.out());
        for (std::int8_t& q : out) q = octet::test::untouched;
        const tensor_view<std::int8_t> from{in.data(), d.p.in(), d.p.channels + gap};
        const tensor_view<std::int8_t> to{out.data(), d.p.out(), d.p.outputs + gap};
        for (std::int64_t r = 0; r < from.rows(); ++r)
            std::copy_n(d.in.data() + r * d.p.channels, d.p.channels, from.row(r));
        const guarded<std::byte> scratch(layer.scratch_bytes(threads.workers), side);
        layer(from, to, scratch.data(), threads, add);
        for (std::int64_t r = 0; r < to.rows(); ++r) {
            const std::vector<std::int8_t> row(to.row(r), to.row(r) + d.p.outputs);
            const auto* law = expected.data() + r * d.p.outputs;
            ASSERT_EQ(row, std::vector<std::int8_t>(law, law + d.p.outputs)) << "pixel " << r;
            for (std::ptrdiff_t g = 0; g < gap && r + 1 < to.rows(); ++g)
                ASSERT_EQ(to.row(r)[d.p.outputs + g], octet::test::untouched);
        }
    }
}

template <class Rounding>
class winograd_of : public testing::Test {};
TYPED_TEST_SUITE(winograd_of, octet::test::roundings, octet::test::rounding_name);

template <class Rounding>
void expect_the_law(const data<Rounding>& d) {
    const std::vector<std::int8_t> expected = d.expected();
    for (const isa which : octet::test::tested_isas()) {
        SCOPED_TRACE(testing::Message() << d.p << ", " << octet::to_string(which));
        for (const winograd_weights_made made : both_ways) {
            const octet::winograd_conv2d<Rounding> layer = d.build(which, made);
            EXPECT_EQ(layer.kernel().target,
                      octet::test::expected_target(which, {isa::avx512_vnni, isa::avx_vnni, isa::avx512bw, isa::avx2}));
            expect_bytes(layer, d, expected, {}, made == winograd_weights_made::at_set_up ? 0 : 13);
        }
    }
}
template <class Rounding>
void expect_the_law(const problem& p) {
    expect_the_law(data<Rounding>(p));
}

TYPED_TEST(winograd_of, edges_of_tiles) {
    for (const int height : {1, 2, 4, 5, 7, 12})
        for (const int width : {1, 3, 6, 8, 13})
            expect_the_law<TypeParam>({.height = height, .width = width, .channels = 3, .outputs = 5});
}

TYPED_TEST(winograd_of, edges_of_depths_and_columns) {
    for (const int channels : {1, 2, 15, 16, 17, 31, 33, 64, 95})
        for (const int outputs : {1, 7, 8, 16, 17, 33, 48, 63, 65, 97})
            expect_the_law<TypeParam>({.height = 5, .width = 6, .channels = channels, .outputs = outputs});
}

TYPED_TEST(winograd_of, padding_zero_points_and_limits) {
    for (const padding& pad : {padding{}, padding{0, 1, 2, 0}, padding{3, 0, 0, 5}, padding{2, 2, 2, 2}})
        for (const int z : {-128, -1, 127})
            expect_the_law<TypeParam>({.batch = 2,
                                       .height = 6,
                                       .width = 9,
                                       .channels = 9,
                                       .outputs = 10,
                                       .pad = pad,
                                       .z_in = z,
                                       .z_out = -z - 1,
                                       .limits = {-100, 90}});
}

/// Inputs and weights at the ends of their range, -128 included.
TYPED_TEST(winograd_of, extremes) {
    for (const fill inputs : {fill::lowest, fill::highest, fill::alternating})
        for (const fill weights : {fill::lowest, fill::highest, fill::alternating})
            expect_the_law<TypeParam>({.height = 7,
                                       .width = 7,
                                       .channels = 66,
                                       .outputs = 20,
                                       .z_in = -128,
                                       .inputs = inputs,
                                       .weights = weights});
}

/// Results that packs clamp, and products with multipliers that leave int32: of all channels, of one by its scale, and
/// of one by its bias.
TYPED_TEST(winograd_of, results_beyond_int8_and_int32) {
    for (const float gain : {4.0F, 0x1p28F}) expect_the_law<TypeParam>({.z_out = 9, .gain = gain});
    for (const std::size_t channel : {0U, 7U, 19U}) {
        data<TypeParam> by_scale({.channels = 9, .outputs = 20});
        by_scale.scales[channel] = scale(by_scale.scales[channel].value * 0x1p28F);
        expect_the_law(by_scale);
        data<TypeParam> by_bias({.channels = 9, .outputs = 20});
        by_bias.scales[channel] = scale(by_bias.scales[channel].value * 0x1p13F);
        by_bias.bias[channel] = 1 << 30;
        expect_the_law(by_bias);
    }
}

/// Many tiles: blocks of every number of rows that a kernel knows, and the last one smaller.
TYPED_TEST(winograd_of, blocks_of_tiles) {
    for (int tiles = 1; tiles <= 14; ++tiles)
        expect_the_law<TypeParam>({.height = 3, .width = 4 * tiles - 1, .channels = 5, .outputs = 70});
    expect_the_law<TypeParam>({.batch = 3, .height = 23, .width = 46, .channels = 34, .outputs = 36});
    expect_the_law<TypeParam>({.batch = 5, .height = 6, .width = 9, .channels = 130, .outputs = 36});  // of every kind
}

TYPED_TEST(winograd_of, threads_cannot_show) {
    for (const problem& p : {problem{.height = 29, .width = 31, .channels = 6, .outputs = 9},
                             problem{.height = 7, .width = 6, .channels = 20, .outputs = 200},
                             problem{.height = 1, .width = 1, .channels = 4, .outputs = 3}}) {
        const data<TypeParam> d(p);
        const std::vector<std::int8_t> expected = d.expected();
        for (const isa which : octet::test::tested_isas()) {
            SCOPED_TRACE(testing::Message() << p << ", " << octet::to_string(which));
            for (const winograd_weights_made made : both_ways) {
                const octet::winograd_conv2d<TypeParam> layer = d.build(which, made);
                expect_bytes(layer, d, expected, octet::test::reverse_hook());
                expect_bytes(layer, d, expected, octet::test::thread_hook(), 3);
            }
        }
    }
}

TYPED_TEST(winograd_of, a_fused_add_is_the_add_after_it) {
    for (const problem& p : {problem{.batch = 2, .height = 9, .outputs = 130, .limits = {-20, 100}},
                             problem{.height = 30, .width = 41, .channels = 5, .outputs = 24}}) {
        const data<TypeParam> d(p);
        const std::vector<std::int8_t> other = octet::test::bytes(static_cast<std::size_t>(p.out().elements()), 9),
                                       first = d.expected();
        for (const isa which : octet::test::tested_isas())
            for (const bool y_first : {true, false}) {
                SCOPED_TRACE(testing::Message() << p << ", " << octet::to_string(which) << ", y first " << y_first);
                const quant_params b{scale(d.output.scale.value * 0.61F), zero_point(-31)};
                const quant_params sum_params{scale(d.output.scale.value * 1.37F), zero_point(21)};
                const octet::add_layer<TypeParam> sum(y_first ? d.output : b, y_first ? b : d.output, sum_params,
                                                      {-90, 111}, which, "add 'b'");
                std::vector<std::int8_t> expected(first.size());
                const tensor_view<const std::int8_t> y{first.data(), p.out()}, x{other.data(), p.out()};
                sum(y_first ? y : x, y_first ? x : y, {expected.data(), p.out()});
                const octet::winograd_conv2d<TypeParam> layer = d.build(which, winograd_weights_made::at_set_up);
                for (const octet::parallel& threads : {octet::parallel{}, octet::test::reverse_hook()})
                    for (const std::ptrdiff_t gap : {0, 5})
                        expect_bytes(layer, d, expected, threads, gap, {&sum, x, y_first});
            }
    }
}

/// The largest sum of weights that the proof lets pass is exact where the accumulator is largest; one more is refused.
TEST(winograd, weights_reach_the_limit_and_not_beyond) {
    data<octet::nearest_even> d(
        {.height = 3, .width = 5, .channels = 230, .outputs = 3, .z_in = 3, .inputs = fill::lowest});
    std::int64_t rest = octet::winograd_weight_limit - 1;  // of output channel 1, all of one sign
    for (int i = 0; i < 9 * 230; ++i) {
        const std::int64_t w = std::min<std::int64_t>(rest, 127);
        d.weights[static_cast<std::size_t>(9 * 230 + i)] = static_cast<std::int8_t>(w);
        rest -= w;
    }
    ASSERT_EQ(rest, 0);
    d.output.scale = scale(0.07F * 0.01F * 0x1p25F / 100.0F);
    for (const isa which : octet::test::tested_isas()) {
        for (const int sign : {-128, 127}) {
            for (std::int8_t& q : d.in) q = static_cast<std::int8_t>(sign);
            for (const winograd_weights_made made : both_ways) expect_bytes(d.build(which, made), d, d.expected());
        }
        data<octet::nearest_even> beyond = d;
        ++beyond.weights[9 * 230 + 9 * 230 - 1];
        octet::test::expect_error([&] { beyond.build(which, winograd_weights_made::at_set_up); }, "conv 'a'",
                                  "output channel 1", "sum to 262144", "only below 262144", "automatic");
    }
}

/// conv2d takes Winograd where it is told to, and by itself where the shape that it expects makes that faster.
TEST(winograd, conv2d_chooses) {
    using octet::conv2d_algorithm;
    const data<octet::nearest_even> d({.height = 28, .width = 28, .channels = 64, .outputs = 64});
    const std::vector<std::int8_t> expected = d.expected();
    const auto kernel = [&](isa which, conv2d_algorithm algorithm, const shape& expected_input) {
        octet::conv2d_options options = d.options(which);
        options.algorithm = algorithm;
        options.expected_input = expected_input;
        const octet::conv2d<> layer(d.layer_weights(), options);
        EXPECT_EQ(layer.output_shape(d.p.in()), d.p.out());
        std::vector<std::int8_t> out(expected.size());
        octet::buffer<std::byte> scratch(layer.scratch_bytes(3));
        layer({d.in.data(), d.p.in()}, {out.data(), d.p.out()}, scratch.data(), octet::test::reverse_hook());
        EXPECT_EQ(out, expected);
        return std::string_view(layer.kernel().name).starts_with("winograd") ? "winograd" : "direct";
    };
    for (const isa which : octet::test::tested_isas()) {
        SCOPED_TRACE(octet::to_string(which));
        EXPECT_EQ(kernel(which, conv2d_algorithm::winograd, {}), "winograd");
        EXPECT_EQ(kernel(which, conv2d_algorithm::direct, d.p.in()), "direct");
        EXPECT_EQ(kernel(which, conv2d_algorithm::automatic, {}), "direct");              // tiles cannot be counted
        EXPECT_EQ(kernel(which, conv2d_algorithm::automatic, {1, 1, 1, 64}), "direct");   // 1 of 16 outputs is used
        EXPECT_EQ(kernel(which, conv2d_algorithm::automatic, {1, 28, 28, 9}), "direct");  // of another layer
        // SSE4.1 has no Winograd of its own, and its direct product is faster than the one in plain C++.
        EXPECT_EQ(kernel(which, conv2d_algorithm::automatic, d.p.in()), which == isa::sse41 ? "direct" : "winograd");
    }
    octet::conv2d_options options = d.options(isa::scalar);
    options.expected_input = d.p.in();
    options.stride = {2, 2};
    EXPECT_STREQ(octet::conv2d<>(d.layer_weights(), options).kernel().name, "gemm 1x16");
    options.algorithm = conv2d_algorithm::winograd;
    octet::test::expect_error([&] { octet::conv2d<>(d.layer_weights(), options); }, "conv 'a'", "stride of 2 x 2");
}

/// Transformed weights of 3x3 256->256 come from the cache; in a network with more of them than a cache holds they are
/// not read from DRAM, but made by every run where writing them is cheap, or the layer is direct.
TEST(winograd, is_chosen_by_what_the_machine_costs) {
#if defined(__x86_64__)
    using kernel = octet::winograd_kernel<isa::avx512_vnni>;
    const auto on = [](bool intel, bool zen_4) {
        octet::cpu_features cpu;
        cpu.intel = intel, cpu.zen_4 = zen_4;
        return octet::choose_winograd<octet::nearest_even>(isa::avx512_vnni, cpu);
    };
    auto entry = on(false, false);
    EXPECT_EQ(entry.cost.expand, kernel::cost.expand);
    EXPECT_EQ(on(true, false).cost.expand, kernel::cost_on_intel.expand);
    EXPECT_EQ(on(false, true).cost.expand, kernel::cost_on_zen_4.expand);
    const shape deep{1, 14, 14, 256}, large{1, 28, 28, 128}, small{1, 7, 7, 256};
    const auto cycles = [&](const octet::winograd_cost& cost, const shape& image, std::int64_t others) {
        entry.cost = cost;
        return octet::predict_cycles(entry, image, image, others);
    };
    for (const octet::winograd_cost* of : {&kernel::cost, &kernel::cost_on_intel, &kernel::cost_on_zen_4}) {
        const octet::conv2d_cycles alone = cycles(*of, deep, 0), many = cycles(*of, deep, 25'000'000);
        EXPECT_LT(alone.at_set_up, std::min(alone.by_every_run, alone.direct));
        EXPECT_GT(many.at_set_up, std::min(many.by_every_run, many.direct));
        EXPECT_EQ(many.by_every_run < many.direct, of != &kernel::cost_on_intel)
            << many.by_every_run << " and " << many.direct;
        const octet::conv2d_cycles shallow = cycles(*of, large, 25'000'000);
        EXPECT_LT(shallow.at_set_up, std::min(shallow.by_every_run, shallow.direct));
        // 96 KB of transformed weights for a pixel: they pay where products take nearly as long as weights take to
        // come.
        const octet::conv2d_cycles few_pixels = cycles(*of, small, 0);
        EXPECT_EQ(few_pixels.at_set_up < few_pixels.direct, of == &kernel::cost_on_zen_4)
            << few_pixels.at_set_up << " and " << few_pixels.direct;
    }
#endif
}

/// A small image needs little scratch; a larger one than was expected is computed in more blocks.
TEST(winograd, scratch_is_for_the_tiles_that_are_expected) {
    const data<octet::nearest_even> d({.height = 28, .width = 28, .channels = 64, .outputs = 64});
    for (const isa which : octet::supported_isas()) {
        octet::conv2d_options options = d.options(which);
        const std::size_t any = octet::winograd_conv2d<>(d.layer_weights(), options).scratch_bytes(1);
        for (const std::int64_t size : {std::int64_t{8}, std::int64_t{1}}) {
            options.expected_input = {1, size, size, 64};
            const octet::winograd_conv2d<> small(d.layer_weights(), options);
            EXPECT_LT(3 * small.scratch_bytes(1), any) << octet::to_string(which);
            expect_bytes(small, d, d.expected());
        }
    }
}

TEST(winograd, shapes_that_it_cannot_do_are_errors) {
    const data<octet::nearest_even> d({.channels = 4, .outputs = 6});
    const auto make = [&](auto change) {
        octet::conv2d_weights w = d.layer_weights();
        octet::conv2d_options o = d.options(isa::scalar);
        change(w, o);
        octet::winograd_conv2d<> layer(w, o);
        return layer.output_shape({1, 8, 8, 4});
    };
    using octet::test::expect_error;
    EXPECT_EQ(make([](auto&, auto&) {}), d.p.out());
    expect_error([&] { make([](auto& w, auto&) { w.kernel = {1, 9}; }); }, "conv 'a'", "1 x 9 is not 3 x 3");
    expect_error([&] { make([](auto&, auto& o) { o.stride = {1, 2}; }); }, "conv 'a'", "stride of 1 x 2");
    expect_error([&] { make([](auto&, auto& o) { o.dilation = {2, 1}; }); }, "conv 'a'", "dilation of 2 x 1");
    expect_error([&] { make([](auto&, auto& o) { o.groups = 2; }); }, "conv 'a'", "2 groups");
    expect_error([&] { make([](auto& w, auto&) { w.values = w.values.first(9); }); }, "conv 'a'", "9 weights", "216");
    expect_error([&] { make([](auto& w, auto&) { w.bias = w.bias.first(5); }); }, "conv 'a'", "5 biases", "6");
    expect_error([&] { make([](auto&, auto& o) { o.pad = {-1, 0, 0, 0}; }); }, "conv 'a'", "padding -1");
    expect_error([&] { make([](auto&, auto& o) { o.input.zero_point = zero_point(300); }); }, "conv 'a'", "300");
    expect_error([&] { make([](auto&, auto& o) { o.limits = {100, -100}; }); }, "conv 'a'", "[100, -100]");
    const octet::winograd_conv2d<> layer = d.build(isa::scalar, winograd_weights_made::at_set_up);
    expect_error([&] { layer.output_shape({1, 5, 6, 7}); }, "conv 'a'", "1x5x6x7", "NHWC with 4 channels");
    expect_error([&] { layer.output_shape({5, 6, 4}); }, "conv 'a'", "5x6x4", "NHWC");
}

}  // namespace
