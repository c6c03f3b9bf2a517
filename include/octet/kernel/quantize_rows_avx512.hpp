// Float to int8 and back on AVX-512: 64 and 16 elements at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx512.hpp"
#include "octet/kernel/quantize_rows_call.hpp"
#include "octet/kernel/quantize_rows_sse41.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

template <>
struct quantize_kernel<isa::avx512bw> {
    static void run(const float* in, std::size_t n, quant_params params, clamp limits, std::int8_t* out) noexcept {
        if (!reciprocal::serves(params.scale)) return quantize_kernel<isa::sse41>::run(in, n, params, limits, out);
        const quantize_kernel kernel(params, limits);
        for (; n >= 64; n -= 64, in += 64, out += 64) _mm512_storeu_si512(out, kernel.block(in, ~std::uint64_t{0}));
        if (n != 0) {
            const __mmask64 mask = ~std::uint64_t{0} >> (64 - n);
            _mm512_mask_storeu_epi8(out, mask, kernel.block(in, mask));
        }
    }

  private:
    __m512 high, low, most;
    bytes_avx512 bytes;

    OCTET_INLINE quantize_kernel(quant_params p, clamp limits) noexcept
        : quantize_kernel(reciprocal(p.scale), p, limits) {}
    OCTET_INLINE quantize_kernel(reciprocal r, quant_params p, clamp limits) noexcept
        : high(_mm512_set1_ps(r.high)),
          low(_mm512_set1_ps(r.low)),
          most(_mm512_set1_ps(static_cast<float>(limits.high - p.zero_point.value) * p.scale.value)),
          bytes(p.zero_point, limits) {}
    OCTET_INLINE __m512i block(const float* in, std::uint64_t mask) const noexcept {
        const __m512i all = bytes.saturated(rounded(in, mask), rounded(in + 16, mask >> 16),
                                            rounded(in + 32, mask >> 32), rounded(in + 48, mask >> 48));
        return _mm512_max_epi8(all, bytes.low);
    }
    /// min returns its second operand where that is NaN, which becomes -2^31, as what is below int32 does.
    OCTET_INLINE __m512i rounded(const float* in, std::uint64_t mask) const noexcept {
        const __m512 x = _mm512_min_ps(most, _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), in));
        return _mm512_cvtps_epi32(_mm512_fmadd_ps(x, high, _mm512_mul_ps(x, low)));
    }
};

template <>
struct dequantize_kernel<isa::avx512bw> {
    static void run(const std::int8_t* in, std::size_t n, quant_params params, float* out) noexcept {
        const __m512i zero = _mm512_set1_epi32(params.zero_point.value);
        const __m512 step = _mm512_set1_ps(params.scale.value);
        for (; n >= 16; n -= 16, in += 16, out += 16) {
            const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
            _mm512_storeu_ps(out, reals(q, zero, step));
        }
        if (n != 0) {
            const auto mask = static_cast<__mmask16>(0xffffU >> (16 - n));
            _mm512_mask_storeu_ps(out, mask, reals(_mm_maskz_loadu_epi8(mask, in), zero, step));
        }
    }

  private:
    static OCTET_INLINE __m512 reals(__m128i q, __m512i zero, __m512 step) noexcept {
        return _mm512_mul_ps(step, _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepi8_epi32(q), zero)));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
