// The contract between a layer and the depthwise kernels: one call computes some output rows of one image.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/kernel/epilogue_scalar.hpp"
#include "octet/kernel/packed_depthwise.hpp"

namespace octet::inline OCTET_ABI {

/// Output rows first_row to first_row + rows - 1 of one image of in_size pixels, weights->channels bytes each,
/// in_stride apart; no other byte is read. padding: a pixel of zero points. Pixel (0, 0) of the output stands at out,
/// pixels out_stride and rows out_width pixels apart; nothing beside the channels of the rows asked for is written. out
/// may not overlap the input. scratch: depthwise_entry::scratch_bytes bytes, 64-byte aligned.
template <class Rounding>
struct depthwise_call {
    const packed_depthwise<Rounding>* weights = nullptr;
    const std::int8_t* in = nullptr;
    std::ptrdiff_t in_stride = 0;
    extent in_size{};
    const std::int8_t* padding = nullptr;
    std::int8_t* out = nullptr;
    std::ptrdiff_t out_stride = 0;
    int out_width = 0;
    int first_row = 0;
    int rows = 0;
    zero_point out_zero{};
    clamp limits{};
    std::byte* scratch = nullptr;
};

/// A kernel as the layers see it: what it wants of its weights, and the functions.
template <class Rounding>
struct depthwise_entry {
    isa target = isa::scalar;
    const char* name = "";
    depthwise_layout layout;
    std::size_t (*scratch_bytes)(const packed_depthwise<Rounding>&) noexcept = nullptr;
    void (*run)(const depthwise_call<Rounding>&) noexcept = nullptr;
};

/// The kernel of one instruction set: static constexpr depthwise_layout layout; static constexpr const char* name;
/// static scratch_bytes and run as in depthwise_entry. A missing specialization is a compile error.
template <isa Which, class Rounding>
struct depthwise_kernel;

/// Where the lanes of a band of output rows are read: lane i of entry e at
///   at[i] + ((first column of e) * in_stride & step[i]) + first channel of the panel
/// for columns inside the image. A row of padding has step 0, so that it is the same pixel everywhere.
struct depthwise_source {
    const std::int8_t* at = nullptr;
    std::ptrdiff_t step = 0;  ///< all ones or 0
};

/// sources[group][stream][lane] of the band that begins at output row `row`; stream s holds the rows of the plan below
/// row + s * plan.rows.
template <class Rounding>
void fill_sources(const depthwise_call<Rounding>& call, int row, int streams, depthwise_source* to) noexcept {
    const depthwise_plan& plan = call.weights->plan;
    const depthwise_plan::place* place = plan.places.data();
    const std::ptrdiff_t row_bytes = call.in_size.width * call.in_stride;
    const int top = row * plan.taps.stride.height - plan.taps.pad.top, between = plan.rows * plan.taps.stride.height;
    for (int g = 0; g < plan.groups; ++g, place += plan.lanes)
        for (int s = 0; s < streams; ++s)
            for (int l = 0; l < plan.lanes; ++l, ++to) {
                const int y = top + s * between + place[l].row;
                const bool inside = y >= 0 && y < call.in_size.height;
                to->at = inside ? call.in + y * row_bytes + place[l].col * call.in_stride : call.padding;
                to->step = inside ? -1 : 0;
            }
}

}  // namespace octet::inline OCTET_ABI
