// x86 intrinsics, for use between OCTET_REGION and OCTET_REGION_END: the only includer of immintrin.h.
#pragma once

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
#endif
