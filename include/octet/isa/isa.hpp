// The instruction sets that Octet chooses from. What has no kernel of its own on one runs on the next that it holds.
#pragma once

#include <string_view>

namespace octet {

/// Names an instruction set; also the tag that selects a kernel: `gemm_kernel<isa::avx2, ...>`.
enum class isa : unsigned char {
    scalar,       ///< plain C++ at the translation unit's baseline
    sse41,        ///< SSE4.1 (and with it SSSE3)
    avx2,         ///< AVX2 and FMA
    avx512bw,     ///< AVX-512 F, BW, DQ and VL, beside AVX2 and FMA
    avx_vnni,     ///< AVX-VNNI, beside AVX2 and FMA; says nothing about AVX-512
    avx512_vnni,  ///< AVX512-VNNI, beside all of avx512bw; says nothing about AVX-VNNI
};

constexpr std::string_view to_string(isa which) noexcept {
    switch (which) {
        case isa::scalar:
            return "scalar";
        case isa::sse41:
            return "sse41";
        case isa::avx2:
            return "avx2";
        case isa::avx512bw:
            return "avx512bw";
        case isa::avx_vnni:
            return "avx_vnni";
        case isa::avx512_vnni:
            return "avx512_vnni";
    }
    return "unknown";
}

}  // namespace octet
