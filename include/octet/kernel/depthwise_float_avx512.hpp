// The float depthwise kernel on AVX-512: 64 channels of a pixel at a time, four chains that do not wait for each other,
// then 16 under a mask.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_float_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

template <>
struct depthwise_float_kernel<isa::avx512bw> {
    static void run(const depthwise_float_call& call) noexcept {
        const int channels = call.channels;
        for (int i = 0; i < call.pixels; ++i) {
            const float* const* lhs = call.lhs + std::ptrdiff_t{i} * call.taps;
            float* out = call.out + i * call.out_stride;
            int c = 0;
            for (; c <= channels - 64; c += 64) block<4>(call, lhs, c, 0xffff, out);
            for (; c < channels; c += 16) {
                const int columns = channels - c < 16 ? channels - c : 16;
                block<1>(call, lhs, c, static_cast<__mmask16>(0xffffU >> (16 - columns)), out);
            }
        }
    }

  private:
    template <int Vectors>
    static OCTET_INLINE void block(const depthwise_float_call& call, const float* const* lhs, int c, __mmask16 mask,
                                   float* out) noexcept {
        const __m512 low = _mm512_set1_ps(call.low), high = _mm512_set1_ps(call.high);
        __m512 acc[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) acc[v] = _mm512_maskz_loadu_ps(mask, call.bias + c + 16 * v);
        const float* weights = call.weights + c;
        for (int t = 0; t < call.taps; ++t, weights += call.channels) {
            const float* x = lhs[t] + c;
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v)
                acc[v] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x + 16 * v),
                                         _mm512_maskz_loadu_ps(mask, weights + 16 * v), acc[v]);
        }
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            const __m512 held = _mm512_min_ps(high, _mm512_max_ps(low, acc[v]));  // the second operand where one is NaN
            _mm512_mask_storeu_ps(out + c + 16 * v, mask, held);
        }
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
