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

/// A quotient without a division: for every x and scale s, x / s rounded to float rounds to the same integer as
///   fma(x, high, x * low)     with high = 1 / s and low = 1 / s - high, each rounded to float
/// Before it is rounded, the sum is x / s within 2^-46 of it. So the two can differ about an integer and a half, h <
/// 256, only where x / s is as near to m, the middle between h and the float above or below it. With S, M and X the
/// significands of s, m and x as integers, |x / s - m| / m = |X 2^k - M S| / (M S), where k is 24 or 25, M S < 2^49,
/// and M is odd and 1 from a multiple of 2^16. The numerator is not 0, because S < 2^24, and at least the distance of S
/// from a multiple of 2^16: where that is 0 or 8 and more, m is too far away. The 1,792 other significands have been
/// tried with all h: tests/quantize_rows_test.cpp.
struct reciprocal {
    float high, low;

    explicit OCTET_INLINE reciprocal(scale s) noexcept
        : high(1.0F / s.value),
          low(static_cast<float>(1.0 / static_cast<double>(s.value) - static_cast<double>(high))) {}
    /// Whether all of this stays within the normal floats.
    static OCTET_INLINE bool serves(scale s) noexcept { return s.value >= 0x1p-60F && s.value <= 0x1p60F; }
};

/// The kernels of one instruction set: static void run(...) noexcept as in the entries. A missing specialization is a
/// compile error.
template <isa Which>
struct quantize_kernel;
template <isa Which>
struct dequantize_kernel;

}  // namespace octet::inline OCTET_ABI
