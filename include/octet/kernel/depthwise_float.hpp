// Float depthwise convolution, for calibration and for layers left in float: start here. choose_float_depthwise picks
// the kernel of an instruction set once; all return the same bits: see kernel/depthwise_float_call.hpp.
#pragma once

#include <concepts>

#include "octet/isa/select.hpp"
#include "octet/kernel/depthwise_float_avx2.hpp"
#include "octet/kernel/depthwise_float_avx512.hpp"
#include "octet/kernel/depthwise_float_call.hpp"
#include "octet/kernel/depthwise_float_scalar.hpp"

namespace octet::inline OCTET_ABI {

depthwise_float_entry choose_float_depthwise(std::same_as<isa> auto target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
        case isa::avx512bw:
            return {isa::avx512bw, "float depthwise 64", &depthwise_float_kernel<isa::avx512bw>::run};
        case isa::avx_vnni:
        case isa::avx2:
            return {isa::avx2, "float depthwise 32", &depthwise_float_kernel<isa::avx2>::run};
#endif
        default:
            return {isa::scalar, "float depthwise", &depthwise_float_kernel<isa::scalar>::run};
    }
}

}  // namespace octet::inline OCTET_ABI
