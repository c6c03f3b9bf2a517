// What the units of the peer oneDNN share.
#pragma once

#include <dnnl.hpp>

#include "octet/isa/select.hpp"

namespace octet::bench {

/// oneDNN uses the best instruction set that it knows, so it is a peer of the best kernels;
/// ONEDNN_MAX_CPU_ISA=AVX2 in the environment makes it one of the AVX2 kernels.
inline bool onednn_comparable(isa which) {
    const bool has_avx512 = static_cast<int>(dnnl::get_effective_cpu_isa()) >= dnnl_cpu_isa_avx512_mic;
    return has_avx512 ? which == best_isa() && to_string(which).starts_with("avx512") : which == isa::avx2;
}

}  // namespace octet::bench
