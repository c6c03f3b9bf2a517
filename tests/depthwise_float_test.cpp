// label: law
// Float depthwise convolution: every instruction set returns the bits of one std::fma chain in ascending order of taps.
#include "octet/kernel/depthwise_float.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"

namespace {

using namespace octet;
using namespace octet::test;

std::vector<std::uint32_t> bits(std::span<const float> from) {
    std::vector<std::uint32_t> all;
    for (const float x : from) all.push_back(std::isnan(x) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(x));
    return all;
}

/// Values of all signs between 2^least and 2^most; every 50th is special where that is asked.
void reals(data_source& data, std::span<float> to, double least, double most, bool special) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const float specials[] = {0.0F,    -0.0F, infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
                              3.4e38F, 1e-45F};
    for (float& x : to) {
        x = static_cast<float>(data.power(least, most)) * (data.pick(0, 1) == 0 ? 1.0F : -1.0F);
        if (special && data.pick(0, 49) == 0) x = specials[data.pick(0, 6)];
    }
}

void expect_chain(int channels, int taps, float low, float high, double least, double most, bool special,
                  unsigned seed) {
    data_source data(seed);
    const auto size = [](std::ptrdiff_t n) { return static_cast<std::size_t>(n); };
    constexpr int pixels = 2;
    const std::ptrdiff_t stride = channels + 3;
    const guarded<float> in(size(3 * channels + 5), guard::end), weights(size(taps * channels)), bias(size(channels));
    reals(data, in.all(), least, most, special);
    reals(data, weights.all(), least, most, special);
    reals(data, bias.all(), least, most, special);
    std::vector<const float*> lhs(size(pixels * taps));
    for (auto& tap : lhs) tap = in.end() - channels - data.pick(0, 1) * data.pick(0, 2 * channels + 5);

    const std::size_t room = size((pixels - 1) * stride + channels);
    std::vector<float> expected(room, -77.0F);
    for (int i = 0; i < pixels; ++i)
        for (int c = 0; c < channels; ++c) {
            float acc = bias[size(c)];
            for (int t = 0; t < taps; ++t)
                acc = std::fma(lhs[size(i * taps + t)][c], weights[size(t * channels + c)], acc);
            expected[size(i * stride + c)] = acc < low ? low : acc > high ? high : acc;
        }
    for (const isa which : supported_isas()) {
        const auto kernel = choose_float_depthwise(which);
        ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512bw, isa::avx2}));
        const guarded<float> out(room, guard::end);
        std::fill(out.begin(), out.end(), -77.0F);
        kernel.run({weights.data(), bias.data(), taps, channels, lhs.data(), pixels, out.data(), stride, low, high});
        ASSERT_EQ(bits(out.all()), bits(expected))
            << to_string(which) << ": " << channels << " channels, " << taps << " taps";
    }
}

TEST(depthwise_float, every_isa_returns_the_bits_of_one_chain) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    unsigned seed = 1;
    for (const int channels : edge_sizes())
        for (const int taps : {1, 2, 9}) {
            expect_chain(channels, taps, -infinity, infinity, -10, 10, false, seed++);
            expect_chain(channels, taps, 0.0F, 6.0F, -3, 3, false, seed++);
        }
}

TEST(depthwise_float, special_values_denormals_and_overflow) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (unsigned seed = 1; seed < 60; ++seed) {
        expect_chain(67, 9, -infinity, infinity, -75, -60, true, seed);
        expect_chain(67, 9, -infinity, infinity, 58, 66, true, seed);
        expect_chain(67, 9, 0.0F, 6.0F, -4, 4, true, seed);
    }
}

}  // namespace
