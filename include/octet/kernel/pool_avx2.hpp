// Pooling on AVX2: a row of pixels for 32 channels at a time. The last channels run as a whole block that ends with
// them and repeats what stands before; fewer than 32 are loaded and stored in parts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/partial_sse41.hpp"
#include "octet/kernel/pool_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

/// How 32 bytes, or the `count` < 32 that there are, come and go.
template <bool Whole>
struct pool_bytes_avx2 {
    int count;

    OCTET_INLINE __m256i load(const std::int8_t* p) const noexcept {
        if constexpr (Whole) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        if (count < 16) return _mm256_zextsi128_si256(load_partial(p, count));
        const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return _mm256_set_m128i(count == 16 ? _mm_setzero_si128() : load_partial(p + 16, count - 16), low);
    }
    OCTET_INLINE void store(std::int8_t* p, __m256i all) const noexcept {
        if constexpr (Whole) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), all);
        if (count < 16) return store_partial(p, _mm256_castsi256_si128(all), count);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(all));
        if (count > 16) store_partial(p + 16, _mm256_extracti128_si256(all, 1), count - 16);
    }
};

/// `Blocks` times 32 channels of a row of pixels, or fewer than 32. Windows that share one column with their neighbour
/// (3x3 stride 2, 2x2 stride 1) take its maximum over from there. Side: of square windows of 2, 3 or 5, or 0 for any
/// other.
template <int Side, int Blocks, bool Whole>
struct max_columns_avx2 {
    struct pixel {
        __m256i block[Blocks];
    };
    const std::int8_t* lines[Side == 0 ? 1 : Side];  // copies: a store might change the call's
    const std::int8_t* const* any;
    int rows;
    pool_bytes_avx2<Whole> bytes;

    OCTET_INLINE max_columns_avx2(const pool_call& call) noexcept
        : any(call.lines), rows(call.rows), bytes{call.channels} {
#pragma GCC unroll 5
        for (int y = 0; y < Side; ++y) lines[y] = call.lines[y];
    }
    OCTET_INLINE void column(std::ptrdiff_t at, pixel& most) const noexcept {
#pragma GCC unroll 2
        for (int b = 0; b < Blocks; ++b) {
            const std::ptrdiff_t here = at + 32 * b;
            most.block[b] = bytes.load((Side == 0 ? any : lines)[0] + here);
#pragma GCC unroll 4
            for (int y = 1; y < Side; ++y) most.block[b] = _mm256_max_epi8(most.block[b], bytes.load(lines[y] + here));
            if constexpr (Side == 0)
                for (int y = 1; y < rows; ++y)
                    most.block[b] = _mm256_max_epi8(most.block[b], bytes.load(any[y] + here));
        }
    }
    OCTET_INLINE void run(const pool_call& call, int c, __m256i low, __m256i high) const noexcept {
        const int cols = Side == 0 ? call.cols : Side;
        const std::ptrdiff_t step = call.tap_stride, pixel_step = call.pixel_stride, out_step = call.out_stride;
        const bool shares = cols > 1 && pixel_step == (cols - 1) * step;
        std::int8_t* out = call.out + c;
        std::ptrdiff_t at = c;
        pixel last;
        column(at, last);
        for (int i = 0; i < call.pixels; ++i, at += pixel_step, out += out_step) {
            if (i > 0 && !shares) column(at, last);
            pixel most = last;
            std::ptrdiff_t next = at;
#pragma GCC unroll 4
            for (int x = 1; x < cols; ++x) {
                column(next += step, last);
#pragma GCC unroll 2
                for (int b = 0; b < Blocks; ++b) most.block[b] = _mm256_max_epi8(most.block[b], last.block[b]);
            }
#pragma GCC unroll 2
            for (int b = 0; b < Blocks; ++b)
                bytes.store(out + 32 * b, _mm256_min_epi8(_mm256_max_epi8(most.block[b], low), high));
        }
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

/// Sums of `Blocks` times 32 channels. Taps are added two by two: pmaddubsw with ones adds a pair of bytes to int16.
/// Unpacking leaves 4 channels of each 16-byte lane in a register of int32; the packs that follow restore the order.
/// Two blocks at once are a cache line, and those to the right are asked for meanwhile: the taps of a global average
/// stand so far apart that nothing is prefetched. Four blocks would not keep their sums in registers.
template <int Blocks, bool Whole>
struct pool_sums_avx2 {
    static constexpr int most_taps = 254;  ///< that int16 holds: 254 * 128 < 2^15
    pool_bytes_avx2<Whole> bytes;

    /// All taps of the pixel that begins at lines[y] + at.
    OCTET_INLINE void add(const pool_call& call, std::ptrdiff_t at, __m256i (&sums)[4 * Blocks]) const noexcept {
#pragma GCC unroll 16
        for (__m256i& sum : sums) sum = _mm256_setzero_si256();
        if (call.rows * call.cols <= most_taps) return add(call.lines, call.rows, call.cols, call.tap_stride, at, sums);
        for (int y = 0; y < call.rows; ++y)
            for (int x = 0; x < call.cols; x += most_taps)
                add(call.lines + y, 1, call.cols - x < most_taps ? call.cols - x : most_taps, call.tap_stride,
                    at + x * call.tap_stride, sums);
    }

  private:
    OCTET_INLINE void add(const std::int8_t* const* lines, int rows, int cols, std::ptrdiff_t step, std::ptrdiff_t at,
                          __m256i (&sums)[4 * Blocks]) const noexcept {
        const __m256i zero = _mm256_setzero_si256();
        __m256i front[Blocks], back[Blocks];
#pragma GCC unroll 4
        for (int b = 0; b < Blocks; ++b) front[b] = back[b] = zero;
        for (int y = 0; y < rows; ++y) {
            const std::int8_t* from = lines[y] + at;
            for (int x = cols / 2; x > 0; --x, from += 2 * step) {
                prefetch(address_of(from) + 32 * Blocks);
                prefetch(address_of(from) + step + 32 * Blocks);
#pragma GCC unroll 4
                for (int b = 0; b < Blocks; ++b)
                    pair(load(from + 32 * b), load(from + step + 32 * b), front[b], back[b]);
            }
            if (cols % 2 != 0) {
#pragma GCC unroll 4
                for (int b = 0; b < Blocks; ++b) pair(load(from + 32 * b), zero, front[b], back[b]);
            }
        }
#pragma GCC unroll 4
        for (int b = 0; b < Blocks; ++b) {
            widen(_mm256_unpacklo_epi16(zero, front[b]), sums[4 * b]);
            widen(_mm256_unpackhi_epi16(zero, front[b]), sums[4 * b + 1]);
            widen(_mm256_unpacklo_epi16(zero, back[b]), sums[4 * b + 2]);
            widen(_mm256_unpackhi_epi16(zero, back[b]), sums[4 * b + 3]);
        }
    }
    OCTET_INLINE __m256i load(const std::int8_t* p) const noexcept { return bytes.load(p); }
    OCTET_INLINE static void pair(__m256i a, __m256i b, __m256i& front, __m256i& back) noexcept {
        const __m256i ones = _mm256_set1_epi8(1);
        front = _mm256_add_epi16(front, _mm256_maddubs_epi16(ones, _mm256_unpacklo_epi8(a, b)));
        back = _mm256_add_epi16(back, _mm256_maddubs_epi16(ones, _mm256_unpackhi_epi8(a, b)));
    }
    /// int16 in the upper halves of 32-bit lanes.
    OCTET_INLINE static void widen(__m256i words, __m256i& sum) noexcept {
        sum = _mm256_add_epi32(sum, _mm256_srai_epi32(words, 16));
    }
};

template <class Rounding>
struct average_blocks_avx2 {
    average_lanes_avx2<Rounding> lanes;
    bytes_avx2 bytes;

    OCTET_INLINE average_blocks_avx2(const average_params<Rounding>& p, int taps) noexcept
        : lanes(p, taps), bytes(p.out_zero, p.limits) {}

    /// Channels [c, c + 32 * Blocks) of all pixels, or all channels where there are fewer than 32.
    template <int Blocks, bool Whole>
    OCTET_INLINE void run(const pool_call& call, int c) const noexcept {
        const pool_bytes_avx2<Whole> part{call.channels};
        const pool_sums_avx2<Blocks, Whole> sum{part};
        for (int i = 0; i < call.pixels; ++i) {
            __m256i sums[4 * Blocks];
            sum.add(call, c + i * call.pixel_stride, sums);
            std::int8_t* out = call.out + i * call.out_stride + c;
#pragma GCC unroll 4
            for (int b = 0; b < Blocks; ++b) {
                const __m256i all = bytes.lanes(lanes(sums[4 * b]), lanes(sums[4 * b + 1]), lanes(sums[4 * b + 2]),
                                                lanes(sums[4 * b + 3]));
                part.store(out + 32 * b, all);
            }
        }
    }
};

template <>
struct max_pool_kernel<isa::avx2> {
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
        const __m256i low = _mm256_set1_epi8(static_cast<char>(limits.low));
        const __m256i high = _mm256_set1_epi8(static_cast<char>(limits.high));
        const int last = call.channels - 32;
        if (last < 0) return max_columns_avx2<0, 1, false>(call).run(call, 0, low, high);
        int c = 0;
        for (; c <= call.channels - 64; c += 64) max_columns_avx2<Side, 2, true>(call).run(call, c, low, high);
        for (; c < call.channels; c += 32)
            max_columns_avx2<Side, 1, true>(call).run(call, c < last ? c : last, low, high);
    }
};

template <class Rounding>
struct average_pool_kernel<isa::avx2, Rounding> {
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        const average_blocks_avx2<Rounding> blocks(params, call.rows * call.cols);
        const int last = call.channels - 32;
        if (last < 0) return blocks.template run<1, false>(call, 0);
        int c = 0;
        for (; c <= call.channels - 64; c += 64) blocks.template run<2, true>(call, c);
        for (; c < call.channels; c += 32) blocks.template run<1, true>(call, c < last ? c : last);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
