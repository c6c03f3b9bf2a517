// Float to int8 and back on AVX2: 32 elements at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/quantize_rows_call.hpp"
#include "octet/kernel/quantize_rows_sse41.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2,fma")

template <>
struct quantize_kernel<isa::avx2> {
    static void run(const float* in, std::size_t n, quant_params params, clamp limits, std::int8_t* out) noexcept {
        if (!reciprocal::serves(params.scale)) return quantize_kernel<isa::sse41>::run(in, n, params, limits, out);
        const quantize_kernel kernel(params, limits);
        for (; n >= 32; n -= 32, in += 32, out += 32) kernel.block(in, out);
        if (n != 0) {
            float from[32] = {};
            std::int8_t to[32];
            std::memcpy(from, in, n * sizeof(float));
            kernel.block(from, to);
            std::memcpy(out, to, n);
        }
    }

  private:
    __m256 high, low, most;
    bytes_avx2 bytes;

    OCTET_INLINE quantize_kernel(quant_params p, clamp limits) noexcept
        : quantize_kernel(reciprocal(p.scale), p, limits) {}
    OCTET_INLINE quantize_kernel(reciprocal r, quant_params p, clamp limits) noexcept
        : high(_mm256_set1_ps(r.high)),
          low(_mm256_set1_ps(r.low)),
          most(_mm256_set1_ps(static_cast<float>(limits.high - p.zero_point.value) * p.scale.value)),
          bytes(p.zero_point, limits) {}
    OCTET_INLINE void block(const float* in, std::int8_t* out) const noexcept {
        const __m256i all = bytes.saturated(rounded(in), rounded(in + 8), rounded(in + 16), rounded(in + 24));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_max_epi8(all, bytes.low));
    }
    /// min returns its second operand where that is NaN, which becomes -2^31, as what is below int32 does.
    OCTET_INLINE __m256i rounded(const float* in) const noexcept {
        const __m256 x = _mm256_min_ps(most, _mm256_loadu_ps(in));
        return _mm256_cvtps_epi32(_mm256_fmadd_ps(x, high, _mm256_mul_ps(x, low)));
    }
};

template <>
struct dequantize_kernel<isa::avx2> {
    static void run(const std::int8_t* in, std::size_t n, quant_params params, float* out) noexcept {
        const __m256i zero = _mm256_set1_epi32(params.zero_point.value);
        const __m256 step = _mm256_set1_ps(params.scale.value);
        for (; n >= 8; n -= 8, in += 8, out += 8) _mm256_storeu_ps(out, reals(in, zero, step));
        if (n != 0) {
            std::int8_t from[8] = {};
            float to[8];
            std::memcpy(from, in, n);
            _mm256_storeu_ps(to, reals(from, zero, step));
            std::memcpy(out, to, n * sizeof(float));
        }
    }

  private:
    static OCTET_INLINE __m256 reals(const std::int8_t* in, __m256i zero, __m256 step) noexcept {
        const __m256i q = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(in)));
        return _mm256_mul_ps(step, _mm256_cvtepi32_ps(_mm256_sub_epi32(q, zero)));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
