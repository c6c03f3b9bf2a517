// Layers that only move values: copy, concatenate, pad, transpose. The same for int8 and float.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "octet/core/algorithm.hpp"
#include "octet/core/config.hpp"
#include "octet/core/view.hpp"

namespace octet::inline OCTET_ABI {

/// The elements of `in` in row-major order under the shape of `out`, which has as many. They may not overlap.
template <class T>
void reshape_copy(tensor_view<const T> in, tensor_view<T> out) noexcept {
    const std::int64_t in_cols = in.cols(), out_cols = out.cols();
    std::int64_t row = 0, col = 0;
    for (std::int64_t r = 0; r < out.rows(); ++r)
        for (std::int64_t c = 0; c < out_cols;) {
            const std::int64_t run = in_cols - col < out_cols - c ? in_cols - col : out_cols - c;
            std::memcpy(out.row(r) + c, in.row(row) + col, static_cast<std::size_t>(run) * sizeof(T));
            c += run, col += run;
            if (col == in_cols) col = 0, ++row;
        }
}

/// memcpy, without its call for the rows of a few channels: blocks of 16, of which the last two may overlap.
inline void copy_row(void* to, const void* from, std::size_t bytes) noexcept {
    if (bytes < 16 || bytes > 256) {
        std::memcpy(to, from, bytes);
        return;
    }
    auto* out = static_cast<char*>(to);
    const auto* in = static_cast<const char*>(from);
    for (std::size_t i = 0; i + 16 < bytes; i += 16) std::memcpy(out + i, in + i, 16);
    std::memcpy(out + bytes - 16, in + bytes - 16, 16);
}

/// `count` rows of so many bytes, `to_step` and `from_step` elements from each other.
template <class T>
void copy_rows(T* to, std::ptrdiff_t to_step, const T* from, std::ptrdiff_t from_step, std::int64_t count,
               std::size_t bytes) noexcept {
    const auto rows = [&](auto size) noexcept {  // of a constant size, where a layer has few channels
        for (std::int64_t r = 0; r < count; ++r) copy_row(to + r * to_step, from + r * from_step, size);
    };
    if (bytes == 16) return rows(std::integral_constant<std::size_t, 16>());
    if (bytes == 32) return rows(std::integral_constant<std::size_t, 32>());
    if (bytes == 64) return rows(std::integral_constant<std::size_t, 64>());
    rows(bytes);
}

/// One operand of a concatenation: its first element of the axis becomes element `first` of the whole's.
template <class T>
struct concat_part {
    tensor_view<const T> values;
    std::int64_t first = 0;
};

/// Writes `count` parts into `whole` side by side along `axis`: part(i) is the concat_part i. A part of one image (a
/// constant) is written into every image.
template <class T, class Parts>
void concat_copy(int count, const Parts& part, tensor_view<T> whole, int axis) noexcept {
    const int last = whole.dims.rank() - 1;
    if (axis == last) {
        // All parts of the rows that L1 holds before the next rows: they write to the same lines.
        const auto line_bytes = static_cast<std::size_t>(whole.stride) * sizeof(T);
        const std::int64_t rows = whole.rows(), together = static_cast<std::int64_t>(8192 / line_bytes) + 1;
        for (std::int64_t row = 0; row < rows; row += together)
            for (int i = 0; i < count; ++i) {
                const concat_part<T> p = part(i);
                const std::int64_t end = std::min(rows, row + together), image_rows = p.values.rows();
                const auto bytes = static_cast<std::size_t>(p.values.cols()) * sizeof(T);
                for (std::int64_t r = row, some = 0; r < end; r += some) {
                    some = std::min(end - r, image_rows - r % image_rows);
                    copy_rows(whole.row(r) + p.first, whole.stride, p.values.row(r % image_rows), p.values.stride, some,
                              bytes);
                }
            }
        return;
    }
    std::int64_t rows_per_index = 1;  // rows below one index of the axis
    for (int i = axis + 1; i < last; ++i) rows_per_index *= whole.dims[i];
    for (int i = 0; i < count; ++i) {
        const concat_part<T> p = part(i);
        // `chunk` rows of every `step` are the part's.
        const std::int64_t images = whole.dims[0] / p.values.dims[0], image_rows = whole.rows() / images;
        const std::int64_t chunk = p.values.dims[axis] * rows_per_index, step = whole.dims[axis] * rows_per_index;
        const auto bytes = static_cast<std::size_t>(p.values.cols()) * sizeof(T);
        for (std::int64_t image = 0; image < images; ++image) {
            std::int64_t to = image * image_rows + p.first * rows_per_index;
            for (std::int64_t r = 0; r < p.values.rows(); r += chunk, to += step)
                copy_rows(whole.row(to), whole.stride, p.values.row(r), p.values.stride, chunk, bytes);
        }
    }
}

/// out[i0, i1, ...] = in[i0 - before[0], ...], and `value` where that lies outside.
template <class T>
void pad_copy(tensor_view<const T> in, tensor_view<T> out, const std::array<int, shape::max_rank>& before,
              T value) noexcept {
    const int last = out.dims.rank() - 1;
    const auto left = static_cast<std::int64_t>(before[static_cast<std::size_t>(last)]);
    std::array<std::int64_t, shape::max_rank> at{};
    for (std::int64_t r = 0; r < out.rows(); ++r) {
        bool inside = true;
        std::int64_t from = 0;
        for (int axis = 0; axis < last; ++axis) {
            const std::int64_t i = at[static_cast<std::size_t>(axis)] - before[static_cast<std::size_t>(axis)];
            inside = inside && i >= 0 && i < in.dims[axis];
            from = from * in.dims[axis] + i;
        }
        T* to = out.row(r);
        for (std::int64_t c = 0; c < out.cols(); ++c) {
            const std::int64_t k = c - left;
            to[c] = inside && k >= 0 && k < in.cols() ? in.row(from)[k] : value;
        }
        for (int axis = last - 1; axis >= 0 && ++at[static_cast<std::size_t>(axis)] == out.dims[axis]; --axis)
            at[static_cast<std::size_t>(axis)] = 0;
    }
}

/// out[i] = in[j] where j[order[a]] = i[a]: output axis a is input axis order[a].
template <class T>
void transpose_copy(tensor_view<const T> in, tensor_view<T> out,
                    const std::array<int, shape::max_rank>& order) noexcept {
    const int rank = out.dims.rank();
    std::array<std::ptrdiff_t, shape::max_rank> in_step{}, step{};
    for (int axis = rank - 1; axis >= 0; --axis) {
        const auto a = static_cast<std::size_t>(axis);
        in_step[a] = axis == rank - 1 ? 1 : axis == rank - 2 ? in.stride : in_step[a + 1] * in.dims[axis + 1];
    }
    for (std::size_t a = 0; a < static_cast<std::size_t>(rank); ++a)
        step[a] = in_step[static_cast<std::size_t>(order[a])];
    std::array<std::int64_t, shape::max_rank> at{};
    for (std::int64_t r = 0; r < out.rows(); ++r) {
        std::ptrdiff_t from = 0;
        for (int axis = 0; axis < rank - 1; ++axis)
            from += at[static_cast<std::size_t>(axis)] * step[static_cast<std::size_t>(axis)];
        const std::ptrdiff_t across = step[static_cast<std::size_t>(rank - 1)];
        for (std::int64_t c = 0; c < out.cols(); ++c) out.row(r)[c] = in.data[from + c * across];
        for (int axis = rank - 2; axis >= 0 && ++at[static_cast<std::size_t>(axis)] == out.dims[axis]; --axis)
            at[static_cast<std::size_t>(axis)] = 0;
    }
}

}  // namespace octet::inline OCTET_ABI
