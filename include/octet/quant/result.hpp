// What a product stores for an accumulator: its `Result`. The rounding policies of quant/rounding.hpp store int8; the
// two types here store int32 and float, which need no rounding policy. A result is a type with
//   stored                int8_t, int32_t or float
//   multiplier            what the result needs of one channel
//   make(s_x, s_w, s_y)   forms it, at set-up; throws octet::error when it cannot be formed
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "octet/core/error.hpp"
#include "octet/quant/params.hpp"
#include "octet/quant/rounding.hpp"

namespace octet::inline OCTET_ABI {

/// y = acc, the exact sum: an int32 with scale s_x * s_w[n] and zero point 0.
struct accumulators {
    using stored = std::int32_t;
    struct multiplier {};

    static multiplier make(scale, scale, scale, std::string_view) noexcept { return {}; }
    static stored of(std::int32_t acc, multiplier) noexcept { return acc; }
};

/// y = float(acc) * (s_x * s_w[n]): the accumulator rounded to the nearest float, ties to even, and two products in
/// float in this order. Nothing is added to a product, so that no compiler can make an fma of it.
struct dequantized {
    using stored = float;
    struct multiplier {
        float value = 1.0F;
    };

    static multiplier make(scale input, scale weight, scale, std::string_view who) {
        const float step = input.value * weight.value;
        if (!(step > 0.0F && step <= 3.4028234e38F))
            fail(who, ": the scale of the sums is ", step,
                 ", but must be finite and greater than 0: the scales of input and weights do not fit together");
        return {step};
    }
    static stored of(std::int32_t acc, multiplier m) noexcept { return static_cast<float>(acc) * m.value; }
};

template <class Result>
inline constexpr bool stores_int8 = std::is_same_v<typename Result::stored, std::int8_t>;

/// The law of all results: what is stored for an accumulator. Zero point and limits are those of int8 outputs.
template <class Result>
typename Result::stored result_of(std::int32_t acc, typename Result::multiplier m, zero_point z,
                                  clamp limits) noexcept {
    if constexpr (stores_int8<Result>)
        return requantize<Result>(acc, m, z, limits);
    else
        return Result::of(acc, m);
}

}  // namespace octet::inline OCTET_ABI
