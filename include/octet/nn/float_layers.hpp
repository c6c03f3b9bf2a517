// The layers of the float executor besides convolution: for calibration, and for layers that are left in float. Every
// result is a function of its inputs alone, formed in a fixed order, so that each machine returns the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "octet/core/algorithm.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/activation.hpp"
#include "octet/nn/broadcast.hpp"
#include "octet/quant/fma.hpp"
#include "octet/quant/math.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {
/// The maximum of channels [c, c + lanes of T) over taps, at least one, to to[c] and on. T: float, or a vector of it.
template <class T>
void max_of_taps(const float* const* table, int taps, std::int64_t c, float* to) noexcept {
    T most, x;
    std::memcpy(&most, table[0] + c, sizeof(T));
    for (int t = 1; t < taps; ++t) {
        std::memcpy(&x, table[t] + c, sizeof(T));
        most = ((most < x) | (x != x)) ? x : most;  // a NaN that is the most already is not below x
    }
    std::memcpy(to + c, &most, sizeof(T));
}
}  // namespace detail

/// out[c] = max over the taps inside the image, NaN where any of them is NaN, as in ONNX; 0 where a dilated window has
/// none.
inline void max_pool_float(const sliding<float>& over, tensor_view<float> out, const float** table) noexcept {
    using float4 = float __attribute__((vector_size(16)));
    for (std::int64_t pixel = 0; pixel < over.pixels(); ++pixel) {
        const int taps = fill_inner_taps(over, pixel, table);
        float* to = out.row(pixel);
        if (taps == 0) {
            detail::fill(to, out.cols(), 0.0F);
            continue;
        }
        std::int64_t c = 0;
        for (; c + 4 <= out.cols(); c += 4) detail::max_of_taps<float4>(table, taps, c, to);
        for (; c < out.cols(); ++c) detail::max_of_taps<float>(table, taps, c, to);
    }
}

/// out[c] = (sum over the taps inside the image, in ascending order) / count, where count also takes in padding if
/// `count_padding`.
inline void average_pool_float(const sliding<float>& over, tensor_view<float> out, bool count_padding,
                               const float** table) noexcept {
    for (std::int64_t pixel = 0; pixel < over.pixels(); ++pixel) {
        const int taps = fill_inner_taps(over, pixel, table);
        const auto count = static_cast<float>(count_padding ? padded_tap_count(over, pixel) : taps);
        float* to = out.row(pixel);
        detail::fill(to, out.cols(), 0.0F);
        for (int t = 0; t < taps; ++t)
            for (std::int64_t c = 0; c < out.cols(); ++c) to[c] += table[t][c];
        if (count != 0.0F)
            for (std::int64_t c = 0; c < out.cols(); ++c) to[c] /= count;
    }
}

/// out[n, 0, 0, c] = (sum over all pixels, in ascending order) / pixels
inline void global_average_pool_float(tensor_view<const float> in, tensor_view<float> out) noexcept {
    const std::int64_t pixels = in.dims[1] * in.dims[2];
    for (std::int64_t n = 0; n < in.dims[0]; ++n) {
        float* to = out.row(n);
        for (std::int64_t c = 0; c < in.cols(); ++c) to[c] = in.row(n * pixels)[c];
        for (std::int64_t p = 1; p < pixels; ++p)
            for (std::int64_t c = 0; c < in.cols(); ++c) to[c] += in.row(n * pixels + p)[c];
        for (std::int64_t c = 0; c < in.cols(); ++c) to[c] /= static_cast<float>(pixels);
    }
}

/// out = held(a + b) or held(a * b), with NumPy's broadcasting.
inline void add_float(tensor_view<const float> a, tensor_view<const float> b, tensor_view<float> out,
                      activation_range range, const parallel& threads) noexcept {
    for_broadcast_rows(a, b, out, threads,
                       [=](const float* x, std::ptrdiff_t xs, const float* y, std::ptrdiff_t ys, float* to,
                           std::size_t count) noexcept {
                           for (std::size_t i = 0; i < count; ++i, x += xs, y += ys) to[i] = held(*x + *y, range);
                       });
}
inline void mul_float(tensor_view<const float> a, tensor_view<const float> b, tensor_view<float> out,
                      activation_range range, const parallel& threads) noexcept {
    for_broadcast_rows(a, b, out, threads,
                       [=](const float* x, std::ptrdiff_t xs, const float* y, std::ptrdiff_t ys, float* to,
                           std::size_t count) noexcept {
                           for (std::size_t i = 0; i < count; ++i, x += xs, y += ys) to[i] = held(*x * *y, range);
                       });
}

/// out[..., c] = held(fma(in[..., c], factor[c], shift[c]))
inline void batch_norm_float(tensor_view<const float> in, tensor_view<float> out, std::span<const float> factor,
                             std::span<const float> shift, activation_range range) noexcept {
    for (std::int64_t r = 0; r < in.rows(); ++r)
        for (std::size_t c = 0; c < factor.size(); ++c)
            out.row(r)[c] = held(fused_multiply_add(in.row(r)[c], factor[c], shift[c]), range);
}

/// out = f(in), element by element; noexcept as f is.
template <class F>
void map_float(tensor_view<const float> in, tensor_view<float> out, const F& f) noexcept {
    for (std::int64_t r = 0; r < in.rows(); ++r)
        for (std::int64_t c = 0; c < in.cols(); ++c) out.row(r)[c] = f(in.row(r)[c]);
}

/// out[i] = e^(in[i] - max) / sum_j e^(in[j] - max) over the last dimension, formed in double in ascending order.
inline void softmax_float(tensor_view<const float> in, tensor_view<float> out) noexcept {
    for (std::int64_t r = 0; r < in.rows(); ++r) {
        const float* x = in.row(r);
        const double most = detail::largest(x, in.cols());
        double sum = 0.0;
        for (std::int64_t c = 0; c < in.cols(); ++c) sum += math::exp(x[c] - most);
        for (std::int64_t c = 0; c < in.cols(); ++c) out.row(r)[c] = static_cast<float>(math::exp(x[c] - most) / sum);
    }
}

}  // namespace octet::inline OCTET_ABI
