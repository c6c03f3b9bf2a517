// label: law
// fused_multiply_add rounds once, like std::fma, without the instruction too: compiled at the baseline (plain -O2),
// where it takes the path in double. Under -mfma the same operands compare the instruction with libm.
#include "octet/quant/fma.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace {

/// Equal bits, or both NaN.
void expect_agree(float a, float b, float c) {
    // Read through volatile, so that std::fma is computed here and not at compile time.
    volatile float x = a, y = b, z = c;
    const float expected = std::fma(x, y, z), found = octet::fused_multiply_add(a, b, c);
    const bool equal = std::isnan(expected)
                           ? std::isnan(found)
                           : std::bit_cast<std::uint32_t>(expected) == std::bit_cast<std::uint32_t>(found);
    ASSERT_TRUE(equal) << std::hexfloat << a << " * " << b << " + " << c;
}

TEST(fused_multiply_add, agrees_on_random_numbers_of_any_exponent) {
    std::mt19937 random(1);
    for (int i = 0; i < 300000; ++i) {
        const auto a = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        const auto b = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        const auto c = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        expect_agree(a, b, c);
    }
}

TEST(fused_multiply_add, agrees_on_sums_as_layers_form_them) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    float sum = 0.0F;
    for (int i = 0; i < 300000; ++i) {
        const float a = normal(random), b = normal(random);
        expect_agree(a, b, sum);
        sum = i % 500 == 0 ? 0.0F : std::fma(a, b, sum);
    }
}

/// Addends 20 to 60 octaves from the product, both signs: cancellation, ties and the bits just beside them.
TEST(fused_multiply_add, agrees_around_every_alignment) {
    std::mt19937 random(3);
    std::uniform_int_distribution<int> apart(-60, 60), exponent(-30, 30), few(1, 15);
    for (int i = 0; i < 300000; ++i) {
        // Few significant bits make exact ties common.
        const auto mantissa = [&] { return static_cast<float>(1 + (random() >> few(random) % 32 >> 8)); };
        const float a = std::ldexp(mantissa(), exponent(random)), b = std::ldexp(mantissa(), exponent(random));
        const float c = std::ldexp(mantissa(), std::ilogb(a) + std::ilogb(b) + apart(random));
        expect_agree(a, b, c);
        expect_agree(-a, b, c);
        expect_agree(a, b, std::nextafter(-a * b, c));
    }
}

/// c = 1 with a product of exactly half an ulp of it, and that product with one bit more or less far below 2^-53 of c:
/// rounding to double loses the bit, and rounding twice would take the wrong side of the tie.
TEST(fused_multiply_add, agrees_where_rounding_twice_would_not) {
    int differ = 0;
    for (const float c :
         {1.0F, std::nextafter(1.0F, 2.0F), 1.5F, std::nextafter(2.0F, 1.0F), -1.0F, 0x1p100F, 0x1p-100F})
        for (const float side : {1.0F, -1.0F})
            for (int k = -4; k <= 4; ++k)
                for (int j = -4; j <= 4; ++j) {
                    const float unit = std::ldexp(1.0F, std::ilogb(c) - 24);
                    const float a = side * (1.0F + static_cast<float>(k) * 0x1p-23F);
                    const float b = unit * (1.0F + static_cast<float>(j) * 0x1p-23F);
                    expect_agree(a, b, c);
                    const auto twice =
                        static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
                    differ += twice != std::fma(a, b, c) ? 1 : 0;
                }
    EXPECT_GT(differ, 0) << "the operands no longer show what rounding twice does";
}

TEST(fused_multiply_add, agrees_on_every_triple_of_edges) {
    constexpr float denormal = std::numeric_limits<float>::denorm_min(), least = std::numeric_limits<float>::min();
    constexpr float most = std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
    std::vector<float> edges{0.0F,
                             denormal,
                             3 * denormal,
                             least - denormal,
                             least,
                             least + denormal,
                             0x1p-125F,
                             0x1p-75F,
                             0x1p-63F,
                             0x1p-24F,
                             0.5F,
                             std::nextafter(1.0F, 0.0F),
                             1.0F,
                             std::nextafter(1.0F, 2.0F),
                             1.5F,
                             3.0F,
                             0x1p24F,
                             16777217.0F,
                             0x1p63F,
                             0x1p64F,
                             0x1p103F,
                             0x1p126F,
                             0x1p127F,
                             std::nextafter(most, 0.0F),
                             most,
                             infinity,
                             std::numeric_limits<float>::quiet_NaN()};
    const std::size_t positive = edges.size();
    for (std::size_t i = 0; i < positive; ++i) edges.push_back(-edges[i]);
    for (const float a : edges)
        for (const float b : edges)
            for (const float c : edges) expect_agree(a, b, c);
}

/// Results around the smallest normal float, where a tie stands at another bit.
TEST(fused_multiply_add, agrees_where_results_are_denormal) {
    std::mt19937 random(5);
    std::uniform_int_distribution<int> exponent(-150, -120);
    for (int i = 0; i < 200000; ++i) {
        const auto mantissa = [&] {
            return std::bit_cast<float>(0x3f800000U | (static_cast<std::uint32_t>(random()) & 0x7fffffU));
        };
        const int e = exponent(random);
        const float a = std::ldexp(mantissa(), e / 2), b = std::ldexp(mantissa(), e - e / 2);
        const float c = std::ldexp(mantissa(), exponent(random));
        expect_agree(a, b, c);
        expect_agree(-a, b, c);
        expect_agree(a, b, -0.0F);
    }
}

}  // namespace
