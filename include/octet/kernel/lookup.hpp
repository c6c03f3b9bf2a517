// Lookup of int8 values in a table: start here. choose_lookup picks the kernel of an instruction set once.
#pragma once

#include <concepts>

#include "octet/isa/select.hpp"
#include "octet/kernel/lookup_avx2.hpp"
#include "octet/kernel/lookup_avx512.hpp"
#include "octet/kernel/lookup_avx512_vbmi.hpp"
#include "octet/kernel/lookup_call.hpp"
#include "octet/kernel/lookup_scalar.hpp"
#include "octet/kernel/lookup_sse41.hpp"

namespace octet::inline OCTET_ABI {

/// The entry's target says what runs. VBMI is no instruction set of its own here: of the CPUs with AVX512-VNNI only two
/// generations lack it.
lookup_entry choose_lookup(std::same_as<isa> auto target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
            if (cpu().avx512_vbmi) return {target, "lookup 64 vpermi2b", &lookup_kernel_vbmi::run};
            [[fallthrough]];
        case isa::avx512bw:
            return {isa::avx512bw, "lookup 64 vpermi2w", &lookup_kernel<isa::avx512bw>::run};
        case isa::avx_vnni:
        case isa::avx2:
            return {isa::avx2, "lookup 32 vpshufb", &lookup_kernel<isa::avx2>::run};
        case isa::sse41:
            return {isa::sse41, "lookup 16 pshufb", &lookup_kernel<isa::sse41>::run};
#endif
        default:
            return {isa::scalar, "lookup", &lookup_kernel<isa::scalar>::run};
    }
}

}  // namespace octet::inline OCTET_ABI
