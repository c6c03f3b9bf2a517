// Int8 max and average pooling: start here. choose_max_pool and choose_average_pool pick the kernels of an instruction
// set once, when a layer is built; the hot call is the entry's run. The arithmetic is defined by
// kernel/pool_reference.hpp.
#pragma once

#include <concepts>

#include "octet/isa/select.hpp"
#include "octet/kernel/pool_avx2.hpp"
#include "octet/kernel/pool_avx512.hpp"
#include "octet/kernel/pool_call.hpp"
#include "octet/kernel/pool_scalar.hpp"
#include "octet/kernel/pool_sse41.hpp"

namespace octet::inline OCTET_ABI {

max_pool_entry choose_max_pool(std::same_as<isa> auto target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
        case isa::avx512bw:
            return {isa::avx512bw, "max pool 64", &max_pool_kernel<isa::avx512bw>::run};
        case isa::avx_vnni:
        case isa::avx2:
            return {isa::avx2, "max pool 32", &max_pool_kernel<isa::avx2>::run};
        case isa::sse41:
            return {isa::sse41, "max pool 16", &max_pool_kernel<isa::sse41>::run};
#endif
        default:
            return {isa::scalar, "max pool", &max_pool_kernel<isa::scalar>::run};
    }
}

template <class Rounding>
average_pool_entry<Rounding> choose_average_pool(isa target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
        case isa::avx512bw:
            return {isa::avx512bw, "average pool 64", &average_pool_kernel<isa::avx512bw, Rounding>::run};
        case isa::avx_vnni:
        case isa::avx2:
            return {isa::avx2, "average pool 32", &average_pool_kernel<isa::avx2, Rounding>::run};
        case isa::sse41:
            return {isa::sse41, "average pool 16", &average_pool_kernel<isa::sse41, Rounding>::run};
#endif
        default:
            return {isa::scalar, "average pool", &average_pool_kernel<isa::scalar, Rounding>::run};
    }
}

}  // namespace octet::inline OCTET_ABI
