// The GEMM micro-kernel on SSE4.1: tiles of up to 3 rows x 16 columns, 12 accumulators of 4 columns in registers. Exact
// as gemm_avx2.hpp says: both factors are widened to int16, and pmaddwd adds two products in int32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_sse41.hpp"
#include "octet/kernel/gemm_gathered.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

template <class Epilogue>
struct gemm_kernel<isa::sse41, Epilogue> : gemm_gathered<gemm_kernel<isa::sse41, Epilogue>> {
    using element = std::int16_t;
    using strip_type = gemm_strip<element, Epilogue>;
    static constexpr const char* name = "gemm 3x16 pmaddwd";
    static constexpr gemm_layout layout{.panel = 16, .group = 2};
    static constexpr int register_rows = 3;
    static constexpr int tile_rows = 48;

  private:
    friend struct gemm_gathered<gemm_kernel>;

    /// The last elements are those of a whole register, which overlaps the one before.
    static void convert(const std::int8_t* from, int bytes, std::int16_t* to) noexcept {
        if (bytes >= 8) {
            for (int k = 0; k < bytes - 8; k += 8) store(to + k, wide(from + k));
            store(to + bytes - 8, wide(from + bytes - 8));
        } else {
            for (int k = 0; k < bytes; ++k) to[k] = from[k];
        }
    }

    /// `blocks` tiles of Rows rows x 4 * Vectors columns, one below the other.
    template <int Rows, int Vectors>
    static void strip(const strip_type& s, int blocks) noexcept {
        const Epilogue epilogue(s.args);
        const std::int16_t* rows = s.rows;
        auto* out = s.out;
        for (; blocks > 0; --blocks, rows += Rows * s.row_stride) {
            __m128i acc[Rows][Vectors];
            multiply(rows, s, acc);
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m, out += s.out_stride) epilogue.store(acc[m], s.columns, out);
        }
    }

    /// acc = bias + the product of Rows rows with the panel.
    template <int Rows, int Vectors>
    static OCTET_INLINE void multiply(const std::int16_t* rows, const strip_type& s,
                                      __m128i (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) acc[m][v] = load(s.bias + 4 * v);
        }
        const std::int16_t* lhs[Rows];
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) lhs[m] = rows + m * s.row_stride;
        const std::int16_t* weights = s.weights;
#pragma GCC unroll 2
        for (std::ptrdiff_t k = 0; k < 2 * s.groups; k += 2, weights += 32) {
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m) {
                const __m128i x = pair(lhs[m] + k);
#pragma GCC unroll 4
                for (int v = 0; v < Vectors; ++v)
                    acc[m][v] = _mm_add_epi32(acc[m][v], multiply_add(x, weights + 8 * v));
            }
        }
    }

    /// One row against 4 * Vectors columns of the panel as it is packed.
    template <int Vectors>
    static void row_strip(const strip_type& s) noexcept {
        __m128i acc[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) acc[v] = load(s.bias + 4 * v);
        const std::int8_t* weights = s.packed;
        for (std::ptrdiff_t k = 0; k < 2 * s.groups; k += 2, weights += 32) {
            const __m128i x = pair(s.rows + k);
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) acc[v] = _mm_add_epi32(acc[v], _mm_madd_epi16(x, wide(weights + 8 * v)));
        }
        Epilogue(s.args).store(acc, s.columns, s.out);
    }

    static OCTET_INLINE __m128i load(const void* p) noexcept { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
    static OCTET_INLINE __m128i wide(const std::int8_t* p) noexcept {
        return _mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    }
    static OCTET_INLINE void store(void* p, __m128i x) noexcept { _mm_storeu_si128(static_cast<__m128i*>(p), x); }
    /// Two depths of a row in every lane.
    static OCTET_INLINE __m128i pair(const std::int16_t* p) noexcept {
        std::int32_t both;
        __builtin_memcpy(&both, p, 4);
        return _mm_shuffle_epi32(_mm_cvtsi32_si128(both), 0);
    }
    /// The sums of pmaddwd; weights are aligned as an operand in memory must be: GCC 12, given the intrinsic, loads
    /// them into registers for all rows, and has none left for the accumulators.
    static OCTET_INLINE __m128i multiply_add(__m128i x, const std::int16_t* weights) noexcept {
        asm("pmaddwd {%1, %0|%0, %1}" : "+x"(x) : "m"(*reinterpret_cast<const __m128i*>(weights)));
        return x;
    }

    static constexpr void (*strips[2][register_rows])(const strip_type&, int) noexcept = {
        {strip<1, 2>, strip<2, 2>, strip<3, 2>}, {strip<1, 4>, strip<2, 4>, strip<3, 4>}};
    static constexpr void (*row_strips[2])(const strip_type&) noexcept = {row_strip<2>, row_strip<4>};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
