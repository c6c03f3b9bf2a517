// What calibration has seen of a whole network, as plain data: made by calibrate (graph/calibrate.hpp), added up where
// the samples were watched in parts, kept as bytes (calibration_bytes.hpp), and given to quantize.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/calib/moving_average.hpp"
#include "octet/core/error.hpp"

namespace octet::inline OCTET_ABI {

/// One tensor, by its tensor_id: constants and what folding left over have seen nothing.
struct tensor_calibration {
    std::string name;
    histogram seen{};
    moving_extremes average{};  ///< where calibration::moving is set

    friend bool operator==(const tensor_calibration&, const tensor_calibration&) = default;
};

struct calibration {
    std::uint64_t network = 0;  ///< fingerprint() of the folded graph: another network's calibration is refused
    std::uint64_t samples = 0;  ///< how many were watched
    std::optional<moving_average> moving{};
    std::vector<tensor_calibration> tensors{};

    /// As if this one had watched the samples of `other` too: addition, whose order cannot show. Throws octet::error
    /// when the other one is of another network, or either holds moving averages, which have an order.
    void merge(const calibration& other);
    friend bool operator==(const calibration&, const calibration&) = default;
};

inline void calibration::merge(const calibration& other) {
    if (network != other.network || tensors.size() != other.tensors.size())
        fail("merging calibrations of two networks, ", tensors.size(), " tensors and ", other.tensors.size(),
             " or other weights: both must come from calibrate with the same model");
    if (moving || other.moving)
        fail("merging calibrations that hold moving averages, which depend on the order of batches: ",
             "calibrate all samples at once, or without calibrate_options::moving");
    samples += other.samples;
    for (std::size_t t = 0; t < tensors.size(); ++t) tensors[t].seen.merge(other.tensors[t].seen);
}

}  // namespace octet::inline OCTET_ABI
