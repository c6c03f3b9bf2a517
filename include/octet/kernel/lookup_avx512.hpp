// Lookup on AVX-512 BW: 64 values at a time. The table stands in four registers as 128 pairs of bytes; vpermi2w finds
// the pair of a value in one half of it (64 pairs), its sign bit the half, its lowest bit the byte.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/lookup_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

template <>
struct lookup_kernel<isa::avx512bw> {
    static void run(const lookup_table& table, const std::int8_t* in, std::size_t n, std::int8_t* out) noexcept {
        const lookup_kernel kernel(table.data());
        for (; n >= 64; n -= 64, in += 64, out += 64) _mm512_storeu_si512(out, kernel.found(_mm512_loadu_si512(in)));
        if (n != 0) {
            const __mmask64 mask = ~std::uint64_t{0} >> (64 - n);
            _mm512_mask_storeu_epi8(out, mask, kernel.found(_mm512_maskz_loadu_epi8(mask, in)));
        }
    }

  private:
    __m512i negative[2];  ///< of -128 to -1
    __m512i positive[2];  ///< of 0 to 127

    explicit OCTET_INLINE lookup_kernel(const std::int8_t* table) noexcept
        : negative{_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64)},
          positive{_mm512_loadu_si512(table + 128), _mm512_loadu_si512(table + 192)} {}

    OCTET_INLINE __m512i pairs(__m512i index, __mmask32 below_zero) const noexcept {
        return _mm512_mask_blend_epi16(below_zero, _mm512_permutex2var_epi16(positive[0], index, positive[1]),
                                       _mm512_permutex2var_epi16(negative[0], index, negative[1]));
    }
    /// Values two by two in 16-bit lanes: vpermi2w reads the lowest 6 bits of an index.
    OCTET_INLINE __m512i found(__m512i x) const noexcept {
        const __m512i low = pairs(_mm512_srli_epi16(x, 1), _mm512_test_epi16_mask(x, _mm512_set1_epi16(0x80)));
        const __m512i high = pairs(_mm512_srli_epi16(x, 9), _mm512_movepi16_mask(x));
        const __mmask32 low_is_odd = _mm512_test_epi16_mask(x, _mm512_set1_epi16(1));
        const __mmask32 high_is_even = _mm512_testn_epi16_mask(x, _mm512_set1_epi16(0x100));
        return _mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaa, _mm512_mask_srli_epi16(low, low_is_odd, low, 8),
                                      _mm512_mask_slli_epi16(high, high_is_even, high, 8));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
