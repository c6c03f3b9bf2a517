// Add and mul on AVX2: 32 elements at a time. Two rounds of unpack put (0, a, 0, b) into the bytes of 32-bit lanes,
// which as int16 reads (256 a, 256 b); they leave 4 elements of each 16-byte lane in each of 4 registers, and the packs
// that follow restore the order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "octet/isa/x86.hpp"
#include "octet/kernel/elementwise_call.hpp"
#include "octet/kernel/epilogue_avx2.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

/// What becomes of 8 lanes of (0, a, 0, b): int32 without the output's zero point, anything beyond the limits.
template <class Params>
struct binary_lanes_avx2;

/// a * A = 256 a * (A >> 8) + a * (A & 255): both factors of both products fit int16.
template <>
struct binary_lanes_avx2<add_params<nearest_even>> {
    __m256i low, high, offset, mask;
    __m128i shift;

    explicit OCTET_INLINE binary_lanes_avx2(const add_params<nearest_even>& p) noexcept
        : low(_mm256_set1_epi32((p.weights.a & 0xff) | (p.weights.b & 0xff) << 16)),
          high(_mm256_set1_epi32(p.weights.a >> 8 | (p.weights.b >> 8) << 16)),
          offset(_mm256_set1_epi32(p.offset)),
          mask(_mm256_set1_epi32(p.mask())),
          shift(_mm_cvtsi32_si128(p.weights.shift)) {}
    OCTET_INLINE __m256i operator()(__m256i pairs) const noexcept {
        const __m256i front = _mm256_madd_epi16(pairs, high),
                      back = _mm256_madd_epi16(_mm256_srai_epi16(pairs, 8), low);
        const __m256i raised = _mm256_add_epi32(_mm256_add_epi32(front, back), offset);
        const __m256i tie = _mm256_cmpeq_epi32(_mm256_and_si256(raised, mask), _mm256_setzero_si256());
        return _mm256_andnot_si256(_mm256_srli_epi32(tie, 31), _mm256_sra_epi32(raised, shift));
    }
};

/// a and b of 8 lanes as int32.
OCTET_INLINE __m256i first_of(__m256i pairs) noexcept { return _mm256_srai_epi32(_mm256_slli_epi32(pairs, 16), 24); }
OCTET_INLINE __m256i second_of(__m256i pairs) noexcept { return _mm256_srai_epi32(pairs, 24); }

template <class Rounding>
struct binary_lanes_avx2<add_params<Rounding>> {
    using fixed = fixed_point_avx2;
    __m256i a_zero, b_zero;
    fixed a, b, out;
    scale_avx2<Rounding> scale_in, scale_out;

    explicit OCTET_INLINE binary_lanes_avx2(const add_params<Rounding>& p) noexcept
        : a_zero(_mm256_set1_epi32(p.a_zero.value)),
          b_zero(_mm256_set1_epi32(p.b_zero.value)),
          a(fixed::all(p.a)),
          b(fixed::all(p.b)),
          out(fixed::all(p.out)),
          scale_in(zero_point(0), clamp{INT32_MIN, INT32_MAX}),
          scale_out(p.out_zero, p.limits) {}
    OCTET_INLINE __m256i operator()(__m256i pairs) const noexcept {
        constexpr int left = add_params<Rounding>::left_shift;
        const __m256i u = scale_in(_mm256_slli_epi32(_mm256_sub_epi32(first_of(pairs), a_zero), left), a);
        const __m256i v = scale_in(_mm256_slli_epi32(_mm256_sub_epi32(second_of(pairs), b_zero), left), b);
        return scale_out(_mm256_add_epi32(u, v), out);
    }
};

/// acc times a small multiplier.
template <class Rounding>
struct small_scale_avx2 {
    __m256i rounding, value, away;
    __m128i right;

    explicit OCTET_INLINE small_scale_avx2(detail::fixed_point of) noexcept {
        const auto m = detail::small_multiplier::make<Rounding>(of);
        rounding = _mm256_set1_epi64x(m.rounding);
        value = _mm256_set1_epi32(m.value);
        away = _mm256_set1_epi32(m.away ? -1 : 0);
        right = _mm_cvtsi32_si128(m.right);
    }
    OCTET_INLINE __m256i operator()(__m256i acc) const noexcept {
        const __m256i twice = _mm256_add_epi32(acc, acc);
        const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(twice, value), rounding);
        const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(twice, 32), value), rounding);
        __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
        if constexpr (Rounding::policy == rounding_policy::tflite)
            high = _mm256_add_epi32(high, _mm256_and_si256(_mm256_srai_epi32(twice, 31), away));
        return _mm256_sra_epi32(high, right);
    }
};

/// 32 bytes of a and of b to those of the result.
template <class Lanes>
struct binary_block_avx2 {
    Lanes lanes;
    bytes_avx2 bytes;

    template <class Params>
    OCTET_INLINE binary_block_avx2(const Lanes& each, const Params& p) noexcept
        : lanes(each), bytes(p.out_zero, p.limits) {}
    OCTET_INLINE __m256i operator()(__m256i a, __m256i b) const noexcept {
        const __m256i zero = _mm256_setzero_si256();
        const __m256i low = _mm256_unpacklo_epi8(a, b), high = _mm256_unpackhi_epi8(a, b);
        return bytes.lanes(lanes(_mm256_unpacklo_epi8(zero, low)), lanes(_mm256_unpackhi_epi8(zero, low)),
                           lanes(_mm256_unpacklo_epi8(zero, high)), lanes(_mm256_unpackhi_epi8(zero, high)));
    }
};

/// The same for a linear_add. Clamped: false where the limits are those of int8, which the packs keep.
template <bool Clamped>
struct linear_add_avx2 {
    __m256i weights[3], offset[3], low, high;
    __m128i shift;

    explicit OCTET_INLINE linear_add_avx2(const linear_add& p) noexcept
        : weights{_mm256_set1_epi16(p.digits.weights[0]), _mm256_set1_epi16(p.digits.weights[1]),
                  _mm256_set1_epi16(p.digits.weights[2])},
          offset{_mm256_set1_epi16(p.digits.offset[0]), _mm256_set1_epi16(p.digits.offset[1]),
                 _mm256_set1_epi16(p.digits.offset[2])},
          low(_mm256_set1_epi8(static_cast<char>(p.limits.low))),
          high(_mm256_set1_epi8(static_cast<char>(p.limits.high))),
          shift(_mm_cvtsi32_si128(p.digits.shift)) {}
    OCTET_INLINE __m256i operator()(__m256i a, __m256i b) const noexcept {
        const __m256i all = _mm256_packs_epi16(words(_mm256_unpacklo_epi8(a, b)), words(_mm256_unpackhi_epi8(a, b)));
        return Clamped ? _mm256_min_epi8(_mm256_max_epi8(all, low), high) : all;
    }

  private:
    OCTET_INLINE __m256i words(__m256i pairs) const noexcept {
        const __m256i first = _mm256_add_epi16(_mm256_maddubs_epi16(weights[0], pairs), offset[0]);
        const __m256i second = _mm256_add_epi16(_mm256_maddubs_epi16(weights[1], pairs), offset[1]);
        const __m256i carried = _mm256_srai_epi16(_mm256_add_epi16(second, _mm256_srai_epi16(first, 7)), 7);
        const __m256i third = _mm256_add_epi16(_mm256_maddubs_epi16(weights[2], pairs), carried);
        return _mm256_sra_epi16(_mm256_adds_epi16(third, offset[2]), shift);
    }
};

/// The same for a dyadic_add. Clamped: as of linear_add.
template <bool Clamped>
struct dyadic_add_avx2 {
    __m256i weights, offset, times, mask, zero, low, high;

    explicit OCTET_INLINE dyadic_add_avx2(const add_params<nearest_even>& p) noexcept
        : weights(_mm256_set1_epi16(p.dyadic.weights)),
          offset(_mm256_set1_epi16(p.dyadic.offset)),
          times(_mm256_set1_epi16(p.dyadic.times())),
          mask(_mm256_set1_epi16(p.dyadic.mask())),
          zero(_mm256_set1_epi16(static_cast<short>(p.out_zero.value))),
          low(_mm256_set1_epi8(static_cast<char>(p.limits.low))),
          high(_mm256_set1_epi8(static_cast<char>(p.limits.high))) {}
    OCTET_INLINE __m256i operator()(__m256i a, __m256i b) const noexcept {
        const __m256i all = _mm256_packs_epi16(words(_mm256_unpacklo_epi8(a, b)), words(_mm256_unpackhi_epi8(a, b)));
        return Clamped ? _mm256_min_epi8(_mm256_max_epi8(all, low), high) : all;
    }

  private:
    OCTET_INLINE __m256i words(__m256i pairs) const noexcept {
        const __m256i raised = _mm256_adds_epi16(_mm256_maddubs_epi16(weights, pairs), offset);
        const __m256i up = _mm256_mulhi_epi16(raised, times);
        const __m256i ties = _mm256_cmpeq_epi16(_mm256_and_si256(raised, mask), _mm256_setzero_si256());
        return _mm256_add_epi16(_mm256_andnot_si256(_mm256_srli_epi16(ties, 15), up), zero);
    }
};

/// The scaled products of a mul: 8 of (a - z_a) * (b - z_b) to int32 before the output's zero point.
template <class Rounding, bool Small>
struct mul_scale_avx2 {
    scale_avx2<Rounding> scale;
    typename scale_avx2<Rounding>::multipliers m;

    explicit OCTET_INLINE mul_scale_avx2(const mul_params<Rounding>& p) noexcept
        : scale(p.out_zero, p.limits), m(scale.all(p.m)) {}
    OCTET_INLINE __m256i operator()(__m256i acc) const noexcept { return scale(acc, m); }
};
template <>
struct mul_scale_avx2<nearest_even, true> {
    __m256 m;
    explicit OCTET_INLINE mul_scale_avx2(const mul_params<nearest_even>& p) noexcept : m(_mm256_set1_ps(p.m.value)) {}
    OCTET_INLINE __m256i operator()(__m256i acc) const noexcept {
        return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), m));
    }
};
template <>
struct mul_scale_avx2<tflite, true> : small_scale_avx2<tflite> {
    explicit OCTET_INLINE mul_scale_avx2(const mul_params<tflite>& p) noexcept : small_scale_avx2(p.m) {}
};
template <>
struct mul_scale_avx2<single, true> : small_scale_avx2<single> {
    explicit OCTET_INLINE mul_scale_avx2(const mul_params<single>& p) noexcept : small_scale_avx2(p.m) {}
};

/// 32 products. Even and odd bytes become words; vpmaddwd of a word and 0 with two words is one product, so that each
/// register of results holds every fourth element, and one shuffle restores their order. Clamped: as of linear_add.
template <class Rounding, bool Small, bool Clamped>
struct mul_block_avx2 {
    __m256i a_zero, b_zero, order;
    mul_scale_avx2<Rounding, Small> scale;
    bytes_avx2 bytes;

    explicit OCTET_INLINE mul_block_avx2(const mul_params<Rounding>& p) noexcept
        : a_zero(_mm256_set1_epi16(static_cast<short>(p.a_zero.value))),
          b_zero(_mm256_set1_epi16(static_cast<short>(p.b_zero.value))),
          order(_mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))),
          scale(p),
          bytes(p.out_zero, p.limits) {}
    OCTET_INLINE __m256i operator()(__m256i a, __m256i b) const noexcept {
        __m256i r[4];
        products(even_bytes(a), even_bytes(b), r[0], r[2]);
        products(_mm256_srai_epi16(a, 8), _mm256_srai_epi16(b, 8), r[1], r[3]);
        const __m256i all =
            Clamped ? bytes.lanes(r[0], r[1], r[2], r[3]) : bytes.saturated_lanes(r[0], r[1], r[2], r[3]);
        return _mm256_shuffle_epi8(all, order);
    }

  private:
    /// x * 1 + odd byte * 0: one operation where shifts would be two, of which few ports are free.
    static OCTET_INLINE __m256i even_bytes(__m256i x) noexcept { return _mm256_maddubs_epi16(_mm256_set1_epi16(1), x); }
    OCTET_INLINE void products(__m256i a, __m256i b, __m256i& low, __m256i& high) const noexcept {
        const __m256i x = _mm256_sub_epi16(a, a_zero), y = _mm256_sub_epi16(b, b_zero);
        const __m256i low_words = _mm256_set1_epi32(0xffff);
        low = scale(_mm256_madd_epi16(_mm256_and_si256(x, low_words), y));
        high = scale(_mm256_madd_epi16(_mm256_andnot_si256(low_words, x), y));
    }
};

template <class Block>
OCTET_INLINE void binary_row_avx2(const Block& block, binary_operands o) noexcept {
    alignas(32) std::int8_t a_block[32] = {}, b_block[32] = {}, out_block[32];
    if (o.a_step == 0) std::memset(a_block, *o.a, 32), o.a = a_block;
    if (o.b_step == 0) std::memset(b_block, *o.b, 32), o.b = b_block;
    const auto store = [&block](const std::int8_t* x, const std::int8_t* y, std::int8_t* to) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                            block(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)),
                                  _mm256_loadu_si256(reinterpret_cast<const __m256i*>(y))));
    };
    for (; o.n >= 32; o.n -= 32, o.a += 32 * o.a_step, o.b += 32 * o.b_step, o.out += 32) store(o.a, o.b, o.out);
    if (o.n != 0) {
        if (o.a_step != 0) std::memcpy(a_block, o.a, o.n);
        if (o.b_step != 0) std::memcpy(b_block, o.b, o.n);
        store(a_block, b_block, out_block);
        std::memcpy(o.out, out_block, o.n);
    }
}

/// The cheapest form of each operation that its parameters allow.
template <class Rounding>
OCTET_INLINE void binary_best_avx2(const add_params<Rounding>& p, const binary_operands& o) noexcept {
    if constexpr (requires { p.dyadic; }) {
        if (p.dyadic.exact)
            return p.limits == clamp{} ? binary_row_avx2(dyadic_add_avx2<false>(p), o)
                                       : binary_row_avx2(dyadic_add_avx2<true>(p), o);
    }
    if (!p.linear.exact)
        binary_row_avx2(binary_block_avx2(binary_lanes_avx2<add_params<Rounding>>(p), p), o);
    else if (p.limits == clamp{})
        binary_row_avx2(linear_add_avx2<false>(p.linear), o);
    else
        binary_row_avx2(linear_add_avx2<true>(p.linear), o);
}
template <class Rounding>
OCTET_INLINE void binary_best_avx2(const mul_params<Rounding>& p, const binary_operands& o) noexcept {
    if (!p.small())
        binary_row_avx2(mul_block_avx2<Rounding, false, true>(p), o);
    else if (p.limits == clamp{})
        binary_row_avx2(mul_block_avx2<Rounding, true, false>(p), o);
    else
        binary_row_avx2(mul_block_avx2<Rounding, true, true>(p), o);
}

template <class Params>
struct binary_kernel<isa::avx2, Params> {
    static void run(const Params& params, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                    std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept {
        if (n != 0) binary_best_avx2(params, {a, a_step, b, b_step, out, n});
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
