// Add of int8 where both ratios of scales are multiples of a power of two: what kernels in 16-bit lanes need at set-up.
//
// Such sums hold few bits, and where they tie a linear_add cannot return them. With A = A' * 2^k and B = B' * 2^k, A'
// and B' in [0, 127], and s = shift - k, the formula of nearest_even becomes
//   raised = a * A' + b * B' + 2^(s - 1) - z_a * A' - z_b * B'
//   up = floor(raised / 2^s), its lowest bit cleared where raised has none below 2^s
//   q = clamp(up + z_y)
// pmaddubsw adds both products, within 128 * 254, and a saturating add the rest, within 32,576. Where that saturates,
// up is 32,767 >> s or -32,768 >> s, at s <= 7 at least 255 or at most -256: the clamp makes of it what it makes of the
// sum. s >= 2, so that 2^(16 - s) is an int16; ratios of fewer bits are raised to it.
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
        for (std::int32_t s = 2; s <= 7 && s <= ratio_shift; ++s) {
            const std::int32_t k = ratio_shift - s, below = (std::int32_t{1} << k) - 1;
            if (((a | b) & below) != 0 || (a | b) >> k > 127) continue;
            weights = static_cast<std::int16_t>(a >> k | (b >> k) << 8);
            offset = static_cast<std::int16_t>((1 << (s - 1)) - a_zero.value * (a >> k) - b_zero.value * (b >> k));
            shift = s;
            exact = true;
            return;
        }
    }
    /// floor(x * times() / 2^16) is floor(x / 2^shift): a high product is one operation, where a shift by a register is
    /// two.
    std::int16_t times() const noexcept { return static_cast<std::int16_t>(1 << (16 - shift)); }
    /// The bits below 2^shift.
    std::int16_t mask() const noexcept { return static_cast<std::int16_t>((1 << shift) - 1); }
};

}  // namespace octet::inline OCTET_ABI
