// The GEMM micro-kernel on AVX-512 BW without VNNI: tiles of up to 4 rows x 64 columns, 16 accumulators of 16 columns
// in registers. Exact as gemm_avx2.hpp says: both factors are widened to int16, and vpmaddwd adds two products in
// int32.
//
// A pair of depths costs a full tile 16 times vpmaddwd and vpaddd, 4 broadcasts and 4 loads of weights: 43 instructions
// in the 16 cycles that two 512-bit units take.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx512.hpp"
#include "octet/kernel/gemm_gathered.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

template <class Epilogue>
struct gemm_kernel<isa::avx512bw, Epilogue> : gemm_gathered<gemm_kernel<isa::avx512bw, Epilogue>> {
    using element = std::int16_t;
    using strip_type = gemm_strip<element, Epilogue>;
    static constexpr const char* name = "gemm 4x64 vpmaddwd";
    static constexpr gemm_layout layout{.panel = 64, .group = 2};
    static constexpr int register_rows = 4;
    static constexpr int tile_rows = 48;

  private:
    friend struct gemm_gathered<gemm_kernel>;

    /// Writes up to 31 elements beyond the last.
    static void convert(const std::int8_t* from, int bytes, std::int16_t* to) noexcept {
        int k = 0;
        for (; k <= bytes - 32; k += 32) _mm512_storeu_si512(to + k, wide(from + k));
        if (k < bytes) {
            const __mmask32 rest = ~std::uint32_t{0} >> (32 - (bytes - k));
            _mm512_storeu_si512(to + k, _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(rest, from + k)));
        }
    }

    /// `blocks` tiles of Rows rows x 16 * Vectors columns, one below the other.
    template <int Rows, int Vectors>
    static void strip(const strip_type& s, int blocks) noexcept {
        const Epilogue epilogue(s.args);
        const auto multipliers = epilogue.template load<Vectors>();
        const std::int16_t* rows = s.rows;
        auto* out = s.out;
        for (; blocks > 0; --blocks, rows += Rows * s.row_stride, out += Rows * s.out_stride) {
            __m512i acc[Rows][Vectors];
            multiply(rows, s, acc);
            epilogue.template store<false>(acc, multipliers, s.columns, out, s.out_stride);
        }
    }

    /// acc = bias + the product of Rows rows with the panel.
    template <int Rows, int Vectors>
    static OCTET_INLINE void multiply(const std::int16_t* rows, const strip_type& s,
                                      __m512i (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 4
        for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) acc[m][v] = _mm512_loadu_si512(s.bias + 16 * v);
        }
        const std::int16_t* lhs[Rows];
#pragma GCC unroll 4
        for (int m = 0; m < Rows; ++m) lhs[m] = rows + m * s.row_stride;
        const std::int16_t* weights = s.weights;
#pragma GCC unroll 2
        for (std::ptrdiff_t k = 0; k < 2 * s.groups; k += 2, weights += 128) {
            __m512i w[Vectors];
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) w[v] = _mm512_loadu_si512(weights + 32 * v);
#pragma GCC unroll 4
            for (int m = 0; m < Rows; ++m) {
                const __m512i x = pair(lhs[m] + k);
#pragma GCC unroll 4
                for (int v = 0; v < Vectors; ++v) acc[m][v] = _mm512_add_epi32(acc[m][v], _mm512_madd_epi16(x, w[v]));
            }
        }
    }

    /// One row against 16 * Vectors columns of the panel as it is packed, which is asked for a page ahead: that saves
    /// 8 % of 4096x4096 on Zen 5.
    template <int Vectors>
    static void row_strip(const strip_type& s) noexcept {
        __m512i acc[1][Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) acc[0][v] = _mm512_loadu_si512(s.bias + 16 * v);
        const std::int8_t* weights = s.packed;
        for (std::ptrdiff_t k = 0; k < 2 * s.groups; k += 2, weights += 128) {
            prefetch(address_of(weights) + 4096);
            prefetch(address_of(weights) + 4096 + 64);
            const __m512i x = pair(s.rows + k);
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v)
                acc[0][v] = _mm512_add_epi32(acc[0][v], _mm512_madd_epi16(x, wide(weights + 32 * v)));
        }
        const Epilogue epilogue(s.args);
        epilogue.template store<false>(acc, epilogue.template load<Vectors>(), s.columns, s.out, s.out_stride);
    }

    static OCTET_INLINE __m512i wide(const std::int8_t* p) noexcept {
        return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    /// Two depths of a row in every lane.
    static OCTET_INLINE __m512i pair(const std::int16_t* p) noexcept {
        std::int32_t both;
        __builtin_memcpy(&both, p, 4);
        return _mm512_set1_epi32(both);
    }

    static constexpr void (*strips[2][register_rows])(const strip_type&, int) noexcept = {
        {strip<1, 2>, strip<2, 2>, strip<3, 2>, strip<4, 2>}, {strip<1, 4>, strip<2, 4>, strip<3, 4>, strip<4, 4>}};
    static constexpr void (*row_strips[2])(const strip_type&) noexcept = {row_strip<2>, row_strip<4>};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
