// Winograd's F(4, 3) on AVX512-VNNI: the steps of kernel/winograd_avx512.hpp, multiplied by vpdpwssd.
#pragma once

#include "octet/isa/x86.hpp"
#include "octet/kernel/winograd_avx512.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

/// Not the intrinsic: GCC 12 copies the accumulators that it is fed, which halves the speed.
struct vpdpwssd_avx512 {
    static OCTET_INLINE void add(__m512i& acc, __m512i u, __m512i w) noexcept {
        asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "v"(w));
    }
};

template <>
struct winograd_kernel<isa::avx512_vnni> : winograd_transforms_avx512, winograd_product_avx512<vpdpwssd_avx512> {
    static constexpr const char* name = "winograd 4x4 vpdpwssd";
    static constexpr winograd_cost cost{
        .direct = 118, .product = 56, .load = 170, .store = 150, .expand = 80};  // Zen 5
    /// Measured on Emerald Rapids, taken for all of Intel's: two 512-bit ports for the transforms, and 4 cycles for
    /// each line that L2 takes, of which expand writes 36. store: with clamps beside the packs, as of Zen 5.
    static constexpr winograd_cost cost_on_intel{
        .direct = 118, .product = 52, .load = 310, .store = 220, .expand = 165};
    /// 512 bits are two halves there: half the products in a cycle, while weights stream at three quarters of the pace,
    /// from DRAM at three fifths. store: clamped by packs alone; 217 with clamps beside them.
    static constexpr winograd_cost cost_on_zen_4{
        .direct = 60, .product = 29.5F, .load = 145, .store = 180, .expand = 115, .from_cache = 12, .from_dram = 3};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
