// The depthwise kernel on AVX2: 16 channels at a time, two taps in each 32-bit lane of vpmaddwd. Exact: both factors
// are 8-bit values in int16, so that a sum of two products is at most 2^15 and fits int32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/partial_avx2.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

template <class Rounding>
struct depthwise_kernel<isa::avx2, Rounding> {
    static constexpr const char* name = "depthwise 1x16 vpmaddwd";
    static constexpr depthwise_layout layout{.panel = 16, .narrow = 16, .group = 2, .vectors = 2, .element_bytes = 2};

    static void run(const depthwise_call<Rounding>& call) noexcept {
        const int channels = call.weights->channels, full = channels / 16 * 16;
        for (int first = 0; first < full; first += 16) panel<true>(call, first, 16);
        if (full < channels) panel<false>(call, full, channels - full);
    }

  private:
    template <bool Whole>
    static void panel(const depthwise_call<Rounding>& call, int first, int columns) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        const scale_avx2<Rounding> scale(call.out_zero, call.limits);
        const bytes_avx2 bytes(call.out_zero, call.limits);
        const __m256i bias0 = load(w.bias.data() + first), bias1 = load(w.bias.data() + first + 8);
        const auto m0 = scale.load(w.multipliers.data() + first), m1 = scale.load(w.multipliers.data() + first + 8);
        const int taps = w.taps;
        const std::ptrdiff_t out_stride = call.out_stride;
        const std::byte* const packed = w.panel(first);
        const std::int8_t* const* lhs = call.lhs;
        std::int8_t* out = call.out + first;
        for (int i = 0; i < call.pixels; ++i, lhs += taps, out += out_stride) {
            __m256i acc0 = bias0, acc1 = bias1;
            const std::byte* weights = packed;
            for (int t = 0; t < taps; t += 2, weights += 64) {
                const __m256i a = wide<Whole>(lhs[t] + first, columns);
                const __m256i b = t + 1 < taps ? wide<Whole>(lhs[t + 1] + first, columns) : a;  // its weights are 0
                acc0 = _mm256_add_epi32(acc0, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), load(weights)));
                acc1 = _mm256_add_epi32(acc1, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), load(weights + 32)));
            }
            const __m256i s0 = scale(acc0, m0), s1 = scale(acc1, m1);
            const __m256i lanes = bytes.lanes(s0, s1, s0, s1);  // channels 0 to 7 twice, channels 8 to 15 twice
            const __m128i row = _mm_unpacklo_epi64(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
            if constexpr (Whole)
                _mm_storeu_si128(reinterpret_cast<__m128i*>(out), row);
            else
                store_partial(out, row, columns);
        }
    }

    static OCTET_INLINE __m256i load(const void* p) noexcept {
        return _mm256_loadu_si256(static_cast<const __m256i*>(p));
    }
    template <bool Whole>
    static OCTET_INLINE __m256i wide(const std::int8_t* p, int columns) noexcept {
        if constexpr (Whole) return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        return _mm256_cvtepi8_epi16(load_partial(p, columns));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
