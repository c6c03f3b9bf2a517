// The depthwise kernel in plain C++, for machines without a kernel of their own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/kernel/depthwise_call.hpp"

namespace octet::inline OCTET_ABI {

template <class Rounding>
struct depthwise_kernel<isa::scalar, Rounding> {
    static constexpr const char* name = "depthwise 1x16";
    static constexpr depthwise_layout layout{.panel = 16, .narrow = 16};

    static void run(const depthwise_call<Rounding>& call) noexcept {
        const int channels = call.weights->channels, full = channels / layout.panel * layout.panel;
        for (int first = 0; first < full; first += layout.panel) panel<true>(call, first, layout.panel);
        if (full < channels) panel<false>(call, full, channels - full);
    }

  private:
    /// Whole: all 16 columns, a count that compilers turn into vectors.
    template <bool Whole>
    static void panel(const depthwise_call<Rounding>& call, int first, int left) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        const int columns = Whole ? layout.panel : left;
        const epilogue_args<typename Rounding::multiplier> args{w.multipliers.data() + first, call.out_zero,
                                                                call.limits};
        const auto* packed = reinterpret_cast<const std::int8_t*>(w.panel(first));
        for (int i = 0; i < call.pixels; ++i) {
            std::uint32_t acc[layout.panel];  // sums wrap modulo 2^32; the true value fits int32
            for (int c = 0; c < columns; ++c)
                acc[c] = static_cast<std::uint32_t>(w.bias[static_cast<std::size_t>(first + c)]);
            const std::int8_t* const* lhs = call.lhs + std::ptrdiff_t{i} * w.taps;
            for (int t = 0; t < w.taps; ++t) {
                const std::int8_t *from = lhs[t] + first, *weights = packed + std::ptrdiff_t{t} * layout.panel;
                for (int c = 0; c < columns; ++c)
                    acc[c] += static_cast<std::uint32_t>(std::int32_t{from[c]} * weights[c]);
            }
            std::int32_t sums[layout.panel];
            for (int c = 0; c < columns; ++c) sums[c] = static_cast<std::int32_t>(acc[c]);
            requantize_epilogue<isa::scalar, Rounding>::store(sums, columns, args,
                                                              call.out + i * call.out_stride + first);
        }
    }
};

}  // namespace octet::inline OCTET_ABI
