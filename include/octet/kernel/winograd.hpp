// Winograd's F(4, 3), exact: start here. choose_winograd picks the kernel of an instruction set when a layer is built;
// kernel/winograd_transform.hpp holds the arithmetic, kernel/winograd_call.hpp the steps of a kernel, and
// nn/winograd_conv2d.hpp the loop over them. The bytes are those of kernel/gemm_reference.hpp.
#pragma once

#include "octet/isa/detect.hpp"
#include "octet/isa/isa.hpp"
#include "octet/kernel/winograd_avx2.hpp"
#include "octet/kernel/winograd_avx512.hpp"
#include "octet/kernel/winograd_avx512_vnni.hpp"
#include "octet/kernel/winograd_avx_vnni.hpp"
#include "octet/kernel/winograd_call.hpp"
#include "octet/kernel/winograd_scalar.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {
template <isa Which, class Rounding>
winograd_entry<Rounding> winograd_entry_of(const winograd_cost& cost = winograd_kernel<Which>::cost) noexcept {
    using kernel = winograd_kernel<Which>;
    return {Which,
            kernel::name,
            kernel::panel,
            kernel::register_rows,
            cost,
            &kernel::expand,
            &kernel::load,
            &kernel::multiply,
            &kernel::template store<Rounding>};
}
}  // namespace detail

/// The kernel for `target`, or the next in the order of preference that there is. Its costs are those `on` a CPU: the
/// choice by them may differ between two of one target, the bytes do not.
template <class Rounding>
winograd_entry<Rounding> choose_winograd(isa target, [[maybe_unused]] const cpu_features& on = cpu()) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni: {
            using kernel = winograd_kernel<isa::avx512_vnni>;
            return detail::winograd_entry_of<isa::avx512_vnni, Rounding>(on.intel   ? kernel::cost_on_intel
                                                                         : on.zen_4 ? kernel::cost_on_zen_4
                                                                                    : kernel::cost);
        }
        case isa::avx_vnni:
            return detail::winograd_entry_of<isa::avx_vnni, Rounding>();
        case isa::avx512bw:
            return detail::winograd_entry_of<isa::avx512bw, Rounding>();
        case isa::avx2:
            return detail::winograd_entry_of<isa::avx2, Rounding>();
        case isa::sse41: {  // the scalar one, beside SSE4.1's direct product
            winograd_cost cost = winograd_kernel<isa::scalar>::cost;
            cost.direct = 12;
            return detail::winograd_entry_of<isa::scalar, Rounding>(cost);
        }
#endif
        default:
            return detail::winograd_entry_of<isa::scalar, Rounding>();
    }
}

}  // namespace octet::inline OCTET_ABI
