// Lookup on SSE4.1: 16 values at a time, in the way of lookup_avx2.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "octet/isa/x86.hpp"
#include "octet/kernel/lookup_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

template <>
struct lookup_kernel<isa::sse41> {
    static void run(const lookup_table& table, const std::int8_t* in, std::size_t n, std::int8_t* out) noexcept {
        for (; n >= 16; n -= 16, in += 16, out += 16) find(table, in, out);
        std::int8_t from[16] = {}, to[16];
        if (n == 0) return;
        std::memcpy(from, in, n);
        find(table, from, to);
        std::memcpy(out, to, n);
    }

  private:
    static OCTET_INLINE void find(const lookup_table& table, const std::int8_t* in, std::int8_t* out) noexcept {
        const __m128i x = load(in), below = _mm_xor_si128(x, _mm_set1_epi8(-128));
        const __m128i bit6 = _mm_add_epi8(x, x), bit5 = _mm_add_epi8(bit6, bit6), bit4 = _mm_add_epi8(bit5, bit5);
        __m128i quarters[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i)
            quarters[i] = _mm_blendv_epi8(joined(table, 2 * i, x, below), joined(table, 2 * i + 1, x, below), bit4);
        const __m128i found = _mm_blendv_epi8(_mm_blendv_epi8(quarters[0], quarters[1], bit5),
                                              _mm_blendv_epi8(quarters[2], quarters[3], bit5), bit6);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), found);
    }
    static OCTET_INLINE __m128i joined(const lookup_table& table, int row, __m128i x, __m128i below) noexcept {
        return _mm_or_si128(_mm_shuffle_epi8(load(table.data() + 16 * (row + 8)), x),
                            _mm_shuffle_epi8(load(table.data() + 16 * row), below));
    }
    static OCTET_INLINE __m128i load(const std::int8_t* p) noexcept {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
