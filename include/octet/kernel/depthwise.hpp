// Int8 depthwise convolution: start here. choose_depthwise picks the kernel of an instruction set once, when a layer is
// built; pack_depthwise packs its weights in the entry's layout; the hot call is depthwise_entry::run. The arithmetic
// is defined by kernel/depthwise_reference.hpp.
#pragma once

#include "octet/isa/select.hpp"
#include "octet/kernel/depthwise_avx2.hpp"
#include "octet/kernel/depthwise_avx512_vnni.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/depthwise_scalar.hpp"
#include "octet/kernel/depthwise_sse41.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {
template <isa Which, class Rounding>
depthwise_entry<Rounding> depthwise_entry_of() noexcept {
    using kernel = depthwise_kernel<Which, Rounding>;
    return {Which, kernel::name, kernel::layout, &kernel::scratch_bytes, &kernel::run};
}
}  // namespace detail

template <class Rounding>
depthwise_entry<Rounding> choose_depthwise(isa target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
            return detail::depthwise_entry_of<isa::avx512_vnni, Rounding>();
        case isa::avx512bw:
        case isa::avx_vnni:
        case isa::avx2:
            return detail::depthwise_entry_of<isa::avx2, Rounding>();
        case isa::sse41:
            return detail::depthwise_entry_of<isa::sse41, Rounding>();
#endif
        default:
            return detail::depthwise_entry_of<isa::scalar, Rounding>();
    }
}

}  // namespace octet::inline OCTET_ABI
