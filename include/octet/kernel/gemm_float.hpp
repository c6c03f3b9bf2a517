// Float GEMM, for calibration and for layers left in float: start here. choose_float_gemm picks the micro-kernel of an
// instruction set once; the hot call is float_gemm_entry::run. All return the same bits: see
// kernel/gemm_float_call.hpp.
#pragma once

#include <concepts>

#include "octet/isa/select.hpp"
#include "octet/kernel/gemm_float_avx2.hpp"
#include "octet/kernel/gemm_float_avx512.hpp"
#include "octet/kernel/gemm_float_call.hpp"
#include "octet/kernel/gemm_float_scalar.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {
template <isa Which>
float_gemm_entry float_gemm_entry_of() noexcept {
    using kernel = float_gemm_kernel<Which>;
    return {.target = Which,
            .name = kernel::name,
            .panel = kernel::panel,
            .tile_rows = kernel::tile_rows,
            .register_rows = kernel::register_rows,
            .run = &kernel::run};
}
}  // namespace detail

/// The float micro-kernel for `target`, which this machine must run. SSE4.1 has no fma, which the law asks for: plain
/// C++ does it there, exact and slow.
float_gemm_entry choose_float_gemm(std::same_as<isa> auto target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
        case isa::avx512bw:
            return detail::float_gemm_entry_of<isa::avx512bw>();
        case isa::avx_vnni:
        case isa::avx2:
            return detail::float_gemm_entry_of<isa::avx2>();
#endif
        default:
            return detail::float_gemm_entry_of<isa::scalar>();
    }
}

}  // namespace octet::inline OCTET_ABI
