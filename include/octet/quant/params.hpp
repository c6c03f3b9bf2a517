// The two numbers of affine quantization, and ranges: real = scale * (q - zero_point).
#pragma once

#include <cstdint>

#include "octet/core/error.hpp"

namespace octet {

/// Real units per quantized step: finite and > 0, checked when it is made.
struct scale {
    float value = 1.0F;

    constexpr scale() = default;
    constexpr explicit scale(float step) : value(step) {
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

/// Quantized outputs are clamped to [low, high]: the storage's limits, tightened by a fused activation.
struct clamp {
    std::int32_t low = -128;
    std::int32_t high = 127;
    friend constexpr bool operator==(clamp, clamp) = default;
};

}  // namespace octet
