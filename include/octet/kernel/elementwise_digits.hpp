// Add of int8 in 16-bit lanes, for machines without a dot product of bytes: what kernels need at set-up.
//
// The weights A and B of a linear_add are below 2^21, three digits of 7 bits. For each digit pmaddubsw adds two
// products of an unsigned digit and a signed byte, S_k = a * A_k + b * B_k in [-128 * 254, 127 * 254], which fits int16
// and leaves room for what the digit below carries. With offset = c_2 * 2^14 + c_1 * 2^7 + c_0, c_2 in int16 because
// the offset is within 2^29,
//   t = (S_0 + c_0) >> 7                      in [-254, 253]
//   u = (S_1 + c_1 + t) >> 7                  in [-256, 254]; what is shifted stays within 32,766
//   q = saturated(S_2 + u + c_2) >> (shift - 14)
// is floor((a * A + b * B + offset) / 2^shift), saturated beyond int8 because 2^(shift - 14) * 128 <= 2^15.
#pragma once

#include <cstdint>

#include "octet/core/config.hpp"

namespace octet::inline OCTET_ABI {

struct add_digits {
    std::int16_t weights[3]{};  ///< A_k in the low byte, B_k in the high one
    std::int16_t offset[3]{};   ///< c_k
    std::int32_t shift = 0;     ///< of the highest digit

    add_digits() = default;
    add_digits(std::int32_t a, std::int32_t b, std::int32_t sum_offset, std::int32_t sum_shift) noexcept
        : shift(sum_shift - 14) {
        for (int k = 0; k < 3; ++k) {
            weights[k] = static_cast<std::int16_t>((a >> 7 * k & 127) | (b >> 7 * k & 127) << 8);
            offset[k] = static_cast<std::int16_t>(k < 2 ? sum_offset >> 7 * k & 127 : sum_offset >> 14);
        }
    }
};

}  // namespace octet::inline OCTET_ABI
