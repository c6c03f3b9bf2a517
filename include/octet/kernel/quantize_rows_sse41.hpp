// Float to int8 and back on SSE4.1: 16 elements at a time, and 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_sse41.hpp"
#include "octet/kernel/quantize_rows_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

template <>
struct quantize_kernel<isa::sse41> {
    static void run(const float* in, std::size_t n, quant_params params, clamp limits, std::int8_t* out) noexcept {
        const quantize_kernel kernel(params, limits);
        for (; n >= 16; n -= 16, in += 16, out += 16) kernel.block(in, out);
        if (n != 0) {
            float from[16] = {};
            std::int8_t to[16];
            std::memcpy(from, in, n * sizeof(float));
            kernel.block(from, to);
            std::memcpy(out, to, n);
        }
    }

  private:
    __m128 step, floor, ceiling;
    bytes_sse41 bytes;

    OCTET_INLINE quantize_kernel(quant_params p, clamp limits) noexcept
        : step(_mm_set1_ps(p.scale.value)),
          floor(_mm_set1_ps(static_cast<float>(limits.low - p.zero_point.value))),
          ceiling(_mm_set1_ps(static_cast<float>(limits.high - p.zero_point.value))),
          bytes(p.zero_point, limits) {}
    OCTET_INLINE void block(const float* in, std::int8_t* out) const noexcept {
        const __m128i all = bytes(rounded(in), rounded(in + 4), rounded(in + 8), rounded(in + 12));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), all);
    }
    /// max returns its second operand where the first is NaN.
    OCTET_INLINE __m128i rounded(const float* in) const noexcept {
        const __m128 steps = _mm_div_ps(_mm_loadu_ps(in), step);
        return _mm_cvtps_epi32(_mm_min_ps(_mm_max_ps(steps, floor), ceiling));
    }
};

template <>
struct dequantize_kernel<isa::sse41> {
    static void run(const std::int8_t* in, std::size_t n, quant_params params, float* out) noexcept {
        const __m128i zero = _mm_set1_epi32(params.zero_point.value);
        const __m128 step = _mm_set1_ps(params.scale.value);
        for (; n >= 4; n -= 4, in += 4, out += 4) _mm_storeu_ps(out, reals(in, zero, step));
        if (n != 0) {
            std::int8_t from[4] = {};
            float to[4];
            std::memcpy(from, in, n);
            _mm_storeu_ps(to, reals(from, zero, step));
            std::memcpy(out, to, n * sizeof(float));
        }
    }

  private:
    static OCTET_INLINE __m128 reals(const std::int8_t* in, __m128i zero, __m128 step) noexcept {
        std::int32_t four;
        std::memcpy(&four, in, 4);
        const __m128i q = _mm_cvtepi8_epi32(_mm_cvtsi32_si128(four));
        return _mm_mul_ps(step, _mm_cvtepi32_ps(_mm_sub_epi32(q, zero)));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
