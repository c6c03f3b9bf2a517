// The float depthwise kernel in plain C++: the definition, and the kernel of machines without one of their own.
#pragma once

#include <cstddef>

#include "octet/kernel/depthwise_float_call.hpp"
#include "octet/quant/fma.hpp"

namespace octet::inline OCTET_ABI {

template <>
struct depthwise_float_kernel<isa::scalar> {
    static void run(const depthwise_float_call& call) noexcept {
        for (int i = 0; i < call.pixels; ++i) {
            const float* const* lhs = call.lhs + std::ptrdiff_t{i} * call.taps;
            float* out = call.out + i * call.out_stride;
            for (int c = 0; c < call.channels; ++c) {
                float acc = call.bias[c];
                for (int t = 0; t < call.taps; ++t)
                    acc = fused_multiply_add(lhs[t][c], call.weights[std::ptrdiff_t{t} * call.channels + c], acc);
                acc = acc < call.low ? call.low : acc;
                out[c] = acc > call.high ? call.high : acc;
            }
        }
    }
};

}  // namespace octet::inline OCTET_ABI
