// The range as a moving average of what batches reached, as PyTorch's and TensorFlow's observers keep it. It depends on
// the order of the batches and on how samples are split into them: the one observer of Octet that does.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "octet/calib/histogram.hpp"
#include "octet/calib/observer.hpp"
#include "octet/calib/warnings.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"

namespace octet {

/// Each end becomes momentum * end + (1 - momentum) * the batch's extreme; the first batch sets it.
class moving_average {
  public:
    moving_average() = default;
    /// Throws octet::error outside [0, 1).
    OCTET_INLINE explicit moving_average(double momentum) : momentum_(momentum) {
        if (!(momentum >= 0.0 && momentum < 1.0))
            fail("a moving average with momentum ", momentum,
                 ": give what a batch leaves of the average before it, from 0 to less than 1, such as 0.9");
    }
    double momentum() const noexcept { return momentum_; }
    friend bool operator==(moving_average, moving_average) = default;

  private:
    double momentum_ = 0.9;
};

/// The two averages so far; no batch has been seen where min > max.
struct moving_extremes {
    double min = std::numeric_limits<double>::max();
    double max = std::numeric_limits<double>::lowest();
    bool empty() const noexcept { return !(min <= max); }
    friend bool operator==(const moving_extremes&, const moving_extremes&) = default;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// Takes in the extremes of one more batch; one without a finite value (min > max) changes nothing.
inline void advance(moving_extremes& average, moving_average how, range batch) noexcept {
    if (!(batch.min <= batch.max)) return;
    const double min = double{batch.min}, max = double{batch.max};
    if (average.empty()) {
        average = {min, max};
    } else {
        // Both products grow with their ends, so that no rounding brings min above max.
        average.min = ieee::fma(how.momentum(), average.min, (1.0 - how.momentum()) * min);
        average.max = ieee::fma(how.momentum(), average.max, (1.0 - how.momentum()) * max);
    }
}
/// [0, 0] where no batch was seen.
inline range range_of(const moving_extremes& average) noexcept {
    if (average.empty()) return {};
    return {static_cast<float>(average.min), static_cast<float>(average.max)};
}

/// Every call of observe() is one batch. It has no merge, and so is no `observer`: which of two averages came first
/// would show, and no order is right for batches that were seen apart.
class moving_average_observer {
  public:
    explicit moving_average_observer(moving_average how = {}) : how_(how) {}
    void observe(std::span<const float> batch) noexcept { advance(average_, how_, seen_.observe(batch)); }
    /// (A template, so that only units that call it compile what it warns of.)
    template <class Observed = observed>
    Observed result() const {
        const range chosen = range_of(average_);
        return {chosen, warnings(seen_, chosen)};
    }

  private:
    moving_average how_;
    moving_extremes average_;
    histogram seen_;  // what warnings are made of
};

static_assert(!observer<moving_average_observer>);

}  // namespace octet::inline OCTET_ABI
