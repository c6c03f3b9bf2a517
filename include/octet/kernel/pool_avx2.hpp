// Pooling on AVX2: 16 channels at a time (32 for max). Sums are int16 for up to 255 taps (255 * 128 < 2^15), then
// int32. The last channels run as a whole block that ends with them and repeats what stands before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/partial_avx2.hpp"
#include "octet/kernel/pool_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

struct max_pixel_avx2 {
    __m256i low, high;

    explicit OCTET_INLINE max_pixel_avx2(clamp limits) noexcept
        : low(_mm256_set1_epi8(static_cast<char>(limits.low))),
          high(_mm256_set1_epi8(static_cast<char>(limits.high))) {}

    template <class Taps>
    void run(int taps, const Taps& tap, int channels, std::int8_t* out) const noexcept {
        if (channels >= 32) {
            for (int c = 0; c < channels; c += 32) block32(taps, tap, c <= channels - 32 ? c : channels - 32, out);
        } else if (channels >= 16) {
            block16(taps, tap, 0, out);
            if (channels > 16) block16(taps, tap, channels - 16, out);
        } else {
            __m128i most = load_partial(tap(0), channels);
            for (int t = 1; t < taps; ++t) most = _mm_max_epi8(most, load_partial(tap(t), channels));
            store_partial(out, held(most), channels);
        }
    }

  private:
    template <class Taps>
    OCTET_INLINE void block32(int taps, const Taps& tap, int c, std::int8_t* out) const noexcept {
        __m256i most = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tap(0) + c));
        for (int t = 1; t < taps; ++t)
            most = _mm256_max_epi8(most, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tap(t) + c)));
        most = _mm256_min_epi8(_mm256_max_epi8(most, low), high);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + c), most);
    }
    template <class Taps>
    OCTET_INLINE void block16(int taps, const Taps& tap, int c, std::int8_t* out) const noexcept {
        __m128i most = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tap(0) + c));
        for (int t = 1; t < taps; ++t)
            most = _mm_max_epi8(most, _mm_loadu_si128(reinterpret_cast<const __m128i*>(tap(t) + c)));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + c), held(most));
    }
    OCTET_INLINE __m128i held(__m128i x) const noexcept {
        return _mm_min_epi8(_mm_max_epi8(x, _mm256_castsi256_si128(low)), _mm256_castsi256_si128(high));
    }
};

/// What becomes of 8 sums: int32 before the output's zero point.
template <class Rounding>
struct average_lanes_avx2;

template <>
struct average_lanes_avx2<nearest_even> {
    __m256i zeros;
    scale_avx2<nearest_even> scale;
    __m256 m;

    OCTET_INLINE average_lanes_avx2(const average_params<nearest_even>& p, int taps) noexcept
        : zeros(_mm256_set1_epi32(taps * p.in_zero.value)), scale(p.out_zero, p.limits), m(_mm256_set1_ps(p.m.value)) {}
    OCTET_INLINE __m256i operator()(__m256i sum) const noexcept { return scale(_mm256_sub_epi32(sum, zeros), m); }
};

/// tflite and single. The quotient in double truncates as the integers do: a proper fraction is at least 1 / 2^23 below
/// the next integer, and a double near 128 is exact to 2^-46.
template <class Rounding>
struct average_lanes_avx2 {
    __m256i zeros, half;
    __m256d divisor;

    OCTET_INLINE average_lanes_avx2(const average_params<Rounding>& p, int taps) noexcept
        : zeros(_mm256_set1_epi32((p.divisor - taps) * p.in_zero.value)),
          half(_mm256_set1_epi32(p.divisor / 2)),
          divisor(_mm256_set1_pd(p.divisor)) {}
    OCTET_INLINE __m256i operator()(__m256i sum) const noexcept {
        const __m256i total = _mm256_add_epi32(sum, zeros), sign = _mm256_srai_epi32(total, 31);
        // half, or -half below 0
        const __m256i raised = _mm256_add_epi32(total, _mm256_sub_epi32(_mm256_xor_si256(half, sign), sign));
        return _mm256_inserti128_si256(_mm256_castsi128_si256(quotient(_mm256_castsi256_si128(raised))),
                                       quotient(_mm256_extracti128_si256(raised, 1)), 1);
    }

  private:
    OCTET_INLINE __m128i quotient(__m128i x) const noexcept {
        return _mm256_cvttpd_epi32(_mm256_div_pd(_mm256_cvtepi32_pd(x), divisor));
    }
};

template <class Rounding>
struct average_pixel_avx2 {
    average_lanes_avx2<Rounding> lanes;
    bytes_avx2 bytes;

    OCTET_INLINE average_pixel_avx2(const average_params<Rounding>& p, int taps) noexcept
        : lanes(p, taps), bytes(p.out_zero, p.limits) {}

    template <class Taps>
    void run(int taps, const Taps& tap, int channels, std::int8_t* out) const noexcept {
        if (channels < 16) {
            store_partial(out, block<false>(taps, tap, 0, channels), channels);
        } else {
            for (int next = 0; next < channels; next += 16) {
                const int c = next <= channels - 16 ? next : channels - 16;
                _mm_storeu_si128(reinterpret_cast<__m128i*>(out + c), block<true>(taps, tap, c, 16));
            }
        }
    }

  private:
    template <bool Whole, class Taps>
    OCTET_INLINE __m128i block(int taps, const Taps& tap, int c, int columns) const noexcept {
        __m256i front = _mm256_setzero_si256(), back = front;
        for (int t = 0; t < taps;) {
            const int end = taps - t > 255 ? t + 255 : taps;
            __m256i sum = _mm256_setzero_si256();
            for (; t < end; ++t) {
                const std::int8_t* from = tap(t) + c;
                const __m128i x =
                    Whole ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)) : load_partial(from, columns);
                sum = _mm256_add_epi16(sum, _mm256_cvtepi8_epi16(x));
            }
            front = _mm256_add_epi32(front, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sum)));
            back = _mm256_add_epi32(back, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sum, 1)));
        }
        return bytes(lanes(front), lanes(back));
    }
};

template <>
struct max_pool_kernel<isa::avx2> {
    static void run(const pool_call& call, clamp limits) noexcept { pool_pixels(call, max_pixel_avx2(limits)); }
};

template <class Rounding>
struct average_pool_kernel<isa::avx2, Rounding> {
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        pool_pixels(call, average_pixel_avx2<Rounding>(params, call.taps));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
