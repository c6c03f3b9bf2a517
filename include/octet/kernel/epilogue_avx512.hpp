// What becomes of accumulators on AVX-512. scale_avx512<Rounding> is the rounding of 16 accumulators, one policy each;
// bytes_avx512 adds the zero point, clamps and packs; store_epilogue joins them for the GEMM micro-kernels. The
// law is requantize() of quant/rounding.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_scalar.hpp"
#include "octet/quant/result.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

/// round(acc * m) for 16 columns:
///   scale_avx512<nearest_even> scale(out_zero, limits);        once
///   const auto m = scale.load(multipliers);                    16 multipliers, once for many rows; all(m): one for all
///   const __m512i rounded = scale(acc, m);
/// Below limits.high - out_zero the result is the rounded value, saturated to int32; above, it is anything from that
/// bound on. What remains of the clamp is done on bytes, by bytes_avx512. scale.unheld(acc, m) is the rounded value,
/// saturated to int32, where Rounding::fits_int32 holds.
template <class Rounding>
struct scale_avx512;

/// The upper clamp stands before the conversion, which turns 2^31 and more into -2^31; -2^31 and less stay there.
template <>
struct scale_avx512<nearest_even> {
    using multipliers = __m512;
    __m512 ceiling;

    OCTET_INLINE scale_avx512(zero_point z, clamp limits) noexcept
        : ceiling(_mm512_set1_ps(static_cast<float>(limits.high - z.value))) {}
    static OCTET_INLINE multipliers load(const nearest_even::multiplier* m) noexcept {
        static_assert(sizeof(*m) == sizeof(float));
        return _mm512_loadu_ps(m);
    }
    static OCTET_INLINE multipliers all(nearest_even::multiplier m) noexcept { return _mm512_set1_ps(m.value); }
    OCTET_INLINE __m512i operator()(__m512i acc, const multipliers& m) const noexcept {
        return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), m), ceiling));
    }
    OCTET_INLINE __m512i unheld(__m512i acc, const multipliers& m) const noexcept {
        return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), m));
    }
};

/// Fixed-point multipliers of 16 columns.
struct fixed_point_avx512 {
    __m512i value;
    __m512i shift;

    static OCTET_INLINE fixed_point_avx512 load(const detail::fixed_point* m) noexcept {
        static_assert(sizeof(*m) == 8 && offsetof(detail::fixed_point, shift) == 4);
        const __m512i low = _mm512_loadu_si512(m), high = _mm512_loadu_si512(m + 8);
        const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
        const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        return {_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high)};
    }
    static OCTET_INLINE fixed_point_avx512 all(detail::fixed_point m) noexcept {
        return {_mm512_set1_epi32(m.value), _mm512_set1_epi32(m.shift)};
    }
};

template <>
struct scale_avx512<tflite> {
    using multipliers = fixed_point_avx512;

    OCTET_INLINE scale_avx512(zero_point, clamp) noexcept {}
    static OCTET_INLINE multipliers load(const tflite::multiplier* m) noexcept { return fixed_point_avx512::load(m); }
    static OCTET_INLINE multipliers all(tflite::multiplier m) noexcept { return fixed_point_avx512::all(m); }
    OCTET_INLINE __m512i operator()(__m512i acc, const multipliers& m) const noexcept {
        const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
        const __m512i left = _mm512_max_epi32(m.shift, zero),
                      right = _mm512_max_epi32(_mm512_sub_epi32(zero, m.shift), zero);
        const __m512i shifted = _mm512_sllv_epi32(acc, left);
        const __mmask16 overflow = _mm512_cmpneq_epi32_mask(_mm512_srav_epi32(shifted, left), acc);
        const __m512i extreme = _mm512_xor_si512(_mm512_srai_epi32(acc, 31), _mm512_set1_epi32(INT32_MAX));
        const __m512i raised = _mm512_mask_mov_epi32(shifted, overflow, extreme);
        // Bits 31 to 62 of each rounded product: those of even columns go down, those of odd columns up by one.
        const __m512i nudge = _mm512_set1_epi64(std::int64_t{1} << 30);
        const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(raised, m.value), nudge);
        const __m512i odd =
            _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(raised, 32), _mm512_srli_epi64(m.value, 32)), nudge);
        const __m512i high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 31), 0xaaaa, _mm512_slli_epi64(odd, 1));
        // Right by `right`, ties away from zero.
        const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
        const __m512i threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(high, 31));
        const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
        const __m512i down = _mm512_srav_epi32(high, right);
        return _mm512_mask_add_epi32(down, up, down, one);
    }
    OCTET_INLINE __m512i unheld(__m512i acc, const multipliers& m) const noexcept { return (*this)(acc, m); }
};

template <>
struct scale_avx512<single> {
    using multipliers = fixed_point_avx512;
    __m512i ceiling;

    OCTET_INLINE scale_avx512(zero_point z, clamp limits) noexcept
        : ceiling(_mm512_set1_epi64(limits.high - z.value)) {}
    static OCTET_INLINE multipliers load(const single::multiplier* m) noexcept { return fixed_point_avx512::load(m); }
    static OCTET_INLINE multipliers all(single::multiplier m) noexcept { return fixed_point_avx512::all(m); }
    OCTET_INLINE __m512i operator()(__m512i acc, const multipliers& m) const noexcept {
        const __m512i shift = _mm512_sub_epi32(_mm512_set1_epi32(31), m.shift);  // in [1, 62]
        const __m512i even = rounded(acc, m.value, _mm512_and_si512(shift, _mm512_set1_epi64(0xffffffff)));
        const __m512i odd =
            rounded(_mm512_srli_epi64(acc, 32), _mm512_srli_epi64(m.value, 32), _mm512_srli_epi64(shift, 32));
        return _mm512_mask_mov_epi32(even, 0xaaaa, _mm512_slli_epi64(odd, 32));
    }
    OCTET_INLINE __m512i unheld(__m512i acc, const multipliers& m) const noexcept { return (*this)(acc, m); }

  private:
    /// (acc * value + 2^(shift - 1)) >> shift for eight columns in 64-bit lanes, held in int32.
    OCTET_INLINE __m512i rounded(__m512i acc, __m512i value, __m512i shift) const noexcept {
        const __m512i half = _mm512_srli_epi64(_mm512_sllv_epi64(_mm512_set1_epi64(1), shift), 1);
        const __m512i wide = _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(acc, value), half), shift);
        return _mm512_max_epi64(_mm512_min_epi64(wide, ceiling), _mm512_set1_epi64(INT32_MIN));
    }
};

/// Scaled values to bytes: clamp(value + zero point), 64 at a time. The packs hold them in [-128, 127]; limits within
/// are a maximum and a minimum more.
struct bytes_avx512 {
    __m512i zero;  ///< 32 x int16
    __m512i low;   ///< 64 x int8
    __m512i high;

    OCTET_INLINE bytes_avx512(zero_point z, clamp limits) noexcept
        : zero(_mm512_set1_epi16(static_cast<short>(z.value))),
          low(_mm512_set1_epi8(static_cast<char>(limits.low))),
          high(_mm512_set1_epi8(static_cast<char>(limits.high))) {}

    /// Whether saturated() and saturated_lanes() clamp as limits say, where no product leaves int32.
    static OCTET_INLINE bool saturates(bool fits_int32, clamp limits) noexcept {
        return fits_int32 && limits == clamp{};
    }

    /// The bytes in the order in which packs leave them: 16-byte lane i is a[4i, 4i + 4), then the same of b, c, d.
    OCTET_INLINE __m512i lanes(__m512i a, __m512i b, __m512i c, __m512i d) const noexcept {
        return held(saturated_lanes(a, b, c, d));
    }
    /// The same for limits [-128, 127].
    OCTET_INLINE __m512i saturated_lanes(__m512i a, __m512i b, __m512i c, __m512i d) const noexcept {
        const __m512i front = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero);
        const __m512i back = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero);
        return _mm512_packs_epi16(front, back);
    }
    /// The bytes of a, of b, of c and of d, 16 each.
    OCTET_INLINE __m512i operator()(__m512i a, __m512i b, __m512i c, __m512i d) const noexcept {
        return ordered(lanes(a, b, c, d));
    }
    /// The same for limits [-128, 127].
    OCTET_INLINE __m512i saturated(__m512i a, __m512i b, __m512i c, __m512i d) const noexcept {
        return ordered(saturated_lanes(a, b, c, d));
    }

  private:
    OCTET_INLINE __m512i held(__m512i bytes) const noexcept {
        return _mm512_min_epi8(_mm512_max_epi8(bytes, low), high);
    }
    static OCTET_INLINE __m512i ordered(__m512i lanes) noexcept {
        const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
        return _mm512_permutexvar_epi32(order, lanes);
    }
};

/// Accumulators of rows, each in `Vectors` registers of 16 columns: scale, pack, store. Most layers need no more than
/// saturating packs to clamp: what is left out then is a fifth of the work that stands between two tiles.
template <class Rounding>
struct store_epilogue<isa::avx512bw, Rounding> {
    using result = Rounding;
    using args = epilogue_args<typename Rounding::multiplier>;

    const typename Rounding::multiplier* multipliers;
    scale_avx512<Rounding> scale;
    bytes_avx512 bytes;
    bool saturating;  ///< packs clamp: store<true> may be used

    explicit OCTET_INLINE store_epilogue(const args& a) noexcept
        : multipliers(a.multipliers),
          scale(a.out_zero, a.limits),
          bytes(a.out_zero, a.limits),
          saturating(bytes_avx512::saturates(a.fits_int32, a.limits)) {}

    /// The multipliers of a tile, loaded once for all its rows.
    template <int Vectors>
    struct tile {
        typename scale_avx512<Rounding>::multipliers m[Vectors];
    };
    template <int Vectors>
    OCTET_INLINE tile<Vectors> load() const noexcept {
        tile<Vectors> loaded;
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) loaded.m[v] = scale.load(multipliers + 16 * v);
        return loaded;
    }

    /// out[m * stride + n] = requantize(acc[m][n / 16][n % 16], multipliers[n]) for `columns` in [1, 16 * Vectors];
    /// nothing beyond them is written. Rows of less than 64 columns share the packs: 8 % of 16 columns at depth 32.
    template <bool Saturating, int Rows, int Vectors>
    OCTET_INLINE void store(const __m512i (&acc)[Rows][Vectors], const tile<Vectors>& t, int columns, std::int8_t* out,
                            std::ptrdiff_t stride) const noexcept {
        static_assert(Vectors == 1 || Vectors == 2 || Vectors == 4, "what the packs fill evenly");
        constexpr int together = 4 / Vectors;
#pragma GCC unroll 12
        for (int m = 0; m < Rows; m += together) {
            __m512i rounded[4];
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) {
                const int row = m + i / Vectors < Rows ? m + i / Vectors : m, v = i % Vectors;
                rounded[i] = Saturating ? scale.unheld(acc[row][v], t.m[v]) : scale(acc[row][v], t.m[v]);
            }
            const __m512i rows = Saturating ? bytes.saturated(rounded[0], rounded[1], rounded[2], rounded[3])
                                            : bytes(rounded[0], rounded[1], rounded[2], rounded[3]);
#pragma GCC unroll 4
            for (int i = 0; i < together; ++i, out += stride) {
                if (m + i >= Rows) break;
                const __m512i row = part<Vectors>(rows, i);
                if (columns != 16 * Vectors)
                    _mm512_mask_storeu_epi8(out, ~std::uint64_t{0} >> (64 - columns), row);
                else if constexpr (Vectors == 4)
                    _mm512_storeu_si512(out, row);
                else if constexpr (Vectors == 2)
                    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_castsi512_si256(row));
                else
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_castsi512_si128(row));
            }
        }
    }

  private:
    /// 16 * Vectors bytes from place `i` on.
    template <int Vectors>
    static OCTET_INLINE __m512i part(__m512i bytes, int i) noexcept {
        if (i == 0) return bytes;
        if constexpr (Vectors == 2) return _mm512_castsi256_si512(_mm512_extracti64x4_epi64(bytes, 1));
        return _mm512_castsi128_si512(i == 1   ? _mm512_extracti32x4_epi32(bytes, 1)
                                      : i == 2 ? _mm512_extracti32x4_epi32(bytes, 2)
                                               : _mm512_extracti32x4_epi32(bytes, 3));
    }
};

/// Results of 32 bits: accumulators as they are, or dequantized.
template <class Result>
requires(!stores_int8<Result>) struct store_epilogue<isa::avx512bw, Result> : word_epilogue<Result> {
    using typename word_epilogue<Result>::multiplier;
    using word_epilogue<Result>::word_epilogue;
    static constexpr bool saturating = false;

    template <int Vectors>
    OCTET_INLINE const multiplier* load() const noexcept {
        return this->multipliers;
    }

    /// out[m * stride + n] = result_of(acc[m][n / 16][n % 16], t[n]) for `columns` in [1, 16 * Vectors]; nothing beyond
    /// them is written.
    template <bool Saturating, int Rows, int Vectors>
    OCTET_INLINE void store(const __m512i (&acc)[Rows][Vectors], const multiplier* t, int columns,
                            typename Result::stored* out, std::ptrdiff_t stride) const noexcept {
#pragma GCC unroll 12
        for (int m = 0; m < Rows; ++m, out += stride) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) {
                const int left = columns - 16 * v;
                const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : left > 0 ? 0xffff >> (16 - left) : 0);
                _mm512_mask_storeu_epi32(out + 16 * v, mask, word(acc[m][v], t + 16 * v));
            }
        }
    }

  private:
    static OCTET_INLINE __m512i word(__m512i acc, [[maybe_unused]] const multiplier* m) noexcept {
        if constexpr (std::is_same_v<Result, dequantized>)
            return _mm512_castps_si512(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(&m->value)));
        else
            return acc;
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
