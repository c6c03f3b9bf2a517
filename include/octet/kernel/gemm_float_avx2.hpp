// The float GEMM micro-kernel on AVX2 and FMA: tiles of up to 6 rows x 16 columns, 12 chains of 8 columns in registers.
#pragma once

#include <cstddef>

#include "octet/isa/x86.hpp"
#include "octet/kernel/gemm_float_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2,fma")

template <>
struct float_gemm_kernel<isa::avx2> {
    static constexpr const char* name = "float gemm 6x16 avx2";
    static constexpr int panel = 16;
    static constexpr int register_rows = 6;
    static constexpr int tile_rows = 48;

    /// Panels outside, blocks of rows inside: a panel comes from far memory once for all rows of the call.
    static void run(const float_gemm_call& call) noexcept {
        const packed_float_gemm& w = *call.weights;
        for (int p = 0; p < w.panels(); ++p) {
            const int columns = w.cols - p * panel < panel ? w.cols - p * panel : panel;
            for (int m = 0; m < call.count; m += register_rows) {
                const int rows = call.count - m < register_rows ? call.count - m : register_rows;
                tiles[rows - 1](call, p, m, columns);
            }
        }
    }

  private:
    template <int Rows>
    static void tile(const float_gemm_call& call, int p, int first_row, int columns) noexcept {
        const packed_float_gemm& packed = *call.weights;
        const float* weights = packed.panel_weights(p);
        const float* bias = packed.bias.data() + p * panel;
        __m256 acc[Rows][2];
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m) {
            acc[m][0] = _mm256_loadu_ps(bias);
            acc[m][1] = _mm256_loadu_ps(bias + 8);
        }
        for (int t = 0; t < packed.taps; ++t) {
            const float* lhs[Rows];
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m) lhs[m] = call.lhs[t * tile_rows + first_row + m] + call.lhs_offset;
            for (std::ptrdiff_t k = 0; k < packed.depth; ++k, weights += panel) {
                const __m256 left = _mm256_loadu_ps(weights), right = _mm256_loadu_ps(weights + 8);
#pragma GCC unroll 6
                for (int m = 0; m < Rows; ++m) {
                    const __m256 x = _mm256_set1_ps(lhs[m][k]);
                    acc[m][0] = _mm256_fmadd_ps(x, left, acc[m][0]);
                    acc[m][1] = _mm256_fmadd_ps(x, right, acc[m][1]);
                }
            }
        }
        // max and min return their second operand when one is NaN.
        const __m256 low = _mm256_set1_ps(call.low), high = _mm256_set1_ps(call.high);
        float* out = call.out + first_row * call.out_stride + p * panel;
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m, out += call.out_stride) {
            const __m256 left = _mm256_min_ps(high, _mm256_max_ps(low, acc[m][0]));
            const __m256 right = _mm256_min_ps(high, _mm256_max_ps(low, acc[m][1]));
            if (columns == panel) {
                _mm256_storeu_ps(out, left);
                _mm256_storeu_ps(out + 8, right);
            } else {
                alignas(32) float all[panel];
                _mm256_store_ps(all, left);
                _mm256_store_ps(all + 8, right);
                for (int n = 0; n < columns; ++n) out[n] = all[n];
            }
        }
    }

    using tile_function = void (*)(const float_gemm_call&, int, int, int) noexcept;
    static const tile_function tiles[register_rows];
};

inline constexpr float_gemm_kernel<isa::avx2>::tile_function float_gemm_kernel<isa::avx2>::tiles[register_rows] = {
    tile<1>, tile<2>, tile<3>, tile<4>, tile<5>, tile<6>};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
