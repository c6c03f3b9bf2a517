// The definitions of int8 add and mul of two tensors, one formula for each rounding policy, and what it needs at
// set-up. Kernels on every instruction set return these bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/quant/rounding.hpp"

namespace octet::inline OCTET_ABI {

/// q = clamp(round((a - z_a) * s_a / s_y + (b - z_b) * s_b / s_y) + z_y), the ratios held as fixed-point integers.
template <class Rounding>
struct add_params;

/// nearest_even: with r_a = s_a / s_y and r_b = s_b / s_y in double,
///
///   A = llrint(r_a * 2^shift), B = llrint(r_b * 2^shift)         both in [0, 2^21]
///
///   acc = (a - z_a) * A + (b - z_b) * B                          |acc| <= 2 * 255 * 2^21 < 2^30: exact in int32
///
///   q = clamp(round_half_even(acc / 2^shift) + z_y)              in integers
///
/// where shift, in [0, 30], brings max(r_a, r_b) * 2^shift into [2^20, 2^21), or as near to it as 30 allows.
/// A ratio is off by at most 2^-21 of the larger one, so that the sum before rounding is off by 255 * 2 * 2^-21 of it.
template <>
struct add_params<nearest_even> {
    std::int32_t a = 0;       ///< A
    std::int32_t b = 0;       ///< B
    std::int32_t shift = 0;   ///< in [0, 30]
    std::int32_t offset = 0;  ///< 2^(shift - 1) - z_a * A - z_b * B, what is added to a * A + b * B; within 2^30
    bool ties = true;         ///< some pair of bytes lies exactly between two results: see has_tie
    zero_point out_zero;
    clamp limits;

    /// Throws octet::error naming `who` when an input's scale is 2^21 or more times the output's.
    static add_params make(quant_params x, quant_params y, quant_params out, clamp limits, std::string_view who) {
        const double to = out.scale.value, rx = x.scale.value / to, ry = y.scale.value / to;
        const double most = std::max(rx, ry);
        if (!(most < 0x1p21))
            fail(who, ": an input's scale is ", most, " times the output's scale ", out.scale.value,
                 ", but must be below 2^21 times it: every sum but 0 would be clamped; correct the output's scale");
        int exponent = 0;
        ieee::frexp(most, &exponent);  // most in [2^(exponent - 1), 2^exponent)
        add_params p;
        p.shift = std::min(21 - exponent, 30);
        p.a = static_cast<std::int32_t>(ieee::llrint(ieee::ldexp(rx, p.shift)));
        p.b = static_cast<std::int32_t>(ieee::llrint(ieee::ldexp(ry, p.shift)));
        p.offset = p.half() - x.zero_point.value * p.a - y.zero_point.value * p.b;
        p.ties = p.has_tie();
        p.out_zero = out.zero_point;
        p.limits = limits;
        return p;
    }
    /// Of 65,536 sums modulo 2^shift, about 2^21, one must be 2^(shift - 1) for a tie: 3 in 100 pairs of scales have
    /// one by chance, ratios that are powers of two have many. Kernels round half up where there is none.
    bool has_tie() const noexcept {
        for (int x = -128; x < 128; ++x)
            for (int y = -128; y < 128; ++y)
                if (((x * a + y * b + offset) & mask()) == 0) return true;
        return false;
    }
    /// 2^(shift - 1), and the bits below 2^shift. Without a shift there is nothing to round: a mask of all ones then
    /// finds a tie at the sum 0 only, which is even.
    std::int32_t half() const noexcept { return shift == 0 ? 0 : std::int32_t{1} << (shift - 1); }
    std::int32_t mask() const noexcept { return shift == 0 ? -1 : (std::int32_t{1} << shift) - 1; }

    /// raised = acc + half; its floor is acc / 2^shift rounded half up, and where no bit is left below (a tie) the even
    /// neighbour is the one with its lowest bit cleared.
    std::int8_t operator()(std::int8_t x, std::int8_t y) const noexcept {
        const std::int32_t raised = x * a + y * b + offset;
        const std::int32_t up = raised >> shift;
        const std::int32_t rounded = (raised & mask()) == 0 ? up & ~1 : up;
        return static_cast<std::int8_t>(
            detail::clamped(rounded, limits.low - out_zero.value, limits.high - out_zero.value) + out_zero.value);
    }
};

namespace detail {

/// tflite: TensorFlow Lite's int8 ADD. With M = 2 * max(s_a, s_b) in double,
///   m_a = fixed(s_a / M), m_b = fixed(s_b / M), m_y = fixed(M / (2^20 * s_y))     as tflite::make forms them
///   u = multiply((a - z_a) * 2^20, m_a), v = multiply((b - z_b) * 2^20, m_b)       |.| < 2^28 before, 2^27 after
///   q = clamp(multiply(u + v, m_y) + z_y)
/// where multiply is tflite::multiply: doubling high multiply, then rounding shift. single: the same steps with
/// single::multiply, as TensorFlow Lite built with single rounding.
template <class Rounding>
struct fixed_point_add {
    zero_point a_zero;
    zero_point b_zero;
    fixed_point a;
    fixed_point b;
    fixed_point out;
    zero_point out_zero;
    clamp limits;
    static constexpr int left_shift = 20;

    /// Throws octet::error naming `who` when M / (2^20 * s_y) is 2^30 or more.
    static add_params<Rounding> make(quant_params x, quant_params y, quant_params to, clamp limits,
                                     std::string_view who) {
        const double sx = x.scale.value, sy = y.scale.value, both = 2.0 * std::max(sx, sy);
        const double out = both / (static_cast<double>(1 << left_shift) * static_cast<double>(to.scale.value));
        return {{x.zero_point, y.zero_point, Rounding::make(sx / both, who), Rounding::make(sy / both, who),
                 Rounding::make(out, who), to.zero_point, limits}};
    }
    std::int8_t operator()(std::int8_t x, std::int8_t y) const noexcept {
        const std::int32_t u = Rounding::multiply((x - a_zero.value) * (1 << left_shift), a);
        const std::int32_t v = Rounding::multiply((y - b_zero.value) * (1 << left_shift), b);
        return requantize<Rounding>(u + v, out, out_zero, limits);
    }
};

}  // namespace detail

template <>
struct add_params<tflite> : detail::fixed_point_add<tflite> {};
template <>
struct add_params<single> : detail::fixed_point_add<single> {};

namespace detail {

/// A multiplier m <= 1 of tflite or single, as kernels apply it to accumulators doubled beforehand, below 2^30: with
/// P = 2 * acc * value and right = -shift in [0, 31],
///   tflite: n = (P + 2^31) >> 32, (n + 2^(right - 1) - (n < 0)) >> right     (n itself where right is 0)
///   single: (P + 2^(31 + right)) >> (32 + right)
/// both of which are ((P + rounding) >> 32, less 1 where acc < 0 and `away`) >> right. Nothing saturates.
struct small_multiplier {
    std::int64_t rounding = 0;
    std::int32_t value = 0;
    std::int32_t right = 0;
    bool away = false;

    template <class Rounding>
    static small_multiplier make(fixed_point m) noexcept {
        constexpr bool twice = Rounding::policy == rounding_policy::tflite;
        const std::int64_t once = std::int64_t{1} << (31 - m.shift);
        return {!twice         ? once
                : m.shift == 0 ? once
                               : once + (std::int64_t{1} << 31),
                m.value, -m.shift, twice && m.shift != 0};
    }
    static bool fits(fixed_point m) noexcept { return m.shift <= 0; }
    /// Whether m is 1/2, which the larger scale of an add has: multiply(acc, m) is acc / 2 where acc is even.
    static bool halves(fixed_point m) noexcept { return m.shift == 0 && m.value == 1 << 30; }
};

}  // namespace detail

/// Every policy: q = requantize((a - z_a) * (b - z_b), m) with m = Rounding::make(s_a, s_b, s_y); the product is at
/// most 255 * 255.
template <class Rounding>
struct mul_params {
    zero_point a_zero;
    zero_point b_zero;
    typename Rounding::multiplier m;
    zero_point out_zero;
    clamp limits;

    /// Throws octet::error naming `who` when the scales do not fit together.
    static mul_params make(quant_params x, quant_params y, quant_params out, clamp limits, std::string_view who) {
        return {x.zero_point, y.zero_point, Rounding::make(x.scale, y.scale, out.scale, who), out.zero_point, limits};
    }
    std::int8_t operator()(std::int8_t x, std::int8_t y) const noexcept {
        return requantize<Rounding>((x - a_zero.value) * (y - b_zero.value), m, out_zero, limits);
    }
};

}  // namespace octet::inline OCTET_ABI
