// Float to int8 and back in plain C++, for machines without a kernel of their own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/kernel/quantize_rows_call.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::inline OCTET_ABI {

template <>
struct quantize_kernel<isa::scalar> {
    static void run(const float* in, std::size_t n, quant_params params, clamp limits, std::int8_t* out) noexcept {
        for (std::size_t i = 0; i < n; ++i)
            out[i] = static_cast<std::int8_t>(quantize_value(in[i], params, limits.low, limits.high));
    }
};

template <>
struct dequantize_kernel<isa::scalar> {
    static void run(const std::int8_t* in, std::size_t n, quant_params params, float* out) noexcept {
        for (std::size_t i = 0; i < n; ++i) out[i] = dequantize_value(in[i], params);
    }
};

}  // namespace octet::inline OCTET_ABI
