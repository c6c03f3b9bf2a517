// THE int32 -> int8 law: one normative scalar function per rounding policy. Every kernel on every instruction set
// returns these bytes. A policy is a type with
//   stored                int8_t
//   multiplier            the stored form of m = s_x * s_w / s_y of one channel
//   make(m parts)         forms it, at set-up; throws octet::error when it cannot be formed
//   scaled(acc, m, ...)   round(acc * m) clamped to [low - z, high - z]: what the output is before its zero point
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/quant/params.hpp"

namespace octet {

/// The names of the policies below, for what is decided at run time.
enum class rounding_policy { nearest_even, tflite, single };

constexpr std::string_view to_string(rounding_policy policy) noexcept {
    return policy == rounding_policy::nearest_even ? "nearest_even"
           : policy == rounding_policy::tflite     ? "tflite"
                                                   : "single";
}

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// q = lrint(clamp(float(acc) * m)), ties to even, m = (s_x * s_w) / s_y in float in this order.
/// As ONNX Runtime's QLinearConv and XNNPACK's qc8w. The clamp stands before the conversion, so that no multiplier,
/// of 1 and above included, leaves the range of int32.
struct nearest_even {
    static constexpr rounding_policy policy = rounding_policy::nearest_even;
    using stored = std::int8_t;
    struct multiplier {
        float value = 1.0F;
    };

    static multiplier make(scale input, scale weight, scale output, std::string_view who) {
        const float m = (input.value * weight.value) / output.value;
        return make(m, who);
    }
    static multiplier make(float m, std::string_view who) {
        if (!(m > 0.0F && m <= 3.4028234e38F))
            fail(
                who, ": the requantization multiplier is ", m,
                ", but must be finite and greater than 0: the scales of input, weights and output do not fit together");
        return {m};
    }

    /// Whether acc * m stays below 2^31, and so converts to int32, for every |acc| <= most: float products grow with
    /// acc.
    static bool fits_int32(std::int64_t most, multiplier m) noexcept {
        return static_cast<float>(most) * m.value < 0x1p31F;
    }
    /// round(acc * m) clamped to [low, high], where both are relative to the zero point.
    static std::int32_t scaled(std::int32_t acc, multiplier m, std::int32_t low, std::int32_t high) noexcept {
        const float real = static_cast<float>(acc) * m.value;
        const float floor = static_cast<float>(low), ceiling = static_cast<float>(high);
        return static_cast<std::int32_t>(ieee::lrint(std::min(std::max(real, floor), ceiling)));
    }
};

namespace detail {

/// m = value * 2^(shift - 31) with value in [2^30, 2^31), from m in double. value 0 stands for an m too small to
/// matter.
struct fixed_point {
    std::int32_t value = 0;
    std::int32_t shift = 0;
};

inline fixed_point to_fixed_point(double m, std::string_view who) {
    if (!(m > 0.0 && m < 0x1p30 * (1.0 - 0x1p-32)))  // from there on the fraction rounds up to 1, and the shift to 31
        fail(who, ": the requantization multiplier is ", m,
             ", but must lie between 0 and 2^30: the scales of input, weights and output do not fit together");
    int shift = 0;
    const double fraction = ieee::frexp(m, &shift);
    std::int64_t value = ieee::llround(fraction * 0x1p31);
    if (value == std::int64_t{1} << 31) value /= 2, ++shift;
    if (shift < -31) return {0, 0};
    return {static_cast<std::int32_t>(value), shift};
}

inline double real_multiplier(scale input, scale weight, scale output) noexcept {
    return static_cast<double>(input.value) * static_cast<double>(weight.value) / static_cast<double>(output.value);
}

inline std::int32_t saturate(std::int64_t wide) noexcept {
    return static_cast<std::int32_t>(detail::clamped<std::int64_t>(wide, INT32_MIN, INT32_MAX));
}

}  // namespace detail

/// Double rounding, as TensorFlow Lite Micro's and CMSIS-NN's default: acc is shifted left (m >= 1, saturating),
/// multiplied by a 31-bit fraction with a doubling high multiply that rounds ties up, then shifted right rounding
/// ties away from zero. Formed in double.
struct tflite {
    static constexpr rounding_policy policy = rounding_policy::tflite;
    using stored = std::int8_t;
    using multiplier = detail::fixed_point;

    static multiplier make(scale input, scale weight, scale output, std::string_view who) {
        return make(detail::real_multiplier(input, weight, output), who);
    }
    static multiplier make(double m, std::string_view who) { return detail::to_fixed_point(m, who); }

    /// high 32 bits of 2 * a * b, rounded, ties up; a * b never is 2^62 because b < 2^31.
    static std::int32_t doubling_high(std::int32_t a, std::int32_t b) noexcept {
        return static_cast<std::int32_t>((std::int64_t{a} * b + (std::int64_t{1} << 30)) >> 31);
    }
    /// value / 2^bits rounded, ties away from zero; bits in [0, 31].
    static std::int32_t divide_by_power(std::int32_t value, int bits) noexcept {
        const std::int64_t mask = (std::int64_t{1} << bits) - 1;
        const std::int64_t rest = value & mask;
        const std::int64_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
        return static_cast<std::int32_t>((std::int64_t{value} >> bits) + (rest > threshold ? 1 : 0));
    }
    static bool fits_int32(std::int64_t, multiplier) noexcept { return true; }  // multiply saturates
    /// round(acc * m), saturated to int32.
    static std::int32_t multiply(std::int32_t acc, multiplier m) noexcept {
        const int left = std::max(m.shift, 0), right = std::max(-m.shift, 0);
        const std::int32_t raised = detail::saturate(std::int64_t{acc} * (std::int64_t{1} << left));
        return divide_by_power(doubling_high(raised, m.value), right);
    }
    static std::int32_t scaled(std::int32_t acc, multiplier m, std::int32_t low, std::int32_t high) noexcept {
        return detail::clamped(multiply(acc, m), low, high);
    }
};

/// Single rounding, as TensorFlow Lite with single rounding, ruy and XNNPACK's rndnu:
/// (acc * value + 2^(s - 1)) >> s in 64 bits with s = 31 - shift in [1, 62]; ties up. Formed in double.
struct single {
    static constexpr rounding_policy policy = rounding_policy::single;
    using stored = std::int8_t;
    using multiplier = detail::fixed_point;

    static multiplier make(scale input, scale weight, scale output, std::string_view who) {
        return make(detail::real_multiplier(input, weight, output), who);
    }
    static multiplier make(double m, std::string_view who) { return detail::to_fixed_point(m, who); }

    static bool fits_int32(std::int64_t, multiplier) noexcept { return true; }  // multiply saturates
    static std::int32_t multiply(std::int32_t acc, multiplier m) noexcept {
        const int shift = 31 - m.shift;
        return detail::saturate((std::int64_t{acc} * m.value + (std::int64_t{1} << (shift - 1))) >> shift);
    }
    static std::int32_t scaled(std::int32_t acc, multiplier m, std::int32_t low, std::int32_t high) noexcept {
        return detail::clamped(multiply(acc, m), low, high);
    }
};

/// The byte of an accumulator: round(acc * m) + z, clamped to [limits.low, limits.high].
template <class Rounding>
std::int8_t requantize(std::int32_t acc, typename Rounding::multiplier m, zero_point z, clamp limits) noexcept {
    return static_cast<std::int8_t>(Rounding::scaled(acc, m, limits.low - z.value, limits.high - z.value) + z.value);
}

}  // namespace octet::inline OCTET_ABI
