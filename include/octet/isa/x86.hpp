// x86 intrinsics, for use between OCTET_REGION and OCTET_REGION_END: the only includer of immintrin.h.
#pragma once

#include <cstdint>

#include "octet/core/config.hpp"

#if defined(__x86_64__)
// GCC 12's AVX-512 headers read deliberately undefined registers, which its own warnings take for a fault.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace octet::inline OCTET_ABI {

/// Asks for the cache line of an address: an integer, because what is asked for ahead of time may lie beyond every
/// object, where a pointer may not lead. Locality 3 brings it into L1, 2 into L2.
template <int Locality = 3>
OCTET_INLINE void prefetch(std::intptr_t address) noexcept {
    __builtin_prefetch(reinterpret_cast<const void*>(address), 0, Locality);
}
OCTET_INLINE std::intptr_t address_of(const void* at) noexcept { return reinterpret_cast<std::intptr_t>(at); }

}  // namespace octet::inline OCTET_ABI
#endif
