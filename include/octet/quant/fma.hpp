// float fused multiply-add with one rounding, on machines without the instruction too. Float layers form each output as
// one chain of it in ascending depth, so that every instruction set returns the same bits.
#pragma once

#include <bit>
#include <cstdint>

#include "octet/core/config.hpp"
#include "octet/core/ieee.hpp"

namespace octet::inline OCTET_ABI {

/// a * b + c, rounded once to nearest, ties to even: ieee::fma for float, without its library call.
/// The product of two floats is exact in double. Adding c rounds to 53 bits and the conversion rounds again to 24,
/// which differs from one rounding only when the double stands exactly between two floats and was itself rounded: then
/// its last bit is set towards the lost part. Results below the normal floats, where the tie stands elsewhere, take
/// ieee::fma.
OCTET_INLINE float fused_multiply_add(float a, float b, float c) noexcept {
#if defined(__FMA__) || defined(__aarch64__)
    return ieee::fma(a, b, c);
#else
    const double product = static_cast<double>(a) * static_cast<double>(b);
    const double addend = static_cast<double>(c);
    double sum = product + addend;
    const auto bits = std::bit_cast<std::uint64_t>(sum);
    constexpr std::uint64_t below_float = (std::uint64_t{1} << 29) - 1;  // 53 - 24 bits
    const double size = ieee::fabs(sum);
    if ((bits & below_float) == (std::uint64_t{1} << 28) || (size < 0x1p-125 && size != 0.0)) [[unlikely]] {
        if (!(size >= 0x1p-125 && size < 0x1p127)) return ieee::fma(a, b, c);
        const double from_product = sum - addend;
        const double lost = (product - from_product) + (addend - (sum - from_product));
        if (lost != 0.0) sum = std::bit_cast<double>((lost > 0.0) == (sum > 0.0) ? bits + 1 : bits - 1);
    }
    return static_cast<float>(sum);
#endif
}

}  // namespace octet::inline OCTET_ABI
