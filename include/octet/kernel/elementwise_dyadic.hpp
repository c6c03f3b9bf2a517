// Add of int8 where both ratios of scales are multiples of a power of two: what kernels in 16-bit lanes need at set-up.
//
// Such sums tie often, which a linear_add cannot return, and hold few bits. With A = A' * 2^k and B = B' * 2^k, A' and
// B' in [0, 127], and s = shift - k in [2, 7], the formula of nearest_even becomes
//   raised = a * A' + b * B' + 2^(s - 1) - z_a * A' - z_b * B'
//   up = floor(raised / 2^s), its lowest bit cleared where raised has none below 2^s
//   q = clamp(up + z_y)
// pmaddubsw adds both products, within 128 * 254, and a saturating add the rest, within 32,576. What saturates there is
// clamped as the sum would be: 32,767 / 2^7 is 255 and -32,768 / 2^7 is -256, beyond every byte less a zero point.
#pragma once

#include <cstdint>

#include "octet/quant/params.hpp"

namespace octet::inline OCTET_ABI {

struct dyadic_add {
    std::int16_t weights = 0;  ///< A' in the low byte, B' in the high one
    std::int16_t offset = 0;   ///< what is added to a * A' + b * B'
    std::int32_t shift = 0;    ///< s
    bool exact = false;        ///< whether the ratios are so

    dyadic_add() = default;
    /// Of ratios a / 2^ratio_shift and b / 2^ratio_shift.
    dyadic_add(std::int32_t a, std::int32_t b, std::int32_t ratio_shift, zero_point a_zero,
               zero_point b_zero) noexcept {
        for (std::int32_t s = 2; s <= 7 && s <= ratio_shift && !exact; ++s) {
            const std::int32_t k = ratio_shift - s, below = (std::int32_t{1} << k) - 1;
            if (((a | b) & below) != 0 || (a | b) >> k > 127) continue;
            a >>= k, b >>= k;
            weights = static_cast<std::int16_t>(a | b << 8);
            offset = static_cast<std::int16_t>((1 << (s - 1)) - a_zero.value * a - b_zero.value * b);
            shift = s;
            exact = true;
        }
    }
    /// times(x) / 2^16 is x / 2^shift: a high product is one operation, where a shift by a register is two.
    std::int16_t times() const noexcept { return static_cast<std::int16_t>(1 << (16 - shift)); }
    /// The bits below 2^shift.
    std::int16_t mask() const noexcept { return static_cast<std::int16_t>((1 << shift) - 1); }
};

}  // namespace octet::inline OCTET_ABI
