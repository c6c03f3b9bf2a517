// Weights transformed for Winograd's F(4, 3), and the proof that its result is the convolution's. Start at
// kernel/winograd_transform.hpp for the arithmetic.
//
// Inputs are transformed as raw bytes, padding as the zero point that it stands for; the bias takes z * sum w back, as
// in kernel/packed_gemm.hpp. What must fit is therefore the raw sum |sum q * w| <= 128 * sum |w| < 2^25: sum |w| below
// 2^18 = 262,144. With weights of a normal distribution whose largest is 127 that holds up to about 1,000 channels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "octet/core/buffer.hpp"
#include "octet/core/error.hpp"
#include "octet/kernel/packed_gemm.hpp"
#include "octet/kernel/winograd_transform.hpp"

namespace octet {

/// The bound that a channel must stay below: sum |w| over its taps and depths.
inline constexpr std::int64_t winograd_weight_limit = std::int64_t{1} << 18;

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The first channel whose sum |w| reaches winograd_weight_limit, -1 when there is none, and its sum.
struct winograd_bound {
    int channel = -1;
    std::int64_t sum = 0;
};
inline winograd_bound prove_winograd(const gemm_weights& weights) noexcept {
    for (int n = 0; n < weights.cols; ++n) {
        std::int64_t sum = 0;
        for (int i = 0; i < weights.depth; ++i) sum += std::abs(int{weights.column(n)[i]});
        if (sum >= winograd_weight_limit) return {n, sum};
    }
    return {};
}

/// [panel][position 6 * y + x][pair of depths][column of the panel][depth of the pair] int16, zero where there is no
/// column or depth: the weights of a panel are one stream. Arrays of bias and multipliers reach to the end of the last
/// panel.
template <class Rounding>
struct packed_winograd {
    int panel = 1;  ///< columns of a panel
    int cols = 0;
    int depth = 0;
    buffer<std::int16_t> weights;
    buffer<std::int32_t> bias;
    buffer<typename Rounding::multiplier> multipliers;

    int panels() const noexcept { return (cols + panel - 1) / panel; }
    int pairs() const noexcept { return (depth + 1) / 2; }
    /// Elements of one position of one panel.
    std::ptrdiff_t position_elements() const noexcept { return std::ptrdiff_t{2} * pairs() * panel; }
    const std::int16_t* at(int p, int position) const noexcept {
        return weights.data() + (std::ptrdiff_t{p} * winograd_tile::positions + position) * position_elements();
    }
};

/// Packs `from`, [cols][9 taps * depth], all of whose channels prove_winograd lets pass. `bias` and `multipliers` have
/// one element for each column; `who` names the layer in errors.
template <class Rounding>
packed_winograd<Rounding> pack_winograd(int panel, const gemm_weights& from, std::span<const std::int32_t> bias,
                                        std::span<const typename Rounding::multiplier> multipliers, zero_point lhs_zero,
                                        std::string_view who) {
    prove_accumulators(from, bias.data(), lhs_zero, who);
    packed_winograd<Rounding> packed{panel, from.cols, from.depth / 9, {}, {}, {}};
    const auto padded = static_cast<std::size_t>(packed.panels() * panel);
    packed.weights = buffer<std::int16_t>(static_cast<std::size_t>(packed.panels() * winograd_tile::positions) *
                                          static_cast<std::size_t>(packed.position_elements()));
    packed.bias = buffer<std::int32_t>(padded);
    packed.multipliers = buffer<typename Rounding::multiplier>(padded);
    for (int n = 0; n < from.cols; ++n) {
        const auto at = static_cast<std::size_t>(n);
        packed.bias[at] = folded_bias(bias[at], lhs_zero, 0, from.column(n), from.depth);
        packed.multipliers[at] = multipliers[at];
        std::int16_t* const first = packed.weights.data() + (packed.at(n / panel, 0) - packed.at(0, 0));
        for (int k = 0; k < packed.depth; ++k) {
            int rows[3][6], columns[6][6];  // [y][transformed x], [transformed x][transformed y]
            for (int y = 0; y < 3; ++y) {
                const std::int8_t* taps = from.column(n) + std::ptrdiff_t{3} * y * packed.depth + k;
                winograd_weights({taps[0], taps[packed.depth], taps[2 * packed.depth]}, rows[y]);
            }
            for (int x = 0; x < 6; ++x) winograd_weights({rows[0][x], rows[1][x], rows[2][x]}, columns[x]);
            std::int16_t* slot = first + (std::ptrdiff_t{k / 2} * panel + n % panel) * 2 + k % 2;
            for (int position = 0; position < winograd_tile::positions; ++position)
                slot[position * packed.position_elements()] =
                    static_cast<std::int16_t>(columns[position % 6][position / 6]);
        }
    }
    return packed;
}

}  // namespace octet::inline OCTET_ABI
