// The address provider: where each tap of each output pixel begins in the input. It is what makes a convolution a
// matrix product without an im2col buffer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/core/algorithm.hpp"
#include "octet/core/config.hpp"
#include "octet/core/shape.hpp"
#include "octet/core/view.hpp"

namespace octet {

/// The geometry of a sliding window over a batch of NHWC images: `in` [batch, height, width, channels] and the number
/// of outputs a side.
template <class T>
struct sliding {
    tensor_view<const T> in;
    window taps;
    extent outputs;

    std::int64_t pixels() const noexcept { return in.dims[0] * outputs.height * outputs.width; }
};

/// Where an output pixel stands: image, and the input row and column of its first tap (negative in the padding).
struct pixel_origin {
    std::int64_t image = 0;
    std::int64_t top = 0;
    std::int64_t left = 0;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

template <class T>
pixel_origin origin_of(const sliding<T>& over, std::int64_t pixel) noexcept {
    const std::int64_t row = pixel / over.outputs.width;
    return {row / over.outputs.height, row % over.outputs.height * over.taps.stride.height - over.taps.pad.top,
            pixel % over.outputs.width * over.taps.stride.width - over.taps.pad.left};
}

/// table[tap * tap_step + i * pixel_step] = the input of that tap of output pixel first + i, for `count` pixels; where
/// the tap lies in padding, `padding`. One tap of all pixels of an output row at a time, so that the bounds are found
/// once for a row.
template <class T>
void fill_taps(const sliding<T>& over, std::int64_t first, int count, const T* padding, std::ptrdiff_t tap_step,
               std::ptrdiff_t pixel_step, const T** table) noexcept {
    const window& w = over.taps;
    const std::int64_t height = over.in.dims[1], width = over.in.dims[2], stride = w.stride.width;
    const std::ptrdiff_t step = stride * over.in.stride;
    const auto steps_to = [stride](std::int64_t distance) {
        return stride == 1 ? distance : (distance + stride - 1) / stride;
    };
    for (int done = 0, run = 0; done < count; done += run) {
        const pixel_origin at = origin_of(over, first + done);
        const std::int64_t rest_of_row = over.outputs.width - (at.left + w.pad.left) / stride;
        run = static_cast<int>(std::min<std::int64_t>(count - done, rest_of_row));
        const T** slot = table + done * pixel_step;
        for (int y = 0; y < w.kernel.height; ++y) {
            const std::int64_t row = at.top + std::int64_t{y} * w.dilation.height;
            const bool inside = row >= 0 && row < height;
            const T* line = over.in.row((at.image * height + (inside ? row : 0)) * width);
            for (int x = 0; x < w.kernel.width; ++x, slot += tap_step) {
                const std::int64_t col = at.left + std::int64_t{x} * w.dilation.width;
                const auto from = detail::clamped<std::int64_t>(steps_to(-col), 0, run);
                const auto end = inside ? detail::clamped<std::int64_t>(steps_to(width - col), from, run) : from;
                std::ptrdiff_t i = 0;
                for (; i < from; ++i) slot[i * pixel_step] = padding;
                const T* tap = line + (col + from * stride) * over.in.stride;
                for (; i < end; ++i, tap += step) slot[i * pixel_step] = tap;
                for (; i < run; ++i) slot[i * pixel_step] = padding;
            }
        }
    }
}

/// The taps of one output pixel that lie inside the image, in ascending order; returns how many.
template <class T>
int fill_inner_taps(const sliding<T>& over, std::int64_t pixel, const T** table) noexcept {
    const window& w = over.taps;
    const std::int64_t height = over.in.dims[1], width = over.in.dims[2];
    const pixel_origin at = origin_of(over, pixel);
    int count = 0;
    for (int y = 0; y < w.kernel.height; ++y) {
        const std::int64_t row = at.top + std::int64_t{y} * w.dilation.height;
        if (row < 0 || row >= height) continue;
        for (int x = 0; x < w.kernel.width; ++x) {
            const std::int64_t col = at.left + std::int64_t{x} * w.dilation.width;
            if (col >= 0 && col < width) table[count++] = over.in.row((at.image * height + row) * width + col);
        }
    }
    return count;
}

/// How many taps of a pixel lie inside the image and its declared padding: what count_include_pad divides by. Cells
/// beyond the trailing padding, which ceil_mode reaches, do not count.
template <class T>
int padded_tap_count(const sliding<T>& over, std::int64_t pixel) noexcept {
    const window& w = over.taps;
    const pixel_origin at = origin_of(over, pixel);
    const auto along = [](std::int64_t start, int taps, int spread, std::int64_t end) {
        int inside = 0;
        for (int t = 0; t < taps; ++t) inside += start + std::int64_t{t} * spread < end ? 1 : 0;
        return inside;
    };
    return along(at.top, w.kernel.height, w.dilation.height, over.in.dims[1] + w.pad.bottom) *
           along(at.left, w.kernel.width, w.dilation.width, over.in.dims[2] + w.pad.right);
}

}  // namespace octet::inline OCTET_ABI
