// Pooling on SSE4.1: a row of pixels for 16 channels at a time. The last channels run as a whole block that ends with
// them and repeats what stands before; fewer than 16 are loaded and stored in parts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_sse41.hpp"
#include "octet/kernel/partial_sse41.hpp"
#include "octet/kernel/pool_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

/// 16 bytes, or the `count` < 16 that there are.
OCTET_INLINE __m128i pool_load_sse41(const std::int8_t* p, int count) noexcept {
    return count < 16 ? load_partial(p, count) : _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

template <>
struct max_pool_kernel<isa::sse41> {
    /// Windows that share one column with their neighbour (3x3 stride 2, 2x2 stride 1) take its maximum over from
    /// there.
    static void run(const pool_call& call, clamp limits) noexcept {
        const __m128i low = _mm_set1_epi8(static_cast<char>(limits.low));
        const __m128i high = _mm_set1_epi8(static_cast<char>(limits.high));
        const bool shares = call.cols > 1 && call.pixel_stride == (call.cols - 1) * call.tap_stride;
        const int block = call.channels < 16 ? call.channels : 16;
        for (int c = 0; c < call.channels; c += 16) {
            const int first = c < call.channels - block ? c : call.channels - block;
            std::int8_t* out = call.out + first;
            std::ptrdiff_t at = first;
            __m128i last = column(call, at, block);
            for (int i = 0; i < call.pixels; ++i, at += call.pixel_stride, out += call.out_stride) {
                if (i > 0 && !shares) last = column(call, at, block);
                __m128i most = last;
                for (int x = 1; x < call.cols; ++x) {
                    last = column(call, at + x * call.tap_stride, block);
                    most = _mm_max_epi8(most, last);
                }
                most = _mm_min_epi8(_mm_max_epi8(most, low), high);
                if (block == 16)
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), most);
                else
                    store_partial(out, most, block);
            }
        }
    }

  private:
    static OCTET_INLINE __m128i column(const pool_call& call, std::ptrdiff_t at, int block) noexcept {
        __m128i most = pool_load_sse41(call.lines[0] + at, block);
        for (int y = 1; y < call.rows; ++y) most = _mm_max_epi8(most, pool_load_sse41(call.lines[y] + at, block));
        return most;
    }
};

/// What becomes of the sums of 16 channels.
template <class Rounding>
struct average_store_sse41 {
    const average_params<Rounding>& params;
    int taps;

    /// tflite and single divide integers, for which SSE4.1 has no instruction: the scalar law, channel by channel.
    OCTET_INLINE void operator()(const __m128i (&sums)[4], int count, std::int8_t* out) const noexcept {
        alignas(16) std::int32_t all[16];
        for (int v = 0; v < 4; ++v) _mm_store_si128(reinterpret_cast<__m128i*>(all + 4 * v), sums[v]);
        for (int c = 0; c < count; ++c) out[c] = params(all[c], taps);
    }
};
template <>
struct average_store_sse41<nearest_even> {
    nearest_even::multiplier m[16];
    __m128i zeros;
    store_epilogue<isa::sse41, nearest_even> epilogue;

    OCTET_INLINE average_store_sse41(const average_params<nearest_even>& p, int taps) noexcept
        : zeros(_mm_set1_epi32(taps * p.in_zero.value)), epilogue({m, p.out_zero, p.limits}) {
        for (auto& one : m) one = p.m;
    }
    average_store_sse41(const average_store_sse41&) = delete;  // epilogue points into it
    OCTET_INLINE void operator()(const __m128i (&sums)[4], int count, std::int8_t* out) const noexcept {
        __m128i acc[4];
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) acc[v] = _mm_sub_epi32(sums[v], zeros);
        epilogue.store(acc, count, out);
    }
};

/// Taps are added two by two: pmaddubsw with ones adds a pair of bytes to int16.
template <class Rounding>
struct average_pool_kernel<isa::sse41, Rounding> {
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        const average_store_sse41<Rounding> finish{params, call.rows * call.cols};
        const int block = call.channels < 16 ? call.channels : 16;
        for (int c = 0; c < call.channels; c += 16) {
            const int first = c < call.channels - block ? c : call.channels - block;
            for (int i = 0; i < call.pixels; ++i) {
                __m128i sums[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
                for (int y = 0; y < call.rows; ++y)
                    for (int x = 0; x < call.cols; x += most_taps)
                        add(call.lines[y] + first + i * call.pixel_stride + x * call.tap_stride,
                            call.cols - x < most_taps ? call.cols - x : most_taps, call.tap_stride, block, sums);
                finish(sums, block, call.out + i * call.out_stride + first);
            }
        }
    }

  private:
    static constexpr int most_taps = 254;  ///< that int16 holds: 254 * 128 < 2^15

    static OCTET_INLINE void add(const std::int8_t* from, int taps, std::ptrdiff_t step, int block,
                                 __m128i (&sums)[4]) noexcept {
        const __m128i zero = _mm_setzero_si128(), ones = _mm_set1_epi8(1);
        __m128i front = zero, back = zero;
        for (; taps > 0; taps -= 2, from += 2 * step) {
            const __m128i a = pool_load_sse41(from, block);
            const __m128i b = taps > 1 ? pool_load_sse41(from + step, block) : zero;
            front = _mm_add_epi16(front, _mm_maddubs_epi16(ones, _mm_unpacklo_epi8(a, b)));
            back = _mm_add_epi16(back, _mm_maddubs_epi16(ones, _mm_unpackhi_epi8(a, b)));
        }
        sums[0] = _mm_add_epi32(sums[0], _mm_cvtepi16_epi32(front));
        sums[1] = _mm_add_epi32(sums[1], _mm_cvtepi16_epi32(_mm_srli_si128(front, 8)));
        sums[2] = _mm_add_epi32(sums[2], _mm_cvtepi16_epi32(back));
        sums[3] = _mm_add_epi32(sums[3], _mm_cvtepi16_epi32(_mm_srli_si128(back, 8)));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
