// Lookup on AVX2: 32 values at a time, from 16 rows of 16 bytes. vpshufb returns 0 where the highest bit of an index is
// set, so that a row of values from 0 up and one of those below 0, found with that bit inverted, join by an or. Bits 4,
// 5 and 6 choose between the 8 joined rows. The 16 shuffles are the limit: 8 cycles at two a cycle, for 64 bytes of
// traffic.
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
        for (; n >= 32; n -= 32, in += 32, out += 32) kernel.find(in, out);
        alignas(32) std::int8_t from[32] = {}, to[32];
        if (n == 0) return;
        std::memcpy(from, in, n);
        kernel.find(from, to);
        std::memcpy(out, to, n);
    }

  private:
    __m256i rows[16];  ///< of -128 to -113, and so on

    explicit OCTET_INLINE lookup_kernel(const std::int8_t* table) noexcept {
        for (int i = 0; i < 16; ++i)
            rows[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * i)));
    }
    /// 32 values. An addition to itself brings the next lower bit to the top, which is the one that a blend reads.
    OCTET_INLINE void find(const std::int8_t* in, std::int8_t* out) const noexcept {
        const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
        const __m256i below = _mm256_xor_si256(x, _mm256_set1_epi8(-128));
        const __m256i bit6 = _mm256_add_epi8(x, x), bit5 = _mm256_add_epi8(bit6, bit6);
        const __m256i bit4 = _mm256_add_epi8(bit5, bit5);
        __m256i quarters[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i)
            quarters[i] = _mm256_blendv_epi8(joined(2 * i, x, below), joined(2 * i + 1, x, below), bit4);
        const __m256i found = _mm256_blendv_epi8(_mm256_blendv_epi8(quarters[0], quarters[1], bit5),
                                                 _mm256_blendv_epi8(quarters[2], quarters[3], bit5), bit6);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), found);
    }
    OCTET_INLINE __m256i joined(int row, __m256i x, __m256i below) const noexcept {
        return _mm256_or_si256(_mm256_shuffle_epi8(rows[row + 8], x), _mm256_shuffle_epi8(rows[row], below));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
