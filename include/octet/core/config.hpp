// Every macro of Octet stands in this file: the version, the ABI tag of the inline namespace, the target regions.
#pragma once

#define OCTET_VERSION_MAJOR 0
#define OCTET_VERSION_MINOR 1
#define OCTET_VERSION_PATCH 0

#if defined(__FAST_MATH__)
#error "Octet promises the same bytes on every machine, and -ffast-math breaks that promise: compile without it."
#endif

// What contains loops lives in `namespace octet::inline OCTET_ABI`, a name that holds the baseline (the instruction
// sets that the command line allows everywhere) and the exceptions mode: two translation units with different flags
// then carry two sets of functions, and the linker never runs one compiled for a larger machine. Types that hold data
// only (views, shape, scale, error) live in plain `octet`, so that functions that take them link across such units;
// what they do beyond holding data (checks that throw, loops) is OCTET_INLINE: no unit calls another's copy of it.
#if defined(__AVX512F__)
#define OCTET_BASELINE avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define OCTET_BASELINE avx2
#elif defined(__AVX__)
#define OCTET_BASELINE avx
#elif defined(__SSE4_1__)
#define OCTET_BASELINE sse41
#else
#define OCTET_BASELINE base
#endif
#if defined(__cpp_exceptions)
#define OCTET_JOIN(a) a##_throws
#else
#define OCTET_JOIN(a) a##_aborts
#endif
#define OCTET_EXPAND(a) OCTET_JOIN(a)
#define OCTET_ABI OCTET_EXPAND(OCTET_BASELINE)

// A target region: what stands between OCTET_REGION("avx2") and OCTET_REGION_END may use that instruction set whatever
// the command line says, lambdas and templates instantiated later included. Nothing may be #included inside a region,
// and no vector may cross its edge. A region adds to the command line and never subtracts.
#define OCTET_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define OCTET_REGION(isa) OCTET_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define OCTET_REGION_END OCTET_PRAGMA(clang attribute pop)
#else
#define OCTET_REGION(isa) OCTET_PRAGMA(GCC push_options) OCTET_PRAGMA(GCC target(isa))
#define OCTET_REGION_END OCTET_PRAGMA(GCC pop_options)
#endif

// The AVX-VNNI kernels ask the assembler for the encoding that CPUs without AVX-512 run. A test defines
// OCTET_AVX_VNNI_AS_AVX512 before any include: then the same source is compiled for AVX512-VNNI with VL, so that it
// runs on machines that have no AVX-VNNI.
#if defined(OCTET_AVX_VNNI_AS_AVX512)
#define OCTET_AVX_VNNI_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
#define OCTET_VEX
#else
#define OCTET_AVX_VNNI_TARGET "avx2,avxvnni"
#define OCTET_VEX "%{vex%} "
#endif

// Kernels are assembled from small functions that must melt into one loop.
#define OCTET_INLINE inline __attribute__((always_inline))
