// What becomes of accumulators on SSE4.1. The law is requantize() of quant/rounding.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_scalar.hpp"
#include "octet/kernel/partial_sse41.hpp"
#include "octet/quant/result.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

/// Scaled values to bytes: clamp(value + zero point), 16 at a time.
struct bytes_sse41 {
    __m128i zero;  ///< 8 x int16
    __m128i low;   ///< 16 x int8
    __m128i high;

    OCTET_INLINE bytes_sse41(zero_point z, clamp limits) noexcept
        : zero(_mm_set1_epi16(static_cast<short>(z.value))),
          low(_mm_set1_epi8(static_cast<char>(limits.low))),
          high(_mm_set1_epi8(static_cast<char>(limits.high))) {}

    /// The bytes of a, of b, of c and of d, 4 each.
    OCTET_INLINE __m128i operator()(__m128i a, __m128i b, __m128i c, __m128i d) const noexcept {
        const __m128i front = _mm_adds_epi16(_mm_packs_epi32(a, b), zero);
        const __m128i back = _mm_adds_epi16(_mm_packs_epi32(c, d), zero);
        return _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(front, back), low), high);
    }
};

/// Accumulators of one row in registers of 4 columns: scale, pack, store. The fixed-point policies shift each column by
/// a count of its own, for which SSE4.1 has no instruction: they take the scalar law, column by column.
template <class Rounding>
struct store_epilogue<isa::sse41, Rounding> {
    using result = Rounding;
    using args = epilogue_args<typename Rounding::multiplier>;

    args with;

    explicit OCTET_INLINE store_epilogue(const args& a) noexcept : with(a) {}

    /// out[n] = requantize(acc[n / 4][n % 4], multipliers[n]) for `columns` in [1, 4 * Vectors]; nothing beyond them is
    /// written.
    template <int Vectors>
    OCTET_INLINE void store(const __m128i (&acc)[Vectors], int columns, std::int8_t* out) const noexcept {
        alignas(16) std::int32_t all[4 * Vectors];
        for (int v = 0; v < Vectors; ++v) _mm_store_si128(reinterpret_cast<__m128i*>(all + 4 * v), acc[v]);
        store_epilogue<isa::scalar, Rounding>::store(all, columns, with, out);
    }
};

/// The upper clamp stands before the conversion, which turns 2^31 and more into -2^31; -2^31 and less stay there.
template <>
struct store_epilogue<isa::sse41, nearest_even> {
    using result = nearest_even;
    using args = epilogue_args<nearest_even::multiplier>;

    const nearest_even::multiplier* multipliers;
    __m128 ceiling;
    bytes_sse41 bytes;

    explicit OCTET_INLINE store_epilogue(const args& a) noexcept
        : multipliers(a.multipliers),
          ceiling(_mm_set1_ps(static_cast<float>(a.limits.high - a.out_zero.value))),
          bytes(a.out_zero, a.limits) {}

    /// out[n] = requantize(acc[n / 4][n % 4], multipliers[n]) for `columns` in [1, 4 * Vectors]; nothing beyond them is
    /// written.
    template <int Vectors>
    OCTET_INLINE void store(const __m128i (&acc)[Vectors], int columns, std::int8_t* out) const noexcept {
        static_assert(Vectors == 2 || Vectors == 4, "a row leaves in 8 bytes or in 16");
        __m128i rounded[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) rounded[v] = scaled(acc[v], multipliers + 4 * v);
        const __m128i row = bytes(rounded[0], rounded[1], rounded[Vectors - 2], rounded[Vectors - 1]);
        if (columns == 16)
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out), row);
        else
            store_partial(out, row, columns);
    }

  private:
    OCTET_INLINE __m128i scaled(__m128i acc, const nearest_even::multiplier* m) const noexcept {
        static_assert(sizeof(*m) == sizeof(float));
        return _mm_cvtps_epi32(_mm_min_ps(_mm_mul_ps(_mm_cvtepi32_ps(acc), _mm_loadu_ps(&m->value)), ceiling));
    }
};

/// Results of 32 bits: accumulators of one row as they are, or dequantized.
template <class Result>
requires(!stores_int8<Result>) struct store_epilogue<isa::sse41, Result> : word_epilogue<Result> {
    using typename word_epilogue<Result>::multiplier;
    using word_epilogue<Result>::word_epilogue;

    /// out[n] = result_of(acc[n / 4][n % 4], multipliers[n]) for `columns` in [1, 4 * Vectors]; nothing beyond them is
    /// written.
    template <int Vectors>
    OCTET_INLINE void store(const __m128i (&acc)[Vectors], int columns, typename Result::stored* out) const noexcept {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            const __m128i words = word(acc[v], this->multipliers + 4 * v);
            auto* const to = reinterpret_cast<std::int8_t*>(out + 4 * v);
            const int left = columns - 4 * v;
            if (left >= 4) {
                _mm_storeu_si128(reinterpret_cast<__m128i*>(to), words);
            } else {
                if (left > 0) store_partial(to, words, 4 * left);
                return;
            }
        }
    }

  private:
    static OCTET_INLINE __m128i word(__m128i acc, [[maybe_unused]] const multiplier* m) noexcept {
        if constexpr (std::is_same_v<Result, dequantized>)
            return _mm_castps_si128(_mm_mul_ps(_mm_cvtepi32_ps(acc), _mm_loadu_ps(&m->value)));
        else
            return acc;
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
