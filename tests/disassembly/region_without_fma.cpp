// A product followed by a sum stays two roundings in an AVX2 region, because the region leaves fma out.
// functions: ^scale_and_shift
// never: \t(vfn?m(add|sub)|fn?m(add|sub)|fml[as])
// only: x86_64
#include <octet/core/config.hpp>

#include <cstddef>

OCTET_REGION("avx2")

void scale_and_shift(const float* in, float* out, std::size_t count, float scale, float shift) {
    for (std::size_t i = 0; i < count; ++i) out[i] = in[i] * scale + shift;
}

OCTET_REGION_END
