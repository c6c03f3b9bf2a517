// The algorithms that set-up code needs. <algorithm> itself, with its ranges and execution policies, costs every unit
// that includes octet.hpp 0.05 s, a tenth of what Eigen/Core costs. std::min and std::max come with <span>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "octet/core/config.hpp"

namespace octet::inline OCTET_ABI::detail {

/// x held in [low, high], low <= high; a NaN stays.
template <class T>
constexpr T clamped(T x, T low, T high) noexcept {
    return x < low ? low : high < x ? high : x;
}

/// The first `count` elements of `to` become `value`.
template <class T>
constexpr void fill(T* to, std::int64_t count, T value) noexcept {
    for (std::int64_t i = 0; i < count; ++i) to[i] = value;
}
/// x itself, inside a template with the parameter Which: a call with it is compiled where the template is used, and not
/// where it is defined, in every unit that includes it.
template <class Which, class T>
constexpr T& when_used(T& x) noexcept {
    return x;
}
/// The largest of x[0, count), count >= 1.
template <class T>
constexpr T largest(const T* x, std::int64_t count) noexcept {
    T most = x[0];
    for (std::int64_t i = 1; i < count; ++i) most = most < x[i] ? x[i] : most;
    return most;
}
/// How many elements of `list` are `value`.
template <class List, class T>
constexpr int count_of(const List& list, const T& value) noexcept {
    int count = 0;
    for (const auto& element : list) count += element == value ? 1 : 0;
    return count;
}
template <class List, class T>
constexpr bool contains(const List& list, const T& value) noexcept {
    for (const auto& element : list)
        if (element == value) return true;
    return false;
}

/// Sorts so that before(b, a) holds for no a that stands before b; equals keep their order. By insertion: O(n^2).
template <class List, class Before>
constexpr void sort_stably(List& list, const Before& before) {
    for (std::size_t end = 1; end < list.size(); ++end) {
        const auto element = list[end];
        std::size_t at = end;
        for (; at > 0 && before(element, list[at - 1]); --at) list[at] = list[at - 1];
        list[at] = element;
    }
}

}  // namespace octet::inline OCTET_ABI::detail
