// With fma in the region the compiler fuses, or is asked to: the check must see it.
// functions: ^scale_and_shift
// never: vfn?m(add|sub)
#include <octet/core/config.hpp>

#include <cstddef>

OCTET_REGION("avx2,fma")

void scale_and_shift(const float* in, float* out, std::size_t count, float scale, float shift) {
    for (std::size_t i = 0; i < count; ++i) out[i] = __builtin_fmaf(in[i], scale, shift);
}

OCTET_REGION_END
