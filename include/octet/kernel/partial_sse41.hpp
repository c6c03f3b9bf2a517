// Loads and stores of less than a register on SSE4.1 and AVX2, which have no masks for bytes.
#pragma once

#include <cstdint>

#include "octet/core/config.hpp"
#include "octet/isa/x86.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

/// `count` bytes from p, zeros above them; count in [1, 15]. Nothing beyond them is read: two loads that overlap.
OCTET_INLINE __m128i load_partial(const std::int8_t* p, int count) noexcept {
    std::uint64_t low = 0, high = 0;
    if (count >= 8) {
        __builtin_memcpy(&low, p, 8);
        __builtin_memcpy(&high, p + count - 8, 8);
        high = high >> (8 * (15 - count)) >> 8;  // in two steps: 64 in one is undefined
    } else if (count >= 4) {
        std::uint32_t front, back;
        __builtin_memcpy(&front, p, 4);
        __builtin_memcpy(&back, p + count - 4, 4);
        low = front | std::uint64_t{back} << (8 * (count - 4));
    } else if (count >= 2) {
        std::uint16_t front, back;
        __builtin_memcpy(&front, p, 2);
        __builtin_memcpy(&back, p + count - 2, 2);
        low = front | std::uint64_t{back} << (8 * (count - 2));
    } else {
        low = static_cast<std::uint8_t>(*p);
    }
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

/// The first `count` bytes of `all` to p; count in [1, 15].
OCTET_INLINE void store_partial(std::int8_t* p, __m128i all, int count) noexcept {
    auto rest = static_cast<std::uint64_t>(_mm_cvtsi128_si64(all));
    if (count >= 8) {
        __builtin_memcpy(p, &rest, 8);
        rest = static_cast<std::uint64_t>(_mm_extract_epi64(all, 1));
        p += 8;
    }
    if (count & 4) {
        __builtin_memcpy(p, &rest, 4);
        rest >>= 32;
        p += 4;
    }
    if (count & 2) {
        __builtin_memcpy(p, &rest, 2);
        rest >>= 16;
        p += 2;
    }
    if (count & 1) __builtin_memcpy(p, &rest, 1);
}

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
