// The float GEMM micro-kernel on AVX-512: tiles of up to 6 rows x 64 columns, 24 chains of 16 columns in registers.
#pragma once

#include <cstddef>

#include "octet/isa/x86.hpp"
#include "octet/kernel/gemm_float_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

template <>
struct float_gemm_kernel<isa::avx512bw> {
    static constexpr const char* name = "float gemm 6x64 avx512";
    static constexpr int panel = 64;
    static constexpr int register_rows = 6;
    static constexpr int tile_rows = 48;

    /// Panels outside, blocks of rows inside: a panel comes from far memory once for all rows of the call.
    static void run(const float_gemm_call& call) noexcept {
        const packed_float_gemm& w = *call.weights;
        for (int p = 0; p < w.panels(); ++p) {
            const int columns = w.cols - p * panel < panel ? w.cols - p * panel : panel;
            for (int m = 0; m < call.count; m += register_rows) {
                const int rows = call.count - m < register_rows ? call.count - m : register_rows;
                tiles[(columns + 15) / 16 - 1][rows - 1](call, p, m, columns);
            }
        }
    }

  private:
    template <int Rows, int Vectors>
    static void tile(const float_gemm_call& call, int p, int first_row, int columns) noexcept {
        const packed_float_gemm& packed = *call.weights;
        const float* weights = packed.panel_weights(p);
        const float* bias = packed.bias.data() + p * panel;
        __m512 acc[Rows][Vectors];
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) acc[m][v] = _mm512_loadu_ps(bias + 16 * v);
        }
        for (int t = 0; t < packed.taps; ++t) {
            const float* lhs[Rows];
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m) lhs[m] = call.lhs[t * tile_rows + first_row + m] + call.lhs_offset;
            for (std::ptrdiff_t k = 0; k < packed.depth; ++k, weights += panel) {
                __m512 w[Vectors];
#pragma GCC unroll 4
                for (int v = 0; v < Vectors; ++v) w[v] = _mm512_loadu_ps(weights + 16 * v);
#pragma GCC unroll 6
                for (int m = 0; m < Rows; ++m) {
                    const __m512 x = _mm512_set1_ps(lhs[m][k]);
#pragma GCC unroll 4
                    for (int v = 0; v < Vectors; ++v) acc[m][v] = _mm512_fmadd_ps(x, w[v], acc[m][v]);
                }
            }
        }
        // max and min return their second operand when one is NaN.
        const __m512 low = _mm512_set1_ps(call.low), high = _mm512_set1_ps(call.high);
        const auto last = static_cast<__mmask16>(0xffffU >> (16 * Vectors - columns));
        float* out = call.out + first_row * call.out_stride + p * panel;
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m, out += call.out_stride) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) {
                const __m512 held = _mm512_min_ps(high, _mm512_max_ps(low, acc[m][v]));
                if (v + 1 < Vectors)
                    _mm512_storeu_ps(out + 16 * v, held);
                else
                    _mm512_mask_storeu_ps(out + 16 * v, last, held);
            }
        }
    }

    using tile_function = void (*)(const float_gemm_call&, int, int, int) noexcept;
    static const tile_function tiles[4][register_rows];
};

inline constexpr float_gemm_kernel<isa::avx512bw>::tile_function
    float_gemm_kernel<isa::avx512bw>::tiles[4][register_rows] = {
        {tile<1, 1>, tile<2, 1>, tile<3, 1>, tile<4, 1>, tile<5, 1>, tile<6, 1>},
        {tile<1, 2>, tile<2, 2>, tile<3, 2>, tile<4, 2>, tile<5, 2>, tile<6, 2>},
        {tile<1, 3>, tile<2, 3>, tile<3, 3>, tile<4, 3>, tile<5, 3>, tile<6, 3>},
        {tile<1, 4>, tile<2, 4>, tile<3, 4>, tile<4, 4>, tile<5, 4>, tile<6, 4>},
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
