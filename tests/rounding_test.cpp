// label: law
// The normative requantization functions against formulations of their own, written from the definitions: exact
// integers of 128 bits for the fixed-point policies, exact products in long double or integers for nearest_even.
#include "octet/quant/rounding.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace {

using octet::nearest_even;
using octet::single;
using octet::tflite;
__extension__ using wide = __int128;

constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max(),
                       least = std::numeric_limits<std::int32_t>::min();

/// Every power of two, its neighbours, both signs, the limits, and random values of every size.
std::vector<std::int32_t> accumulators(int count) {
    std::vector<std::int32_t> all{0, 1, -1, most, most - 1, least, least + 1};
    for (int bit = 1; bit < 31; ++bit)
        for (std::int32_t near = -2; near <= 2; ++near)
            for (const std::int32_t sign : {-1, 1}) all.push_back(sign * ((std::int32_t{1} << bit) + near));
    std::mt19937 random(3);
    for (int i = 0; i < count; ++i) all.push_back(static_cast<std::int32_t>(random()) >> (random() % 32));
    return all;
}

/// From 2^-45 to 2^29: powers of two, halves of odd numbers, and fractions with every bit set.
std::vector<double> multipliers() {
    std::vector<double> all;
    for (int e = -45; e < 30; ++e)
        for (const double f :
             {1.0, 1.0 + 0x1p-30, 1.0 + 0x1p-23, 1.25, 1.5, 4.0 / 3, 1.75, 2.0 - 0x1p-23, 2.0 - 0x1p-30})
            all.push_back(std::ldexp(f, e));
    return all;
}

wide power(int exponent) { return wide{1} << exponent; }

/// floor(a / b) for b > 0.
wide floor_divide(wide a, wide b) {
    const wide q = a / b;
    return a % b < 0 ? q - 1 : q;
}

std::int32_t saturate(wide x) { return static_cast<std::int32_t>(x > most ? wide{most} : x < least ? wide{least} : x); }

// ---- the fixed-point multiplier ------------------------------------------------------------------------------------

TEST(fixed_point, is_the_nearest_31_bit_fraction) {
    for (const double m : multipliers()) {
        const auto [value, shift] = octet::detail::to_fixed_point(m, "test");
        if (value == 0) {
            EXPECT_LT(m, 0x1p-32) << "a multiplier may vanish only where the shift would be below -31";
            EXPECT_EQ(shift, 0);
            continue;
        }
        EXPECT_GE(value, std::int32_t{1} << 30);
        EXPECT_GE(shift, -31);
        EXPECT_LE(shift, 30);
        const double stored = std::ldexp(static_cast<double>(value), shift - 31);
        EXPECT_LE(std::fabs(stored - m), std::ldexp(0.5, shift - 31)) << m;
    }
}

TEST(fixed_point, fraction_that_rounds_up_to_1_is_halved) {
    const auto [value, shift] = octet::detail::to_fixed_point(1.0 - 0x1p-33, "test");
    EXPECT_EQ(value, std::int32_t{1} << 30);
    EXPECT_EQ(shift, 1);
}

TEST(fixed_point, ends_of_its_range) {
    EXPECT_EQ(octet::detail::to_fixed_point(0x1p-32, "test").shift, -31);
    EXPECT_EQ(octet::detail::to_fixed_point(0x1p-33, "test").value, 0);
    EXPECT_EQ(octet::detail::to_fixed_point(0x1p29, "test").shift, 30);
    EXPECT_EQ(octet::detail::to_fixed_point(0x1p30 - 1.0, "test").shift, 30);
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    // The last one rounds up to 2^30, which single cannot shift by.
    for (const double bad : {0.0, -0.0, -1.0, nan, infinity, 0x1p30, 0x1p30 - 0x1p-20})
        EXPECT_THROW(octet::detail::to_fixed_point(bad, "test"), octet::error) << bad;
}

// ---- single
// ----------------------------------------------------------------------------------------------------------

TEST(single, is_the_exact_quotient_rounded_with_ties_up) {
    for (const double m : multipliers()) {
        const auto fixed = single::make(m, "test");
        // acc * value / 2^s + 1/2, floored.
        const wide divisor = power(31 - fixed.shift);
        for (const std::int32_t acc : accumulators(100)) {
            const wide exact = floor_divide(2 * wide{acc} * fixed.value + divisor, 2 * divisor);
            ASSERT_EQ(single::multiply(acc, fixed), saturate(exact)) << acc << " * " << m;
        }
    }
}

// ---- tflite
// ------------------------------------------------------------------------------------------------------------

/// a * b / 2^31 rounded, ties towards +infinity; only -2^31 * -2^31 would not fit.
wide doubling_high(wide a, wide b) { return floor_divide(2 * a * b + power(31), power(32)); }

/// a / 2^bits rounded, ties away from zero.
wide away_from_zero(wide a, int bits) {
    const wide size = a < 0 ? -a : a, rounded = (2 * size + power(bits)) / power(bits + 1);
    return a < 0 ? -rounded : rounded;
}

TEST(tflite, doubling_high_multiply) {
    for (const std::int32_t a : accumulators(300))
        for (const std::int32_t b : {std::int32_t{1} << 30, (std::int32_t{1} << 30) + 1, 0x55555555, most - 1, most, 0})
            ASSERT_EQ(tflite::doubling_high(a, b), doubling_high(a, b)) << a << " * " << b;
}

TEST(tflite, divide_by_power) {
    for (const std::int32_t a : accumulators(300))
        for (int bits = 0; bits <= 31; ++bits)
            ASSERT_EQ(tflite::divide_by_power(a, bits), away_from_zero(a, bits)) << a << " / 2^" << bits;
}

TEST(tflite, rounds_twice_and_saturates_the_left_shift) {
    for (const double m : multipliers()) {
        const auto fixed = tflite::make(m, "test");
        const int left = fixed.shift > 0 ? fixed.shift : 0, right = fixed.shift < 0 ? -fixed.shift : 0;
        for (const std::int32_t acc : accumulators(100)) {
            const wide raised = saturate(wide{acc} * power(left));
            ASSERT_EQ(tflite::multiply(acc, fixed), away_from_zero(doubling_high(raised, fixed.value), right))
                << acc << " * " << m;
        }
    }
}

TEST(tflite, known_values) {
    // 0.5 of odd numbers: the high multiply rounds up to a whole number, nothing is left for the second rounding.
    const auto half = tflite::make(0.5, "test");
    EXPECT_EQ(tflite::multiply(1, half), 1);
    EXPECT_EQ(tflite::multiply(-1, half), 0);
    EXPECT_EQ(tflite::multiply(3, half), 2);
    // A quarter is 2^30 shifted by 1: 2 / 4 goes through 1 (exactly) and then away from zero.
    const auto quarter = tflite::make(0.25, "test");
    EXPECT_EQ(tflite::multiply(2, quarter), 1);
    EXPECT_EQ(tflite::multiply(-2, quarter), -1);
    // -1 / 4 and 1 / 4: the first rounding makes 0 and 1, the second 0 and 1.
    EXPECT_EQ(tflite::multiply(-1, quarter), 0);
    EXPECT_EQ(tflite::multiply(1, quarter), 1) << "double rounding: a quarter becomes a half, and a half becomes 1";
    EXPECT_EQ(single::multiply(1, quarter), 0);
    EXPECT_EQ(tflite::multiply(most, tflite::make(2.0, "test")),
              (std::int64_t{most} * (std::int64_t{1} << 30) + (1 << 30)) >> 31)
        << "the left shift saturates before the product";
}

// ---- nearest_even
// -----------------------------------------------------------------------------------------------------

/// The float nearest to an integer, ties to even, from its bits.
float to_float(std::int32_t acc) {
    const bool negative = acc < 0;
    auto size = static_cast<std::uint64_t>(negative ? -std::int64_t{acc} : std::int64_t{acc});
    if (size == 0) return 0.0F;
    const int lost = static_cast<int>(std::bit_width(size)) - 24;
    if (lost > 0) {
        const std::uint64_t half = std::uint64_t{1} << (lost - 1), rest = size & (2 * half - 1);
        size >>= lost;
        if (rest > half || (rest == half && size % 2 == 1)) ++size;
        size <<= lost;
    }
    const auto exact = static_cast<float>(static_cast<double>(size));
    return negative ? -exact : exact;
}

/// The float nearest to a * b, ties to even: the product of two floats is exact in double, and one conversion rounds
/// it.
float product(float a, float b) { return static_cast<float>(static_cast<double>(a) * static_cast<double>(b)); }

/// x rounded to a whole number, ties to even, by its definition.
std::int64_t half_to_even(float x) {
    const double below = std::floor(static_cast<double>(x)), rest = static_cast<double>(x) - below;
    const auto whole = static_cast<std::int64_t>(below);
    return rest > 0.5 || (rest == 0.5 && whole % 2 != 0) ? whole + 1 : whole;
}

TEST(nearest_even, is_one_float_product_clamped_and_rounded_to_even) {
    for (const double factor : multipliers()) {
        const auto m = nearest_even::make(static_cast<float>(factor), "test");
        for (const std::int32_t acc : accumulators(100))
            for (const auto& [low, high] :
                 {std::pair{-128, 127}, std::pair{0, 255}, std::pair{-255, 0}, std::pair{-3, 3}}) {
                const float real = product(to_float(acc), m.value);
                const std::int64_t held = real <= static_cast<float>(low)    ? low
                                          : real >= static_cast<float>(high) ? high
                                                                             : half_to_even(real);
                ASSERT_EQ(nearest_even::scaled(acc, m, low, high), held) << acc << " * " << m.value;
            }
    }
}

TEST(nearest_even, known_values) {
    const auto half = nearest_even::make(0.5F, "test");
    EXPECT_EQ(nearest_even::scaled(1, half, -128, 127), 0);
    EXPECT_EQ(nearest_even::scaled(3, half, -128, 127), 2);
    EXPECT_EQ(nearest_even::scaled(5, half, -128, 127), 2);
    EXPECT_EQ(nearest_even::scaled(-1, half, -128, 127), 0);
    EXPECT_EQ(nearest_even::scaled(-3, half, -128, 127), -2);
    // Beyond int32: the clamp stands before the conversion.
    const auto huge = nearest_even::make(3e38F, "test");
    EXPECT_EQ(nearest_even::scaled(most, huge, -128, 127), 127);
    EXPECT_EQ(nearest_even::scaled(least, huge, -128, 127), -128);
    EXPECT_EQ(nearest_even::scaled(0, huge, -128, 127), 0);
}

TEST(nearest_even, multiplier_is_formed_in_float_in_the_stated_order) {
    const octet::scale x(0.1F), w(0.3F), y(0.7F);
    volatile float both = 0.1F * 0.3F;  // rounded once before it is divided
    volatile float expected = both / 0.7F;
    EXPECT_EQ(nearest_even::make(x, w, y, "test").value, expected);
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    for (const float bad : {0.0F, -1.0F, nan, infinity})
        EXPECT_THROW(nearest_even::make(bad, "test"), octet::error) << bad;
}

// ---- all of them
// ------------------------------------------------------------------------------------------------------

template <class Rounding>
class every_policy : public testing::Test {};
struct policy_names {
    template <class Rounding>
    static std::string GetName(int) {
        return std::string(to_string(Rounding::policy));
    }
};
using policies = testing::Types<nearest_even, tflite, single>;
TYPED_TEST_SUITE(every_policy, policies, policy_names);

TYPED_TEST(every_policy, requantize_adds_the_zero_point_and_clamps) {
    for (const float factor : {0x1p-20F, 0.01F, 0.5F, 1.0F, 3.0F}) {
        const auto m = TypeParam::make(factor, "test");
        for (const std::int32_t acc : accumulators(50))
            for (const std::int32_t z : {-128, -1, 0, 5, 127})
                for (const octet::clamp limits :
                     {octet::clamp{-128, 127}, octet::clamp{z, 127}, octet::clamp{-9, -9}}) {
                    const std::int64_t free = std::int64_t{TypeParam::scaled(acc, m, -100000, 100000)} + z;
                    const std::int64_t held = free < limits.low ? limits.low : free > limits.high ? limits.high : free;
                    ASSERT_EQ(int{octet::requantize<TypeParam>(acc, m, octet::zero_point(z), limits)}, held)
                        << acc << " * " << factor << " + " << z;
                }
    }
}

TYPED_TEST(every_policy, is_monotone_and_agrees_with_the_others_within_one_step) {
    std::mt19937 random(17);
    for (int i = 0; i < 20000; ++i) {
        const float factor =
            std::ldexp(1.0F + static_cast<float>(random() % 8192) / 8192, -6 - static_cast<int>(random() % 8));
        const auto m = TypeParam::make(factor, "test");
        const std::int32_t acc = static_cast<std::int32_t>(random()) >> 12;
        const std::int32_t q = TypeParam::scaled(acc, m, -1000000, 1000000);
        ASSERT_LE(q, TypeParam::scaled(acc + 1, m, -1000000, 1000000)) << acc << " * " << factor;
        ASSERT_LE(std::abs(q - static_cast<double>(acc) * static_cast<double>(factor)), 1.0 + 1e-3)
            << acc << " * " << factor;
    }
}

}  // namespace
