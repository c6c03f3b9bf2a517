// exp, log, tanh and the activations built from them, for values that become stored bytes: libm's differ between
// machines, these return the same bits on every machine, compiler and instruction set.
//
// How: only + - * / and ieee::fma, which IEEE 754 rounds in one way, and operations on the bits. A compiler may
// contract a product that meets a sum into one fma where the command line allows it, so a product and a sum that meet
// are written as ieee::fma here, and a product that is returned goes through detail::product, which a caller's sum
// cannot absorb. Without the instruction ieee::fma is a library call: slow (about 50 ns) and equally exact.
//
// Error: below 1e-15 relative wherever the result is a normal double (about 4 units in the last place); NaN gives NaN.
// The rounding mode is to nearest, as at program start.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "octet/core/config.hpp"
#include "octet/core/ieee.hpp"

namespace octet::inline OCTET_ABI::math {

namespace detail {

/// a * b that stays a rounded product whatever is added to it. A result of -0 becomes 0.
inline double product(double a, double b) noexcept { return ieee::fma(a, b, 0.0); }

/// 2^k for k in [-1022, 1023]
inline double power_of_two(int k) noexcept { return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52); }

/// x = k * ln(2) + r with |r| <= 0.347, and p = e^r - 1. |x| <= 1100.
struct reduced {
    int k;
    double p;
};
inline reduced reduce(double x) noexcept {
    constexpr double log2_e = 0x1.71547652b82fep0;
    constexpr double ln2_high = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;  // ln(2) to 107 bits
    constexpr double round = 0x1.8p52;  // adding it leaves no bits below 1
    const double k = ieee::fma(x, log2_e, round) - round;
    const double r = ieee::fma(-k, ln2_low, ieee::fma(-k, ln2_high, x));
    // Taylor's series of (e^r - 1) / r: the first term left out is 0.347^13 / 14! = 1e-17.
    constexpr double inverse_factorial[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                                            1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                                            1.0 / 120,        1.0 / 24,        1.0 / 6,        1.0 / 2};
    double tail = 0.0;
    for (const double c : inverse_factorial) tail = ieee::fma(tail, r, c);
    return {static_cast<int>(k), ieee::fma(r * r, tail, r)};
}

}  // namespace detail

/// e^x: infinity from 709.79 up, 0 from -745.14 down, denormal doubles between -708.4 and there.
inline double exp(double x) noexcept {
    if (x != x) return x;
    if (x > 709.79) return std::numeric_limits<double>::infinity();
    if (x < -745.14) return 0.0;
    const auto [k, p] = detail::reduce(x);
    const int half = k / 2;  // in two steps, because 2^k may leave the range where e^x does not
    return detail::product((1.0 + p) * detail::power_of_two(half), detail::power_of_two(k - half));
}

/// The natural logarithm of a normal double x > 0.
inline double log(double x) noexcept {
    int exponent = 0;
    double m = ieee::frexp(x, &exponent);  // [0.5, 1)
    if (m < 0x1.6a09e667f3bcdp-1) m *= 2.0, --exponent;
    const double f = (m - 1.0) / (m + 1.0), square = f * f;  // |f| <= 0.1716
    // log m = 2 atanh(f) = 2 f (1 + f^2 / 3 + f^4 / 5 + ...); the first term left out is f^24 / 25 = 2e-20.
    double tail = 0.0;
    for (int k = 23; k >= 3; k -= 2) tail = ieee::fma(tail, square, 1.0 / k);
    constexpr double ln2_high = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;
    const double twice = 2.0 * f, rest = ieee::fma(twice * square, tail, exponent * ln2_low);
    return ieee::fma(exponent, ln2_high, twice + rest);
}

/// e^x - 1, exact to the relative error near 0 too.
inline double expm1(double x) noexcept {
    if (x != x || ieee::fabs(x) < 0x1p-54) return x;
    if (x > 700.0) return exp(x);
    if (x < -40.0) return -1.0;
    const auto [k, p] = detail::reduce(x);
    const double power = detail::power_of_two(k);
    return ieee::fma(power, p, power - 1.0);
}

/// (e^2x - 1) / (e^2x + 1)
inline double tanh(double x) noexcept {
    if (x != x || ieee::fabs(x) < 0x1p-30) return x;
    const double size = ieee::fabs(x);
    const double e = size < 20.0 ? expm1(-2.0 * size) : -1.0;
    return ieee::copysign(-e / (2.0 + e), x);
}

/// 1 / (1 + e^-x), the sigmoid.
inline double logistic(double x) noexcept {
    if (x != x) return x;
    const double e = exp(-ieee::fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/// x * min(max(x + 3, 0), 6) / 6; -infinity gives 0.
inline double hard_swish(double x) noexcept {
    if (x <= -3.0) return 0.0;
    return x < 3.0 ? x * (x + 3.0) / 6.0 : x;
}

/// min(max(alpha * x + beta, 0), 1), with one rounding.
inline double hard_sigmoid(double x, double alpha, double beta) noexcept {
    const double y = ieee::fma(alpha, x, beta);
    return y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
}

/// x where x >= 0, slope * x below.
inline double leaky_relu(double x, double slope) noexcept { return x < 0.0 ? detail::product(slope, x) : x; }

/// max(x, 0), min(max(x, low), high): a NaN stays.
inline double relu(double x) noexcept { return x < 0.0 ? 0.0 : x; }
inline double clip(double x, double low, double high) noexcept { return x < low ? low : x > high ? high : x; }

}  // namespace octet::inline OCTET_ABI::math
