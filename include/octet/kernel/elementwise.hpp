// Int8 add and mul: start here. choose_binary picks the kernel of an instruction set once, when a layer is built; the
// hot call is binary_entry::run. The arithmetic is defined by kernel/elementwise_reference.hpp.
#pragma once

#include "octet/isa/select.hpp"
#include "octet/kernel/elementwise_avx2.hpp"
#include "octet/kernel/elementwise_avx512.hpp"
#include "octet/kernel/elementwise_call.hpp"
#include "octet/kernel/elementwise_scalar.hpp"
#include "octet/kernel/elementwise_sse41.hpp"

namespace octet::inline OCTET_ABI {

/// Params: add_params<Rounding> or mul_params<Rounding>.
template <class Params>
binary_entry<Params> choose_binary(isa target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
            return {target, "elementwise 64", &binary_kernel<isa::avx512_vnni, Params>::run};
        case isa::avx512bw:
            return {target, "elementwise 64", &binary_kernel<isa::avx512bw, Params>::run};
        case isa::avx_vnni:
        case isa::avx2:
            return {isa::avx2, "elementwise 32", &binary_kernel<isa::avx2, Params>::run};
        case isa::sse41:
            return {isa::sse41, "elementwise 16", &binary_kernel<isa::sse41, Params>::run};
#endif
        default:
            return {isa::scalar, "elementwise", &binary_kernel<isa::scalar, Params>::run};
    }
}

}  // namespace octet::inline OCTET_ABI
