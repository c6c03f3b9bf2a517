// Lookup on AVX-512 VBMI: 64 values at a time. vpermi2b finds a value in one half of the table (128 bytes in two
// registers) by its lowest 7 bits; its sign says which half.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/lookup_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")

/// No isa tag: it runs where cpu().avx512_vbmi holds.
struct lookup_kernel_vbmi {
    static void run(const lookup_table& table, const std::int8_t* in, std::size_t n, std::int8_t* out) noexcept {
        const lookup_kernel_vbmi kernel(table.data());
        for (; n >= 64; n -= 64, in += 64, out += 64) _mm512_storeu_si512(out, kernel.found(_mm512_loadu_si512(in)));
        if (n != 0) {
            const __mmask64 mask = ~std::uint64_t{0} >> (64 - n);
            _mm512_mask_storeu_epi8(out, mask, kernel.found(_mm512_maskz_loadu_epi8(mask, in)));
        }
    }

  private:
    __m512i negative[2];  ///< of -128 to -1
    __m512i positive[2];  ///< of 0 to 127

    explicit OCTET_INLINE lookup_kernel_vbmi(const std::int8_t* table) noexcept
        : negative{_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64)},
          positive{_mm512_loadu_si512(table + 128), _mm512_loadu_si512(table + 192)} {}

    OCTET_INLINE __m512i found(__m512i x) const noexcept {
        return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), _mm512_permutex2var_epi8(positive[0], x, positive[1]),
                                      _mm512_permutex2var_epi8(negative[0], x, negative[1]));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
