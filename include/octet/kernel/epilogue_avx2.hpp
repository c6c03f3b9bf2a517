// What becomes of accumulators on AVX2. scale_avx2<Rounding> is the rounding of 8 accumulators, one policy each;
// bytes_avx2 adds the zero point, clamps and packs; store_epilogue joins them for the GEMM micro-kernels. The law
// is requantize() of quant/rounding.hpp. The region leaves fma out: no product here may melt into a sum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "octet/isa/isa.hpp"
#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_scalar.hpp"
#include "octet/kernel/partial_sse41.hpp"
#include "octet/quant/result.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

/// round(acc * m) for 8 columns:
///   scale_avx2<nearest_even> scale(out_zero, limits);          once
///   const auto m = scale.load(multipliers);                    8 multipliers, once for many rows; all(m): one for all
///   const __m256i rounded = scale(acc, m);
/// Below limits.high - out_zero the result is the rounded value, saturated to int32; above, it is anything from that
/// bound on. What remains of the clamp is done on bytes, by bytes_avx2.
template <class Rounding>
struct scale_avx2;

/// The upper clamp stands before the conversion, which turns 2^31 and more into -2^31; -2^31 and less stay there.
template <>
struct scale_avx2<nearest_even> {
    using multipliers = __m256;
    __m256 ceiling;

    OCTET_INLINE scale_avx2(zero_point z, clamp limits) noexcept
        : ceiling(_mm256_set1_ps(static_cast<float>(limits.high - z.value))) {}
    static OCTET_INLINE multipliers load(const nearest_even::multiplier* m) noexcept {
        static_assert(sizeof(*m) == sizeof(float));
        return _mm256_loadu_ps(&m->value);
    }
    static OCTET_INLINE multipliers all(nearest_even::multiplier m) noexcept { return _mm256_set1_ps(m.value); }
    OCTET_INLINE __m256i operator()(__m256i acc, const multipliers& m) const noexcept {
        return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), m), ceiling));
    }
};

/// Fixed-point multipliers of 8 columns.
struct fixed_point_avx2 {
    __m256i value;
    __m256i shift;

    static OCTET_INLINE fixed_point_avx2 load(const detail::fixed_point* m) noexcept {
        static_assert(sizeof(*m) == 8 && offsetof(detail::fixed_point, shift) == 4);
        const __m256i sorted = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);  // four values, then four shifts
        const auto* pairs = reinterpret_cast<const __m256i*>(m);
        const __m256i low = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(pairs), sorted);
        const __m256i high = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(pairs + 1), sorted);
        return {_mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31)};
    }
    static OCTET_INLINE fixed_point_avx2 all(detail::fixed_point m) noexcept {
        return {_mm256_set1_epi32(m.value), _mm256_set1_epi32(m.shift)};
    }
};

template <>
struct scale_avx2<tflite> {
    using multipliers = fixed_point_avx2;

    OCTET_INLINE scale_avx2(zero_point, clamp) noexcept {}
    static OCTET_INLINE multipliers load(const tflite::multiplier* m) noexcept { return fixed_point_avx2::load(m); }
    static OCTET_INLINE multipliers all(tflite::multiplier m) noexcept { return fixed_point_avx2::all(m); }
    OCTET_INLINE __m256i operator()(__m256i acc, const multipliers& m) const noexcept {
        const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
        const __m256i left = _mm256_max_epi32(m.shift, zero),
                      right = _mm256_max_epi32(_mm256_sub_epi32(zero, m.shift), zero);
        const __m256i shifted = _mm256_sllv_epi32(acc, left);
        const __m256i fits = _mm256_cmpeq_epi32(_mm256_srav_epi32(shifted, left), acc);
        const __m256i extreme = _mm256_xor_si256(_mm256_srai_epi32(acc, 31), _mm256_set1_epi32(INT32_MAX));
        const __m256i raised = _mm256_blendv_epi8(extreme, shifted, fits);
        // Bits 31 to 62 of each rounded product: those of even columns go down, those of odd columns up by one.
        const __m256i nudge = _mm256_set1_epi64x(std::int64_t{1} << 30);
        const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(raised, m.value), nudge);
        const __m256i odd =
            _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(raised, 32), _mm256_srli_epi64(m.value, 32)), nudge);
        const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
        // Right by `right`, ties away from zero.
        const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
        const __m256i threshold = _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(high, 31));
        const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
        return _mm256_sub_epi32(_mm256_srav_epi32(high, right), up);
    }
};

template <>
struct scale_avx2<single> {
    using multipliers = fixed_point_avx2;
    __m256i ceiling;

    OCTET_INLINE scale_avx2(zero_point z, clamp limits) noexcept : ceiling(_mm256_set1_epi64x(limits.high - z.value)) {}
    static OCTET_INLINE multipliers load(const single::multiplier* m) noexcept { return fixed_point_avx2::load(m); }
    static OCTET_INLINE multipliers all(single::multiplier m) noexcept { return fixed_point_avx2::all(m); }
    OCTET_INLINE __m256i operator()(__m256i acc, const multipliers& m) const noexcept {
        const __m256i shift = _mm256_sub_epi32(_mm256_set1_epi32(31), m.shift);  // in [1, 62]
        const __m256i even = rounded(acc, m.value, _mm256_and_si256(shift, _mm256_set1_epi64x(0xffffffff)));
        const __m256i odd =
            rounded(_mm256_srli_epi64(acc, 32), _mm256_srli_epi64(m.value, 32), _mm256_srli_epi64(shift, 32));
        return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
    }

  private:
    /// (acc * value + 2^(shift - 1)) >> shift for four columns in 64-bit lanes, held in int32. AVX2 has no arithmetic
    /// right shift of 64 bits: the sign goes out and in again as an offset of 2^63.
    OCTET_INLINE __m256i rounded(__m256i acc, __m256i value, __m256i shift) const noexcept {
        const __m256i half = _mm256_srli_epi64(_mm256_sllv_epi64(_mm256_set1_epi64x(1), shift), 1);
        const __m256i offset = _mm256_set1_epi64x(INT64_MIN), floor = _mm256_set1_epi64x(INT32_MIN);
        const __m256i sum = _mm256_add_epi64(_mm256_mul_epi32(acc, value), half);
        const __m256i wide =
            _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(sum, offset), shift), _mm256_srlv_epi64(offset, shift));
        const __m256i below = _mm256_blendv_epi8(wide, ceiling, _mm256_cmpgt_epi64(wide, ceiling));
        return _mm256_blendv_epi8(below, floor, _mm256_cmpgt_epi64(floor, below));
    }
};

/// Scaled values to bytes: clamp(value + zero point), 16 or 32 at a time.
struct bytes_avx2 {
    __m256i zero;  ///< 16 x int16
    __m256i low;   ///< 32 x int8
    __m256i high;

    OCTET_INLINE bytes_avx2(zero_point z, clamp limits) noexcept
        : zero(_mm256_set1_epi16(static_cast<short>(z.value))),
          low(_mm256_set1_epi8(static_cast<char>(limits.low))),
          high(_mm256_set1_epi8(static_cast<char>(limits.high))) {}

    /// The bytes in the order in which packs leave them: 16-byte lane i is a[4i, 4i + 4), then the same of b, c, d.
    OCTET_INLINE __m256i lanes(__m256i a, __m256i b, __m256i c, __m256i d) const noexcept {
        return _mm256_min_epi8(_mm256_max_epi8(saturated_lanes(a, b, c, d), low), high);
    }
    /// The same for limits [-128, 127].
    OCTET_INLINE __m256i saturated_lanes(__m256i a, __m256i b, __m256i c, __m256i d) const noexcept {
        const __m256i front = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero);
        const __m256i back = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero);
        return _mm256_packs_epi16(front, back);
    }
    /// The bytes of a, of b, of c and of d, 8 each.
    OCTET_INLINE __m256i operator()(__m256i a, __m256i b, __m256i c, __m256i d) const noexcept {
        return ordered(lanes(a, b, c, d));
    }
    /// The same for limits [-128, 127].
    OCTET_INLINE __m256i saturated(__m256i a, __m256i b, __m256i c, __m256i d) const noexcept {
        return ordered(saturated_lanes(a, b, c, d));
    }
    /// The bytes of a, then those of b, 8 each.
    OCTET_INLINE __m128i operator()(__m256i a, __m256i b) const noexcept {
        const __m256i sums = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero);
        const __m256i order = _mm256_permute4x64_epi64(sums, 0xd8);
        const __m128i all = _mm_packs_epi16(_mm256_castsi256_si128(order), _mm256_extracti128_si256(order, 1));
        return _mm_min_epi8(_mm_max_epi8(all, _mm256_castsi256_si128(low)), _mm256_castsi256_si128(high));
    }

  private:
    static OCTET_INLINE __m256i ordered(__m256i lanes) noexcept {
        return _mm256_permutevar8x32_epi32(lanes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    }
};

/// Accumulators of one row in two or four registers of 8 columns: scale, pack, store.
template <class Rounding>
struct store_epilogue<isa::avx2, Rounding> {
    using result = Rounding;
    using args = epilogue_args<typename Rounding::multiplier>;

    const typename Rounding::multiplier* multipliers;
    scale_avx2<Rounding> scale;
    bytes_avx2 bytes;

    explicit OCTET_INLINE store_epilogue(const args& a) noexcept
        : multipliers(a.multipliers), scale(a.out_zero, a.limits), bytes(a.out_zero, a.limits) {}

    /// out[n] = requantize(acc[n / 8][n % 8], multipliers[n]) for `columns` in [1, 8 * Vectors]; nothing beyond them is
    /// written.
    template <int Vectors>
    OCTET_INLINE void store(const __m256i (&acc)[Vectors], int columns, std::int8_t* out) const noexcept {
        static_assert(Vectors == 2 || Vectors == 4, "a row leaves in registers of 16 bytes or of 32");
        __m256i rounded[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) rounded[v] = scale(acc[v], scale.load(multipliers + 8 * v));
        __m128i row;
        if constexpr (Vectors == 4) {
            const __m256i all = bytes(rounded[0], rounded[1], rounded[2], rounded[3]);
            if (columns == 32) {
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), all);
                return;
            }
            row = _mm256_castsi256_si128(all);
            if (columns >= 16) {
                _mm_storeu_si128(reinterpret_cast<__m128i*>(out), row);
                if (columns == 16) return;
                row = _mm256_extracti128_si256(all, 1);
                out += 16;
                columns -= 16;
            }
        } else {
            row = bytes(rounded[0], rounded[1]);
            if (columns == 16) {
                _mm_storeu_si128(reinterpret_cast<__m128i*>(out), row);
                return;
            }
        }
        store_partial(out, row, columns);
    }
};

/// Results of 32 bits: accumulators of one row as they are, or dequantized.
template <class Result>
requires(!stores_int8<Result>) struct store_epilogue<isa::avx2, Result> : word_epilogue<Result> {
    using typename word_epilogue<Result>::multiplier;
    using word_epilogue<Result>::word_epilogue;

    /// out[n] = result_of(acc[n / 8][n % 8], multipliers[n]) for `columns` in [1, 8 * Vectors]; nothing beyond them is
    /// written.
    template <int Vectors>
    OCTET_INLINE void store(const __m256i (&acc)[Vectors], int columns, typename Result::stored* out) const noexcept {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            const __m256i words = word(acc[v], this->multipliers + 8 * v);
            const int left = columns - 8 * v;
            if (left >= 8) {
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8 * v), words);
            } else {
                const __m256i inside =
                    _mm256_cmpgt_epi32(_mm256_set1_epi32(left), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
                _mm256_maskstore_epi32(reinterpret_cast<int*>(out + 8 * v), inside, words);
                return;
            }
        }
    }

  private:
    static OCTET_INLINE __m256i word(__m256i acc, [[maybe_unused]] const multiplier* m) noexcept {
        if constexpr (std::is_same_v<Result, dequantized>)
            return _mm256_castps_si256(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(&m->value)));
        else
            return acc;
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
