// What each translation unit of the test hands to main.cpp: it includes the umbrella and works on the same reals.
#pragma once

#include <cstdint>
#include <octet/octet.hpp>
#include <span>
#include <vector>

struct unit_report {
    const void* loop;                // the address of this unit's own quantize_value
    octet::quant_params params;      // data that crosses units
    std::vector<std::int8_t> bytes;  // what its loops stored
};

unit_report baseline_unit(std::span<const float> reals);
unit_report wide_unit(std::span<const float> reals);
unit_report no_exceptions_unit(std::span<const float> reals);

// Internal to each unit, as a user's function would be.
static inline unit_report report_of_this_unit(std::span<const float> reals) {
    const octet::quantizer<octet::asymmetric, octet::per_tensor> quantizer{reals};
    std::vector<std::int8_t> bytes(reals.size());
    quantizer.quantize(reals, bytes);
    return {reinterpret_cast<const void*>(&octet::quantize_value), quantizer[0], bytes};
}
