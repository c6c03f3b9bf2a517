// What becomes of accumulators, in plain C++. All rounding and clamping of the GEMM-like kernels stands in the
// epilogue_<isa>.hpp files; the kernels themselves hold int32 tiles and moves only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/quant/result.hpp"

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

/// out[n] = result_of<Result>(acc[n], multipliers[n]) for `count` columns of one row: bytes, or words of 32 bits. Two
/// specializations for each instruction set, whose accumulators arrive in registers.
template <isa Which, class Result>
struct store_epilogue;

template <class Result>
struct store_epilogue<isa::scalar, Result> {
    using result = Result;
    using args = epilogue_args<typename Result::multiplier>;

    static void store(const std::int32_t* acc, int count, const args& a, typename Result::stored* out) noexcept {
        for (int n = 0; n < count; ++n) out[n] = result_of<Result>(acc[n], a.multipliers[n], a.out_zero, a.limits);
    }
};

/// What the vector epilogues of results of 32 bits hold: accumulators leave as they are, or dequantized.
template <class Result>
struct word_epilogue {
    using result = Result;
    using multiplier = typename Result::multiplier;
    using args = epilogue_args<multiplier>;

    const multiplier* multipliers;

    explicit OCTET_INLINE word_epilogue(const args& a) noexcept : multipliers(a.multipliers) {}
};

}  // namespace octet::inline OCTET_ABI
