// The loop nest of the GEMM micro-kernels that gather rows into scratch before they multiply: all but AVX512-VNNI and
// scalar. No vector is named here, so that one source serves every instruction set. A kernel inherits it and gives
//   element           of a row in scratch: int16 where both factors are widened, uint8 where vpdpbusd takes them
//   convert           run of bytes -> elements
//   strips[v][r]      r + 1 rows at once against a panel or its first half, with weights of the elements' width
// and, where elements are int16,
//   row_strips[v]     one row against weights as they are packed
//   prepare_row       the elements of a single row -> what row_strips take; itself, if they take elements
// Weights are int8 in memory, always: a panel is widened into scratch once per call, which costs a full call 2 % and
// spares half of what a layer holds and streams. A single row takes them straight from memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "octet/kernel/gemm_call.hpp"

namespace octet::inline OCTET_ABI {

/// Rows in scratch against one panel, and where results go.
template <class Element, class Epilogue>
struct gemm_strip {
    using weight = std::conditional_t<sizeof(Element) == 1, std::int8_t, Element>;
    const Element* rows;  ///< of a single one, what prepare_row made of it
    std::ptrdiff_t row_stride;
    const std::int8_t* packed;  ///< the panel as it is packed
    const weight* weights;      ///< the panel in the elements' width
    std::ptrdiff_t groups;
    const std::int32_t* bias;
    typename Epilogue::args args;
    int columns;
    typename Epilogue::result::stored* out;
    std::ptrdiff_t out_stride;
    int rows_of_call;  ///< which share out what is asked for ahead of time: the panel behind this one
};

template <class Kernel>
struct gemm_gathered {
    /// Elements from row to row: whole cache lines, and one more so that depths of a power of two do not put all rows
    /// into one set of the cache.
    template <class Element>
    static std::ptrdiff_t row_stride(int depth) noexcept {
        constexpr std::ptrdiff_t line = 64 / sizeof(Element);
        return (depth + line - 1) / line * line + line;
    }

    static std::size_t scratch_bytes(int rows, int depth) noexcept {
        using element = typename Kernel::element;
        constexpr auto layout = Kernel::layout;
        const std::ptrdiff_t panel =
            sizeof(element) == 1
                ? 0
                : std::ptrdiff_t{layout.panel} * ((depth + layout.group - 1) / layout.group * layout.group);
        return static_cast<std::size_t>(rows * row_stride<element>(depth) + (panel + 31) / 32 * 32) * sizeof(element);
    }

    /// Panels outside, blocks of rows inside: a panel comes from far memory once for all rows of the call.
    template <class Result>
    static void run(const gemm_call<Result>& call) noexcept {
        using element = typename Kernel::element;
        using strip = typename Kernel::strip_type;
        constexpr auto layout = Kernel::layout;
        const packed_gemm<Result>& w = *call.weights;
        auto* const rows = reinterpret_cast<element*>(call.scratch);
        const std::ptrdiff_t stride = row_stride<element>(w.depth);
        gather(call, rows, stride);
        // As many blocks as full ones would need, all of nearly one size.
        const int blocks = (call.count + Kernel::register_rows - 1) / Kernel::register_rows;
        const int smaller = call.count / blocks, larger_blocks = call.count % blocks;
        [[maybe_unused]] element* const behind_rows = rows + call.count * stride;
        const element* lhs = rows;
        if constexpr (sizeof(element) != 1)
            if (call.count == 1) lhs = Kernel::prepare_row(rows, w.groups(), behind_rows);
        for (int p = call.first_panel; p < call.end_panel; ++p) {
            const int first = p * layout.panel;
            const int columns = w.cols - first < layout.panel ? w.cols - first : layout.panel;
            const int width = columns > layout.panel / 2 ? 1 : 0;
            const auto* packed = reinterpret_cast<const std::int8_t*>(w.panel(p));
            strip s{.rows = lhs,
                    .row_stride = stride,
                    .packed = packed,
                    .weights = {},
                    .groups = w.groups(),
                    .bias = w.bias.data() + first,
                    .args = {w.multipliers.data() + first, call.out_zero, call.limits},
                    .columns = columns,
                    .out = call.out + first,
                    .out_stride = call.out_stride,
                    .rows_of_call = call.count};
            if constexpr (sizeof(element) == 1) {
                s.weights = packed;
            } else {
                if (call.count == 1) {
                    Kernel::row_strips[width](s);
                    continue;
                }
                Kernel::convert(packed, static_cast<int>(w.panel_bytes()), behind_rows);
                s.weights = behind_rows;
            }
            const auto* strips = Kernel::strips[width];
            if (larger_blocks != 0) strips[smaller](s, larger_blocks);
            s.rows += larger_blocks * (smaller + 1) * stride;
            s.out += larger_blocks * (smaller + 1) * call.out_stride;
            strips[smaller - 1](s, blocks - larger_blocks);
        }
    }

    /// The row may be continued up to row_stride; `to` has room for a widened panel.
    template <class Element>
    static const Element* prepare_row(const Element* row, std::ptrdiff_t, Element*) noexcept {
        return row;
    }

  private:
    /// All rows: runs one after the other, padded to groups with zeros, whose weights are 0.
    template <class Result, class Element>
    static void gather(const gemm_call<Result>& call, Element* to, std::ptrdiff_t stride) noexcept {
        const int bytes = call.run_bytes(), depth = call.weights->depth;
        for (int m = 0; m < call.count; ++m, to += stride) {
            for (int t = 0; t < call.weights->runs; ++t) Kernel::convert(call.run(t, m), bytes, to + t * bytes);
            for (int k = depth; k % Kernel::layout.group != 0; ++k) to[k] = 0;
        }
    }
};

}  // namespace octet::inline OCTET_ABI
