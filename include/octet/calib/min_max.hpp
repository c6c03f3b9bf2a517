// The range from the smallest to the largest value seen.
#pragma once

#include "octet/calib/histogram.hpp"

namespace octet {

/// Keeps every value: no clipping, and one outlier stretches the scale for all.
struct min_max {};

}  // namespace octet

namespace octet::inline OCTET_ABI {

inline range select(const min_max&, const histogram& seen, scheme = scheme::asymmetric) noexcept {
    return seen.extremes();
}

}  // namespace octet::inline OCTET_ABI
