// The range that keeps a percentage of the values and clips the rest: outliers no longer stretch the scale.
#pragma once

#include <cstdint>

#include "octet/calib/histogram.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"

namespace octet {

/// Keeps `keep` percent of the values; each of the two tails gives up at most half of the rest. percentile{99.99}
/// leaves at most 1 in 20,000 below the range and as many above. percentile{100} is min_max, percentile{} is
/// percentile{99.99}; quantize's own default is 99.999.
class percentile {
  public:
    percentile() = default;
    /// Throws octet::error outside [50, 100].
    OCTET_INLINE explicit percentile(double keep) : keep_(keep) {
        if (!(keep >= 50.0 && keep <= 100.0))
            fail("a percentile of ", keep, ": give the percentage of values to keep, from 50 to 100, such as 99.99");
    }
    double keep() const noexcept { return keep_; }

    /// floor(count * tail), the values that one tail may lose, where tail is (100 - keep) / 200 as a whole number of
    /// billionths: integers only, below count / 2.
    std::uint64_t cut(std::uint64_t count) const noexcept {
        constexpr std::uint64_t billion = 1'000'000'000;
        const auto tail = static_cast<std::uint64_t>(ieee::llround((100.0 - keep_) * 5e6));
        return count / billion * tail + count % billion * tail / billion;
    }

  private:
    double keep_ = 99.99;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// From the (cut + 1)-th smallest to the (cut + 1)-th largest value, each moved outwards by less than one bin of the
/// histogram (2^-7 of the value), inside the exact extremes. Where so many values are 0 that nothing else would remain,
/// the extremes: clipping everything to 0 is no range.
inline range select(const percentile& how, const histogram& seen, scheme = scheme::asymmetric) noexcept {
    const range kept = seen.without_tails(how.cut(seen.finite()));
    const float smallest = histogram::edge(1);
    return kept.min >= -smallest && kept.max <= smallest ? seen.extremes() : kept;
}

}  // namespace octet::inline OCTET_ABI
