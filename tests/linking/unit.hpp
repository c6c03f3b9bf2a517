// What each translation unit of the test hands to main.cpp: it includes the umbrella and works on the same bytes.
#pragma once

#include <octet/octet.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace octet::inline OCTET_ABI {

/// Stands for every function of the library that holds a loop: one per set of flags.
template <class T>
std::uint64_t hash(std::span<const T> values) noexcept {
    std::uint64_t sum = 14695981039346656037u;
    for (const T value : values) sum = (sum ^ static_cast<std::uint8_t>(value)) * 1099511628211u;
    return sum;
}

}  // namespace octet::inline OCTET_ABI

struct unit_report {
    const void* loop;      // the address of this unit's hash()
    std::uint64_t result;  // what it computes
};

// Internal to each unit: what an ordinary user's function would be.
static inline unit_report report_of_this_unit(std::span<const std::int8_t> values) {
    return {reinterpret_cast<const void*>(&octet::hash<std::int8_t>), octet::hash(values)};
}

unit_report baseline_unit(std::span<const std::int8_t> values);
unit_report wide_unit(std::span<const std::int8_t> values);
unit_report no_exceptions_unit(std::span<const std::int8_t> values);
