// Add and mul on AVX2: 32 elements at a time. Two rounds of unpack put (0, a, 0, b) into the bytes of 32-bit lanes,
// which as int16 reads (256 a, 256 b); they leave 4 elements of each 16-byte lane in each of 4 registers, and the packs
// that follow restore the order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "octet/isa/x86.hpp"
#include "octet/kernel/elementwise_call.hpp"
#include "octet/kernel/elementwise_digits.hpp"
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
        : low(_mm256_set1_epi32((p.a & 0xff) | (p.b & 0xff) << 16)),
          high(_mm256_set1_epi32(p.a >> 8 | (p.b >> 8) << 16)),
          offset(_mm256_set1_epi32(p.offset)),
          mask(_mm256_set1_epi32(p.mask())),
          shift(_mm_cvtsi32_si128(p.shift)) {}
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
          a(all(p.a)),
          b(all(p.b)),
          out(all(p.out)),
          scale_in(zero_point(0), clamp{INT32_MIN, INT32_MAX}),
          scale_out(p.out_zero, p.limits) {}
    OCTET_INLINE __m256i operator()(__m256i pairs) const noexcept {
        constexpr int left = add_params<Rounding>::left_shift;
        const __m256i u = scale_in(_mm256_slli_epi32(_mm256_sub_epi32(first_of(pairs), a_zero), left), a);
        const __m256i v = scale_in(_mm256_slli_epi32(_mm256_sub_epi32(second_of(pairs), b_zero), left), b);
        return scale_out(_mm256_add_epi32(u, v), out);
    }

  private:
    static OCTET_INLINE fixed all(detail::fixed_point m) noexcept {
        return {_mm256_set1_epi32(m.value), _mm256_set1_epi32(m.shift)};
    }
};

template <class Rounding>
struct binary_lanes_avx2<mul_params<Rounding>> {
    __m256i a_zero, b_zero;
    scale_avx2<Rounding> scale;
    typename scale_avx2<Rounding>::multipliers m;

    explicit OCTET_INLINE binary_lanes_avx2(const mul_params<Rounding>& p) noexcept
        : a_zero(_mm256_set1_epi32(p.a_zero.value)),
          b_zero(_mm256_set1_epi32(p.b_zero.value)),
          scale(p.out_zero, p.limits),
          m(all(p.m)) {}
    OCTET_INLINE __m256i operator()(__m256i pairs) const noexcept {
        const __m256i a = _mm256_sub_epi32(first_of(pairs), a_zero), b = _mm256_sub_epi32(second_of(pairs), b_zero);
        return scale(_mm256_mullo_epi32(a, b), m);
    }

  private:
    static OCTET_INLINE typename scale_avx2<Rounding>::multipliers all(typename Rounding::multiplier one) noexcept {
        typename Rounding::multiplier copies[8];
        for (auto& copy : copies) copy = one;
        return scale_avx2<Rounding>::load(copies);
    }
};

/// acc times a small multiplier, from 2 * acc.
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
    OCTET_INLINE __m256i operator()(__m256i twice) const noexcept {
        const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(twice, value), rounding);
        const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(twice, 32), value), rounding);
        __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
        if constexpr (Rounding::policy == rounding_policy::tflite)
            high = _mm256_add_epi32(high, _mm256_and_si256(_mm256_srai_epi32(twice, 31), away));
        return _mm256_sra_epi32(high, right);
    }
};

/// An add whose first input has the larger scale, so that u is (a - z_a) * 2^19.
template <class Rounding>
struct small_add_avx2 {
    __m256i a_zero, b_zero;
    small_scale_avx2<Rounding> in, out;

    OCTET_INLINE small_add_avx2(zero_point a, zero_point b, detail::fixed_point b_scale,
                                detail::fixed_point out_scale) noexcept
        : a_zero(_mm256_set1_epi32(a.value * (1 << 20))),
          b_zero(_mm256_set1_epi32(b.value * (1 << 21))),
          in(b_scale),
          out(out_scale) {}
    OCTET_INLINE __m256i operator()(__m256i pairs) const noexcept {
        const __m256i a = _mm256_srai_epi32(_mm256_slli_epi32(pairs, 16), 4);   // a * 2^20
        const __m256i b = _mm256_slli_epi32(_mm256_srai_epi32(pairs, 24), 21);  // b * 2^21
        const __m256i twice_v = _mm256_slli_epi32(in(_mm256_sub_epi32(b, b_zero)), 1);
        return out(_mm256_add_epi32(_mm256_sub_epi32(a, a_zero), twice_v));
    }
};

template <class Rounding>
struct small_mul_avx2 {
    __m256i a_zero, b_zero;
    small_scale_avx2<Rounding> scale;

    explicit OCTET_INLINE small_mul_avx2(const mul_params<Rounding>& p) noexcept
        : a_zero(_mm256_set1_epi32(2 * p.a_zero.value)), b_zero(_mm256_set1_epi32(p.b_zero.value)), scale(p.m) {}
    OCTET_INLINE __m256i operator()(__m256i pairs) const noexcept {
        const __m256i twice_a = _mm256_slli_epi32(first_of(pairs), 1);
        return scale(_mm256_mullo_epi32(_mm256_sub_epi32(twice_a, a_zero), _mm256_sub_epi32(second_of(pairs), b_zero)));
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

/// The same for sums whose digits fit.
struct digit_add_avx2 {
    __m256i weights[3], offset[3], low, high;
    __m128i shift;

    explicit OCTET_INLINE digit_add_avx2(const add_digits& d) noexcept
        : weights{_mm256_set1_epi16(d.weights[0]), _mm256_set1_epi16(d.weights[1]), _mm256_set1_epi16(d.weights[2])},
          offset{_mm256_set1_epi16(d.offset[0]), _mm256_set1_epi16(d.offset[1]), _mm256_set1_epi16(d.offset[2])},
          low(_mm256_set1_epi8(static_cast<char>(d.limits.low))),
          high(_mm256_set1_epi8(static_cast<char>(d.limits.high))),
          shift(_mm_cvtsi32_si128(d.shift)) {}
    OCTET_INLINE __m256i operator()(__m256i a, __m256i b) const noexcept {
        const __m256i all = _mm256_packs_epi16(words(_mm256_unpacklo_epi8(a, b)), words(_mm256_unpackhi_epi8(a, b)));
        return _mm256_min_epi8(_mm256_max_epi8(all, low), high);
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
OCTET_INLINE void binary_best_avx2(const add_params<nearest_even>& p, const binary_operands& o) noexcept {
    if (add_digits::fit(p)) return binary_row_avx2(digit_add_avx2(add_digits(p)), o);
    binary_row_avx2(binary_block_avx2(binary_lanes_avx2<add_params<nearest_even>>(p), p), o);
}
template <class Rounding>
OCTET_INLINE void binary_best_avx2(const add_params<Rounding>& p, const binary_operands& o) noexcept {
    using small = small_add_avx2<Rounding>;
    if (!detail::small_multiplier::fits(p.out))
        binary_row_avx2(binary_block_avx2(binary_lanes_avx2<add_params<Rounding>>(p), p), o);
    else if (detail::small_multiplier::halves(p.a))
        binary_row_avx2(binary_block_avx2(small(p.a_zero, p.b_zero, p.b, p.out), p), o);
    else
        binary_row_avx2(binary_block_avx2(small(p.b_zero, p.a_zero, p.a, p.out), p),
                        {o.b, o.b_step, o.a, o.a_step, o.out, o.n});
}
template <class Rounding>
OCTET_INLINE void binary_best_avx2(const mul_params<Rounding>& p, const binary_operands& o) noexcept {
    if constexpr (Rounding::policy != rounding_policy::nearest_even)
        if (detail::small_multiplier::fits(p.m))
            return binary_row_avx2(binary_block_avx2(small_mul_avx2<Rounding>(p), p), o);
    binary_row_avx2(binary_block_avx2(binary_lanes_avx2<mul_params<Rounding>>(p), p), o);
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
