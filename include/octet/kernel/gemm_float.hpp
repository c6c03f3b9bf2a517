// placeholder until the kernels of the other branch come
#pragma once
#include <span>
#include "octet/core/buffer.hpp"
#include "octet/isa/isa.hpp"
#include "octet/quant/fma.hpp"
namespace octet::inline OCTET_ABI {
struct packed_float_gemm {
    int panel = 16, cols = 0, taps = 1, depth = 0;
    buffer<float> weights, bias;
};
inline packed_float_gemm pack_float_gemm(int panel, const float* w, int cols, int taps, int depth,
                                         std::span<const float> bias) {
    packed_float_gemm p{panel, cols, taps, depth, {}, {}};
    int panels = (cols + panel - 1) / panel;
    size_t all = size_t(taps) * size_t(depth);
    p.weights = buffer<float>(size_t(panels * panel) * all);
    p.bias = buffer<float>(size_t(panels * panel));
    for (int n = 0; n < cols; ++n) {
        p.bias[size_t(n)] = bias[size_t(n)];
        for (size_t k = 0; k < all; ++k)
            p.weights[(size_t(n / panel) * all + k) * size_t(panel) + size_t(n % panel)] = w[size_t(n) * all + k];
    }
    return p;
}
struct float_gemm_call {
    const packed_float_gemm* weights;
    const float* const* lhs;
    std::ptrdiff_t lhs_offset;
    int count;
    float* out;
    std::ptrdiff_t out_stride;
    float low, high;
};
struct float_gemm_entry {
    isa target = isa::scalar;
    const char* name = "float gemm 4x16";
    int panel = 16;
    int tile_rows = 4;
    void (*run)(const float_gemm_call&) noexcept = [](const float_gemm_call& c) noexcept {
        const auto& w = *c.weights;
        for (int m = 0; m < c.count; ++m)
            for (int p = 0; p * 16 < w.cols; ++p) {
                float acc[16];
                for (int n = 0; n < 16; ++n) acc[n] = w.bias[size_t(p * 16 + n)];
                const float* b = w.weights.data() + size_t(p) * 16 * size_t(w.taps) * size_t(w.depth);
                for (int t = 0; t < w.taps; ++t) {
                    const float* a = c.lhs[t * 4 + m] + c.lhs_offset;
                    for (int k = 0; k < w.depth; ++k, b += 16)
                        for (int n = 0; n < 16; ++n) acc[n] = fused_multiply_add(a[k], b[n], acc[n]);
                }
                for (int n = 0; n < 16 && p * 16 + n < w.cols; ++n) {
                    float v = acc[n];
                    v = v < c.low ? c.low : v;
                    c.out[m * c.out_stride + p * 16 + n] = v > c.high ? c.high : v;
                }
            }
    };
};
inline float_gemm_entry choose_float_gemm(isa) { return {}; }
}  // namespace octet::inline OCTET_ABI
