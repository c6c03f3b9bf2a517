// Opt-in: quantize and dequantize contiguous rows on xsimd's batches (xsimd 8.1 or newer), at the instruction set of
// the command line. For targets without kernels of their own; the bytes are those of quant/quantizer.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include "octet/core/config.hpp"
#include "octet/isa/x86.hpp"  // before xsimd: includes the intrinsics without GCC's false warnings
#include "octet/quant/quantizer.hpp"

#include <xsimd/xsimd.hpp>

namespace octet::inline OCTET_ABI::batched {

namespace detail {
template <class Storage>
concept byte = std::is_same_v<Storage, std::int8_t> || std::is_same_v<Storage, std::uint8_t>;

template <byte Storage>
inline constexpr clamp whole{std::numeric_limits<Storage>::min(), std::numeric_limits<Storage>::max()};
}  // namespace detail

/// out[i] = quantize_value(in[i], p, limits.low, limits.high): a division, the clamp before the conversion, ties to
/// even, a NaN becomes limits.low. limits lie inside Storage; in and out have the same size and may not overlap; any
/// alignment. The instruction set is part of the name, so that units compiled with different flags keep different
/// functions.
template <detail::byte Storage, class Arch = xsimd::default_arch>
void quantize(std::span<const float> in, std::span<Storage> out, quant_params p,
              clamp limits = detail::whole<Storage>) noexcept {
    using floats = xsimd::batch<float, Arch>;
    constexpr std::size_t lanes = floats::size, block = 4 * lanes;
    const std::int32_t z = p.zero_point.value;
    const floats scale(p.scale.value);
    const floats floor(static_cast<float>(limits.low - z)), ceiling(static_cast<float>(limits.high - z));
    std::size_t i = 0;
    for (; i + block <= in.size(); i += block) {
        std::int32_t steps[block];
        for (std::size_t k = 0; k < block; k += lanes) {
            // The compiler's division of registers: xsimd's own multiplies by an approximate inverse on NEON.
            const floats x(floats::load_unaligned(in.data() + i + k).data / scale.data);
            // Not min and max, whose answer for a NaN differs between instruction sets.
            const floats held = xsimd::select(x > floor, xsimd::select(x < ceiling, x, ceiling), floor);
            xsimd::nearbyint_as_int(held).store_unaligned(steps + k);
        }
        for (std::size_t k = 0; k < block; ++k) out[i + k] = static_cast<Storage>(steps[k] + z);
    }
    for (; i < in.size(); ++i) out[i] = static_cast<Storage>(quantize_value(in[i], p, limits.low, limits.high));
}

/// out[i] = p.scale * (in[i] - p.zero_point), as dequantize_value. Same size, no overlap, any alignment.
template <detail::byte Storage, class Arch = xsimd::default_arch>
void dequantize(std::span<const Storage> in, std::span<float> out, quant_params p) noexcept {
    using floats = xsimd::batch<float, Arch>;
    constexpr std::size_t lanes = floats::size, block = 4 * lanes;
    const std::int32_t z = p.zero_point.value;
    const floats scale(p.scale.value);
    std::size_t i = 0;
    for (; i + block <= in.size(); i += block) {
        std::int32_t steps[block];
        for (std::size_t k = 0; k < block; ++k) steps[k] = in[i + k] - z;
        for (std::size_t k = 0; k < block; k += lanes) {
            const auto q = xsimd::batch<std::int32_t, Arch>::load_unaligned(steps + k);
            (scale * xsimd::to_float(q)).store_unaligned(out.data() + i + k);
        }
    }
    for (; i < in.size(); ++i) out[i] = dequantize_value(in[i], p);
}

}  // namespace octet::inline OCTET_ABI::batched
