// Pooling on AVX-512: 64 channels at a time. Sums are int16 for up to 255 taps (255 * 128 < 2^15), then int32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx512.hpp"
#include "octet/kernel/pool_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

struct max_pixel_avx512 {
    __m512i low, high;

    explicit OCTET_INLINE max_pixel_avx512(clamp limits) noexcept
        : low(_mm512_set1_epi8(static_cast<char>(limits.low))),
          high(_mm512_set1_epi8(static_cast<char>(limits.high))) {}

    template <class Taps>
    void run(int taps, const Taps& tap, int channels, std::int8_t* out) const noexcept {
        int c = 0;
        for (; c <= channels - 64; c += 64) {
            __m512i most = _mm512_loadu_si512(tap(0) + c);
            for (int t = 1; t < taps; ++t) most = _mm512_max_epi8(most, _mm512_loadu_si512(tap(t) + c));
            _mm512_storeu_si512(out + c, held(most));
        }
        if (c < channels) {
            const __mmask64 mask = ~std::uint64_t{0} >> (64 - (channels - c));
            __m512i most = _mm512_maskz_loadu_epi8(mask, tap(0) + c);
            for (int t = 1; t < taps; ++t) most = _mm512_max_epi8(most, _mm512_maskz_loadu_epi8(mask, tap(t) + c));
            _mm512_mask_storeu_epi8(out + c, mask, held(most));
        }
    }

  private:
    OCTET_INLINE __m512i held(__m512i x) const noexcept { return _mm512_min_epi8(_mm512_max_epi8(x, low), high); }
};

/// What becomes of 16 sums: int32 before the output's zero point.
template <class Rounding>
struct average_lanes_avx512;

template <>
struct average_lanes_avx512<nearest_even> {
    __m512i zeros;
    scale_avx512<nearest_even> scale;
    __m512 m;

    OCTET_INLINE average_lanes_avx512(const average_params<nearest_even>& p, int taps) noexcept
        : zeros(_mm512_set1_epi32(taps * p.in_zero.value)), scale(p.out_zero, p.limits), m(_mm512_set1_ps(p.m.value)) {}
    OCTET_INLINE __m512i operator()(__m512i sum) const noexcept { return scale(_mm512_sub_epi32(sum, zeros), m); }
};

/// tflite and single. The quotient in double truncates as the integers do: a proper fraction is at least 1 / 2^23 below
/// the next integer, and a double near 128 is exact to 2^-46.
template <class Rounding>
struct average_lanes_avx512 {
    __m512i zeros, half;
    __m512d divisor;

    OCTET_INLINE average_lanes_avx512(const average_params<Rounding>& p, int taps) noexcept
        : zeros(_mm512_set1_epi32((p.divisor - taps) * p.in_zero.value)),
          half(_mm512_set1_epi32(p.divisor / 2)),
          divisor(_mm512_set1_pd(p.divisor)) {}
    OCTET_INLINE __m512i operator()(__m512i sum) const noexcept {
        const __m512i total = _mm512_add_epi32(sum, zeros);
        const __m512i raised =
            _mm512_mask_sub_epi32(_mm512_add_epi32(total, half), _mm512_movepi32_mask(total), total, half);
        const __m256i front = quotient(_mm512_castsi512_si256(raised));
        const __m256i back = quotient(_mm512_extracti64x4_epi64(raised, 1));
        return _mm512_inserti64x4(_mm512_castsi256_si512(front), back, 1);
    }

  private:
    OCTET_INLINE __m256i quotient(__m256i x) const noexcept {
        return _mm512_cvttpd_epi32(_mm512_div_pd(_mm512_cvtepi32_pd(x), divisor));
    }
};

template <class Rounding>
struct average_pixel_avx512 {
    average_lanes_avx512<Rounding> lanes;
    bytes_avx512 bytes;

    OCTET_INLINE average_pixel_avx512(const average_params<Rounding>& p, int taps) noexcept
        : lanes(p, taps), bytes(p.out_zero, p.limits) {}

    template <class Taps>
    void run(int taps, const Taps& tap, int channels, std::int8_t* out) const noexcept {
        int c = 0;
        for (; c <= channels - 64; c += 64) _mm512_storeu_si512(out + c, panel<true>(taps, tap, c, ~std::uint64_t{0}));
        if (c < channels) {
            const __mmask64 mask = ~std::uint64_t{0} >> (64 - (channels - c));
            _mm512_mask_storeu_epi8(out + c, mask, panel<false>(taps, tap, c, mask));
        }
    }

  private:
    template <bool Whole, class Taps>
    OCTET_INLINE __m512i panel(int taps, const Taps& tap, int c, std::uint64_t mask) const noexcept {
        const __m512i zero = _mm512_setzero_si512();
        __m512i sums[4] = {zero, zero, zero, zero};
        for (int t = 0; t < taps;) {
            const int end = taps - t > 255 ? t + 255 : taps;
            __m512i front = zero, back = zero;
            for (; t < end; ++t) {
                const std::int8_t* from = tap(t) + c;
                front = _mm512_add_epi16(front, wide<Whole>(from, mask));
                back = _mm512_add_epi16(back, wide<Whole>(from + 32, mask >> 32));
            }
            sums[0] = _mm512_add_epi32(sums[0], _mm512_cvtepi16_epi32(_mm512_castsi512_si256(front)));
            sums[1] = _mm512_add_epi32(sums[1], _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(front, 1)));
            sums[2] = _mm512_add_epi32(sums[2], _mm512_cvtepi16_epi32(_mm512_castsi512_si256(back)));
            sums[3] = _mm512_add_epi32(sums[3], _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(back, 1)));
        }
        return bytes(lanes(sums[0]), lanes(sums[1]), lanes(sums[2]), lanes(sums[3]));
    }
    template <bool Whole>
    static OCTET_INLINE __m512i wide(const std::int8_t* p, std::uint64_t mask) noexcept {
        if constexpr (Whole) return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
        return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), p));
    }
};

template <>
struct max_pool_kernel<isa::avx512bw> {
    static void run(const pool_call& call, clamp limits) noexcept { pool_pixels(call, max_pixel_avx512(limits)); }
};

template <class Rounding>
struct average_pool_kernel<isa::avx512bw, Rounding> {
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        pool_pixels(call, average_pixel_avx512<Rounding>(params, call.taps));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
