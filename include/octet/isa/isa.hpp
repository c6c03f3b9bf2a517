// The instruction sets for which Octet has, or keeps a place for, kernels.
#pragma once

#include <string_view>

namespace octet {

/// Names an instruction set; also the tag that selects a kernel: `gemm_kernel<isa::avx2, ...>`.
enum class isa : unsigned char {
    scalar,       ///< plain C++ at the translation unit's baseline
    avx2,         ///< AVX2 and FMA
    avx512_vnni,  ///< AVX-512 F, BW, DQ, VL and VNNI
};

constexpr std::string_view to_string(isa which) noexcept {
    switch (which) {
        case isa::scalar:
            return "scalar";
        case isa::avx2:
            return "avx2";
        case isa::avx512_vnni:
            return "avx512_vnni";
    }
    return "unknown";
}

}  // namespace octet
