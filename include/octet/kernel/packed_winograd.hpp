// Weights for Winograd's F(4, 3), as kernels transform them, and the proof that its result is the convolution's. Start
// at kernel/winograd_transform.hpp for the arithmetic.
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
#include "octet/core/slab.hpp"
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

/// What kernels transform: taps [panel][pair of depths][tap 3 * y + x][column of the panel][depth of the pair] int8,
/// zero where there is no column or depth. Arrays of bias and multipliers reach to the end of the last panel.
template <class Rounding>
struct packed_winograd {
    int panel = 1;  ///< columns of a panel
    int cols = 0;
    int depth = 0;
    bool fits_int32 = true;  ///< Rounding::fits_int32 of every column
    buffer<std::int8_t> taps;
    buffer<std::int32_t> bias;
    buffer<typename Rounding::multiplier> multipliers;

    int panels() const noexcept { return (cols + panel - 1) / panel; }
    int pairs() const noexcept { return (depth + 1) / 2; }
    /// The taps of panel p from a pair on.
    const std::int8_t* at(int p, int pair) const noexcept {
        return taps.data() + (std::ptrdiff_t{p} * pairs() + pair) * 18 * panel;
    }
};

/// Packs `from`, [cols][9 taps * depth], all of whose channels prove_winograd lets pass. `bias` and `multipliers` have
/// one element for each column; `who` names the layer in errors; taps stand in `memory`, where it is given and has
/// room.
template <class Rounding>
packed_winograd<Rounding> pack_winograd(int panel, const gemm_weights& from, std::span<const std::int32_t> bias,
                                        std::span<const typename Rounding::multiplier> multipliers, zero_point lhs_zero,
                                        std::string_view who, slab* memory = nullptr) {
    prove_accumulators(from, bias.data(), lhs_zero, who);
    packed_winograd<Rounding> packed{panel, from.cols, from.depth / 9, true, {}, {}, {}};
    const auto padded = static_cast<std::size_t>(packed.panels() * panel);
    packed.taps = slab::take<std::int8_t>(memory, padded * static_cast<std::size_t>(18 * packed.pairs()));
    packed.bias = buffer<std::int32_t>(padded);
    packed.multipliers = buffer<typename Rounding::multiplier>(padded);
    for (int n = 0; n < from.cols; ++n) {
        const auto at = static_cast<std::size_t>(n);
        packed.bias[at] = folded_bias(bias[at], lhs_zero, 0, from.column(n), from.depth);
        packed.multipliers[at] = multipliers[at];
        packed.fits_int32 =
            packed.fits_int32 && Rounding::fits_int32(accumulator_reach(from, n, bias[at], lhs_zero), multipliers[at]);
        for (int tap = 0; tap < 9; ++tap)
            for (int k = 0; k < packed.depth; ++k)
                packed.taps[static_cast<std::size_t>(packed.at(n / panel, k / 2) - packed.at(0, 0)) +
                            static_cast<std::size_t>((tap * panel + n % panel) * 2 + k % 2)] =
                    from.column(n)[tap * packed.depth + k];
    }
    return packed;
}

}  // namespace octet::inline OCTET_ABI
