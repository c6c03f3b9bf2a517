// The contract between float layers and the float GEMM micro-kernels, and their packed weights. The law: each output is
// one chain, acc = bias, then acc = fma(x, w, acc) in ascending (tap, depth) order, then the clamp. Blocks of rows and
// columns never split a chain, so that every instruction set and every blocking returns the same bits.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "octet/core/buffer.hpp"
#include "octet/core/config.hpp"
#include "octet/isa/isa.hpp"

namespace octet {

/// Float weights in panels of `panel` columns: [panel][tap][depth][column of the panel], zero where there is no column.
/// The bias reaches to the end of the last panel.
struct packed_float_gemm {
    int panel = 1;
    int cols = 0;
    int taps = 1;
    int depth = 0;
    buffer<float> weights;
    buffer<float> bias;

    int panels() const noexcept { return (cols + panel - 1) / panel; }
    const float* panel_weights(int index) const noexcept {
        return weights.data() + static_cast<std::size_t>(index) * static_cast<std::size_t>(panel) *
                                    static_cast<std::size_t>(taps) * static_cast<std::size_t>(depth);
    }
};

/// `count` rows of the product, 1 <= count <= tile_rows of the kernel. Row m, tap t begins at lhs[t * tile_rows + m] +
/// lhs_offset and has weights->depth floats, of which none beyond the last is read. Pointers from `count` on are never
/// read. Row m of the result goes to out + m * out_stride, weights->cols floats, and nothing beyond is written.
/// Results are held in [low, high]: v < low ? low : v, then v > high ? high : v, so that NaN stays NaN.
/// out may not overlap the lhs.
struct float_gemm_call {
    const packed_float_gemm* weights = nullptr;
    const float* const* lhs = nullptr;
    std::ptrdiff_t lhs_offset = 0;
    int count = 0;
    float* out = nullptr;
    std::ptrdiff_t out_stride = 0;
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
};

/// A micro-kernel as the layers see it; see gemm_entry.
struct float_gemm_entry {
    isa target = isa::scalar;
    const char* name = "";
    int panel = 1;
    int tile_rows = 1;      ///< rows of a call at most, and the distance of taps in its table of pointers
    int register_rows = 1;  ///< rows computed at once
    void (*run)(const float_gemm_call&) noexcept = nullptr;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// Packs `values` [cols][taps][depth]; `bias` has one element for each column.
inline packed_float_gemm pack_float_gemm(int panel, const float* values, int cols, int taps, int depth,
                                         std::span<const float> bias) {
    packed_float_gemm packed{panel, cols, taps, depth, {}, {}};
    const auto width = static_cast<std::size_t>(panel);
    const auto all = static_cast<std::size_t>(taps) * static_cast<std::size_t>(depth);
    const auto padded = static_cast<std::size_t>(packed.panels()) * width;
    packed.weights = buffer<float>(padded * all);
    packed.bias = buffer<float>(padded);
    for (std::size_t n = 0; n < static_cast<std::size_t>(cols); ++n) {
        packed.bias[n] = bias[n];
        float* column = packed.weights.data() + n / width * width * all + n % width;
        for (std::size_t k = 0; k < all; ++k) column[k * width] = values[n * all + k];
    }
    return packed;
}

/// The kernel of one instruction set: static constexpr name, panel, tile_rows, register_rows, and
/// static void run(const float_gemm_call&) noexcept. A missing specialization is a compile error.
template <isa Which>
struct float_gemm_kernel;

}  // namespace octet::inline OCTET_ABI
