// Winograd or the direct product: decided when weights are packed, for one layer, by predicted cycles.
#pragma once

#include <cstdint>
#include <string>

#include "octet/core/error.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/winograd.hpp"
#include "octet/nn/conv2d_options.hpp"
#include "octet/nn/winograd_conv2d.hpp"

namespace octet::inline OCTET_ABI {

/// Cycles of the two ways for one input. Tiles count whole: an image of 7 x 7 is two by two tiles of 4 x 4, an eighth
/// of their outputs is thrown away.
struct conv2d_cycles {
    double direct = 0;
    double winograd = 0;
};
template <class Rounding>
conv2d_cycles predict_cycles(const winograd_entry<Rounding>& kernel, const shape& in, const shape& out) noexcept {
    const winograd_cost& cost = kernel.cost;
    const double tiles = static_cast<double>(out[0] * ((out[1] + 3) / 4) * ((out[2] + 3) / 4));
    const double depth = static_cast<double>(in[3]), cols = static_cast<double>(out[3]);
    const double product = 36 * tiles * depth * cols / cost.product;
    // Weights beyond the L2 cache come at 16 bytes a cycle while they are multiplied.
    const double stream = 72 * depth * cols / 16;
    const double transforms = tiles * (cost.load * static_cast<double>((in[3] + 31) / 32) +
                                       cost.store * static_cast<double>((out[3] + 15) / 16));
    return {9 * static_cast<double>(out.rows()) * depth * cols / cost.direct,
            (product > stream ? product : stream) + transforms};
}

/// Whether conv2d runs by Winograd: as options.algorithm says; left to choose, where expected_input is known, Winograd
/// can do the layer and is predicted to take less. Without expected_input tiles cannot be counted: direct.
template <class Rounding>
bool chooses_winograd(const conv2d_weights& w, const conv2d_options& options) {
    if (options.algorithm != conv2d_algorithm::automatic) return options.algorithm == conv2d_algorithm::winograd;
    const shape& in = options.expected_input;
    if (in.rank() != 4 || in[3] != w.depth || !winograd_obstacle(w, options).empty()) return false;
    const extent out = window{w.kernel, {}, {}, options.pad, false}.outputs(options.name, in[1], in[2]);
    const auto cycles = predict_cycles(choose_winograd<Rounding>(choose_isa(options.target)), in,
                                       {in[0], out.height, out.width, w.outputs});
    return cycles.winograd < cycles.direct;
}

}  // namespace octet::inline OCTET_ABI
