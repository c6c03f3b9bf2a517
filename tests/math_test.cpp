// label: law
// octet::math against libm in long double, its special values, and the law that its bits are those of IEEE 754 alone.
#include "octet/quant/math.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace {

namespace math = octet::math;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double bound = 1e-15;

/// The largest relative error over points spread evenly over [from, to] and, on a logarithmic scale, towards 0.
template <class Ours, class Libm>
double worst(double from, double to, Ours ours, Libm libm) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> even(from, to), tiny(-300.0, 0.0);
    double most = 0.0;
    const auto look = [&](double x) {
        const double exact = static_cast<double>(libm(static_cast<long double>(x)));
        if (std::fabs(exact) < std::numeric_limits<double>::min() || std::isinf(exact)) return;
        most = std::max(most, std::fabs((ours(x) - exact) / exact));
    };
    for (int i = 0; i < 40000; ++i) {
        look(even(random));
        look(std::copysign(std::pow(10.0, tiny(random)), even(random)));
    }
    return most;
}

TEST(math, stays_within_the_stated_error_of_libm) {
    EXPECT_LT(worst(-708.0, 709.7, math::exp, [](long double x) { return std::exp(x); }), bound);
    EXPECT_LT(worst(-3.0, 3.0, math::exp, [](long double x) { return std::exp(x); }), bound);
    EXPECT_LT(worst(-50.0, 709.7, math::expm1, [](long double x) { return std::expm1(x); }), bound);
    EXPECT_LT(worst(-2.0, 2.0, math::expm1, [](long double x) { return std::expm1(x); }), bound);
    EXPECT_LT(worst(-25.0, 25.0, math::tanh, [](long double x) { return std::tanh(x); }), bound);
    EXPECT_LT(worst(-1.0, 1.0, math::tanh, [](long double x) { return std::tanh(x); }), bound);
    const auto sigmoid = [](long double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); };
    EXPECT_LT(worst(-708.0, 60.0, math::logistic, sigmoid), bound);
    EXPECT_LT(worst(-5.0, 5.0, math::logistic, sigmoid), bound);
    const auto swish = [](long double x) { return x * std::min(std::max(x + 3, 0.0L), 6.0L) / 6; };
    EXPECT_LT(worst(-4.0, 4.0, math::hard_swish, swish), bound);
    EXPECT_LT(worst(0.5, 2.0, math::log, [](long double x) { return std::log(x); }), bound);
    EXPECT_LT(worst(1e-9, 1e12, math::log, [](long double x) { return std::log(x); }), bound);
    EXPECT_EQ(math::log(1.0), 0.0);
}

TEST(math, bits_of_log_are_the_same_everywhere) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (int i = 1; i <= 30000; ++i) {
        const double x = static_cast<double>(i) / 1777.0;
        hash = (hash ^ std::bit_cast<std::uint64_t>(math::log(x) + x)) * 0x100000001b3U;
    }
    EXPECT_EQ(hash, 12929892250310152212U) << std::hex << hash;
}

TEST(math, special_values_are_defined) {
    EXPECT_EQ(math::exp(0.0), 1.0);
    EXPECT_EQ(math::exp(-0.0), 1.0);
    EXPECT_EQ(math::exp(710.0), infinity);
    EXPECT_EQ(math::exp(infinity), infinity);
    EXPECT_EQ(math::exp(-746.0), 0.0);
    EXPECT_EQ(math::exp(-infinity), 0.0);
    EXPECT_LT(math::exp(709.78), infinity);
    EXPECT_EQ(math::exp(-745.0), std::numeric_limits<double>::denorm_min());
    EXPECT_NEAR(math::exp(-740.0) / 4.2e-322, 1.0, 0.02);
    EXPECT_EQ(math::expm1(-infinity), -1.0);
    EXPECT_EQ(math::expm1(infinity), infinity);
    EXPECT_TRUE(std::signbit(math::expm1(-0.0)));
    EXPECT_EQ(math::tanh(infinity), 1.0);
    EXPECT_EQ(math::tanh(-infinity), -1.0);
    EXPECT_EQ(math::tanh(1e-310), 1e-310);
    EXPECT_TRUE(std::signbit(math::tanh(-0.0)));
    EXPECT_EQ(math::logistic(0.0), 0.5);
    EXPECT_EQ(math::logistic(infinity), 1.0);
    EXPECT_EQ(math::logistic(-infinity), 0.0);
    EXPECT_GT(math::logistic(-740.0), 0.0);
    EXPECT_EQ(math::hard_swish(-infinity), 0.0);
    EXPECT_EQ(math::hard_swish(infinity), infinity);
    EXPECT_EQ(math::hard_swish(3.0), 3.0);
    EXPECT_EQ(math::hard_swish(-3.0), 0.0);
    EXPECT_EQ(math::hard_swish(-1.5), -0.375);
    EXPECT_EQ(math::hard_sigmoid(0.0, 0.2, 0.5), 0.5);
    EXPECT_EQ(math::hard_sigmoid(-9.0, 0.2, 0.5), 0.0);
    EXPECT_EQ(math::hard_sigmoid(9.0, 0.2, 0.5), 1.0);
    EXPECT_EQ(math::leaky_relu(-4.0, 0.25), -1.0);
    EXPECT_EQ(math::leaky_relu(4.0, 0.25), 4.0);
    EXPECT_EQ(math::relu(-1.0), 0.0);
    EXPECT_EQ(math::clip(7.0, 0.0, 6.0), 6.0);
    for (const double y :
         {math::exp(nan), math::expm1(nan), math::tanh(nan), math::logistic(nan), math::hard_swish(nan),
          math::hard_sigmoid(nan, 0.2, 0.5), math::leaky_relu(nan, 0.1), math::relu(nan), math::clip(nan, 0.0, 6.0)})
        EXPECT_TRUE(std::isnan(y));
}

TEST(math, grows_where_the_function_grows) {
    double last_exp = 0.0, last_tanh = -1.0, last_logistic = 0.0;
    for (int i = -20000; i <= 20000; ++i) {
        const double x = i / 1024.0;
        EXPECT_GE(math::exp(x), last_exp);
        EXPECT_GE(math::tanh(x), last_tanh);
        EXPECT_GE(math::logistic(x), last_logistic);
        last_exp = math::exp(x), last_tanh = math::tanh(x), last_logistic = math::logistic(x);
    }
}

/// FNV-1a over the bits of every function at points made of integers alone. The constant was formed by one build; a
/// machine, compiler or flag (-mfma, -ffp-contract) that changes one bit of one value changes it.
TEST(math, bits_are_the_same_everywhere) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto mix = [&](double value) {
        const auto bits = std::bit_cast<std::uint64_t>(value);
        for (int byte = 0; byte < 8; ++byte) hash = (hash ^ ((bits >> (8 * byte)) & 0xffU)) * 0x100000001b3U;
    };
    for (int i = -30000; i <= 30000; ++i) {
        const double x = static_cast<double>(i) / 1777.0;
        // Sums of results: a product that a caller's sum could absorb would show here.
        mix(math::exp(x) + x), mix(math::expm1(x) + x), mix(math::tanh(x) + x);
        mix(math::logistic(x) + x), mix(math::hard_swish(x) + x);
        mix(math::hard_sigmoid(x, 0.2, 0.5) + x), mix(math::leaky_relu(x, 0.01) + x);
        mix(math::exp(x * 40.0));
    }
    EXPECT_EQ(hash, 0xdf91daeca34ef37fU) << std::hex << hash;
}

}  // namespace
