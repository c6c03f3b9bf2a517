// The definitions of int8 add and mul of two tensors, one formula for each rounding policy, and what it needs at
// set-up. Kernels on every instruction set return these bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/kernel/elementwise_digits.hpp"
#include "octet/kernel/elementwise_dyadic.hpp"
#include "octet/quant/rounding.hpp"

namespace octet::inline OCTET_ABI {

/// The weight of a ratio of scales: r * 2^shift rounded, where shift, in [0, 30], brings the larger ratio of an add
/// into [2^20, 2^21), or as near to it as 30 allows.
struct add_weights {
    std::int32_t a = 0;
    std::int32_t b = 0;
    std::int32_t shift = 0;
    /// One of them is a multiple of 2^(shift - 8): only then are its multiples up to 255 ever halves.
    bool ties = false;

    add_weights() = default;
    add_weights(double ratio_a, double ratio_b) noexcept {
        int exponent = 0;
        ieee::frexp(std::max(ratio_a, ratio_b), &exponent);  // in [2^(exponent - 1), 2^exponent)
        shift = detail::clamped(21 - exponent, 0, 30);
        a = static_cast<std::int32_t>(ieee::llrint(ieee::ldexp(ratio_a, shift)));
        b = static_cast<std::int32_t>(ieee::llrint(ieee::ldexp(ratio_b, shift)));
        const std::int32_t below = (std::int32_t{1} << std::max(shift - 8, 0)) - 1;
        ties = (a & below) == 0 || (b & below) == 0;
    }
};

/// An add in one sum and one shift, whatever the policy:
///
///   q = clamp(floor((a * A + b * B + offset) / 2^shift))     |sum| < 2^30: exact in int32
///
/// It stands for a formula only where it returns its byte for all 65,536 pairs, which set-up finds out: a pair of
/// result q asks for an offset in [q * 2^shift - sum, (q + 1) * 2^shift - sum), without the lower bound where q is
/// limits.low and without the upper one where it is limits.high, and `exact` says that one offset serves all pairs. It
/// serves nearest_even without ties, where shift and offset are in the ranges below; of 300 adds of random scales and
/// zero points it serves 291 of tflite and 290 of single, whose ratios are finer than A and B: a tenth of those need A
/// or B one off.
struct linear_add {
    std::int32_t a = 0;  ///< A in [0, 2^21)
    std::int32_t b = 0;
    std::int32_t offset = 0;  ///< within 2^29
    std::int32_t shift = 0;   ///< in [16, 22] where exact
    clamp limits;
    bool exact = false;
    add_digits digits;  ///< the same for kernels in 16-bit lanes, where exact

    linear_add() = default;
    /// q = formula(a, b). Costs 65,536 to 9 times 65,536 calls of it.
    template <class Formula>
    linear_add(const add_weights& near, clamp held, const Formula& formula) noexcept : shift(near.shift), limits(held) {
        if (shift < 16 || shift > 22) return;
        constexpr int nearest_first[] = {0, 1, -1};
        for (const int da : nearest_first)
            for (const int db : nearest_first)
                if (fits(near.a + da, near.b + db, formula)) return;
    }

  private:
    template <class Formula>
    bool fits(std::int32_t weight_a, std::int32_t weight_b, const Formula& formula) noexcept {
        if (std::min(weight_a, weight_b) < 0 || std::max(weight_a, weight_b) >= 1 << 21) return false;
        std::int32_t least = -(1 << 29) + 1, most = (1 << 29) - 1;
        for (int x = -128; x < 128; ++x)
            for (int y = -128; y < 128; ++y) {
                const std::int32_t q = formula(static_cast<std::int8_t>(x), static_cast<std::int8_t>(y));
                const std::int32_t from = q * (1 << shift) - x * weight_a - y * weight_b;  // within 2^30
                if (q > limits.low) least = std::max(least, from);
                if (q < limits.high) most = std::min(most, from + (1 << shift) - 1);
                if (least > most) return false;
            }
        a = weight_a, b = weight_b, offset = least + (most - least) / 2, exact = true;
        digits = {a, b, offset, shift};
        return true;
    }
};

/// q = clamp(round((a - z_a) * s_a / s_y + (b - z_b) * s_b / s_y) + z_y), the ratios held as fixed-point integers.
template <class Rounding>
struct add_params;

/// nearest_even: with r_a = s_a / s_y and r_b = s_b / s_y in double,
///
///   A = llrint(r_a * 2^shift), B = llrint(r_b * 2^shift)         both in [0, 2^21]: see add_weights
///
///   acc = (a - z_a) * A + (b - z_b) * B                          |acc| <= 2 * 255 * 2^21 < 2^30: exact in int32
///
///   q = clamp(round(acc / 2^shift) + z_y)                        in integers; halves go to even or up
///
/// A ratio is off by at most 2^-21 of the larger one, so that the sum before rounding is off by 255 * 2 * 2^-21 of it.
/// Where A or B is a multiple of 2^(shift - 8), so that multiples of it alone can be halves, as with ratios of powers
/// of two, every half of the add goes to the even neighbour. In any other add a half needs both, mostly by chance of
/// their rounding, and goes up: in 118 of 65,536 pairs at most of 4,000 random adds, and in 255 where A = B is an odd
/// multiple of 2^(shift - 9).
template <>
struct add_params<nearest_even> {
    add_weights weights;
    std::int32_t offset = 0;  ///< 2^(shift - 1) - z_a * A - z_b * B, what is added to a * A + b * B; within 2^30
    zero_point out_zero;
    clamp limits;
    dyadic_add dyadic;  ///< the form that kernels like best
    linear_add linear;  ///< made where dyadic is not exact

    /// Throws octet::error naming `who` when an input's scale is 2^21 or more times the output's.
    static add_params make(quant_params x, quant_params y, quant_params out, clamp limits, std::string_view who) {
        const double to = out.scale.value, rx = x.scale.value / to, ry = y.scale.value / to;
        const double most = std::max(rx, ry);
        if (!(most < 0x1p21))
            fail(who, ": an input's scale is ", most, " times the output's scale ", out.scale.value,
                 ", but must be below 2^21 times it: every sum but 0 would be clamped; correct the output's scale");
        add_params p;
        p.weights = {rx, ry};
        p.offset = p.half() - x.zero_point.value * p.weights.a - y.zero_point.value * p.weights.b;
        p.out_zero = out.zero_point;
        p.limits = limits;
        p.dyadic = {p.weights.a, p.weights.b, p.weights.shift, x.zero_point, y.zero_point};
        if (!p.dyadic.exact) p.linear = {p.weights, limits, p};
        return p;
    }
    /// 2^(shift - 1), and the bits below 2^shift. Without a shift there is nothing to round, and without ties there is
    /// nothing to mend: a mask of all ones then finds one at the sum 0 only, which is even.
    std::int32_t half() const noexcept { return weights.shift == 0 ? 0 : std::int32_t{1} << (weights.shift - 1); }
    std::int32_t mask() const noexcept {
        return weights.shift == 0 || !weights.ties ? -1 : (std::int32_t{1} << weights.shift) - 1;
    }

    /// raised = acc + half; its floor is acc / 2^shift rounded half up, and where no bit is left below (a tie) the even
    /// neighbour is the one with its lowest bit cleared.
    std::int8_t operator()(std::int8_t x, std::int8_t y) const noexcept {
        const std::int32_t raised = x * weights.a + y * weights.b + offset;
        const std::int32_t up = raised >> weights.shift;
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
    linear_add linear{};
    static constexpr int left_shift = 20;

    /// Throws octet::error naming `who` when M / (2^20 * s_y) is 2^30 or more.
    static add_params<Rounding> make(quant_params x, quant_params y, quant_params to, clamp limits,
                                     std::string_view who) {
        const double sx = x.scale.value, sy = y.scale.value, both = 2.0 * std::max(sx, sy);
        const double out = both / (static_cast<double>(1 << left_shift) * static_cast<double>(to.scale.value));
        add_params<Rounding> p{{x.zero_point, y.zero_point, Rounding::make(sx / both, who),
                                Rounding::make(sy / both, who), Rounding::make(out, who), to.zero_point, limits}};
        p.linear = {{sx / static_cast<double>(to.scale.value), sy / static_cast<double>(to.scale.value)}, limits, p};
        return p;
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
        const bool twice = Rounding::policy == rounding_policy::tflite && m.shift != 0;
        return {(std::int64_t{1} << (31 - m.shift)) + (twice ? std::int64_t{1} << 31 : 0), m.value, -m.shift, twice};
    }
    static bool fits(fixed_point m) noexcept { return m.shift <= 0; }
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
    /// Whether no product times m leaves int32, so that kernels need not saturate.
    bool small() const noexcept {
        if constexpr (Rounding::policy == rounding_policy::nearest_even)
            return Rounding::fits_int32(255 * 255, m);
        else
            return detail::small_multiplier::fits(m);
    }
    std::int8_t operator()(std::int8_t x, std::int8_t y) const noexcept {
        return requantize<Rounding>((x - a_zero.value) * (y - b_zero.value), m, out_zero, limits);
    }
};

}  // namespace octet::inline OCTET_ABI
