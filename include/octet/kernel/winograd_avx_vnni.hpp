// Winograd's F(4, 3) on AVX-VNNI: the steps of kernel/winograd_avx2.hpp, multiplied by vpdpwssd in the encoding that
// CPUs without AVX-512 run (see kernel/gemm_avx_vnni.hpp).
#pragma once

#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/winograd_avx2.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

struct vpdpwssd_avx_vnni {
    static OCTET_INLINE void add(__m256i& acc, __m256i x, __m256i w) noexcept {
        asm(OCTET_VEX "vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+x"(acc) : "x"(x), "x"(w));
    }
    static OCTET_INLINE void add(__m256i& acc, __m256i x, const std::int16_t* w) noexcept {
        asm(OCTET_VEX "vpdpwssd {%2, %1, %0|%0, %1, %2}"
            : "+x"(acc)
            : "x"(x), "m"(*reinterpret_cast<const __m256i*>(w)));
    }
};

template <>
struct winograd_kernel<isa::avx_vnni> : winograd_transforms_avx2, winograd_product_avx2<vpdpwssd_avx_vnni> {
    static constexpr const char* name = "winograd 4x4 vpdpwssd";
    static constexpr winograd_cost cost{.direct = 58, .product = 28, .load = 250, .store = 320, .expand = 160};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
