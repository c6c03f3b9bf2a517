// label: law
// Depthwise convolution: every instruction set returns the reference's bytes, and touches no byte beyond its operands.
#include "octet/kernel/depthwise.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "compiled_once.hpp"
#include "guarded.hpp"
#include "kernel_data.hpp"
#include "octet/kernel/depthwise_reference.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/layer.hpp"

namespace {

using namespace octet;
using namespace octet::test;

struct problem {
    int channels = 1;
    window taps{{3, 3}, {}, {}, {1, 1, 1, 1}, false};
    extent size{6, 9};
    int lhs_zero = 0;
    int out_zero = 0;
    clamp limits{};
    fill input = fill::random;
    fill weights = fill::random;
    double least = -14, most = -4;  ///< exponents of the multipliers
    int bias = 100000;
};

template <class Rounding>
void expect_reference_bytes(const problem& p, unsigned seed) {
    data_source data(seed);
    const auto size = [](std::ptrdiff_t n) { return static_cast<std::size_t>(n); };
    const guard side = seed % 2 == 0 ? guard::end : guard::begin;
    const std::ptrdiff_t gap = seed % 3 * 5, in_stride = p.channels + gap, out_stride = p.channels + 3;
    const int taps = p.taps.taps(), pixels = p.size.height * p.size.width;
    const guarded<std::int8_t> in(size((pixels - 1) * in_stride + p.channels), side);
    data.bytes(in.all(), p.input);
    const guarded<std::int8_t> padding(size(p.channels), side);
    for (std::int8_t& byte : padding) byte = static_cast<std::int8_t>(p.lhs_zero);
    std::vector<std::int8_t> weights(size(taps * p.channels));
    data.bytes(weights, p.weights);
    std::vector<std::int32_t> bias(size(p.channels));
    for (auto& b : bias) b = data.pick(-p.bias, p.bias);
    const auto multipliers = data.multipliers<Rounding>(size(p.channels), p.least, p.most);

    const extent outputs = p.taps.outputs("test", p.size.height, p.size.width);
    const int count = outputs.height * outputs.width;
    const sliding<std::int8_t> over{
        {in.data(), {1, p.size.height, p.size.width, p.channels}, in_stride}, p.taps, outputs};
    std::vector<const std::int8_t*> lhs(size(count * taps));
    fill_taps(over, 0, count, padding.data(), 1, taps, lhs.data());
    const std::size_t out_bytes = size((count - 1) * out_stride + p.channels);
    std::vector<std::int8_t> expected(out_bytes, untouched);
    depthwise_reference<Rounding>(count, taps, p.channels, lhs.data(), zero_point(p.lhs_zero), weights.data(),
                                  bias.data(), multipliers.data(), zero_point(p.out_zero), p.limits, expected.data(),
                                  out_stride);
    for (const isa which : supported_isas()) {
        const auto kernel = choose_depthwise<Rounding>(which);
        ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512_vnni, isa::avx2, isa::sse41}));
        const auto packed = pack_depthwise<Rounding>(kernel.layout, p.taps, weights.data(), p.channels, bias,
                                                     multipliers, zero_point(p.lhs_zero), "test");
        const guarded<std::int8_t> out(out_bytes, side);
        const guarded<std::byte> scratch(round_up_64(kernel.scratch_bytes(packed)), side);
        std::fill(out.begin(), out.end(), untouched);
        for (int row = 0, rows = 0; row < outputs.height; row += rows) {  // calls of 1, 2, 3 ... rows
            rows = std::min(rows + 1, outputs.height - row);
            kernel.run({&packed, in.data(), in_stride, p.size, padding.data(), out.data(), out_stride, outputs.width,
                        row, rows, zero_point(p.out_zero), p.limits, scratch.data()});
        }
        ASSERT_EQ(std::vector(out.begin(), out.end()), expected)
            << to_string(which) << ": " << p.channels << " channels, kernel " << p.taps.kernel.height << "x"
            << p.taps.kernel.width << ", stride " << p.taps.stride.height << "," << p.taps.stride.width << ", dilation "
            << p.taps.dilation.height << "," << p.taps.dilation.width << ", image " << p.size.height << "x"
            << p.size.width << ", zero point " << p.lhs_zero;
    }
}

template <class Rounding>
struct depthwise : ::testing::Test {};
TYPED_TEST_SUITE(depthwise, octet::test::roundings, octet::test::rounding_name);

TYPED_TEST(depthwise, every_isa_returns_the_reference_bytes_around_every_edge) {
    unsigned seed = 1;
    for (const int channels : edge_sizes())
        for (const window& taps :
             {window{{3, 3}, {}, {}, {1, 1, 1, 1}, false}, window{{3, 3}, {2, 2}, {}, {0, 0, 1, 1}, false},
              window{{5, 5}, {}, {}, {2, 2, 2, 2}, false}, window{{5, 5}, {2, 2}, {}, {1, 1, 2, 2}, false},
              window{{1, 1}, {}, {}, {}, false}, window{{2, 4}, {3, 2}, {2, 3}, {3, 0, 1, 2}, false}})
            expect_reference_bytes<TypeParam>({.channels = channels,
                                               .taps = taps,
                                               .lhs_zero = static_cast<int>(seed * 37 % 256) - 128,
                                               .out_zero = static_cast<int>(seed * 91 % 256) - 128},
                                              seed),
                ++seed;
}

/// Every way in which taps come side by side, for images around every edge of a line and of a band.
TYPED_TEST(depthwise, windows_strides_dilations_and_images) {
    data_source data(1);
    for (unsigned seed = 1; seed < 400; ++seed) {
        const auto pair = [&](int most) { return extent{data.pick(1, most), data.pick(1, most)}; };
        problem p{.channels = data.pick(1, 100),
                  .taps = {pair(7), pair(3), {}, {}, false},
                  .size = {data.pick(1, 12), data.pick(1, 40)}};
        if (seed % 3 == 0) p.taps.dilation = pair(3);
        if (seed % 4 == 1) p.taps.kernel = {3, 3};
        if (seed % 4 == 2) p.taps.kernel = {5, 5};
        p.taps.pad = {data.pick(0, 4), data.pick(0, 4), data.pick(0, 4), data.pick(0, 4)};
        const auto fits = [](int room, int taps, int spread) { return room >= spread * (taps - 1) + 1; };
        if (!fits(p.size.height + p.taps.pad.top + p.taps.pad.bottom, p.taps.kernel.height, p.taps.dilation.height) ||
            !fits(p.size.width + p.taps.pad.left + p.taps.pad.right, p.taps.kernel.width, p.taps.dilation.width))
            continue;
        p.lhs_zero = data.pick(-128, 127), p.out_zero = data.pick(-128, 127);
        expect_reference_bytes<TypeParam>(p, seed);
    }
}

TYPED_TEST(depthwise, extreme_values_zero_points_and_limits) {
    unsigned seed = 1;
    for (const int zero : {-128, 0, 127})
        for (const fill input : {fill::lowest, fill::highest})
            for (const fill weights : {fill::lowest, fill::highest, fill::random})
                for (const extent kernel : {extent{1, 2}, extent{3, 3}, extent{5, 5}, extent{7, 7}})
                    for (const double least : {-31.0, -10.0, 0.0, 20.0})
                        for (const int bias : {0, 100000, 1 << 30})
                            expect_reference_bytes<TypeParam>({.channels = 83,
                                                               .taps = {kernel, {}, {}, {1, 1, 1, 1}, false},
                                                               .size = {5, 5},
                                                               .lhs_zero = zero,
                                                               .out_zero = -zero / 2,
                                                               .limits = {-100, 90},
                                                               .input = input,
                                                               .weights = weights,
                                                               .least = least,
                                                               .most = least + 3,
                                                               .bias = bias},
                                                              seed++);
}

TYPED_TEST(depthwise, a_channel_that_could_leave_int32_is_refused_by_name) {
    const std::vector<std::int8_t> weights(9 * 3, 127);
    const std::vector<std::int32_t> bias{0, 0, INT32_MAX - 9 * 127 * 255 + 1};  // one more than zero point 127 allows
    const auto multipliers = data_source(1).multipliers<TypeParam>(3, -8, -8);
    const auto pack = [&](int zero, std::span<const std::int32_t> biases) {
        return pack_depthwise<TypeParam>(choose_depthwise<TypeParam>(isa::scalar).layout, {{3, 3}, {}, {}, {}, false},
                                         weights.data(), 3, biases, multipliers, zero_point(zero), "layer 'a'");
    };
    EXPECT_NO_THROW(pack(126, bias));
    try {
        pack(127, bias);
        FAIL() << "not refused";
    } catch (const error& e) {
        EXPECT_NE(std::string(e.what()).find("layer 'a': output channel 2 can reach 2147483648"), std::string::npos)
            << e.what();
    }
    EXPECT_THROW(pack(0, std::span(bias).first(2)), error);
}

}  // namespace
