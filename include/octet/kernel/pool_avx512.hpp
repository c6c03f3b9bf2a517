// Pooling on AVX-512: a row of pixels for 64 channels at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx512.hpp"
#include "octet/kernel/pool_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

/// 64 channels of a row of pixels, or `mask` of them. Windows that share one column with their neighbour (3x3 stride 2,
/// 2x2 stride 1) take its maximum over from there. Side: of square windows
/// of 2, 3 or 5, or 0 for any other.
template <int Side, bool Whole>
struct max_columns_avx512 {
    const std::int8_t* lines[Side == 0 ? 1 : Side];  // copies: a store might change the call's
    const std::int8_t* const* any;
    int rows;
    __mmask64 mask;

    OCTET_INLINE max_columns_avx512(const pool_call& call, std::uint64_t columns) noexcept
        : any(call.lines), rows(call.rows), mask(columns) {
#pragma GCC unroll 5
        for (int y = 0; y < Side; ++y) lines[y] = call.lines[y];
    }
    OCTET_INLINE __m512i load(const std::int8_t* p) const noexcept {
        return Whole ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(mask, p);
    }
    OCTET_INLINE __m512i column(std::ptrdiff_t at) const noexcept {
        __m512i most = load((Side == 0 ? any : lines)[0] + at);
#pragma GCC unroll 4
        for (int y = 1; y < Side; ++y) most = _mm512_max_epi8(most, load(lines[y] + at));
        if constexpr (Side == 0)
            for (int y = 1; y < rows; ++y) most = _mm512_max_epi8(most, load(any[y] + at));
        return most;
    }
    OCTET_INLINE void run(const pool_call& call, int c, __m512i low, __m512i high) const noexcept {
        const int cols = Side == 0 ? call.cols : Side;
        const std::ptrdiff_t step = call.tap_stride, pixel_step = call.pixel_stride, out_step = call.out_stride;
        const bool shares = cols > 1 && pixel_step == (cols - 1) * step;
        std::int8_t* out = call.out + c;
        std::ptrdiff_t at = c;
        __m512i last = column(at);
        for (int i = 0; i < call.pixels; ++i, at += pixel_step, out += out_step) {
            if (i > 0 && !shares) last = column(at);
            __m512i most = last;
            std::ptrdiff_t next = at;
#pragma GCC unroll 4
            for (int x = 1; x < cols; ++x) {
                last = column(next += step);
                most = _mm512_max_epi8(most, last);
            }
            store(out, _mm512_min_epi8(_mm512_max_epi8(most, low), high));
        }
    }

  private:
    OCTET_INLINE void store(std::int8_t* out, __m512i most) const noexcept {
        if constexpr (Whole)
            _mm512_storeu_si512(out, most);
        else
            _mm512_mask_storeu_epi8(out, mask, most);
    }
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

/// Sums of `Blocks` times 64 channels. Taps are added two by two: pmaddubsw with ones adds a pair of bytes to int16.
/// Unpacking leaves 4 channels of each 16-byte lane in a register of int32; the packs that follow restore the order.
/// Several blocks at once, and those to the right are asked for meanwhile: the taps of a global average stand so far
/// apart that nothing is prefetched, and 7x7x1280, which L1 does not hold, takes a fifth less. Not where all taps fall
/// into the same few sets of L1: what is asked for there is gone before its turn, 8 % of 7x7x2048.
template <int Blocks, bool Whole>
struct pool_sums_avx512 {
    static constexpr int most_taps = 254;  ///< that int16 holds: 254 * 128 < 2^15
    __mmask64 mask;

    /// All taps of the pixel that begins at lines[y] + at.
    OCTET_INLINE void add(const pool_call& call, std::ptrdiff_t at, __m512i (&sums)[4 * Blocks]) const noexcept {
#pragma GCC unroll 16
        for (__m512i& sum : sums) sum = _mm512_setzero_si512();
        if (call.rows * call.cols <= most_taps) return add(call.lines, call.rows, call.cols, call.tap_stride, at, sums);
        for (int y = 0; y < call.rows; ++y)
            for (int x = 0; x < call.cols; x += most_taps)
                add(call.lines + y, 1, call.cols - x < most_taps ? call.cols - x : most_taps, call.tap_stride,
                    at + x * call.tap_stride, sums);
    }

  private:
    OCTET_INLINE void add(const std::int8_t* const* lines, int rows, int cols, std::ptrdiff_t step, std::ptrdiff_t at,
                          __m512i (&sums)[4 * Blocks]) const noexcept {
        const std::intptr_t right = step % 2048 == 0 ? 0 : 64 * Blocks;
        const __m512i zero = _mm512_setzero_si512();
        __m512i front[Blocks], back[Blocks];
#pragma GCC unroll 4
        for (int b = 0; b < Blocks; ++b) front[b] = back[b] = zero;
        for (int y = 0; y < rows; ++y) {
            const std::int8_t* from = lines[y] + at;
            for (int x = cols / 2; x > 0; --x, from += 2 * step) {
                const std::intptr_t ahead = address_of(from) + right;
#pragma GCC unroll 4
                for (int b = 0; b < Blocks; ++b) {
                    prefetch(ahead + 64 * b);
                    prefetch(ahead + step + 64 * b);
                    pair(load(from + 64 * b), load(from + step + 64 * b), front[b], back[b]);
                }
            }
            if (cols % 2 != 0) {
#pragma GCC unroll 4
                for (int b = 0; b < Blocks; ++b) pair(load(from + 64 * b), zero, front[b], back[b]);
            }
        }
#pragma GCC unroll 4
        for (int b = 0; b < Blocks; ++b) {
            widen(_mm512_unpacklo_epi16(zero, front[b]), sums[4 * b]);
            widen(_mm512_unpackhi_epi16(zero, front[b]), sums[4 * b + 1]);
            widen(_mm512_unpacklo_epi16(zero, back[b]), sums[4 * b + 2]);
            widen(_mm512_unpackhi_epi16(zero, back[b]), sums[4 * b + 3]);
        }
    }
    OCTET_INLINE __m512i load(const std::int8_t* p) const noexcept {
        return Whole ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(mask, p);
    }
    OCTET_INLINE static void pair(__m512i a, __m512i b, __m512i& front, __m512i& back) noexcept {
        asm("" : "+v"(a), "+v"(b));  // or GCC loads both of them twice
        const __m512i ones = _mm512_set1_epi8(1);
        front = _mm512_add_epi16(front, _mm512_maddubs_epi16(ones, _mm512_unpacklo_epi8(a, b)));
        back = _mm512_add_epi16(back, _mm512_maddubs_epi16(ones, _mm512_unpackhi_epi8(a, b)));
    }
    /// int16 in the upper halves of 32-bit lanes.
    OCTET_INLINE static void widen(__m512i words, __m512i& sum) noexcept {
        sum = _mm512_add_epi32(sum, _mm512_srai_epi32(words, 16));
    }
};

template <class Rounding>
struct average_blocks_avx512 {
    average_lanes_avx512<Rounding> lanes;
    bytes_avx512 bytes;

    OCTET_INLINE average_blocks_avx512(const average_params<Rounding>& p, int taps) noexcept
        : lanes(p, taps), bytes(p.out_zero, p.limits) {}

    /// Channels [c, c + 64 * Blocks) of all pixels, or those of `mask`.
    template <int Blocks, bool Whole>
    OCTET_INLINE void run(const pool_call& call, int c, __mmask64 mask) const noexcept {
        const pool_sums_avx512<Blocks, Whole> sum{mask};

        for (int i = 0; i < call.pixels; ++i) {
            __m512i sums[4 * Blocks];
            sum.add(call, c + i * call.pixel_stride, sums);
            std::int8_t* out = call.out + i * call.out_stride + c;
#pragma GCC unroll 4
            for (int b = 0; b < Blocks; ++b) {
                const __m512i all = bytes.lanes(lanes(sums[4 * b]), lanes(sums[4 * b + 1]), lanes(sums[4 * b + 2]),
                                                lanes(sums[4 * b + 3]));
                _mm512_mask_storeu_epi8(out + 64 * b, mask, all);
            }
        }
    }
};

template <>
struct max_pool_kernel<isa::avx512bw> {
    static void run(const pool_call& call, clamp limits) noexcept {
        const int side = call.rows == call.cols ? call.rows : 0;
        if (side == 2) return blocks<2>(call, limits);
        if (side == 3) return blocks<3>(call, limits);
        if (side == 5) return blocks<5>(call, limits);
        blocks<0>(call, limits);
    }

  private:
    template <int Side>
    static void blocks(const pool_call& call, clamp limits) noexcept {
        const __m512i low = _mm512_set1_epi8(static_cast<char>(limits.low));
        const __m512i high = _mm512_set1_epi8(static_cast<char>(limits.high));
        int c = 0;
        for (; c <= call.channels - 64; c += 64) max_columns_avx512<Side, true>(call, 0).run(call, c, low, high);
        if (c < call.channels)
            max_columns_avx512<Side, false>(call, ~std::uint64_t{0} >> (64 - (call.channels - c)))
                .run(call, c, low, high);
    }
};

template <class Rounding>
struct average_pool_kernel<isa::avx512bw, Rounding> {
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        const average_blocks_avx512<Rounding> blocks(params, call.rows * call.cols);
        int c = 0;
        for (; c <= call.channels - 256; c += 256) blocks.template run<4, true>(call, c, ~std::uint64_t{0});
        for (; c <= call.channels - 64; c += 64) blocks.template run<1, true>(call, c, ~std::uint64_t{0});
        if (c < call.channels) blocks.template run<1, false>(call, c, ~std::uint64_t{0} >> (64 - (call.channels - c)));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
