// Observers: one watches one tensor while samples run through the float graph, and then says its range. Start here.
//
//   octet::histogram_observer watch{octet::percentile{99.99}};
//   watch.observe(values);                        // any number of times, in any order
//   watch.merge(other);                           // what another thread, or another tensor, saw
//   auto [range, warnings] = watch.result();      // finite, ordered: what quantizer::choose_params takes
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/calib/selection.hpp"
#include "octet/calib/warnings.hpp"
#include "octet/quant/params.hpp"

namespace octet {

/// What an observer concludes: a range with finite, ordered bounds, and what is wrong with the data, one sentence each.
struct observed {
    octet::range range;
    std::vector<std::string> warnings;
};

/// The contract: result() depends on the values alone, never on their order, on how observe() calls split them or on
/// which merged observers saw them; memory does not grow with them. (A moving average, which depends on the order of
/// batches, must say so.)
template <class Observer>
concept observer = requires(Observer one, const Observer other, std::span<const float> values) {
    one.observe(values);
    one.merge(other);
    { other.result() } -> std::same_as<observed>;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// Watches with a histogram and leaves the choice of the range to a Selection: min_max, percentile, mean_squared_error,
/// kl_divergence, or range_selection for any of them at run time. `grid` is the scheme that the range is chosen for.
template <class Selection>
class histogram_observer {
  public:
    explicit histogram_observer(Selection how = {}, scheme grid = scheme::asymmetric)
        : how_(std::move(how)), grid_(grid) {}

    void observe(std::span<const float> values) noexcept { seen_.observe(values); }
    void merge(const histogram_observer& other) noexcept { seen_.merge(other.seen_); }
    observed result() const {
        const range chosen = select(how_, seen_, grid_);
        return {chosen, warnings(seen_, chosen)};
    }
    const histogram& seen() const noexcept { return seen_; }

  private:
    Selection how_;
    scheme grid_;
    histogram seen_;
};

static_assert(observer<histogram_observer<min_max>> && observer<histogram_observer<percentile>>);
static_assert(observer<histogram_observer<range_selection>>);

}  // namespace octet::inline OCTET_ABI
