// The definition of the int8 matrix product and of its results: requantized to int8, exact in int32, or dequantized to
// float. Kernels on every instruction set return these bytes.
#pragma once

#include <cstdint>

#include "octet/quant/result.hpp"

namespace octet::inline OCTET_ABI {

/// One accumulator: bias + sum over taps t and depths k of (lhs[t][k] - z) * weights[t * depth + k], exactly. Packing
/// proves that no channel leaves int32 (see prove_accumulators).
/// `lhs` holds one pointer for each tap, `stride` pointers apart; each leads to `depth` bytes. A plain matrix row is
/// one tap; a convolution has one tap for each position of its kernel.
inline std::int32_t accumulate_reference(const std::int8_t* const* lhs, int stride, int taps, int depth, zero_point z,
                                         const std::int8_t* weights, std::int32_t bias) noexcept {
    std::int64_t sum = bias;
    for (int t = 0; t < taps; ++t)
        for (int k = 0; k < depth; ++k) sum += std::int64_t{lhs[t * stride][k] - z.value} * weights[t * depth + k];
    return static_cast<std::int32_t>(sum);
}

/// acc[m, n] = bias[n] + sum_k (lhs[m, k] - lhs_zero) * rhs[n, k]
/// out[m, n] = requantize(acc[m, n], multipliers[n])     int8, for a rounding policy
///           = acc[m, n]                                 int32, for accumulators
///           = float(acc[m, n]) * (s_lhs * s_rhs[n])     float, for dequantized
/// lhs [rows, depth] and rhs [cols, depth] int8 row-major, bias and multipliers [cols], out [rows, cols].
template <class Result>
void gemm_reference(int rows, int cols, int depth, const std::int8_t* lhs, zero_point lhs_zero, const std::int8_t* rhs,
                    const std::int32_t* bias, const typename Result::multiplier* multipliers, zero_point out_zero,
                    clamp limits, typename Result::stored* out) noexcept {
    for (int m = 0; m < rows; ++m)
        for (int n = 0; n < cols; ++n) {
            const std::int8_t* row = lhs + std::int64_t{m} * depth;
            const std::int32_t acc =
                accumulate_reference(&row, 1, 1, depth, lhs_zero, rhs + std::int64_t{n} * depth, bias[n]);
            out[std::int64_t{m} * cols + n] = result_of<Result>(acc, multipliers[n], out_zero, limits);
        }
}

}  // namespace octet::inline OCTET_ABI
