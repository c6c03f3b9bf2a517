// The GEMM micro-kernel on AVX2: tiles of up to 3 rows x 32 columns, 12 accumulators of 8 columns in registers.
//
// Exact for every int8, -128 included: both factors are widened to int16, and vpmaddwd adds two products in int32. Not
// vpmaddubsw on unsigned times signed bytes: it adds two products in int16, and 255 * 127 * 2 = 64,770 does not fit.
// Nor vpmaddubsw(|a|, sign(w, a)): with vpsignb, vpmaddwd and vpaddd it takes as many instructions.
//
// A pair of depths costs a full tile 12 times vpmaddwd and vpaddd, 3 broadcasts and 1 load of weights; the other three
// vectors of weights are operands in memory. Two turns unrolled, that is 29.5 instructions, where 6 rows x 16 columns
// take 35: a core whose decoder another thread shares runs 4 in a cycle, and 24 of them must multiply and add.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/gemm_gathered.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

template <class Epilogue>
struct gemm_kernel<isa::avx2, Epilogue> : gemm_gathered<gemm_kernel<isa::avx2, Epilogue>> {
    using element = std::int16_t;
    using strip_type = gemm_strip<element, Epilogue>;
    static constexpr const char* name = "gemm 3x32 vpmaddwd";
    static constexpr gemm_layout layout{.panel = 32, .group = 2};
    static constexpr int register_rows = 3;
    static constexpr int tile_rows = 96;

  private:
    friend struct gemm_gathered<gemm_kernel>;

    /// The last elements are those of a whole register, which overlaps the one before.
    static void convert(const std::int8_t* from, int bytes, std::int16_t* to) noexcept {
        if (bytes >= 16) {
            for (int k = 0; k < bytes - 16; k += 16) store(to + k, wide(from + k));
            store(to + bytes - 16, wide(from + bytes - 16));
        } else if (bytes >= 8) {
            widen_8(from, to);
            widen_8(from + bytes - 8, to + bytes - 8);
        } else {
            for (int k = 0; k < bytes; ++k) to[k] = from[k];
        }
    }
    static OCTET_INLINE void widen_8(const std::int8_t* from, std::int16_t* to) noexcept {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_cvtepi8_epi16(bytes));
    }

    /// `blocks` tiles of Rows rows x 8 * Vectors columns, one below the other.
    template <int Rows, int Vectors>
    static void strip(const strip_type& s, int blocks) noexcept {
        const Epilogue epilogue(s.args);
        const std::int16_t* rows = s.rows;
        auto* out = s.out;
        // Each block asks for its share of the next panel, so that memory works all the time: 1x1 layers of 7x7 pixels,
        // whose weights come from DRAM, take 10 % less. Behind the last panel that is of no use, and does no harm.
        std::intptr_t next = address_of(s.packed) + 64 * s.groups;
        const std::ptrdiff_t step = (64 * Rows + s.rows_of_call - 1) / s.rows_of_call;
        for (; blocks > 0; --blocks, rows += Rows * s.row_stride, next += step * s.groups) {
            __m256i acc[Rows][Vectors];
            multiply(rows, s, next, step, acc);
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m, out += s.out_stride) epilogue.store(acc[m], s.columns, out);
        }
    }

    /// acc = bias + the product of Rows rows with the panel.
    template <int Rows, int Vectors>
    static OCTET_INLINE void multiply(const std::int16_t* rows, const strip_type& s, std::intptr_t next,
                                      std::ptrdiff_t step, __m256i (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) acc[m][v] = load(s.bias + 8 * v);
        }
        const std::int16_t* lhs[Rows];
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) lhs[m] = rows + m * s.row_stride;
        const std::int16_t* weights = s.weights;
#pragma GCC unroll 2
        for (std::ptrdiff_t k = 0; k < 2 * s.groups; k += 2, weights += 64, next += step) {
            prefetch(next);
            const __m256i first = load(weights);
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m) {
                const __m256i x = pair(lhs[m] + k);
                acc[m][0] = _mm256_add_epi32(acc[m][0], _mm256_madd_epi16(x, first));
#pragma GCC unroll 4
                for (int v = 1; v < Vectors; ++v)
                    acc[m][v] = _mm256_add_epi32(acc[m][v], multiply_add(x, weights + 16 * v));
            }
        }
    }

    /// acc += the product of one row and a pair of depths.
    template <int Vectors>
    static OCTET_INLINE void row_group(const std::int16_t* row, const std::int8_t* weights,
                                       __m256i (&acc)[Vectors]) noexcept {
        const __m256i x = pair(row);
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v)
            acc[v] = _mm256_add_epi32(acc[v], _mm256_madd_epi16(x, wide(weights + 16 * v)));
    }
    /// One row against 8 * Vectors columns of the panel as it is packed: 12 vector instructions for 64 bytes set
    /// the pace, until weights come from DRAM: asking for them a page ahead saves a fifth of 4096x4096 (Zen 5).
    template <int Vectors>
    static void row_strip(const strip_type& s) noexcept {
        __m256i acc[1][Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) acc[0][v] = load(s.bias + 8 * v);
        const std::int8_t* weights = s.packed;
        std::ptrdiff_t k = 0;
        for (; k + 8 <= 2 * s.groups; k += 8, weights += 4 * 64) {
#pragma GCC unroll 4
            for (int g = 0; g < 4; ++g) {
                prefetch(address_of(weights) + 4096 + g * 64);
                row_group(s.rows + k + 2 * g, weights + g * 64, acc[0]);
            }
        }
        for (; k < 2 * s.groups; k += 2, weights += 64) row_group(s.rows + k, weights, acc[0]);
        Epilogue(s.args).store(acc[0], s.columns, s.out);
    }

    static OCTET_INLINE __m256i load(const void* p) noexcept {
        return _mm256_loadu_si256(static_cast<const __m256i*>(p));
    }
    static OCTET_INLINE __m256i wide(const std::int8_t* p) noexcept {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static OCTET_INLINE void store(void* p, __m256i x) noexcept { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
    /// Two depths of a row in every lane.
    static OCTET_INLINE __m256i pair(const std::int16_t* p) noexcept {
        std::int32_t both;
        __builtin_memcpy(&both, p, 4);
        return _mm256_set1_epi32(both);
    }
    /// vpmaddwd with its second factor in memory. Not the intrinsic: GCC 12 loads each vector into a register for all
    /// rows, and has none left for the accumulators.
    static OCTET_INLINE __m256i multiply_add(__m256i x, const std::int16_t* weights) noexcept {
        __m256i sums;
        asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=x"(sums) : "x"(x), "m"(*reinterpret_cast<const __m256i*>(weights)));
        return sums;
    }

    static constexpr void (*strips[2][register_rows])(const strip_type&, int) noexcept = {
        {strip<1, 2>, strip<2, 2>, strip<3, 2>}, {strip<1, 4>, strip<2, 4>, strip<3, 4>}};
    static constexpr void (*row_strips[2])(const strip_type&) noexcept = {row_strip<2>, row_strip<4>};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
