// The definition of the int8 depthwise convolution. Kernels on every instruction set return these bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/quant/rounding.hpp"

namespace octet::inline OCTET_ABI {

/// out[i, c] = requantize(bias[c] + sum_t (lhs[i * taps + t][c] - lhs_zero) * weights[t, c], multipliers[c])
/// for every rounding policy; multipliers[c] = Rounding::make(s_x, s_w[c], s_y). The sum is exact: packing proves that
/// no channel leaves int32. lhs: `taps` pointers for each output pixel, each to `channels` bytes; padding points at
/// zero points. weights [taps, channels], zero point 0; out: `pixels` rows of `channels` bytes, out_stride apart.
template <class Rounding>
void depthwise_reference(int pixels, int taps, int channels, const std::int8_t* const* lhs, zero_point lhs_zero,
                         const std::int8_t* weights, const std::int32_t* bias,
                         const typename Rounding::multiplier* multipliers, zero_point out_zero, clamp limits,
                         std::int8_t* out, std::ptrdiff_t out_stride) noexcept {
    for (int i = 0; i < pixels; ++i)
        for (int c = 0; c < channels; ++c) {
            std::int64_t sum = bias[c];
            for (int t = 0; t < taps; ++t)
                sum += std::int64_t{lhs[std::ptrdiff_t{i} * taps + t][c] - lhs_zero.value} *
                       weights[std::ptrdiff_t{t} * channels + c];
            out[i * out_stride + c] =
                requantize<Rounding>(static_cast<std::int32_t>(sum), multipliers[c], out_zero, limits);
        }
}

}  // namespace octet::inline OCTET_ABI
