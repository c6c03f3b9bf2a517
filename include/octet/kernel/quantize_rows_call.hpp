// The contract of the kernels that turn rows of float into int8 and back. The arithmetic is quantize_value and
// dequantize_value of quant/quantizer.hpp: kernels on every instruction set return their bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/quant/params.hpp"

namespace octet {

/// run: out[i] = quantize_value(in[i], params, limits.low, limits.high) for i in [0, n). The operands may not overlap.
struct quantize_entry {
    isa target = isa::scalar;
    const char* name = "";
    void (*run)(const float* in, std::size_t n, quant_params params, clamp limits, std::int8_t* out) noexcept = nullptr;
};

/// run: out[i] = dequantize_value(in[i], params) for i in [0, n). The operands may not overlap.
struct dequantize_entry {
    isa target = isa::scalar;
    const char* name = "";
    void (*run)(const std::int8_t* in, std::size_t n, quant_params params, float* out) noexcept = nullptr;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The kernels of one instruction set: static void run(...) noexcept as in the entries. A missing specialization is a
/// compile error.
template <isa Which>
struct quantize_kernel;
template <isa Which>
struct dequantize_kernel;

}  // namespace octet::inline OCTET_ABI
