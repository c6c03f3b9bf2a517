// Add and mul on AVX-512, with VNNI and without: 64 elements at a time. Two rounds of unpack put (0, a, 0, b) into the
// bytes of 32-bit lanes, which as int16 reads (256 a, 256 b); they leave 4 elements of each 16-byte lane in each of 4
// registers, and the packs that follow restore the order. Shifts take their count from each lane: one that all lanes
// take from an xmm register is two operations on Intel's cores.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/elementwise_call.hpp"
#include "octet/kernel/epilogue_avx512.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

/// What becomes of 16 lanes of (0, a, 0, b): int32 without the output's zero point, anything beyond the limits.
/// Sum: one of the two below.
template <class Params, class Sum>
struct binary_lanes_avx512;

/// acc += a * A + b * B, where a * A = 256 a * (A >> 8) + a * (A & 255): one dot product of int16, and one of bytes
/// with the unsigned low weights. Not the intrinsics: GCC 12 copies the accumulators that it feeds them.
struct weighted_vpdpwssd {
    static OCTET_INLINE void add(__m512i& acc, __m512i low, __m512i bytes, __m512i high, __m512i words) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(low), "v"(bytes));
        asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(high), "v"(words));
    }
};
/// The same without VNNI. One of the low weights of a word is 0, so that vpmaddubsw stays within 255 * 128.
struct weighted_vpmaddwd {
    static OCTET_INLINE void add(__m512i& acc, __m512i low, __m512i bytes, __m512i high, __m512i words) noexcept {
        const __m512i front = _mm512_madd_epi16(_mm512_maddubs_epi16(low, bytes), _mm512_set1_epi16(1));
        acc = _mm512_add_epi32(acc, _mm512_add_epi32(front, _mm512_madd_epi16(high, words)));
    }
};

template <class Sum>
struct binary_lanes_avx512<add_params<nearest_even>, Sum> {
    __m512i low, high, offset, mask, even, shift;

    explicit OCTET_INLINE binary_lanes_avx512(const add_params<nearest_even>& p) noexcept
        : low(_mm512_slli_epi32(_mm512_set1_epi32((p.weights.a & 255) | (p.weights.b & 255) << 16), 8)),
          high(_mm512_set1_epi32(p.weights.a >> 8 | (p.weights.b >> 8) << 16)),
          offset(_mm512_set1_epi32(p.offset)),
          mask(_mm512_set1_epi32(p.mask())),
          even(_mm512_set1_epi32(~1)),
          shift(_mm512_set1_epi32(p.weights.shift)) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        __m512i raised = offset;
        Sum::add(raised, low, pairs, high, pairs);
        const __m512i up = _mm512_srav_epi32(raised, shift);
        return _mm512_mask_and_epi32(up, _mm512_testn_epi32_mask(raised, mask), up, even);
    }
};

/// a and b of 16 lanes as int32.
OCTET_INLINE __m512i first_of(__m512i pairs) noexcept { return _mm512_srai_epi32(_mm512_slli_epi32(pairs, 16), 24); }
OCTET_INLINE __m512i second_of(__m512i pairs) noexcept { return _mm512_srai_epi32(pairs, 24); }

template <class Rounding, class Sum>
struct binary_lanes_avx512<add_params<Rounding>, Sum> {
    using fixed = fixed_point_avx512;
    __m512i a_zero, b_zero;
    fixed a, b, out;
    scale_avx512<Rounding> scale_in, scale_out;

    explicit OCTET_INLINE binary_lanes_avx512(const add_params<Rounding>& p) noexcept
        : a_zero(_mm512_set1_epi32(p.a_zero.value)),
          b_zero(_mm512_set1_epi32(p.b_zero.value)),
          a(fixed::all(p.a)),
          b(fixed::all(p.b)),
          out(fixed::all(p.out)),
          scale_in(zero_point(0), clamp{INT32_MIN, INT32_MAX}),
          scale_out(p.out_zero, p.limits) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        constexpr int left = add_params<Rounding>::left_shift;
        const __m512i u = scale_in(_mm512_slli_epi32(_mm512_sub_epi32(first_of(pairs), a_zero), left), a);
        const __m512i v = scale_in(_mm512_slli_epi32(_mm512_sub_epi32(second_of(pairs), b_zero), left), b);
        return scale_out(_mm512_add_epi32(u, v), out);
    }
};

/// acc times a small multiplier.
template <class Rounding>
struct small_scale_avx512 {
    __m512i rounding, value, away, right;

    explicit OCTET_INLINE small_scale_avx512(detail::fixed_point of) noexcept {
        const auto m = detail::small_multiplier::make<Rounding>(of);
        rounding = _mm512_set1_epi64(m.rounding);
        value = _mm512_set1_epi32(m.value);
        away = _mm512_set1_epi32(m.away ? -1 : 0);
        right = _mm512_set1_epi32(m.right);
    }
    OCTET_INLINE __m512i operator()(__m512i acc) const noexcept {
        const __m512i twice = _mm512_add_epi32(acc, acc);
        const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(twice, value), rounding);
        const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(twice, 32), value), rounding);
        __m512i high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xaaaa, odd);
        if constexpr (Rounding::policy == rounding_policy::tflite)
            high = _mm512_add_epi32(high, _mm512_and_si512(_mm512_srai_epi32(twice, 31), away));
        return _mm512_srav_epi32(high, right);
    }
};

/// 64 bytes of a and of b to those of the result.
template <class Lanes>
struct binary_block_avx512 {
    Lanes lanes;
    bytes_avx512 bytes;

    template <class Params>
    OCTET_INLINE binary_block_avx512(const Lanes& each, const Params& p) noexcept
        : lanes(each), bytes(p.out_zero, p.limits) {}
    OCTET_INLINE __m512i operator()(__m512i a, __m512i b) const noexcept {
        const __m512i zero = _mm512_setzero_si512();
        const __m512i low = _mm512_unpacklo_epi8(a, b), high = _mm512_unpackhi_epi8(a, b);
        return bytes.lanes(lanes(_mm512_unpacklo_epi8(zero, low)), lanes(_mm512_unpackhi_epi8(zero, low)),
                           lanes(_mm512_unpacklo_epi8(zero, high)), lanes(_mm512_unpackhi_epi8(zero, high)));
    }
};

/// The same for a linear_add. One round of unpack leaves (a0, a1, b0, b1) in 32-bit lanes: their odd bytes are the high
/// bytes of words as they stand, their even ones after a shift, and the sums' upper halves side by side are 32 results
/// in order, with shift - 16 bits to go. Clamped: false where the limits are those of int8, which the packs keep.
template <bool Clamped, class Sum>
struct linear_add_avx512 {
    __m512i low, high, offset, odd_bytes, least, most, shift;

    explicit OCTET_INLINE linear_add_avx512(const linear_add& p) noexcept
        : low(_mm512_set1_epi32((p.a & 255) | (p.b & 255) << 16)),
          high(_mm512_set1_epi32(p.a >> 8 | (p.b >> 8) << 16)),
          offset(_mm512_set1_epi32(p.offset)),
          odd_bytes(_mm512_slli_epi16(_mm512_set1_epi16(255), 8)),
          least(_mm512_set1_epi8(static_cast<char>(p.limits.low))),
          most(_mm512_set1_epi8(static_cast<char>(p.limits.high))),
          shift(_mm512_set1_epi16(static_cast<short>(p.shift - 16))) {}
    OCTET_INLINE __m512i operator()(__m512i a, __m512i b) const noexcept {
        const __m512i all = _mm512_packs_epi16(words(_mm512_unpacklo_epi16(a, b)), words(_mm512_unpackhi_epi16(a, b)));
        return Clamped ? _mm512_min_epi8(_mm512_max_epi8(all, least), most) : all;
    }

  private:
    OCTET_INLINE __m512i words(__m512i pairs) const noexcept {
        __m512i even = offset, odd = offset;
        Sum::add(even, low, pairs, high, _mm512_slli_epi16(pairs, 8));
        Sum::add(odd, _mm512_slli_epi32(low, 8), pairs, high, _mm512_and_si512(pairs, odd_bytes));
        return _mm512_srav_epi16(_mm512_mask_alignr_epi8(odd, 0x3333333333333333, even, even, 2), shift);
    }
};

/// The same for a dyadic_add. Clamped: as of linear_add.
template <bool Clamped>
struct dyadic_add_avx512 {
    __m512i weights, offset, times, mask, zero, least, most;

    explicit OCTET_INLINE dyadic_add_avx512(const add_params<nearest_even>& p) noexcept
        : weights(_mm512_set1_epi16(p.dyadic.weights)),
          offset(_mm512_set1_epi16(p.dyadic.offset)),
          times(_mm512_set1_epi16(p.dyadic.times())),
          mask(_mm512_set1_epi16(p.dyadic.mask())),
          zero(_mm512_set1_epi16(static_cast<short>(p.out_zero.value))),
          least(_mm512_set1_epi8(static_cast<char>(p.limits.low))),
          most(_mm512_set1_epi8(static_cast<char>(p.limits.high))) {}
    OCTET_INLINE __m512i operator()(__m512i a, __m512i b) const noexcept {
        const __m512i all = _mm512_packs_epi16(words(_mm512_unpacklo_epi8(a, b)), words(_mm512_unpackhi_epi8(a, b)));
        return Clamped ? _mm512_min_epi8(_mm512_max_epi8(all, least), most) : all;
    }

  private:
    OCTET_INLINE __m512i words(__m512i pairs) const noexcept {
        const __m512i raised = _mm512_adds_epi16(_mm512_maddubs_epi16(weights, pairs), offset);
        const __m512i up = _mm512_mulhi_epi16(raised, times);
        const __m512i keep = _mm512_min_epu16(_mm512_and_si512(raised, mask), _mm512_set1_epi16(1));  // 0 at ties
        const __m512i even = _mm512_ternarylogic_epi32(up, keep, _mm512_set1_epi16(~1), 0xe0);  // up & (keep | ~1)
        return _mm512_add_epi16(even, zero);
    }
};

/// The scaled products of a mul: 16 of (a - z_a) * (b - z_b) to int32 before the output's zero point.
template <class Rounding, bool Small>
struct mul_scale_avx512 {
    scale_avx512<Rounding> scale;
    typename scale_avx512<Rounding>::multipliers m;

    explicit OCTET_INLINE mul_scale_avx512(const mul_params<Rounding>& p) noexcept
        : scale(p.out_zero, p.limits), m(scale.all(p.m)) {}
    OCTET_INLINE __m512i operator()(__m512i acc) const noexcept {
        if constexpr (Small)
            return scale.unheld(acc, m);
        else
            return scale(acc, m);
    }
};
template <>
struct mul_scale_avx512<tflite, true> : small_scale_avx512<tflite> {
    explicit OCTET_INLINE mul_scale_avx512(const mul_params<tflite>& p) noexcept : small_scale_avx512(p.m) {}
};
template <>
struct mul_scale_avx512<single, true> : small_scale_avx512<single> {
    explicit OCTET_INLINE mul_scale_avx512(const mul_params<single>& p) noexcept : small_scale_avx512(p.m) {}
};

/// 64 products. Even and odd bytes become words; vpmaddwd of a word and 0 with two words is one product, so that each
/// register of results holds every fourth element, and one shuffle restores their order. Clamped: as of linear_add.
template <class Rounding, bool Small, bool Clamped>
struct mul_block_avx512 {
    __m512i a_zero, b_zero, order;
    mul_scale_avx512<Rounding, Small> scale;
    bytes_avx512 bytes;

    explicit OCTET_INLINE mul_block_avx512(const mul_params<Rounding>& p) noexcept
        : a_zero(_mm512_set1_epi16(static_cast<short>(p.a_zero.value))),
          b_zero(_mm512_set1_epi16(static_cast<short>(p.b_zero.value))),
          order(_mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))),
          scale(p),
          bytes(p.out_zero, p.limits) {}
    OCTET_INLINE __m512i operator()(__m512i a, __m512i b) const noexcept {
        __m512i r[4];
        products(even_bytes(a), even_bytes(b), r[0], r[2]);
        products(_mm512_srai_epi16(a, 8), _mm512_srai_epi16(b, 8), r[1], r[3]);
        const __m512i all =
            Clamped ? bytes.lanes(r[0], r[1], r[2], r[3]) : bytes.saturated_lanes(r[0], r[1], r[2], r[3]);
        return _mm512_shuffle_epi8(all, order);
    }

  private:
    /// x * 1 + odd byte * 0: one operation where shifts would be two, of which few ports are free.
    static OCTET_INLINE __m512i even_bytes(__m512i x) noexcept { return _mm512_maddubs_epi16(_mm512_set1_epi16(1), x); }
    OCTET_INLINE void products(__m512i a, __m512i b, __m512i& low, __m512i& high) const noexcept {
        const __m512i y = _mm512_sub_epi16(b, b_zero);
        low = scale(_mm512_madd_epi16(_mm512_maskz_sub_epi16(0x55555555, a, a_zero), y));
        high = scale(_mm512_madd_epi16(_mm512_maskz_sub_epi16(0xaaaaaaaa, a, a_zero), y));
    }
};

template <class Block>
OCTET_INLINE void binary_row_avx512(const Block& block, binary_operands o) noexcept {
    alignas(64) std::int8_t a_all[64], b_all[64];
    if (o.a_step == 0) _mm512_store_si512(a_all, _mm512_set1_epi8(*o.a)), o.a = a_all;
    if (o.b_step == 0) _mm512_store_si512(b_all, _mm512_set1_epi8(*o.b)), o.b = b_all;
    for (; o.n >= 64; o.n -= 64, o.a += 64 * o.a_step, o.b += 64 * o.b_step, o.out += 64)
        _mm512_storeu_si512(o.out, block(_mm512_loadu_si512(o.a), _mm512_loadu_si512(o.b)));
    if (o.n != 0) {
        const __mmask64 mask = ~std::uint64_t{0} >> (64 - o.n);
        _mm512_mask_storeu_epi8(o.out, mask,
                                block(_mm512_maskz_loadu_epi8(mask, o.a), _mm512_maskz_loadu_epi8(mask, o.b)));
    }
}

/// The cheapest form of each operation that its parameters allow.
template <class Sum, class Rounding>
OCTET_INLINE void binary_best_avx512(const add_params<Rounding>& p, const binary_operands& o) noexcept {
    if constexpr (requires { p.dyadic; }) {
        if (p.dyadic.exact)
            return p.limits == clamp{} ? binary_row_avx512(dyadic_add_avx512<false>(p), o)
                                       : binary_row_avx512(dyadic_add_avx512<true>(p), o);
    }
    if (!p.linear.exact)
        binary_row_avx512(binary_block_avx512(binary_lanes_avx512<add_params<Rounding>, Sum>(p), p), o);
    else if (p.limits == clamp{})
        binary_row_avx512(linear_add_avx512<false, Sum>(p.linear), o);
    else
        binary_row_avx512(linear_add_avx512<true, Sum>(p.linear), o);
}
template <class Sum, class Rounding>
OCTET_INLINE void binary_best_avx512(const mul_params<Rounding>& p, const binary_operands& o) noexcept {
    if (!p.small())
        binary_row_avx512(mul_block_avx512<Rounding, false, true>(p), o);
    else if (p.limits == clamp{})
        binary_row_avx512(mul_block_avx512<Rounding, true, false>(p), o);
    else
        binary_row_avx512(mul_block_avx512<Rounding, true, true>(p), o);
}

template <class Params, class Sum>
struct binary_kernel_avx512 {
    static void run(const Params& params, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                    std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept {
        if (n != 0) binary_best_avx512<Sum>(params, {a, a_step, b, b_step, out, n});
    }
};

template <class Params>
struct binary_kernel<isa::avx512bw, Params> : binary_kernel_avx512<Params, weighted_vpmaddwd> {};
template <class Params>
struct binary_kernel<isa::avx512_vnni, Params> : binary_kernel_avx512<Params, weighted_vpdpwssd> {};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
