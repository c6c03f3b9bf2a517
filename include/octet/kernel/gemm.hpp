// Int8 GEMM: start here. choose_gemm picks the micro-kernel of an instruction set once, when a layer is built; the hot
// call is gemm_entry::run. Results are int8, int32 or float: see quant/result.hpp. The arithmetic is defined by
// kernel/gemm_reference.hpp.
#pragma once

#include "octet/isa/detect.hpp"
#include "octet/kernel/gemm_avx2.hpp"
#include "octet/kernel/gemm_avx512_vnni.hpp"
#include "octet/kernel/gemm_avx512bw.hpp"
#include "octet/kernel/gemm_avx_vnni.hpp"
#include "octet/kernel/gemm_call.hpp"
#include "octet/kernel/gemm_scalar.hpp"
#include "octet/kernel/gemm_sse41.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {
/// The kernel of `Which` with the epilogue that has its registers.
template <isa Which, isa Registers, class Result>
gemm_entry<Result> gemm_entry_of() noexcept {
    using kernel = gemm_kernel<Which, store_epilogue<Registers, Result>>;
    gemm_entry<Result> entry{.target = Which,
                             .name = kernel::name,
                             .layout = kernel::layout,
                             .tile_rows = kernel::tile_rows,
                             .register_rows = kernel::register_rows,
                             .run = &kernel::run};
    entry.most_rows = entry.tile_rows;
    if constexpr (requires { kernel::most_rows; }) entry.most_rows = kernel::most_rows;
    if constexpr (requires { kernel::scratch_bytes(1, 1); }) entry.scratch_bytes = &kernel::scratch_bytes;
    return entry;
}
}  // namespace detail

/// The micro-kernel for `target`, of two ways to the same bytes the one that is faster `on` a CPU: Intel's, or any
/// other. Each is exact for all weights, -128 included.
template <class Result>
gemm_entry<Result> choose_gemm(isa target, [[maybe_unused]] const cpu_features& on = cpu()) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni: {
            using kernel = gemm_kernel<isa::avx512_vnni, store_epilogue<isa::avx512bw, Result>>;
            auto entry = detail::gemm_entry_of<isa::avx512_vnni, isa::avx512bw, Result>();
            if (!on.intel) entry.run = &kernel::run_in_place;
            return entry;
        }
        case isa::avx_vnni:
            return detail::gemm_entry_of<isa::avx_vnni, isa::avx2, Result>();
        case isa::avx512bw:
            return detail::gemm_entry_of<isa::avx512bw, isa::avx512bw, Result>();
        case isa::avx2:
            return detail::gemm_entry_of<isa::avx2, isa::avx2, Result>();
        case isa::sse41:
            return detail::gemm_entry_of<isa::sse41, isa::sse41, Result>();
#endif
        default:
            return detail::gemm_entry_of<isa::scalar, isa::scalar, Result>();
    }
}

}  // namespace octet::inline OCTET_ABI
