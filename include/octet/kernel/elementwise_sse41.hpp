// Add and mul on SSE4.1: 16 elements at a time. An add that is neither dyadic nor linear, and a mul of the fixed-point
// policies, which shift and multiply in 64 bits, take the scalar law.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "octet/isa/x86.hpp"
#include "octet/kernel/elementwise_call.hpp"
#include "octet/kernel/elementwise_scalar.hpp"
#include "octet/kernel/epilogue_sse41.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

/// 16 bytes of a and of b to those of a linear_add.
struct linear_add_sse41 {
    __m128i weights[3], offset[3], low, high, shift;

    explicit OCTET_INLINE linear_add_sse41(const linear_add& p) noexcept
        : weights{_mm_set1_epi16(p.digits.weights[0]), _mm_set1_epi16(p.digits.weights[1]),
                  _mm_set1_epi16(p.digits.weights[2])},
          offset{_mm_set1_epi16(p.digits.offset[0]), _mm_set1_epi16(p.digits.offset[1]),
                 _mm_set1_epi16(p.digits.offset[2])},
          low(_mm_set1_epi8(static_cast<char>(p.limits.low))),
          high(_mm_set1_epi8(static_cast<char>(p.limits.high))),
          shift(_mm_cvtsi32_si128(p.digits.shift)) {}
    OCTET_INLINE __m128i operator()(__m128i a, __m128i b) const noexcept {
        const __m128i all = _mm_packs_epi16(words(_mm_unpacklo_epi8(a, b)), words(_mm_unpackhi_epi8(a, b)));
        return _mm_min_epi8(_mm_max_epi8(all, low), high);
    }

  private:
    OCTET_INLINE __m128i words(__m128i pairs) const noexcept {
        const __m128i first = _mm_add_epi16(_mm_maddubs_epi16(weights[0], pairs), offset[0]);
        const __m128i second = _mm_add_epi16(_mm_maddubs_epi16(weights[1], pairs), offset[1]);
        const __m128i carried = _mm_srai_epi16(_mm_add_epi16(second, _mm_srai_epi16(first, 7)), 7);
        const __m128i third = _mm_add_epi16(_mm_maddubs_epi16(weights[2], pairs), carried);
        return _mm_sra_epi16(_mm_adds_epi16(third, offset[2]), shift);
    }
};

/// The same for a dyadic_add.
struct dyadic_add_sse41 {
    __m128i weights, offset, times, mask, zero, low, high;

    explicit OCTET_INLINE dyadic_add_sse41(const add_params<nearest_even>& p) noexcept
        : weights(_mm_set1_epi16(p.dyadic.weights)),
          offset(_mm_set1_epi16(p.dyadic.offset)),
          times(_mm_set1_epi16(p.dyadic.times())),
          mask(_mm_set1_epi16(p.dyadic.mask())),
          zero(_mm_set1_epi16(static_cast<short>(p.out_zero.value))),
          low(_mm_set1_epi8(static_cast<char>(p.limits.low))),
          high(_mm_set1_epi8(static_cast<char>(p.limits.high))) {}
    OCTET_INLINE __m128i operator()(__m128i a, __m128i b) const noexcept {
        const __m128i all = _mm_packs_epi16(words(_mm_unpacklo_epi8(a, b)), words(_mm_unpackhi_epi8(a, b)));
        return _mm_min_epi8(_mm_max_epi8(all, low), high);
    }

  private:
    OCTET_INLINE __m128i words(__m128i pairs) const noexcept {
        const __m128i raised = _mm_adds_epi16(_mm_maddubs_epi16(weights, pairs), offset);
        const __m128i ties = _mm_cmpeq_epi16(_mm_and_si128(raised, mask), _mm_setzero_si128());
        return _mm_add_epi16(_mm_andnot_si128(_mm_srli_epi16(ties, 15), _mm_mulhi_epi16(raised, times)), zero);
    }
};

/// The same for a mul: both halves of int16 products, interleaved, are those of 32 bits.
struct mul_sse41 {
    __m128i a_zero, b_zero;
    __m128 m, ceiling;
    bytes_sse41 bytes;

    explicit OCTET_INLINE mul_sse41(const mul_params<nearest_even>& p) noexcept
        : a_zero(_mm_set1_epi16(static_cast<short>(p.a_zero.value))),
          b_zero(_mm_set1_epi16(static_cast<short>(p.b_zero.value))),
          m(_mm_set1_ps(p.m.value)),
          ceiling(_mm_set1_ps(static_cast<float>(p.limits.high - p.out_zero.value))),
          bytes(p.out_zero, p.limits) {}
    OCTET_INLINE __m128i operator()(__m128i a, __m128i b) const noexcept {
        __m128i r[4];
        products(a, b, r[0], r[1]);
        products(_mm_unpackhi_epi64(a, a), _mm_unpackhi_epi64(b, b), r[2], r[3]);
        return bytes(r[0], r[1], r[2], r[3]);
    }

  private:
    OCTET_INLINE void products(__m128i a, __m128i b, __m128i& front, __m128i& back) const noexcept {
        const __m128i x = _mm_sub_epi16(_mm_cvtepi8_epi16(a), a_zero), y = _mm_sub_epi16(_mm_cvtepi8_epi16(b), b_zero);
        const __m128i low = _mm_mullo_epi16(x, y), high = _mm_mulhi_epi16(x, y);
        front = scaled(_mm_unpacklo_epi16(low, high));
        back = scaled(_mm_unpackhi_epi16(low, high));
    }
    OCTET_INLINE __m128i scaled(__m128i acc) const noexcept {
        return _mm_cvtps_epi32(_mm_min_ps(_mm_mul_ps(_mm_cvtepi32_ps(acc), m), ceiling));
    }
};

template <class Block>
OCTET_INLINE void binary_row_sse41(const Block& block, binary_operands o) noexcept {
    std::int8_t a_block[16] = {}, b_block[16] = {}, out_block[16];
    if (o.a_step == 0) std::memset(a_block, *o.a, 16), o.a = a_block;
    if (o.b_step == 0) std::memset(b_block, *o.b, 16), o.b = b_block;
    const auto store = [&block](const std::int8_t* x, const std::int8_t* y, std::int8_t* to) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)),
                                                               _mm_loadu_si128(reinterpret_cast<const __m128i*>(y))));
    };
    for (; o.n >= 16; o.n -= 16, o.a += 16 * o.a_step, o.b += 16 * o.b_step, o.out += 16) store(o.a, o.b, o.out);
    if (o.n != 0) {
        if (o.a_step != 0) std::memcpy(a_block, o.a, o.n);
        if (o.b_step != 0) std::memcpy(b_block, o.b, o.n);
        store(a_block, b_block, out_block);
        std::memcpy(o.out, out_block, o.n);
    }
}

template <class Params>
struct binary_kernel<isa::sse41, Params> {
    static void run(const Params& params, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                    std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept {
        if (n == 0) return;
        if constexpr (requires { params.dyadic; }) {
            if (params.dyadic.exact) return binary_row_sse41(dyadic_add_sse41(params), {a, a_step, b, b_step, out, n});
        }
        if constexpr (requires { params.linear; }) {
            if (params.linear.exact)
                return binary_row_sse41(linear_add_sse41(params.linear), {a, a_step, b, b_step, out, n});
        }
        if constexpr (std::is_same_v<Params, mul_params<nearest_even>>)
            binary_row_sse41(mul_sse41(params), {a, a_step, b, b_step, out, n});
        else
            binary_kernel<isa::scalar, Params>::run(params, a, a_step, b, b_step, out, n);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
