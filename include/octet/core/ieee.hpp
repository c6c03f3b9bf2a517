// The functions of <cmath> that Octet needs, as the builtins that g++ and clang++ share. <cmath> itself, with its
// special functions, costs every unit that includes octet.hpp 0.05 s, a tenth of what Eigen/Core costs.
#pragma once

#include "octet/core/config.hpp"

namespace octet::inline OCTET_ABI::ieee {

/// a * b + c with one rounding: the instruction where the command line or a region allows it, else a library call.
OCTET_INLINE double fma(double a, double b, double c) noexcept { return __builtin_fma(a, b, c); }
OCTET_INLINE float fma(float a, float b, float c) noexcept { return __builtin_fmaf(a, b, c); }
/// To a whole number in the current rounding mode, which is to nearest, ties to even; llround: ties away from zero.
OCTET_INLINE long lrint(float x) noexcept { return __builtin_lrintf(x); }
OCTET_INLINE long long llrint(double x) noexcept { return __builtin_llrint(x); }
OCTET_INLINE double nearbyint(double x) noexcept { return __builtin_nearbyint(x); }
OCTET_INLINE long long llround(double x) noexcept { return __builtin_llround(x); }

OCTET_INLINE double fabs(double x) noexcept { return __builtin_fabs(x); }
OCTET_INLINE double copysign(double size, double sign) noexcept { return __builtin_copysign(size, sign); }
/// x = result * 2^exponent with |result| in [0.5, 1), and back.
OCTET_INLINE double frexp(double x, int* exponent) noexcept { return __builtin_frexp(x, exponent); }
OCTET_INLINE double ldexp(double x, int exponent) noexcept { return __builtin_ldexp(x, exponent); }

OCTET_INLINE bool is_finite(double x) noexcept { return __builtin_isfinite(x); }
OCTET_INLINE bool is_nan(double x) noexcept { return __builtin_isnan(x); }

}  // namespace octet::inline OCTET_ABI::ieee
