// The depthwise kernel in plain C++, for machines without a kernel of their own: one tap after the other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/kernel/depthwise_call.hpp"

namespace octet::inline OCTET_ABI {

template <class Rounding>
struct depthwise_kernel<isa::scalar, Rounding> {
    static constexpr const char* name = "depthwise 1x16";
    static constexpr depthwise_layout layout{.panel = 16, .narrow = 16, .slots = 16};

    static std::size_t scratch_bytes(const packed_depthwise<Rounding>& w) noexcept {
        return static_cast<std::size_t>(w.plan.groups) * sizeof(depthwise_source);
    }
    static void run(const depthwise_call<Rounding>& call) noexcept {
        auto* const sources = reinterpret_cast<depthwise_source*>(call.scratch);
        const int channels = call.weights->channels, full = channels / layout.panel * layout.panel;
        for (int row = call.first_row; row < call.first_row + call.rows; ++row) {
            fill_sources(call, row, 1, sources);
            for (int first = 0; first < full; first += layout.panel)
                panel<true>(call, row, sources, first, layout.panel);
            if (full < channels) panel<false>(call, row, sources, full, channels - full);
        }
    }

  private:
    /// Whole: all 16 columns, a count that compilers turn into vectors.
    template <bool Whole>
    static void panel(const depthwise_call<Rounding>& call, int row, const depthwise_source* sources, int first,
                      int left) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        const int columns = Whole ? layout.panel : left;
        const epilogue_args<typename Rounding::multiplier> args{w.multipliers.data() + first, call.out_zero,
                                                                call.limits};
        const auto* packed = reinterpret_cast<const std::int8_t*>(w.panel_weights(first / layout.panel));
        std::int8_t* out = call.out + std::ptrdiff_t{row} * call.out_width * call.out_stride + first;
        int col = -plan.taps.pad.left;
        for (int x = 0; x < call.out_width; ++x, col += plan.step, out += call.out_stride) {
            std::uint32_t acc[layout.panel];  // sums wrap modulo 2^32; the true value fits int32
            for (int c = 0; c < columns; ++c)
                acc[c] = static_cast<std::uint32_t>(w.bias[static_cast<std::size_t>(first + c)]);
            for (int t = 0; t < plan.groups; ++t) {
                const int at = col + plan.places[static_cast<std::size_t>(t)].col;
                const bool inside = at >= 0 && at < call.in_size.width;
                const std::int8_t* from =
                    inside ? sources[t].at + (col * call.in_stride & sources[t].step) + first : call.padding + first;
                const std::int8_t* weights = packed + std::ptrdiff_t{t} * layout.panel;
                for (int c = 0; c < columns; ++c)
                    acc[c] += static_cast<std::uint32_t>(std::int32_t{from[c]} * weights[c]);
            }
            std::int32_t sums[layout.panel];
            for (int c = 0; c < columns; ++c) sums[c] = static_cast<std::int32_t>(acc[c]);
            store_epilogue<isa::scalar, Rounding>::store(sums, columns, args, out);
        }
    }
};

}  // namespace octet::inline OCTET_ABI
