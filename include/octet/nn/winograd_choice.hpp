// Winograd or the direct product: decided when weights are packed, for one layer, by predicted cycles.
#pragma once

#include <cstdint>
#include <optional>

#include "octet/core/algorithm.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/winograd.hpp"
#include "octet/nn/conv2d_options.hpp"
#include "octet/nn/winograd_conv2d.hpp"

namespace octet::inline OCTET_ABI {

/// Cycles of the three ways for one input: direct, and by Winograd with weights transformed at set-up or by every run.
struct conv2d_cycles {
    double direct = 0;
    double at_set_up = 0;
    double by_every_run = 0;
};
/// Tiles of three outputs a side count whole: an image of 7 x 7 has two by two of 4 x 4, and a quarter of what they
/// compute is thrown away. Those of one or two need 4 products a side instead of 6.
/// Weights stream while they are multiplied: from a cache, which makes 7x7x256 slower than the direct product where
/// that does 118 multiply-adds a cycle, or from DRAM when more than 16 MiB are read between two runs.
template <class Rounding>
conv2d_cycles predict_cycles(const winograd_entry<Rounding>& kernel, const shape& in, const shape& out,
                             std::int64_t other_weights) noexcept {
    const auto blocks_of = [](std::int64_t size, int block) { return static_cast<double>((size + block - 1) / block); };
    const double tiles = static_cast<double>(out[0]) * blocks_of(out[1], 4) * blocks_of(out[2], 4);
    const auto products_of = [](std::int64_t size) {
        return static_cast<double>(size / 4 * 6 + (size % 4 == 0 ? 0 : size % 4 > 2 ? 6 : 4));
    };
    const double products = static_cast<double>(out[0]) * products_of(out[1]) * products_of(out[2]);
    const double weights = static_cast<double>(in[3] * out[3]);
    const winograd_cost& cost = kernel.cost;
    const bool from_dram = 72 * weights + static_cast<double>(other_weights) > 16 * 1024 * 1024;
    const double product = products * weights / cost.product;
    const double stream = 72 * weights / (from_dram ? cost.from_dram : cost.from_cache);
    const double transforms = tiles * (cost.load * blocks_of(in[3], 32) + cost.store * blocks_of(out[3], 16));
    return {9 * static_cast<double>(out.rows()) * weights / cost.direct,
            (product > stream ? product : stream) + transforms,
            product + transforms +
                cost.expand * weights / 32 *
                    blocks_of(static_cast<std::int64_t>(tiles), winograd_block_tiles(kernel, in[3]))};
}

/// Whether conv2d runs by Winograd, and when it transforms weights then: as options.algorithm says, at set-up; left to
/// choose, where expected_input is known, Winograd can do the layer and is predicted to take less. Without
/// expected_input tiles cannot be counted: direct.
template <class Rounding>
std::optional<winograd_weights_made> chooses_winograd(const conv2d_weights& w, const conv2d_options& options) {
    using enum winograd_weights_made;
    if (options.algorithm == conv2d_algorithm::winograd) return at_set_up;
    const shape& in = options.expected_input;
    if (options.algorithm == conv2d_algorithm::direct || in.rank() != 4 || in[3] != w.depth ||
        !winograd_obstacle(w, options).empty())
        return {};
    // Of a 3x3 window; an image that is too small for it has no tiles to count.
    const std::int64_t height = in[1] + options.pad.top + options.pad.bottom - 2;
    const std::int64_t width = in[2] + options.pad.left + options.pad.right - 2;
    if (height < 1 || width < 1) return {};
    const isa target = choose_isa(options.target);
    const conv2d_cycles cycles = predict_cycles(choose_winograd<Rounding>(target), in,
                                                {in[0], height, width, w.outputs}, options.expected_weights);
    if (cycles.direct <= std::min(cycles.at_set_up, cycles.by_every_run)) return {};
    return cycles.by_every_run < cycles.at_set_up ? by_every_run : at_set_up;
}

}  // namespace octet::inline OCTET_ABI
