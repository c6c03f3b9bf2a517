// What calibration data can have wrong with it, said in sentences: what was seen, how often, and what to do.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/quant/params.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {

/// All but 1 in 1,000 of the values other than 0 keep to less than 1/16 of the range: 8 of 128 levels are left to them.
/// (A template, as warnings is, so that only units that calibrate compile it.)
void warn_of_outliers(const std::same_as<histogram> auto& seen, float reach, std::vector<std::string>& to) {
    constexpr float crowded = 16.0F;
    const std::uint64_t values = seen.finite() - seen.zeros();
    if (values < 3) return;
    const std::uint64_t few = std::max<std::uint64_t>(1, values / 1000);
    const float rest = seen.magnitude_without_tail(few);
    if (reach / crowded > rest)
        to.push_back(text("all but ", few, " of ", values, " values other than 0 stay within ", rest,
                          ", but the range reaches ", reach, ", which leaves them less than 1/16 of the levels: ",
                          "choose a (lower) percentile, or look for a faulty sample"));
}

}  // namespace detail

/// What is wrong with data of which `seen` was remembered and `chosen` selected; empty when nothing is.
std::vector<std::string> warnings(const std::same_as<histogram> auto& seen, range chosen) {
    std::vector<std::string> all;
    const std::uint64_t values = seen.values();
    if (values == 0) all.push_back("nothing was observed, so the scale is 1: give samples that reach this tensor");
    if (seen.nans() != 0)
        all.push_back(text(seen.nans(), " of ", values,
                           " values are NaN and were left out: look for NaN in the samples, ",
                           "and for a division by 0 or a root of a negative number before this tensor"));
    if (seen.infinities() != 0)
        all.push_back(text(seen.infinities(), " of ", values,
                           " values are infinite, were left out and will be clipped: ",
                           "look for infinity in the samples and for an overflow before this tensor"));
    if (seen.finite() == 0) {
        if (values != 0) all.push_back("no finite value was observed, so the scale is 1: give other samples");
        return all;
    }
    const range limits = seen.extremes();
    if (limits == range{}) {
        all.push_back(text("all ", seen.finite(),
                           " values are 0, so the scale is 1: a dead tensor, or samples that do not ", "reach it"));
        return all;
    }
    if (seen.finite() == 1)
        all.push_back(text("one value alone, ", limits.min, ", was observed: give more samples"));
    else if (limits.min == limits.max)
        all.push_back(text("all ", seen.finite(), " values are ", limits.min, ": give samples that differ"));

    const double least = std::min(static_cast<double>(chosen.min), 0.0);
    const double most = std::max(static_cast<double>(chosen.max), 0.0);
    if (most - least < 255.0 * smallest_scale)
        all.push_back(text("the range [", chosen.min, ", ", chosen.max, "] is finer than the smallest scale, ",
                           smallest_scale,
                           ", resolves: scale the weights before this tensor up, or leave it in float"));
    if (most - least > 255.0 * largest_scale)
        all.push_back(text("the range [", chosen.min, ", ", chosen.max, "] is wider than the largest scale, ",
                           largest_scale, ", reaches, and is clipped: look for an overflow before this tensor"));
    detail::warn_of_outliers(seen, std::max(-chosen.min, chosen.max), all);
    return all;
}

}  // namespace octet::inline OCTET_ABI
