// The two numbers of affine quantization, and ranges: real = scale * (q - zero_point).
#pragma once

#include <cstdint>
#include <string_view>

#include "octet/core/error.hpp"

namespace octet {

/// Real units per quantized step: finite and > 0, checked when it is made.
struct scale {
    float value = 1.0F;

    constexpr scale() = default;
    OCTET_INLINE constexpr explicit scale(float step) : value(step) {
        if (!(step > 0.0F && step <= 3.4028234e38F))
            fail("a scale of ", step, ": a scale is finite and greater than 0");
    }
    friend constexpr bool operator==(scale, scale) = default;
};

/// The quantized value that stands for real 0. It is subtracted from q, never added.
struct zero_point {
    std::int32_t value = 0;

    constexpr zero_point() = default;
    constexpr explicit zero_point(std::int32_t q) : value(q) {}
    friend constexpr bool operator==(zero_point, zero_point) = default;
};

/// How a tensor, or one channel of it, is stored: real = scale * (q - zero_point).
struct quant_params {
    octet::scale scale{};
    octet::zero_point zero_point{};
    friend constexpr bool operator==(quant_params, quant_params) = default;
};

/// The reals that a tensor takes, min <= max. Default: nothing but 0.
struct range {
    float min = 0.0F;
    float max = 0.0F;
    friend constexpr bool operator==(range, range) = default;
};

/// asymmetric: a range [min, max], widened to include 0, over all 256 values, with a zero point.
/// symmetric: [-a, a] over [-127, 127], with zero point 0.
enum class scheme { asymmetric, symmetric };

/// Quantized outputs are clamped to [low, high]: the storage's limits, tightened by a fused activation.
struct clamp {
    std::int32_t low = -128;
    std::int32_t high = 127;
    friend constexpr bool operator==(clamp, clamp) = default;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// Throws octet::error naming `who` and `what` unless the zero point is an int8.
inline void check_int8(std::string_view who, const char* what, quant_params p) {
    if (p.zero_point.value < -128 || p.zero_point.value > 127)
        fail(who, ": the zero point ", p.zero_point.value, " of the ", what,
             " is outside [-128, 127]: int8 values need one inside");
}
/// Throws octet::error naming `who` unless -128 <= low <= high <= 127.
inline void check_int8(std::string_view who, clamp limits) {
    if (limits.low < -128 || limits.high > 127 || limits.low > limits.high)
        fail(who, ": outputs are clamped to [", limits.low, ", ", limits.high,
             "]: the bounds of int8 values must be ordered and lie in [-128, 127]");
}

}  // namespace octet::inline OCTET_ABI
