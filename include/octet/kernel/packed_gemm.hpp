// Packed weights: the layout that a GEMM micro-kernel streams, made once when a layer is built. Zero points and the
// +128 shift of unsigned dot products are folded into the bias here and cost nothing when hot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "octet/core/algorithm.hpp"
#include "octet/core/buffer.hpp"
#include "octet/core/error.hpp"
#include "octet/core/slab.hpp"
#include "octet/quant/result.hpp"

namespace octet {

/// What a micro-kernel asks of its weights. Columns stand in panels of `panel`; a column gives `group` consecutive
/// depths at a time: [panel][ceil(depth / group)][column of the panel][depth of the group], zero where there is no
/// column or depth.
struct gemm_layout {
    int panel = 1;
    int group = 1;
    std::int32_t lhs_shift =
        0;  ///< what the kernel adds to every lhs byte (128 where the product takes unsigned bytes)
};

/// The weights of one product as the layer has them: [cols][depth] int8, zero point 0. The rows that they meet stand in
/// memory as `runs` runs of equal length: one for a matrix; for a convolution one for each tap, or row of taps.
struct gemm_weights {
    const std::int8_t* values = nullptr;
    int cols = 0;
    int depth = 0;
    int runs = 1;
    const std::int8_t* column(int n) const noexcept { return values + std::int64_t{n} * depth; }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// |bias| + max(z + 128, 127 - z) * sum |w| of column n: no accumulator is larger, whatever the input.
inline std::int64_t accumulator_reach(const gemm_weights& weights, int n, std::int32_t bias,
                                      zero_point lhs_zero) noexcept {
    std::int64_t sum = 0;
    for (int i = 0; i < weights.depth; ++i) sum += std::abs(int{weights.column(n)[i]});
    return std::abs(std::int64_t{bias}) + std::int64_t{std::max(lhs_zero.value + 128, 127 - lhs_zero.value)} * sum;
}

/// Throws octet::error naming layer, channel and sum unless every column's accumulators fit in int32.
inline void prove_accumulators(const gemm_weights& weights, const std::int32_t* bias, zero_point lhs_zero,
                               std::string_view who) {
    for (int n = 0; n < weights.cols; ++n) {
        const std::int64_t most = accumulator_reach(weights, n, bias[n], lhs_zero);
        if (most > INT32_MAX)
            fail(who, ": output channel ", n, " can reach ", most,
                 ", which does not fit in a 32-bit accumulator: enlarge the scale of its weights");
    }
}

/// bias[n] - (z + shift) * sum w[n] modulo 2^32: with it the kernel multiplies raw bytes (plus its shift).
inline std::int32_t folded_bias(std::int32_t bias, zero_point lhs_zero, std::int32_t lhs_shift,
                                const std::int8_t* column, std::int64_t count) noexcept {
    std::uint32_t sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<std::uint32_t>(std::int32_t{column[i]});
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) -
                                     static_cast<std::uint32_t>(lhs_zero.value + lhs_shift) * sum);
}

/// The weights, bias and multipliers of one product, packed for one kernel. Arrays of bias and multipliers reach to the
/// end of the last panel.
template <class Result>
struct packed_gemm {
    gemm_layout layout;
    int cols = 0;
    int depth = 0;
    int runs = 1;
    bool fits_int32 = true;  ///< int8: Result::fits_int32 of every column, kernels may clamp by saturating packs alone
    buffer<std::byte> weights;
    buffer<std::int32_t> bias;
    buffer<typename Result::multiplier> multipliers;

    int panels() const noexcept { return (cols + layout.panel - 1) / layout.panel; }
    int groups() const noexcept { return (depth + layout.group - 1) / layout.group; }
    /// Bytes of one panel.
    std::size_t panel_bytes() const noexcept {
        return static_cast<std::size_t>(groups()) * static_cast<std::size_t>(layout.group * layout.panel);
    }
    const std::byte* panel(int index) const noexcept {
        return weights.data() + static_cast<std::size_t>(index) * panel_bytes();
    }
};

/// Packs. `bias` and `multipliers` have one element for each column; `who` names the layer in errors; weights stand in
/// `memory`, where it is given and has room.
template <class Result>
packed_gemm<Result> pack_gemm(const gemm_layout& layout, const gemm_weights& from, std::span<const std::int32_t> bias,
                              std::span<const typename Result::multiplier> multipliers, zero_point lhs_zero,
                              std::string_view who, slab* memory = nullptr) {
    if (static_cast<int>(bias.size()) != from.cols || static_cast<int>(multipliers.size()) != from.cols)
        fail(who, ": ", from.cols, " output channels with ", bias.size(), " biases and ", multipliers.size(),
             " scales: give one of each for every channel");
    prove_accumulators(from, bias.data(), lhs_zero, who);

    packed_gemm<Result> packed{layout, from.cols, from.depth, from.runs, true, {}, {}, {}};
    const auto padded = static_cast<std::size_t>(packed.panels() * layout.panel);
    packed.weights = slab::take<std::byte>(memory, static_cast<std::size_t>(packed.panels()) * packed.panel_bytes());
    packed.bias = buffer<std::int32_t>(padded);
    packed.multipliers = buffer<typename Result::multiplier>(padded);
    for (int n = 0; n < from.cols; ++n) {
        const auto at = static_cast<std::size_t>(n);
        packed.bias[at] = folded_bias(bias[at], lhs_zero, layout.lhs_shift, from.column(n), from.depth);
        packed.multipliers[at] = multipliers[at];
        if constexpr (stores_int8<Result>)
            packed.fits_int32 = packed.fits_int32 &&
                                Result::fits_int32(accumulator_reach(from, n, bias[at], lhs_zero), multipliers[at]);
        std::byte* panel = packed.weights.data() + static_cast<std::size_t>(n / layout.panel) * packed.panel_bytes();
        for (int k = 0; k < from.depth; ++k) {
            const std::int64_t group = std::int64_t{k / layout.group} * layout.panel + n % layout.panel;
            panel[group * layout.group + k % layout.group] = static_cast<std::byte>(from.column(n)[k]);
        }
    }
    return packed;
}

}  // namespace octet::inline OCTET_ABI
