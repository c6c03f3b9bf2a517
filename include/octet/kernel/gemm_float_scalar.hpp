// The float GEMM micro-kernel in plain C++: the law as it is written.
#pragma once

#include <cstddef>

#include "octet/kernel/gemm_float_call.hpp"
#include "octet/quant/fma.hpp"

namespace octet::inline OCTET_ABI {

template <>
struct float_gemm_kernel<isa::scalar> {
    static constexpr const char* name = "float gemm 1x16";
    static constexpr int panel = 16;
    static constexpr int register_rows = 1;
    static constexpr int tile_rows = 8;

    static void run(const float_gemm_call& call) noexcept {
        const packed_float_gemm& w = *call.weights;
        for (int p = 0; p < w.panels(); ++p) {
            const int first = p * panel;
            const int columns = w.cols - first < panel ? w.cols - first : panel;
            for (int m = 0; m < call.count; ++m) {
                float acc[panel];
                for (int n = 0; n < panel; ++n) acc[n] = w.bias[static_cast<std::size_t>(first + n)];
                const float* weights = w.panel_weights(p);
                for (int t = 0; t < w.taps; ++t) {
                    const float* lhs = call.lhs[t * tile_rows + m] + call.lhs_offset;
                    for (int k = 0; k < w.depth; ++k, weights += panel)
                        for (int n = 0; n < panel; ++n) acc[n] = fused_multiply_add(lhs[k], weights[n], acc[n]);
                }
                float* out = call.out + m * call.out_stride + first;
                for (int n = 0; n < columns; ++n) {
                    const float raised = acc[n] < call.low ? call.low : acc[n];
                    out[n] = raised > call.high ? call.high : raised;
                }
            }
        }
    }
};

}  // namespace octet::inline OCTET_ABI
