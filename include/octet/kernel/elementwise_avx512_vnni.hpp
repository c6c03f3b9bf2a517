// Add and mul on AVX512-VNNI: 64 elements at a time. Two rounds of unpack put (0, a, 0, b) into the bytes of 32-bit
// lanes, which as int16 reads (256 a, 256 b); they leave 4 elements of each 16-byte lane in each of 4 registers, and
// the packs that follow restore the order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/elementwise_call.hpp"
#include "octet/kernel/epilogue_avx512.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

/// What becomes of 16 lanes of (0, a, 0, b): int32 without the output's zero point, anything beyond the limits.
template <class Params>
struct binary_lanes_avx512;

/// a * A + b * B + offset, where a * A = 256 a * (A >> 8) + a * (A & 255): one dot product of int16, and one of bytes
/// with the unsigned low weights.
struct raised_avx512 {
    __m512i low, high, offset;

    OCTET_INLINE raised_avx512(const add_params<nearest_even>& p, std::int32_t sum) noexcept
        : low(_mm512_set1_epi32((p.a & 0xff) << 8 |
                                static_cast<std::int32_t>(static_cast<std::uint32_t>(p.b & 0xff) << 24))),
          high(_mm512_set1_epi32(p.a >> 8 | (p.b >> 8) << 16)),
          offset(_mm512_set1_epi32(sum)) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        __m512i raised = offset;  // not the intrinsics: GCC 12 copies the accumulators that it feeds them
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(raised) : "v"(low), "v"(pairs));
        asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(raised) : "v"(high), "v"(pairs));
        return raised;
    }
};

template <>
struct binary_lanes_avx512<add_params<nearest_even>> {
    raised_avx512 raise;
    __m512i mask, even;
    __m128i shift;

    explicit OCTET_INLINE binary_lanes_avx512(const add_params<nearest_even>& p) noexcept
        : raise(p, p.offset),
          mask(_mm512_set1_epi32(p.mask())),
          even(_mm512_set1_epi32(~1)),
          shift(_mm_cvtsi32_si128(p.shift)) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        const __m512i raised = raise(pairs), up = _mm512_sra_epi32(raised, shift);
        return _mm512_mask_and_epi32(up, _mm512_testn_epi32_mask(raised, mask), up, even);
    }
};

/// a and b of 16 lanes as int32.
OCTET_INLINE __m512i first_of(__m512i pairs) noexcept { return _mm512_srai_epi32(_mm512_slli_epi32(pairs, 16), 24); }
OCTET_INLINE __m512i second_of(__m512i pairs) noexcept { return _mm512_srai_epi32(pairs, 24); }

template <class Rounding>
struct binary_lanes_avx512<add_params<Rounding>> {
    using fixed = fixed_point_avx512;
    __m512i a_zero, b_zero;
    fixed a, b, out;
    scale_avx512<Rounding> scale_in, scale_out;

    explicit OCTET_INLINE binary_lanes_avx512(const add_params<Rounding>& p) noexcept
        : a_zero(_mm512_set1_epi32(p.a_zero.value)),
          b_zero(_mm512_set1_epi32(p.b_zero.value)),
          a(all(p.a)),
          b(all(p.b)),
          out(all(p.out)),
          scale_in(zero_point(0), clamp{INT32_MIN, INT32_MAX}),
          scale_out(p.out_zero, p.limits) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        constexpr int left = add_params<Rounding>::left_shift;
        const __m512i u = scale_in(_mm512_slli_epi32(_mm512_sub_epi32(first_of(pairs), a_zero), left), a);
        const __m512i v = scale_in(_mm512_slli_epi32(_mm512_sub_epi32(second_of(pairs), b_zero), left), b);
        return scale_out(_mm512_add_epi32(u, v), out);
    }

  private:
    static OCTET_INLINE fixed all(detail::fixed_point m) noexcept {
        return {_mm512_set1_epi32(m.value), _mm512_set1_epi32(m.shift)};
    }
};

template <class Rounding>
struct binary_lanes_avx512<mul_params<Rounding>> {
    __m512i a_zero, b_zero;
    scale_avx512<Rounding> scale;
    typename scale_avx512<Rounding>::multipliers m;

    explicit OCTET_INLINE binary_lanes_avx512(const mul_params<Rounding>& p) noexcept
        : a_zero(_mm512_set1_epi32(p.a_zero.value)),
          b_zero(_mm512_set1_epi32(p.b_zero.value)),
          scale(p.out_zero, p.limits),
          m(all(p.m)) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        const __m512i a = _mm512_sub_epi32(first_of(pairs), a_zero), b = _mm512_sub_epi32(second_of(pairs), b_zero);
        return scale(_mm512_mullo_epi32(a, b), m);
    }

  private:
    static OCTET_INLINE typename scale_avx512<Rounding>::multipliers all(typename Rounding::multiplier one) noexcept {
        typename Rounding::multiplier copies[16];
        for (auto& copy : copies) copy = one;
        return scale_avx512<Rounding>::load(copies);
    }
};

/// acc times a small multiplier, from 2 * acc.
template <class Rounding>
struct small_scale_avx512 {
    __m512i rounding, value, away;
    __m128i right;

    explicit OCTET_INLINE small_scale_avx512(detail::fixed_point of) noexcept {
        const auto m = detail::small_multiplier::make<Rounding>(of);
        rounding = _mm512_set1_epi64(m.rounding);
        value = _mm512_set1_epi32(m.value);
        away = _mm512_set1_epi32(m.away ? -1 : 0);
        right = _mm_cvtsi32_si128(m.right);
    }
    OCTET_INLINE __m512i operator()(__m512i twice) const noexcept {
        const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(twice, value), rounding);
        const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(twice, 32), value), rounding);
        __m512i high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xaaaa, odd);
        if constexpr (Rounding::policy == rounding_policy::tflite)
            high = _mm512_add_epi32(high, _mm512_and_si512(_mm512_srai_epi32(twice, 31), away));
        return _mm512_sra_epi32(high, right);
    }
};

/// An add whose first input has the larger scale, so that u is (a - z_a) * 2^19.
template <class Rounding>
struct small_add_avx512 {
    __m512i a_zero, b_zero;
    small_scale_avx512<Rounding> in, out;

    OCTET_INLINE small_add_avx512(zero_point a, zero_point b, detail::fixed_point b_scale,
                                  detail::fixed_point out_scale) noexcept
        : a_zero(_mm512_set1_epi32(a.value * (1 << 20))),
          b_zero(_mm512_set1_epi32(b.value * (1 << 21))),
          in(b_scale),
          out(out_scale) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        const __m512i a = _mm512_srai_epi32(_mm512_slli_epi32(pairs, 16), 4);   // a * 2^20
        const __m512i b = _mm512_slli_epi32(_mm512_srai_epi32(pairs, 24), 21);  // b * 2^21
        const __m512i twice_v = _mm512_slli_epi32(in(_mm512_sub_epi32(b, b_zero)), 1);
        return out(_mm512_add_epi32(_mm512_sub_epi32(a, a_zero), twice_v));
    }
};

template <class Rounding>
struct small_mul_avx512 {
    __m512i a_zero, b_zero;
    small_scale_avx512<Rounding> scale;

    explicit OCTET_INLINE small_mul_avx512(const mul_params<Rounding>& p) noexcept
        : a_zero(_mm512_set1_epi32(2 * p.a_zero.value)), b_zero(_mm512_set1_epi32(p.b_zero.value)), scale(p.m) {}
    OCTET_INLINE __m512i operator()(__m512i pairs) const noexcept {
        const __m512i twice_a = _mm512_slli_epi32(first_of(pairs), 1);
        return scale(_mm512_mullo_epi32(_mm512_sub_epi32(twice_a, a_zero), _mm512_sub_epi32(second_of(pairs), b_zero)));
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

/// The same for sums without a tie, whose offset takes in the output's zero point. Clamped: false where the limits are
/// those of int8, which the packs keep.
template <bool Clamped>
struct plain_add_avx512 {
    raised_avx512 raise;
    __m128i shift;
    __m512i low, high;

    /// The offset stays within 2^30 + 2^29 as long as 2^shift * 128 does.
    static bool fits(const add_params<nearest_even>& p) noexcept { return !p.ties && p.shift <= 22; }

    explicit OCTET_INLINE plain_add_avx512(const add_params<nearest_even>& p) noexcept
        : raise(p, p.offset + p.out_zero.value * (1 << p.shift)),
          shift(_mm_cvtsi32_si128(p.shift)),
          low(_mm512_set1_epi8(static_cast<char>(p.limits.low))),
          high(_mm512_set1_epi8(static_cast<char>(p.limits.high))) {}
    OCTET_INLINE __m512i operator()(__m512i a, __m512i b) const noexcept {
        const __m512i all = _mm512_packs_epi16(words(_mm512_unpacklo_epi8(a, b)), words(_mm512_unpackhi_epi8(a, b)));
        return Clamped ? _mm512_min_epi8(_mm512_max_epi8(all, low), high) : all;
    }

  private:
    OCTET_INLINE __m512i words(__m512i pairs) const noexcept {
        const __m512i zero = _mm512_setzero_si512();
        return _mm512_packs_epi32(_mm512_sra_epi32(raise(_mm512_unpacklo_epi8(zero, pairs)), shift),
                                  _mm512_sra_epi32(raise(_mm512_unpackhi_epi8(zero, pairs)), shift));
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
OCTET_INLINE void binary_best_avx512(const add_params<nearest_even>& p, const binary_operands& o) noexcept {
    if (!plain_add_avx512<false>::fits(p))
        return binary_row_avx512(binary_block_avx512(binary_lanes_avx512<add_params<nearest_even>>(p), p), o);
    if (p.limits == clamp{}) return binary_row_avx512(plain_add_avx512<false>(p), o);
    binary_row_avx512(plain_add_avx512<true>(p), o);
}
template <class Rounding>
OCTET_INLINE void binary_best_avx512(const add_params<Rounding>& p, const binary_operands& o) noexcept {
    using small = small_add_avx512<Rounding>;
    if (!detail::small_multiplier::fits(p.out))
        binary_row_avx512(binary_block_avx512(binary_lanes_avx512<add_params<Rounding>>(p), p), o);
    else if (detail::small_multiplier::halves(p.a))
        binary_row_avx512(binary_block_avx512(small(p.a_zero, p.b_zero, p.b, p.out), p), o);
    else
        binary_row_avx512(binary_block_avx512(small(p.b_zero, p.a_zero, p.a, p.out), p),
                          {o.b, o.b_step, o.a, o.a_step, o.out, o.n});
}
template <class Rounding>
OCTET_INLINE void binary_best_avx512(const mul_params<Rounding>& p, const binary_operands& o) noexcept {
    if constexpr (Rounding::policy != rounding_policy::nearest_even)
        if (detail::small_multiplier::fits(p.m))
            return binary_row_avx512(binary_block_avx512(small_mul_avx512<Rounding>(p), p), o);
    binary_row_avx512(binary_block_avx512(binary_lanes_avx512<mul_params<Rounding>>(p), p), o);
}

template <class Params>
struct binary_kernel<isa::avx512_vnni, Params> {
    static void run(const Params& params, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                    std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept {
        if (n != 0) binary_best_avx512(params, {a, a_step, b, b_step, out, n});
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
