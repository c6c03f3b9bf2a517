// What this machine can run: the only reader of CPUID. Features are a set; select.hpp holds the order of preference.
#pragma once

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "octet/core/config.hpp"
#include "octet/isa/isa.hpp"

namespace octet::inline OCTET_ABI {

/// The features that Octet's kernels ask for, each of which holds only when the operating system saves its registers
/// too, and what tells processors apart on which they are not equally fast.
struct cpu_features {
    bool ssse3 = false;
    bool sse41 = false;
    bool avx2 = false;
    bool fma = false;
    bool avx512f = false;
    bool avx512bw = false;
    bool avx512dq = false;
    bool avx512vl = false;
    bool avx512_vbmi = false;
    bool avx512_vnni = false;
    bool avx_vnni = false;
    // For what is faster, never for what can run:
    bool intel = false;  ///< Intel made it
    bool zen_4 = false;  ///< AMD's family 19h with AVX-512, whose arithmetic of 512 bits is two halves
};

inline cpu_features detect_cpu() noexcept {
    cpu_features found;
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    __get_cpuid(0, &a, &b, &c, &d);
    found.intel = b == 0x756e6547;     // "Genu" of "GenuineIntel"
    const bool amd = b == 0x68747541;  // "Auth" of "AuthenticAMD"
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return found;
    const bool family_19h = (a >> 8 & 0xfU) + (a >> 20 & 0xffU) == 0x19;
    found.ssse3 = ((c >> 9) & 1U) != 0;
    found.sse41 = ((c >> 19) & 1U) != 0;
    if (((c >> 27) & 1U) == 0) return found;  // XGETBV may not be used: nothing beyond xmm is saved
    unsigned saved_low = 0, saved_high = 0;
    asm volatile("xgetbv" : "=a"(saved_low), "=d"(saved_high) : "c"(0));
    const bool saves_ymm = (saved_low & 0x6U) == 0x6U;    // xmm and the upper half of ymm
    const bool saves_zmm = (saved_low & 0xe6U) == 0xe6U;  // and mask registers, the upper half of zmm, zmm16 to zmm31
    found.fma = saves_ymm && ((c >> 12) & 1U) != 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return found;
    found.avx2 = saves_ymm && ((b >> 5) & 1U) != 0;
    found.avx512f = saves_zmm && ((b >> 16) & 1U) != 0;
    found.avx512dq = saves_zmm && ((b >> 17) & 1U) != 0;
    found.avx512bw = saves_zmm && ((b >> 30) & 1U) != 0;
    found.avx512vl = saves_zmm && ((b >> 31) & 1U) != 0;
    found.zen_4 = found.avx512f && amd && family_19h;
    found.avx512_vbmi = saves_zmm && ((c >> 1) & 1U) != 0;
    found.avx512_vnni = saves_zmm && ((c >> 11) & 1U) != 0;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) found.avx_vnni = saves_ymm && ((a >> 4) & 1U) != 0;
#endif
    return found;
}

inline const cpu_features& cpu() noexcept {
    static const cpu_features found = detect_cpu();
    return found;
}

/// Whether kernels for `which` run on this machine, and with them those of every smaller set that stand in for it.
inline bool supported(isa which) noexcept {
    const cpu_features& has = cpu();
    switch (which) {
        case isa::scalar:
            return true;
        case isa::sse41:
            return has.ssse3 && has.sse41;
        case isa::avx2:
            return supported(isa::sse41) && has.avx2 && has.fma;
        case isa::avx512bw:
            return supported(isa::avx2) && has.avx512f && has.avx512bw && has.avx512dq && has.avx512vl;
        case isa::avx_vnni:
#if defined(OCTET_AVX_VNNI_AS_AVX512)
            return supported(isa::avx512_vnni);
#else
            return supported(isa::avx2) && has.avx_vnni;
#endif
        case isa::avx512_vnni:
            return supported(isa::avx512bw) && has.avx512_vnni;
    }
    return false;
}

}  // namespace octet::inline OCTET_ABI
