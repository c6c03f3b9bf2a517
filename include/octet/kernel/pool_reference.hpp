// The definitions of int8 max and average pooling, and what an average needs at set-up. Kernels on every instruction
// set return these bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/quant/rounding.hpp"

namespace octet {

/// The most cells an average may divide by: 255 * 2^23 < 2^31, so that no sum leaves int32.
inline constexpr int max_average_divisor = 1 << 23;

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The average of a window with `taps` values q, out of `divisor` cells: the other divisor - taps cells lie in padding
/// that counts, and hold the zero point. An operator()(sum, taps) is the byte for sum = sum of q.
template <class Rounding>
struct average_params;

/// q = requantize(sum - taps * z_x, m), m = s_x / (s_y * divisor) in float in this order.
template <>
struct average_params<nearest_even> {
    nearest_even::multiplier m;
    zero_point in_zero;
    zero_point out_zero;
    clamp limits;

    /// Throws octet::error naming `who` when the scales do not fit together or the divisor is not in
    /// [1, max_average_divisor].
    static average_params make(quant_params in, quant_params out, clamp limits, int divisor, std::string_view who);
    std::int8_t operator()(std::int32_t sum, int taps) const noexcept {
        return requantize<nearest_even>(sum - taps * in_zero.value, m, out_zero, limits);
    }
};

namespace detail {

inline void check_average_divisor(int divisor, std::string_view who) {
    if (divisor < 1 || divisor > max_average_divisor)
        fail(who, ": an average over ", divisor, " cells: there must be 1 to ", max_average_divisor);
}

/// As TensorFlow Lite's int8 AVERAGE_POOL_2D: the stored values are averaged as they are, so that input and output have
/// the same scale and zero point;
///   n = divisor, total = sum + (n - taps) * z, q = clamp((total + n / 2) / n) for total >= 0, (total - n / 2) / n
///   below,
/// in integers that truncate: ties go away from 0. single: the same, because nothing is multiplied.
struct integer_average {
    std::int32_t divisor = 1;
    zero_point in_zero;
    zero_point out_zero;  ///< of what leaves the division: always 0
    clamp limits;

    static integer_average make(quant_params in, quant_params out, clamp limits, int divisor, std::string_view who) {
        check_average_divisor(divisor, who);
        if (!(in == out))
            fail(who, ": an average with scale ", in.scale.value, " and zero point ", in.zero_point.value,
                 " for its input, but ", out.scale.value, " and ", out.zero_point.value,
                 " for its output: with this rounding policy both must have the same");
        return {divisor, in.zero_point, zero_point(0), limits};
    }
    std::int8_t operator()(std::int32_t sum, int taps) const noexcept {
        const std::int32_t total = sum + (divisor - taps) * in_zero.value;
        const std::int32_t average = (total >= 0 ? total + divisor / 2 : total - divisor / 2) / divisor;
        return static_cast<std::int8_t>(detail::clamped(average, limits.low, limits.high));
    }
};

}  // namespace detail

template <>
struct average_params<tflite> : detail::integer_average {
    static average_params make(quant_params in, quant_params out, clamp limits, int divisor, std::string_view who) {
        return {integer_average::make(in, out, limits, divisor, who)};
    }
};
template <>
struct average_params<single> : detail::integer_average {
    static average_params make(quant_params in, quant_params out, clamp limits, int divisor, std::string_view who) {
        return {integer_average::make(in, out, limits, divisor, who)};
    }
};

inline average_params<nearest_even> average_params<nearest_even>::make(quant_params in, quant_params out, clamp limits,
                                                                       int divisor, std::string_view who) {
    detail::check_average_divisor(divisor, who);
    const float m = in.scale.value / (out.scale.value * static_cast<float>(divisor));
    return {nearest_even::make(m, who), in.zero_point, out.zero_point, limits};
}

/// Every policy: the largest of the taps, clamped; input and output share their parameters. tap(t) leads to the bytes
/// of tap t.
template <class Taps>
std::int8_t max_reference(int taps, const Taps& tap, int channel, clamp limits) noexcept {
    std::int32_t most = tap(0)[channel];
    for (int t = 1; t < taps; ++t) most = std::max<std::int32_t>(most, tap(t)[channel]);
    return static_cast<std::int8_t>(detail::clamped(most, limits.low, limits.high));
}

template <class Rounding, class Taps>
std::int8_t average_reference(int taps, const Taps& tap, int channel, const average_params<Rounding>& params) noexcept {
    std::int32_t sum = 0;
    for (int t = 0; t < taps; ++t) sum += tap(t)[channel];
    return params(sum, taps);
}

}  // namespace octet::inline OCTET_ABI
