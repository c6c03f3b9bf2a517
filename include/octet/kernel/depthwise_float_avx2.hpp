// The float depthwise kernel on AVX2 and FMA: 32 channels of a pixel at a time, four chains that do not wait for each
// other, then 8; what is left runs as 8 that end with the last channel and repeat what stands before. Neither masked
// loads nor single floats in memory operands: emulators read beyond them.
#pragma once

#include <cstddef>
#include <cstring>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_float_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2,fma")

template <>
struct depthwise_float_kernel<isa::avx2> {
    static void run(const depthwise_float_call& call) noexcept {
        const int channels = call.channels;
        for (int i = 0; i < call.pixels; ++i) {
            const float* const* lhs = call.lhs + std::ptrdiff_t{i} * call.taps;
            float* out = call.out + i * call.out_stride;
            int c = 0;
            for (; c <= channels - 32; c += 32) block<4>(call, lhs, c, out);
            for (; c <= channels - 8; c += 8) block<1>(call, lhs, c, out);
            if (c < channels && channels >= 8) block<1>(call, lhs, channels - 8, out);
            if (channels < 8) few(call, lhs, out);
        }
    }

  private:
    template <int Vectors>
    static OCTET_INLINE void block(const depthwise_float_call& call, const float* const* lhs, int c,
                                   float* out) noexcept {
        const __m256 low = _mm256_set1_ps(call.low), high = _mm256_set1_ps(call.high);
        __m256 acc[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) acc[v] = _mm256_loadu_ps(call.bias + c + 8 * v);
        const float* weights = call.weights + c;
        for (int t = 0; t < call.taps; ++t, weights += call.channels) {
            const float* x = lhs[t] + c;
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v)
                acc[v] = _mm256_fmadd_ps(_mm256_loadu_ps(x + 8 * v), _mm256_loadu_ps(weights + 8 * v), acc[v]);
        }
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v)  // min and max return their second operand where one is NaN
            _mm256_storeu_ps(out + c + 8 * v, _mm256_min_ps(high, _mm256_max_ps(low, acc[v])));
    }
    /// Less than 8 channels, each tap copied.
    static void few(const depthwise_float_call& call, const float* const* lhs, float* out) noexcept {
        const std::size_t bytes = static_cast<std::size_t>(call.channels) * sizeof(float);
        float x[8] = {}, w[8] = {};
        std::memcpy(x, call.bias, bytes);
        __m256 acc = _mm256_loadu_ps(x);
        for (int t = 0; t < call.taps; ++t) {
            std::memcpy(x, lhs[t], bytes);
            std::memcpy(w, call.weights + std::ptrdiff_t{t} * call.channels, bytes);
            acc = _mm256_fmadd_ps(_mm256_loadu_ps(x), _mm256_loadu_ps(w), acc);
        }
        _mm256_storeu_ps(x, _mm256_min_ps(_mm256_set1_ps(call.high), _mm256_max_ps(_mm256_set1_ps(call.low), acc)));
        std::memcpy(out, x, bytes);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
