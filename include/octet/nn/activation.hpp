// Functions of one real: those that a layer applies to its result, and those that become a table of 256 bytes in int8.
#pragma once

#include <limits>

#include "octet/core/algorithm.hpp"
#include "octet/core/config.hpp"
#include "octet/quant/math.hpp"

namespace octet {

/// min(max(x, low), high): ReLU is {0, infinity}, ReLU6 {0, 6}.
struct activation_range {
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
    friend bool operator==(activation_range, activation_range) = default;
};

/// What they compute stands in quant/math.hpp.
enum class function { logistic, tanh, hard_swish, leaky_relu };

}  // namespace octet

namespace octet::inline OCTET_ABI {

inline float held(float x, activation_range in) noexcept { return std::min(std::max(x, in.low), in.high); }

/// The function in double, rounded once to float; `alpha` is the slope of leaky_relu below 0.
inline float apply(function what, float x, float alpha) noexcept {
    switch (what) {
        case function::logistic:
            return static_cast<float>(math::logistic(x));
        case function::tanh:
            return static_cast<float>(math::tanh(x));
        case function::hard_swish:
            return static_cast<float>(math::hard_swish(x));
        case function::leaky_relu:
            return static_cast<float>(math::leaky_relu(x, alpha));
    }
    return x;
}

}  // namespace octet::inline OCTET_ABI
