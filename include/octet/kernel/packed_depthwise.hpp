// Packed depthwise weights: taps side by side as the plan brings them there, channels in the order in which a kernel's
// unpack instructions leave them. The zero point and the +128 shift of unsigned products are folded into the bias.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "octet/core/buffer.hpp"
#include "octet/kernel/depthwise_plan.hpp"
#include "octet/kernel/packed_gemm.hpp"

namespace octet {

/// What a depthwise kernel asks of its weights. A register holds `slots` sums. Channels stand in panels of `panel`;
/// what is left of them stands in panels of half, a quarter ... down to `narrow`.
///
/// Interleaving by unpack instructions leaves a panel in `vectors` registers: 16-byte lane L of register v holds
/// channels 4v to 4v + 3 of every 4 * vectors, and the packs of the requantization restore the order for nothing. A
/// panel of half the width holds them twice, for two output rows (*streams*) beside each other; the narrowest one fills
/// one register in order.
struct depthwise_layout {
    int panel = 1;
    int narrow = 1;
    int slots = 1;
    int vectors = 1;
    int lanes = 1;               ///< taps side by side
    int element_bytes = 1;       ///< 1: int8; 2: the same values as int16
    std::int32_t lhs_shift = 0;  ///< what the kernel adds to every input byte

    /// The width of the panel that begins where `left` channels are left.
    int width(int left) const noexcept {
        int fitting = panel;
        while (fitting > narrow && fitting > left) fitting /= 2;
        return fitting;
    }
    /// The registers that a panel fills.
    int registers(int width) const noexcept { return width == slots ? 1 : vectors; }
    /// The channel of a panel that stands in slot s of register v.
    int channel(int v, int s, int width) const noexcept {
        const int lane = 4 * registers(width);
        return s / 4 % (width / lane) * lane + 4 * v + s % 4;
    }
    int register_bytes() const noexcept { return slots * lanes * element_bytes; }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The weights, bias and multipliers of one depthwise convolution, packed for one kernel:
/// weights [panel][register][term][output row of the band], bias and multipliers [panel][register]. Every panel has
/// room for `vectors` registers.
template <class Rounding>
struct packed_depthwise {
    depthwise_layout layout;
    depthwise_plan plan;
    int channels = 0;
    bool fits_int32 = true;                 ///< Rounding::fits_int32 of every channel
    std::vector<std::ptrdiff_t> offsets{};  ///< of the terms of an output, in bytes from its first entry, for panels of
                                            ///< one register
    int outputs_a_line = 0;                 ///< an even number
    buffer<std::byte> weights{};
    buffer<std::int32_t> bias{};
    buffer<typename Rounding::multiplier> multipliers{};

    std::ptrdiff_t entry_bytes() const noexcept {
        return std::ptrdiff_t{plan.groups} * layout.vectors * layout.register_bytes();
    }
    std::ptrdiff_t line_bytes() const noexcept {
        return ((outputs_a_line - 1) * plan.advance + plan.reach) * entry_bytes();
    }
    std::size_t panel_bytes() const noexcept {
        return plan.terms.size() * static_cast<std::size_t>(plan.rows * layout.vectors * layout.register_bytes());
    }
    const std::byte* panel_weights(int panel) const noexcept {
        return weights.data() + static_cast<std::size_t>(panel) * panel_bytes();
    }
};

/// Packs weights [taps, channels] int8 with zero point 0; bias and multipliers [channels]. Throws octet::error, naming
/// `who`, channel and sum, when a channel's accumulator could leave int32 (see prove_accumulators).
template <class Rounding>
packed_depthwise<Rounding> pack_depthwise(const depthwise_layout& layout, const window& taps,
                                          const std::int8_t* weights, int channels, std::span<const std::int32_t> bias,
                                          std::span<const typename Rounding::multiplier> multipliers,
                                          zero_point lhs_zero, std::string_view who) {
    const int count = taps.taps();
    if (count < 1 || channels < 1)
        fail(who, ": a depthwise convolution of ", count, " taps and ", channels, " channels: both must be at least 1");
    if (static_cast<int>(bias.size()) != channels || static_cast<int>(multipliers.size()) != channels)
        fail(who, ": ", channels, " channels with ", bias.size(), " biases and ", multipliers.size(),
             " scales: give one of each for every channel");
    std::vector<std::int8_t> columns(static_cast<std::size_t>(count) * static_cast<std::size_t>(channels));
    const gemm_weights by_channel{columns.data(), channels, count};
    for (int c = 0; c < channels; ++c)
        for (int t = 0; t < count; ++t)
            columns[static_cast<std::size_t>(std::ptrdiff_t{c} * count + t)] =
                weights[std::ptrdiff_t{t} * channels + c];
    prove_accumulators(by_channel, bias.data(), lhs_zero, who);

    packed_depthwise<Rounding> packed{layout, make_depthwise_plan(taps, layout.lanes), channels};
    const depthwise_plan& plan = packed.plan;
    const int bytes = layout.register_bytes();
    for (const auto& term : plan.terms)
        packed.offsets.push_back((std::ptrdiff_t{term.entry} * plan.groups + term.group) * bytes);
    constexpr int line = 16384;  // a third of the first-level cache of 48 KiB
    packed.outputs_a_line =
        std::max(2, (static_cast<int>(line / packed.entry_bytes()) - plan.reach) / plan.advance / 2 * 2);

    int panels = 0;
    for (int first = 0; first < channels; first += layout.width(channels - first)) ++panels;
    const auto slots = static_cast<std::size_t>(panels * layout.vectors * layout.slots);
    packed.weights = buffer<std::byte>(static_cast<std::size_t>(panels) * packed.panel_bytes());
    packed.bias = buffer<std::int32_t>(slots);
    packed.multipliers = buffer<typename Rounding::multiplier>(slots);
    for (int first = 0, width = 0, panel = 0; first < channels; first += width, ++panel) {
        width = layout.width(channels - first);
        std::byte* to = packed.weights.data() + static_cast<std::size_t>(panel) * packed.panel_bytes();
        auto at = static_cast<std::size_t>(panel * layout.vectors * layout.slots);
        for (int v = 0; v < layout.registers(width); ++v) {
            const auto channel = [&](int s) { return first + layout.channel(v, s, width); };
            for (int s = 0; s < layout.slots; ++s, ++at)
                if (const int c = channel(s); c < channels) {
                    const auto from = static_cast<std::size_t>(c);
                    packed.bias[at] = folded_bias(bias[from], lhs_zero, layout.lhs_shift, by_channel.column(c), count);
                    packed.multipliers[at] = multipliers[from];
                }
            for (const auto& term : plan.terms)
                for (int r = 0; r < plan.rows; ++r)
                    for (int s = 0; s < layout.slots; ++s)
                        for (int l = 0; l < layout.lanes; ++l, to += layout.element_bytes) {
                            const int tap = plan.tap(term, l, r), c = channel(s);
                            if (tap < 0 || c >= channels) continue;
                            const std::int16_t wide = by_channel.column(c)[tap];
                            if (layout.element_bytes == 1)
                                std::memcpy(to, by_channel.column(c) + tap, 1);
                            else
                                std::memcpy(to, &wide, 2);
                        }
        }
    }
    for (int c = 0; c < channels; ++c) {
        const auto at = static_cast<std::size_t>(c);
        packed.fits_int32 = packed.fits_int32 &&
                            Rounding::fits_int32(accumulator_reach(by_channel, c, bias[at], lhs_zero), multipliers[at]);
    }
    return packed;
}

}  // namespace octet::inline OCTET_ABI
