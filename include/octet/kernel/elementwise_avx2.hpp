// Add and mul on AVX2: 32 elements at a time. Two rounds of unpack put (0, a, 0, b) into the bytes of 32-bit lanes,
// which as int16 reads (256 a, 256 b); they leave 4 elements of each 16-byte lane in each of 4 registers, and the packs
// that follow restore the order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

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

/// 32 bytes of a and of b to those of the result.
template <class Params>
struct binary_block_avx2 {
    binary_lanes_avx2<Params> lanes;
    bytes_avx2 bytes;

    explicit OCTET_INLINE binary_block_avx2(const Params& p) noexcept : lanes(p), bytes(p.out_zero, p.limits) {}
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
OCTET_INLINE void binary_row_avx2(const Block& block, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                                  std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept {
    alignas(32) std::int8_t a_block[32] = {}, b_block[32] = {}, out_block[32];
    if (a_step == 0) std::memset(a_block, *a, 32), a = a_block;
    if (b_step == 0) std::memset(b_block, *b, 32), b = b_block;
    const auto store = [&block](const std::int8_t* x, const std::int8_t* y, std::int8_t* to) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                            block(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)),
                                  _mm256_loadu_si256(reinterpret_cast<const __m256i*>(y))));
    };
    for (; n >= 32; n -= 32, a += 32 * a_step, b += 32 * b_step, out += 32) store(a, b, out);
    if (n != 0) {
        if (a_step != 0) std::memcpy(a_block, a, n);
        if (b_step != 0) std::memcpy(b_block, b, n);
        store(a_block, b_block, out_block);
        std::memcpy(out, out_block, n);
    }
}

template <class Params>
struct binary_kernel<isa::avx2, Params> {
    static void run(const Params& params, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                    std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept {
        if (n == 0) return;
        if constexpr (std::is_same_v<Params, add_params<nearest_even>>)
            if (add_digits::fit(params))
                return binary_row_avx2(digit_add_avx2(add_digits(params)), a, a_step, b, b_step, out, n);
        binary_row_avx2(binary_block_avx2<Params>(params), a, a_step, b, b_step, out, n);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
