// Lookup on SSE4.1: 32 values at a time, as lookup_avx2.hpp says, in registers of 16.
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
        __m128i rows[16];
        for (int i = 0; i < 16; ++i) {
            const __m128i* row = reinterpret_cast<const __m128i*>(table.data()) + i;
            rows[i] = _mm_loadu_si128(row);
            if (i % 8 != 0) rows[i] = _mm_xor_si128(rows[i], _mm_loadu_si128(row - 1));
        }
        for (; n >= 32; n -= 32, in += 32, out += 32) find(rows, in, out);
        std::int8_t from[32] = {}, to[32];
        if (n == 0) return;
        std::memcpy(from, in, n);
        find(rows, from, to);
        std::memcpy(out, to, n);
    }

  private:
    /// 32 values.
    static OCTET_INLINE void find(const __m128i (&rows)[16], const std::int8_t* in, std::int8_t* out) noexcept {
        const __m128i sixteen = _mm_set1_epi8(16);
        __m128i below[2], above[2], found[2];
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
            above[v] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in) + v);
            below[v] = _mm_xor_si128(above[v], _mm_set1_epi8(-128));
            found[v] = _mm_xor_si128(_mm_shuffle_epi8(rows[0], below[v]), _mm_shuffle_epi8(rows[8], above[v]));
        }
#pragma GCC unroll 7
        for (int i = 1; i < 8; ++i) {
#pragma GCC unroll 2
            for (int v = 0; v < 2; ++v) {
                below[v] = _mm_subs_epi8(below[v], sixteen);
                above[v] = _mm_subs_epi8(above[v], sixteen);
                found[v] = _mm_xor_si128(found[v], _mm_shuffle_epi8(rows[i], below[v]));
                found[v] = _mm_xor_si128(found[v], _mm_shuffle_epi8(rows[i + 8], above[v]));
            }
        }
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) _mm_storeu_si128(reinterpret_cast<__m128i*>(out) + v, found[v]);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
