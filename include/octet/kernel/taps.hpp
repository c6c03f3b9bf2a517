// The address provider: where each tap of each output pixel begins in the input. It is what makes a convolution a
// matrix product without an im2col buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

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

/// body(origin of the first pixel, its index from `first`, pixels) for each row of output pixels, or part of a row, in
/// [first, first + count).
template <class T, class Body>
void for_pixel_rows(const sliding<T>& over, std::int64_t first, int count, const Body& body) noexcept {
    for (int i = 0, pixels = 0; i < count; i += pixels) {
        const auto left = static_cast<int>(over.outputs.width - (first + i) % over.outputs.width);
        pixels = left < count - i ? left : count - i;
        body(origin_of(over, first + i), i, pixels);
    }
}

/// table[tap * tap_step + i * pixel_step] = the input of that tap of output pixel first + i, for `count` pixels; where
/// the tap lies in padding, `padding`.
template <class T>
void fill_taps(const sliding<T>& over, std::int64_t first, int count, const T* padding, std::ptrdiff_t tap_step,
               std::ptrdiff_t pixel_step, const T** table) noexcept {
    const window& w = over.taps;
    const std::int64_t height = over.in.dims[1], width = over.in.dims[2];
    for_pixel_rows(over, first, count, [&](const pixel_origin& at, int index, int pixels) noexcept {
        const T** tap = table + index * pixel_step;
        for (int y = 0; y < w.kernel.height; ++y) {
            const std::int64_t row = at.top + std::int64_t{y} * w.dilation.height;
            const bool row_inside = row >= 0 && row < height;
            for (int x = 0; x < w.kernel.width; ++x, tap += tap_step) {
                const T** slot = tap;
                const T** const end = tap + pixels * pixel_step;
                std::int64_t col = at.left + std::int64_t{x} * w.dilation.width;
                for (; slot != end && col < 0; slot += pixel_step, col += w.stride.width) *slot = padding;
                if (row_inside && slot != end && col < width) {
                    const std::int64_t inside = (width - col - 1) / w.stride.width + 1,
                                       rest = (end - slot) / pixel_step;
                    const T** const last = slot + (inside < rest ? inside : rest) * pixel_step;
                    const T* from = over.in.row((at.image * height + row) * width + col);
                    for (; slot != last; slot += pixel_step, from += w.stride.width * over.in.stride) *slot = from;
                }
                for (; slot != end; slot += pixel_step) *slot = padding;
            }
        }
    });
}

/// The distance of kernel rows in the copies that fill_rows makes for `count` pixels, in elements.
inline std::ptrdiff_t row_copy_elements(const window& w, int count, std::int64_t channels) noexcept {
    const int pitch = w.kernel.width > w.stride.width ? w.kernel.width : w.stride.width;
    return static_cast<std::ptrdiff_t>(count * pitch * channels);
}

/// Where dilation.width is 1 the taps of a kernel row are one run of kernel.width pixels. The input rows that these
/// pixels see go to `copies`, with `padding` around them, side by side for each kernel row, so that kernel row y of
/// output pixel first + i begins at table[i] + y * row_copy_elements(..., count at most, ...): one pointer a pixel, and
/// an element is copied once for all pixels that see it.
template <class T>
void fill_rows(const sliding<T>& over, std::int64_t first, int count, T padding, T* copies, std::ptrdiff_t row_distance,
               const T** table) noexcept {
    const window& w = over.taps;
    const std::int64_t height = over.in.dims[1], width = over.in.dims[2], channels = over.in.cols();
    for_pixel_rows(over, first, count, [&](const pixel_origin& at, int index, int pixels) noexcept {
        const std::int64_t end = at.left + std::int64_t{pixels - 1} * w.stride.width + w.kernel.width;
        for (int y = 0; y < w.kernel.height; ++y) {
            const std::int64_t row = at.top + std::int64_t{y} * w.dilation.height;
            const bool inside = row >= 0 && row < height;
            // Columns [from, to) of [at.left, end) lie inside.
            const std::int64_t from = inside ? std::min(std::max<std::int64_t>(at.left, 0), end) : end;
            const std::int64_t to = inside ? std::max(std::min(end, width), from) : end;
            T* copy = copies + y * row_distance;
            detail::fill(copy, (from - at.left) * channels, padding);
            copy += (from - at.left) * channels;
            const bool dense = over.in.dense();  // then pixels are one piece
            const std::int64_t pieces = dense ? 1 : to - from, elements = dense ? (to - from) * channels : channels;
            for (std::int64_t i = 0; i < pieces && to > from; ++i, copy += elements)
                std::memcpy(copy, over.in.row((at.image * height + row) * width + from + i),
                            static_cast<std::size_t>(elements) * sizeof(T));
            detail::fill(copy, (end - to) * channels, padding);
        }
        for (int i = 0; i < pixels; ++i) table[index + i] = copies + i * w.stride.width * channels;
        copies += (end - at.left) * channels;
    });
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
