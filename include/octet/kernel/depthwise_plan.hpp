// How the taps of a depthwise convolution come into dot products: decided once, when weights are packed.
//
// A dot product multiplies `lanes` bytes of one channel that stand side by side. In NHWC they do not, and bringing them
// side by side costs about as much as multiplying them: so what was interleaved should serve many outputs. A kernel
// writes a *line*: entry after entry, each the channels of a panel with the taps of every *group* side by side. An
// output is a sum of *terms*, each a group of one entry times weights.
//
// By columns, an entry is one input column and a group is `lanes` of its rows:
//
//     3x3, 4 lanes:  rows 0 1 2 3 of a column      weights of output row 0:  w0 w1 w2  0
//                                                          of output row 1:   0 w0 w1 w2
//
// which serves three output columns and two output rows: 4 vectors are interleaved for every 24 products of vectors.
// Rows that are left over stand beside those of the next columns: the 6 rows that two output rows of a 5x5 window read
// are a group of 4 rows, of which an output takes entries 0 to 4, and a group of 2 rows x 2 columns, of which it takes
// entries 0, 2 and 4.
//
// By taps, where columns share nothing (dilation, a stride as wide as the window), an entry belongs to one output and a
// group is its next `lanes` taps.
#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

#include "octet/core/shape.hpp"

namespace octet {

struct depthwise_plan {
    /// One lane of a group: the input row below the first one of a band of output rows, the input column right of that
    /// of the entry. A lane that is not used repeats another and has weight 0.
    struct place {
        int row = 0;
        int col = 0;
        bool used = false;
    };
    struct term {
        int group = 0;
        int entry = 0;
    };

    window taps{};
    int lanes = 1;
    int rows = 1;                 ///< output rows that share what is interleaved: 1 or 2
    int groups = 1;               ///< of an entry
    int step = 1;                 ///< input columns from one entry to the next
    int advance = 1;              ///< entries from one output to the next
    int reach = 1;                ///< entries that an output reads
    int width = 1;                ///< input columns that an entry reads
    std::vector<place> places{};  ///< [groups][lanes]
    std::vector<term> terms{};

    /// The tap that a lane of a term holds for output row r of the band, or -1: its weight is 0.
    int tap(const term& at, int lane, int r) const noexcept {
        const place& p = places[static_cast<std::size_t>(at.group * lanes + lane)];
        const int row = p.row - r * taps.stride.height, col = p.col + at.entry * step;
        const bool inside = p.used && row >= 0 && row / taps.dilation.height < taps.kernel.height &&
                            col / taps.dilation.width < taps.kernel.width;
        return inside ? row / taps.dilation.height * taps.kernel.width + col / taps.dilation.width : -1;
    }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// (A template, so that only units that pack weights compile it.)
depthwise_plan make_depthwise_plan(const std::same_as<window> auto& taps, int lanes) {
    constexpr int most = 16;  // rows and columns of windows whose lines stay in the first-level cache
    const extent kernel = taps.kernel, spread = taps.dilation;
    depthwise_plan plan{taps, lanes};
    const auto group = [&](int count, auto&& place_of) {
        for (int l = 0; l < lanes; ++l) {
            plan.places.push_back(place_of(l < count ? l : 0));
            plan.places.back().used = l < count;
        }
        ++plan.groups;
    };
    plan.groups = 0;
    if (lanes > 1 && spread.width == 1 && kernel.width > taps.stride.width && kernel.width <= most &&
        kernel.height <= most) {
        plan.rows = taps.stride.height == 1 && spread.height == 1 ? 2 : 1;
        plan.advance = taps.stride.width;
        plan.reach = kernel.width;
        const int rows = kernel.height + plan.rows - 1;
        for (int first = 0; first < rows; first += lanes) {
            const int high = std::min(lanes, rows - first), wide = lanes / high;
            for (int entry = 0; entry < kernel.width; entry += wide) plan.terms.push_back({plan.groups, entry});
            group(high * wide, [&](int l) {
                return depthwise_plan::place{(first + l % high) * spread.height, l / high};
            });
            plan.width = std::max(plan.width, wide);
        }
    } else {
        plan.step = taps.stride.width;
        plan.width = (kernel.width - 1) * spread.width + 1;
        for (int first = 0; first < taps.taps(); first += lanes) {
            plan.terms.push_back({plan.groups, 0});
            group(std::min(lanes, taps.taps() - first), [&](int l) {
                const int tap = first + l;
                return depthwise_plan::place{tap / kernel.width * spread.height, tap % kernel.width * spread.width};
            });
        }
    }
    return plan;
}

}  // namespace octet::inline OCTET_ABI
