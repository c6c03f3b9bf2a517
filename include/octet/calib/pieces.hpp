// A histogram as a density, for selections that weigh errors: what kl_divergence.hpp and mean_squared_error.hpp read.
// (There and here templates, so that only units that select compile them.)
#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/ieee.hpp"

namespace octet::inline OCTET_ABI::detail {

/// `count` values spread evenly over [from, to].
struct piece {
    double from, to, count;
};

/// The non-empty bins by ascending value, each cut to the extremes, without the middle one: |x| < 2^-24 is as good as
/// 0, which every range represents. Doubles hold the ends exactly, and counts up to 2^53.
std::vector<piece> pieces_of(const std::same_as<histogram> auto& seen) {
    std::vector<piece> all;
    const range ends = seen.extremes();
    for (int bin = 0; bin < histogram::bins; ++bin) {
        const std::uint64_t count = seen.counts()[static_cast<std::size_t>(bin)];
        const int step = bin < histogram::middle ? histogram::middle - bin : bin - histogram::middle;
        if (count == 0 || step == 0) continue;
        const bool outermost = step == histogram::middle;
        const float near = histogram::edge(step);
        const float far = outermost ? std::max(-ends.min, ends.max) : histogram::edge(step + 1);
        const bool negative = bin < histogram::middle;
        all.push_back({double{std::max(negative ? -far : near, ends.min)},
                       double{std::min(negative ? -near : far, ends.max)}, static_cast<double>(count)});
    }
    return all;
}

/// Of all finite values, each bin's at its middle; 0 where there are none.
struct moments {
    double mean = 0.0, variance = 0.0;
};
moments moments_of(const std::same_as<histogram> auto& seen) {
    double sum = 0.0, squares = 0.0;
    for (const piece& one : pieces_of(seen)) {
        const double middle = (one.from + one.to) / 2;
        sum = ieee::fma(one.count, middle, sum);
        squares = ieee::fma(one.count * middle, middle, squares);
    }
    if (seen.finite() == 0) return {};
    const auto all = static_cast<double>(seen.finite());
    const double mean = sum / all;
    return {mean, std::max(ieee::fma(-mean, mean, squares / all), 0.0)};
}

}  // namespace octet::inline OCTET_ABI::detail
