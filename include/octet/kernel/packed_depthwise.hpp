// Packed depthwise weights: taps interleaved as a kernel's dot product takes them, channels in the order in which its
// unpack instructions leave them. The zero point and the +128 shift of unsigned products are folded into the bias.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "octet/core/buffer.hpp"
#include "octet/kernel/packed_gemm.hpp"

namespace octet {

/// What a depthwise kernel asks of its weights. Channels stand in panels of `panel`; what is left of them stands in one
/// panel of the least width narrow * 2^k that holds them. A panel is [ceil(taps / group)][slot][tap of the group].
///
/// Interleaving the taps of 16-byte (or, widened to 16 bits, 8-channel) lanes by unpack instructions leaves a panel in
/// `vectors` registers: register v holds channels 4v to 4v + 3 of each lane. A slot counts channels in that order:
/// register by register. With vectors = 1 it is the channel itself.
struct depthwise_layout {
    int panel = 1;
    int narrow = 1;
    int group = 1;
    int vectors = 1;
    int element_bytes = 1;       ///< 1: int8; 2: the same values as int16
    std::int32_t lhs_shift = 0;  ///< what the kernel adds to every input byte

    /// The width of the panel that begins at channel `first`.
    int width(int first, int channels) const noexcept {
        if (channels - first >= panel) return panel;
        int fitting = narrow;
        while (fitting < channels - first) fitting *= 2;
        return fitting;
    }
    /// Where channel c of a panel of `width` stands.
    int slot(int c, int width) const noexcept {
        const int lane = 4 * vectors;
        return c % lane / 4 * (width / vectors) + c / lane * 4 + c % 4;
    }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The weights, bias and multipliers of one depthwise convolution, packed for one kernel. bias and multipliers are in
/// the order of slots and reach to the end of the last panel.
template <class Rounding>
struct packed_depthwise {
    depthwise_layout layout;
    int taps = 1;
    int channels = 0;
    buffer<std::byte> weights;
    buffer<std::int32_t> bias;
    buffer<typename Rounding::multiplier> multipliers;

    int groups() const noexcept { return (taps + layout.group - 1) / layout.group; }
    /// The panel that begins at channel `first`: all before it are full, so that its slots begin at `first` too.
    const std::byte* panel(int first) const noexcept {
        return weights.data() + std::ptrdiff_t{first} * groups() * layout.group * layout.element_bytes;
    }
};

/// Packs weights [taps, channels] int8 with zero point 0; bias and multipliers [channels]. Throws octet::error, naming
/// `who`, channel and sum, when a channel's accumulator could leave int32 (see prove_accumulators).
template <class Rounding>
packed_depthwise<Rounding> pack_depthwise(const depthwise_layout& layout, const std::int8_t* weights, int taps,
                                          int channels, std::span<const std::int32_t> bias,
                                          std::span<const typename Rounding::multiplier> multipliers,
                                          zero_point lhs_zero, std::string_view who) {
    if (taps < 1 || channels < 1)
        fail(who, ": a depthwise convolution of ", taps, " taps and ", channels, " channels: both must be at least 1");
    if (static_cast<int>(bias.size()) != channels || static_cast<int>(multipliers.size()) != channels)
        fail(who, ": ", channels, " channels with ", bias.size(), " biases and ", multipliers.size(),
             " scales: give one of each for every channel");
    std::vector<std::int8_t> columns(static_cast<std::size_t>(taps) * static_cast<std::size_t>(channels));
    const gemm_weights by_channel{columns.data(), channels, taps};
    for (int c = 0; c < channels; ++c)
        for (int t = 0; t < taps; ++t)
            columns[static_cast<std::size_t>(std::ptrdiff_t{c} * taps + t)] = weights[std::ptrdiff_t{t} * channels + c];
    prove_accumulators(by_channel, bias.data(), lhs_zero, who);

    packed_depthwise<Rounding> packed{layout, taps, channels, {}, {}, {}};
    const int full = channels / layout.panel * layout.panel;
    const auto slots = static_cast<std::size_t>(full + (full < channels ? layout.width(full, channels) : 0));
    const int group_bytes = layout.group * layout.element_bytes;
    packed.weights = buffer<std::byte>(slots * static_cast<std::size_t>(packed.groups() * group_bytes));
    packed.bias = buffer<std::int32_t>(slots);
    packed.multipliers = buffer<typename Rounding::multiplier>(slots);
    for (int c = 0; c < channels; ++c) {
        const int first = c / layout.panel * layout.panel, width = layout.width(first, channels);
        const int slot = layout.slot(c - first, width);
        const auto at = static_cast<std::size_t>(first + slot), from = static_cast<std::size_t>(c);
        const std::int8_t* column = by_channel.column(c);
        packed.bias[at] = folded_bias(bias[from], lhs_zero, layout.lhs_shift, column, taps);
        packed.multipliers[at] = multipliers[from];
        std::byte* panel = packed.weights.data() + (packed.panel(first) - packed.weights.data());
        for (int t = 0; t < taps; ++t) {
            std::byte* to = panel + (std::ptrdiff_t{t / layout.group} * width + slot) * group_bytes +
                            t % layout.group * layout.element_bytes;
            const std::int16_t wide = column[t];
            if (layout.element_bytes == 1)
                std::memcpy(to, column + t, 1);
            else
                std::memcpy(to, &wide, 2);
        }
    }
    return packed;
}

}  // namespace octet::inline OCTET_ABI
