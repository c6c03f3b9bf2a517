// Lookup on AVX2: 64 values at a time, from 16 rows of 16 bytes. vpshufb returns 0 where the highest bit of an index is
// set, so that a row enters where value - 16 * row is not below 0; each row holds its difference (exclusive or) to the
// one before, and what has entered adds up to the row of the value. Values below 0 and the others take 8 rows each: a
// saturating subtraction from value, or from value + 128 modulo 256, stays below 0 for those of the other half.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "octet/isa/x86.hpp"
#include "octet/kernel/lookup_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

template <>
struct lookup_kernel<isa::avx2> {
    static void run(const lookup_table& table, const std::int8_t* in, std::size_t n, std::int8_t* out) noexcept {
        const lookup_kernel kernel(table.data());
        for (; n >= 64; n -= 64, in += 64, out += 64) kernel.find(in, out);
        alignas(32) std::int8_t from[64] = {}, to[64];
        if (n == 0) return;
        std::memcpy(from, in, n);
        kernel.find(from, to);
        std::memcpy(out, to, n);
    }

  private:
    __m256i rows[16];

    explicit OCTET_INLINE lookup_kernel(const std::int8_t* table) noexcept {
        for (int i = 0; i < 16; ++i) {
            const auto row = [&](int at) { return reinterpret_cast<const __m128i*>(table + 16 * at); };
            const __m128i here = _mm_loadu_si128(row(i));
            rows[i] = _mm256_broadcastsi128_si256(i % 8 == 0 ? here : _mm_xor_si128(here, _mm_loadu_si128(row(i - 1))));
        }
    }
    /// 64 values.
    OCTET_INLINE void find(const std::int8_t* in, std::int8_t* out) const noexcept {
        const __m256i sixteen = _mm256_set1_epi8(16);
        __m256i below[2], above[2], found[2];
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
            above[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + 32 * v));
            below[v] = _mm256_xor_si256(above[v], _mm256_set1_epi8(-128));
            found[v] = _mm256_xor_si256(_mm256_shuffle_epi8(rows[0], below[v]), _mm256_shuffle_epi8(rows[8], above[v]));
        }
#pragma GCC unroll 7
        for (int i = 1; i < 8; ++i) {
#pragma GCC unroll 2
            for (int v = 0; v < 2; ++v) {
                below[v] = _mm256_subs_epi8(below[v], sixteen);
                above[v] = _mm256_subs_epi8(above[v], sixteen);
                found[v] = _mm256_xor_si256(found[v], _mm256_shuffle_epi8(rows[i], below[v]));
                found[v] = _mm256_xor_si256(found[v], _mm256_shuffle_epi8(rows[i + 8], above[v]));
            }
        }
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * v), found[v]);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
