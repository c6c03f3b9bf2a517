// The range that makes the expected squared error of quantization least: the sum of what is rounded inside the range
// and what is clipped outside.
#pragma once

#include <concepts>

#include "octet/calib/histogram.hpp"
#include "octet/calib/pieces.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/ieee.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet {

/// Candidates are the extremes and what is left of them in 112 steps of 1/128, down to an eighth. Both ends shrink
/// together first; where the scheme has two ends and values lie on both sides of 0, each then moves alone while the
/// other stands, twice: the minimum over each end, not always the one over all pairs. 113 (else 565) candidates of one
/// pass over the bins: 1 to 10 ms a tensor.
struct mean_squared_error {};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

/// The integral of (v - round(v))^2 from 0 to u: 1/12 for each whole step, r^3 / 3 for the rest r in [-1/2, 1/2].
/// (Quotients meet in sums here, never products, which a compiler may contract.)
inline double rounding_integral(double u) noexcept {
    const double whole = ieee::nearbyint(u), rest = u - whole;
    return whole / 12.0 + rest * rest * rest / 3.0;
}
/// The integral of v^2 from `from` to `to`.
inline double clipping_integral(double from, double to) noexcept {
    return to * to * to / 3.0 - from * from * from / 3.0;
}

/// The sum of (x - dequantize(quantize(x)))^2 over all values, each expected to lie anywhere in its bin.
template <class Pieces>
double expected_error(const Pieces& density, quant_params p, scheme how) noexcept {
    const double step = double{p.scale.value};
    const double low = step * ((how == scheme::symmetric ? -127 : -128) - p.zero_point.value);
    const double high = step * (127 - p.zero_point.value);
    double total = 0.0;
    for (const piece& one : density) {
        // At least a 1,000th of a step wide, so that the difference of two integrals keeps its digits.
        const double width = std::max(one.to - one.from, step / 1024.0), to = one.from + width;
        double error = 0.0;
        if (one.from < low) error += clipping_integral(std::max(low - to, 0.0), low - one.from);
        if (to > high) error += clipping_integral(std::max(one.from - high, 0.0), to - high);
        const double first = std::max(one.from, low), last = std::min(to, high);
        if (first < last) {
            const double steps = rounding_integral(last / step) - rounding_integral(first / step);
            error = ieee::fma(step * step * step, steps, error);
        }
        total += error * one.count / width;
    }
    return total;
}

}  // namespace detail

/// See mean_squared_error. The extremes where all values are 0, or smaller than 2^-24.
range select(const mean_squared_error&, const std::same_as<histogram> auto& seen, scheme how = scheme::asymmetric) {
    const range ends = seen.extremes();
    const auto density = detail::pieces_of(seen);
    if (density.empty()) return ends;
    constexpr int steps = 128, least = 16;
    const auto shrunk = [&](int low, int high) {
        return range{ends.min * (static_cast<float>(low) / steps), ends.max * (static_cast<float>(high) / steps)};
    };
    int low = steps, high = steps;
    double best = detail::expected_error(density, choose_params(ends, how), how);
    const auto improve = [&](bool move_low, bool move_high) {
        const int from_low = low, from_high = high;
        for (int k = steps; k >= least; --k) {
            const int l = move_low ? k : from_low, h = move_high ? k : from_high;
            const double error = detail::expected_error(density, choose_params(shrunk(l, h), how), how);
            if (error < best) best = error, low = l, high = h;
        }
    };
    improve(true, true);
    if (how == scheme::asymmetric && ends.min < 0.0F && ends.max > 0.0F)
        for (int round = 0; round < 2; ++round) improve(true, false), improve(false, true);
    return shrunk(low, high);
}

}  // namespace octet::inline OCTET_ABI
