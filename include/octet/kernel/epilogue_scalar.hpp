// What becomes of accumulators, in plain C++. All rounding and clamping of the GEMM-like kernels stands in the
// epilogue_<isa>.hpp files; the kernels themselves hold int32 tiles and moves only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/quant/rounding.hpp"

namespace octet {

/// What an epilogue needs besides the accumulators; `multipliers` begins at the first column of the tile.
template <class Multiplier>
struct epilogue_args {
    const Multiplier* multipliers = nullptr;
    zero_point out_zero;
    clamp limits;
    bool fits_int32 = false;  ///< no product of an accumulator with its multiplier leaves int32: see packed_gemm
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The epilogue that stores int8: out[n] = requantize(acc[n], multipliers[n]) for `count` columns of one row.
/// One specialization for each instruction set; the accumulators of the vector ones arrive in registers.
template <isa Which, class Rounding>
struct requantize_epilogue;

template <class Rounding>
struct requantize_epilogue<isa::scalar, Rounding> {
    using rounding = Rounding;
    using args = epilogue_args<typename Rounding::multiplier>;

    static void store(const std::int32_t* acc, int count, const args& a, std::int8_t* out) noexcept {
        for (int n = 0; n < count; ++n) out[n] = requantize<Rounding>(acc[n], a.multipliers[n], a.out_zero, a.limits);
    }
};

}  // namespace octet::inline OCTET_ABI
