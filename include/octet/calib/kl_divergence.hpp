// The range whose quantized distribution is nearest to the observed one in the sense of Kullback and Leibler. Szymon
// Migacz, "8-bit Inference with TensorRT", GPU Technology Conference 2017.
#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/calib/pieces.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/ieee.hpp"
#include "octet/quant/math.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet {

/// Magnitudes stand in 2,048 even bins up to the largest. A threshold keeps the first of them, from as many as there
/// are levels in steps of 16; P is what it keeps, with all that lies beyond added to the last bin; Q is P without that
/// addition, its bins merged into the levels and spread evenly over the bins of each that are not empty. The threshold
/// with the least sum of p log(p / q) is chosen. Levels: 128, or 256 where an asymmetric scheme meets values of one
/// sign. Exact zeros, which cost nothing in any range, do not count. 4 ms a tensor. It clips more than is good
/// for some networks: compare, or let `automatic` do so.
struct kl_divergence {};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

/// The magnitudes in `bins` even bins over [0, most].
template <class Pieces>
std::vector<double> even_bins(const Pieces& density, double most, std::size_t bins) {
    std::vector<double> all(bins);
    const auto edge = [&](std::size_t i) { return static_cast<double>(i) * most / static_cast<double>(bins); };
    for (const piece& one : density) {
        const double from = one.to <= 0.0 ? -one.to : one.from, to = one.to <= 0.0 ? -one.from : one.to;
        const auto index = [&](double x) {
            return std::min(static_cast<std::size_t>(x * static_cast<double>(bins) / most), bins - 1);
        };
        const std::size_t first = index(from), last = index(to);
        if (first == last)
            all[first] += one.count;
        else
            for (std::size_t i = first; i <= last; ++i) {
                const double begin = i == first ? from : edge(i), end = i == last ? to : edge(i + 1);
                all[i] += one.count * (end - begin) / (to - from);
            }
    }
    return all;
}

/// sum of p log(p / q) over the first `kept` bins; see kl_divergence.
template <class Bins>
double divergence(const Bins& bins, std::size_t kept, std::size_t levels) noexcept {
    double inside = 0.0, beyond = 0.0, sum = 0.0;
    for (std::size_t i = 0; i < bins.size(); ++i) (i < kept ? inside : beyond) += bins[i];
    const double all = inside + beyond;
    for (std::size_t level = 0; level < levels; ++level) {
        const std::size_t first = level * kept / levels, end = (level + 1) * kept / levels;
        double merged = 0.0, filled = 0.0;
        for (std::size_t i = first; i < end; ++i) merged += bins[i], filled += bins[i] > 0.0 ? 1.0 : 0.0;
        for (std::size_t i = first; i < end; ++i) {
            const double p = (bins[i] + (i + 1 == kept ? beyond : 0.0)) / all;
            if (p == 0.0) continue;
            // An empty last bin that receives what lies beyond has no q: as if one value stood there.
            const double q = bins[i] > 0.0 ? merged / filled / inside : 1.0 / all;
            sum = ieee::fma(p, math::log(p / q), sum);
        }
    }
    return sum;
}

}  // namespace detail

/// See kl_divergence. The extremes where all values are 0, or smaller than 2^-24.
range select(const kl_divergence&, const std::same_as<histogram> auto& seen, scheme how = scheme::asymmetric) {
    const range ends = seen.extremes();
    const auto density = detail::pieces_of(seen);
    if (density.empty()) return ends;
    constexpr std::size_t count = 2048, stride = 16;
    const bool one_sided = ends.min >= 0.0F || ends.max <= 0.0F;
    const std::size_t levels = one_sided && how == scheme::asymmetric ? 256 : 128;
    const double most = double{std::max(-ends.min, ends.max)};
    const auto bins = detail::even_bins(density, most, count);
    std::size_t best = count;
    double least = detail::divergence(bins, count, levels);
    for (std::size_t kept = count - stride; kept >= levels; kept -= stride)
        if (const double found = detail::divergence(bins, kept, levels); found < least) least = found, best = kept;
    const auto threshold = static_cast<float>(most * static_cast<double>(best) / static_cast<double>(count));
    return {std::max(ends.min, -threshold), std::min(ends.max, threshold)};
}

}  // namespace octet::inline OCTET_ABI
