// Every way to select a range from a histogram, as one option that a caller sets:
// quantize(model, samples, {.activations = octet::percentile{99.99}}).
// A further one is a type of its own with select(const type&, const histogram&), named in the list below.
#pragma once

#include <concepts>
#include <variant>

#include "octet/calib/min_max.hpp"
#include "octet/calib/percentile.hpp"

namespace octet {

using range_selection = std::variant<min_max, percentile>;

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// (A template, so that only units that select compile the visit.)
range select(const std::same_as<range_selection> auto& how, const histogram& seen) noexcept {
    return std::visit([&](const auto& one) { return select(one, seen); }, how);
}

}  // namespace octet::inline OCTET_ABI
