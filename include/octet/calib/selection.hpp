// Every way to choose the range of a tensor, as options that a caller sets:
// quantize(model, samples, {.activations = octet::percentile{99.99}}).
// A further selection is a type of its own with select(const type&, const histogram&, scheme), named in the list below.
#pragma once

#include <concepts>
#include <variant>

#include "octet/calib/automatic.hpp"
#include "octet/calib/kl_divergence.hpp"
#include "octet/calib/mean_squared_error.hpp"
#include "octet/calib/min_max.hpp"
#include "octet/calib/percentile.hpp"

namespace octet {

using range_selection = std::variant<min_max, percentile, mean_squared_error, kl_divergence, automatic>;

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// (A template, so that only units that select compile the visit.)
range select(const std::same_as<range_selection> auto& how, const histogram& seen, scheme grid = scheme::asymmetric) {
    return std::visit([&](const auto& one) { return select(one, seen, grid); }, how);
}

}  // namespace octet::inline OCTET_ABI
