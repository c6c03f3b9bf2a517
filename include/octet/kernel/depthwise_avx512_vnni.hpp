// The depthwise kernel on AVX512-VNNI: 64 channels at a time, four taps in each 32-bit lane of vpdpbusd.
//
// Two rounds of unpack bring four taps of a channel side by side: 8 shuffles and 4 dot products for 256 products. That
// leaves 4 channels of every 16-byte lane in each of 4 accumulators, and the packs of the requantization undo it for
// nothing. A single last tap takes 4 shuffles. Channels that do not fill 64 run in registers of half or a quarter of
// the width, which take half the time on machines that split 512-bit operations.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/epilogue_avx512.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

/// Registers of `Width` bytes as the depthwise kernel uses them. load: bytes + 128 of the channels in `mask` (all of
/// them when Whole). low8 to high16: unpack. shuffle: the same order in every 16-byte lane.
template <int Width>
struct depthwise_register;

template <>
struct depthwise_register<64> {
    using type = __m512i;
    template <bool Whole>
    static OCTET_INLINE type load(const std::int8_t* p, std::uint64_t mask) noexcept {
        const type all = Whole ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(mask, p);
        return _mm512_xor_si512(all, _mm512_set1_epi8(-128));
    }
    static OCTET_INLINE type whole(const void* p) noexcept { return _mm512_loadu_si512(p); }
    static OCTET_INLINE type low8(type a, type b) noexcept { return _mm512_unpacklo_epi8(a, b); }
    static OCTET_INLINE type high8(type a, type b) noexcept { return _mm512_unpackhi_epi8(a, b); }
    static OCTET_INLINE type low16(type a, type b) noexcept { return _mm512_unpacklo_epi16(a, b); }
    static OCTET_INLINE type high16(type a, type b) noexcept { return _mm512_unpackhi_epi16(a, b); }
    static OCTET_INLINE type shuffle(type a, __m128i order) noexcept {
        return _mm512_shuffle_epi8(a, _mm512_broadcast_i32x4(order));
    }
};

template <>
struct depthwise_register<32> {
    using type = __m256i;
    template <bool Whole>
    static OCTET_INLINE type load(const std::int8_t* p, std::uint64_t mask) noexcept {
        const type all = Whole ? whole(p) : _mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), p);
        return _mm256_xor_si256(all, _mm256_set1_epi8(-128));
    }
    static OCTET_INLINE type whole(const void* p) noexcept {
        return _mm256_loadu_si256(static_cast<const __m256i*>(p));
    }
    static OCTET_INLINE type low8(type a, type b) noexcept { return _mm256_unpacklo_epi8(a, b); }
    static OCTET_INLINE type high8(type a, type b) noexcept { return _mm256_unpackhi_epi8(a, b); }
    static OCTET_INLINE type low16(type a, type b) noexcept { return _mm256_unpacklo_epi16(a, b); }
    static OCTET_INLINE type high16(type a, type b) noexcept { return _mm256_unpackhi_epi16(a, b); }
    static OCTET_INLINE type shuffle(type a, __m128i order) noexcept {
        return _mm256_shuffle_epi8(a, _mm256_broadcastsi128_si256(order));
    }
};

template <>
struct depthwise_register<16> {
    using type = __m128i;
    template <bool Whole>
    static OCTET_INLINE type load(const std::int8_t* p, std::uint64_t mask) noexcept {
        const type all = Whole ? whole(p) : _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), p);
        return _mm_xor_si128(all, _mm_set1_epi8(-128));
    }
    static OCTET_INLINE type whole(const void* p) noexcept { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
    static OCTET_INLINE type low8(type a, type b) noexcept { return _mm_unpacklo_epi8(a, b); }
    static OCTET_INLINE type high8(type a, type b) noexcept { return _mm_unpackhi_epi8(a, b); }
    static OCTET_INLINE type low16(type a, type b) noexcept { return _mm_unpacklo_epi16(a, b); }
    static OCTET_INLINE type high16(type a, type b) noexcept { return _mm_unpackhi_epi16(a, b); }
    static OCTET_INLINE type shuffle(type a, __m128i order) noexcept { return _mm_shuffle_epi8(a, order); }
};

/// What becomes of the four accumulators of a panel of `Width` channels.
template <class Rounding, int Width>
struct depthwise_epilogue {
    static constexpr int vectors = Width / 16;
    scale_avx512<Rounding> scale;
    bytes_avx512 bytes;
    typename scale_avx512<Rounding>::multipliers m[vectors];

    OCTET_INLINE depthwise_epilogue(const typename Rounding::multiplier* multipliers, zero_point z,
                                    clamp limits) noexcept
        : scale(z, limits), bytes(z, limits) {
        for (int v = 0; v < vectors; ++v) m[v] = scale.load(multipliers + 16 * v);
    }
    /// The bytes of all channels, in order, from the lowest byte on.
    OCTET_INLINE __m512i operator()(const __m512i (&acc)[4]) const noexcept {
        return bytes.lanes(scale(acc[0], m[0]), scale(acc[1], m[1]), scale(acc[2], m[2]), scale(acc[3], m[3]));
    }
    OCTET_INLINE __m512i operator()(const __m256i (&acc)[4]) const noexcept {
        const __m512i front = scale(_mm512_inserti64x4(_mm512_castsi256_si512(acc[0]), acc[1], 1), m[0]);
        const __m512i back = scale(_mm512_inserti64x4(_mm512_castsi256_si512(acc[2]), acc[3], 1), m[1]);
        // 16-byte lane i of the packs begins with lane i of front, then of back: accumulators 0, 2; 0, 2; 1, 3; 1, 3.
        const __m512i order = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 13, 5, 12, 4, 9, 1, 8, 0);
        return _mm512_permutexvar_epi32(order, bytes.lanes(front, back, front, back));
    }
    OCTET_INLINE __m512i operator()(const __m128i (&acc)[4]) const noexcept {
        const __m256i front = _mm256_inserti128_si256(_mm256_castsi128_si256(acc[0]), acc[1], 1);
        const __m256i back = _mm256_inserti128_si256(_mm256_castsi128_si256(acc[2]), acc[3], 1);
        const __m512i all = scale(_mm512_inserti64x4(_mm512_castsi256_si512(front), back, 1), m[0]);
        return bytes(all, all, all, all);
    }
};

template <class Rounding>
struct depthwise_kernel<isa::avx512_vnni, Rounding> {
    static constexpr const char* name = "depthwise 1x64 vpdpbusd";
    static constexpr depthwise_layout layout{.panel = 64, .narrow = 16, .group = 4, .vectors = 4, .lhs_shift = 128};

    static void run(const depthwise_call<Rounding>& call) noexcept {
        const int channels = call.weights->channels;
        for (int first = 0; first < channels; first += layout.panel) {
            const int columns = channels - first < layout.panel ? channels - first : layout.panel;
            switch (layout.width(first, channels)) {
                case 64:
                    any_taps<64>(call, first, columns);
                    break;
                case 32:
                    any_taps<32>(call, first, columns);
                    break;
                default:
                    any_taps<16>(call, first, columns);
            }
        }
    }

  private:
    template <int Width>
    static OCTET_INLINE void any_taps(const depthwise_call<Rounding>& call, int first, int columns) noexcept {
        const bool whole = columns == Width;
        if (call.weights->taps == 9)
            whole ? panel<Width, 9, true>(call, first, columns) : panel<Width, 9, false>(call, first, columns);
        else
            whole ? panel<Width, 0, true>(call, first, columns) : panel<Width, 0, false>(call, first, columns);
    }

    /// All pixels of one panel. Taps: their number where it is known when this is compiled (all weights then stay in
    /// registers), or 0.
    template <int Width, int Taps, bool Whole>
    static void panel(const depthwise_call<Rounding>& call, int first, int columns) noexcept {
        using ops = depthwise_register<Width>;
        using vector = typename ops::type;
        constexpr int held_groups = (Taps + 3) / 4;
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_epilogue<Rounding, Width> epilogue(w.multipliers.data() + first, call.out_zero, call.limits);
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - columns);
        const int taps = Taps != 0 ? Taps : w.taps;
        const int pixels = call.pixels;
        const std::ptrdiff_t out_stride = call.out_stride;
        const std::byte* const packed = w.panel(first);
        vector bias[4], held[held_groups * 4 + 1];
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) bias[v] = ops::whole(w.bias.data() + first + v * (Width / 4));
#pragma GCC unroll 12
        for (int v = 0; v < held_groups * 4; ++v) held[v] = ops::whole(packed + v * Width);

        const std::int8_t* const* lhs = call.lhs;
        std::int8_t* out = call.out + first;
        for (int i = 0; i < pixels; ++i, lhs += taps, out += out_stride) {
            vector acc[4];
#pragma GCC unroll 4
            for (int v = 0; v < 4; ++v) acc[v] = bias[v];
            int t = 0;
#pragma GCC unroll 4
            for (; t + 1 < taps; t += 4) {
                const int third = t + 2 < taps ? t + 2 : t,
                          fourth = t + 3 < taps ? t + 3 : t;  // of absent taps weights are 0
                vector weights[4];
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) weights[v] = Taps != 0 ? held[t + v] : ops::whole(packed + (t + v) * Width);
                four_taps<ops>(acc, weights, ops::template load<Whole>(lhs[t] + first, mask),
                               ops::template load<Whole>(lhs[t + 1] + first, mask),
                               ops::template load<Whole>(lhs[third] + first, mask),
                               ops::template load<Whole>(lhs[fourth] + first, mask));
            }
            if (t < taps) {
                vector weights[4];
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) weights[v] = Taps != 0 ? held[t + v] : ops::whole(packed + (t + v) * Width);
                one_tap<ops>(acc, weights, ops::template load<Whole>(lhs[t] + first, mask));
            }
            store<Width, Whole>(out, epilogue(acc), mask);
        }
    }

    template <class Ops, class Vector>
    static OCTET_INLINE void four_taps(Vector (&acc)[4], const Vector (&w)[4], Vector a, Vector b, Vector c,
                                       Vector d) noexcept {
        const Vector ab_low = Ops::low8(a, b), ab_high = Ops::high8(a, b);
        const Vector cd_low = Ops::low8(c, d), cd_high = Ops::high8(c, d);
        dot(acc[0], Ops::low16(ab_low, cd_low), w[0]);
        dot(acc[1], Ops::high16(ab_low, cd_low), w[1]);
        dot(acc[2], Ops::low16(ab_high, cd_high), w[2]);
        dot(acc[3], Ops::high16(ab_high, cd_high), w[3]);
    }
    /// Byte 4v + j of every 16-byte lane goes to the lowest byte of its 32-bit lane j, for accumulator v; the weights
    /// of the other three bytes are 0.
    template <class Ops, class Vector>
    static OCTET_INLINE void one_tap(Vector (&acc)[4], const Vector (&w)[4], Vector a) noexcept {
        dot(acc[0], Ops::shuffle(a, _mm_set_epi32(3, 2, 1, 0)), w[0]);
        dot(acc[1], Ops::shuffle(a, _mm_set_epi32(7, 6, 5, 4)), w[1]);
        dot(acc[2], Ops::shuffle(a, _mm_set_epi32(11, 10, 9, 8)), w[2]);
        dot(acc[3], Ops::shuffle(a, _mm_set_epi32(15, 14, 13, 12)), w[3]);
    }

    /// acc += four products of u's unsigned bytes with w's signed ones, in every 32-bit lane. Not the intrinsic: GCC 12
    /// copies the accumulators that it is fed.
    template <class Vector>
    static OCTET_INLINE void dot(Vector& acc, Vector u, Vector w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "v"(w));
    }

    template <int Width, bool Whole>
    static OCTET_INLINE void store(std::int8_t* out, __m512i row, std::uint64_t mask) noexcept {
        if constexpr (!Whole)
            _mm512_mask_storeu_epi8(out, mask, row);
        else if constexpr (Width == 64)
            _mm512_storeu_si512(out, row);
        else if constexpr (Width == 32)
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_castsi512_si256(row));
        else
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_castsi512_si128(row));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
