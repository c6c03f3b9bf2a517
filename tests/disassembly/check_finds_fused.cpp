// Here a product is fused with a sum, and the check must see it: ctest turns the result of this one around.
// functions: ^scale_and_shift
// never: \t(vfn?m(add|sub)|fn?m(add|sub)|fml[as])
#include <octet/core/config.hpp>

#include <cstddef>

#if defined(__x86_64__)
OCTET_REGION("avx2,fma")
#endif

void scale_and_shift(const float* in, float* out, std::size_t count, float scale, float shift);
void scale_and_shift(const float* in, float* out, std::size_t count, float scale, float shift) {
    for (std::size_t i = 0; i < count; ++i) out[i] = __builtin_fmaf(in[i], scale, shift);
}

#if defined(__x86_64__)
OCTET_REGION_END
#endif
