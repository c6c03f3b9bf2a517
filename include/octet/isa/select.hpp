// Which instruction set a layer uses unless it is told: the first of `preference` that this machine runs.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "octet/core/error.hpp"
#include "octet/isa/detect.hpp"

namespace octet::inline OCTET_ABI {

/// Every instruction set compiled into this build, fastest first. AVX-VNNI and AVX-512 are not ordered: who has both
/// has AVX512-VNNI, with registers of twice the width; a dot product of 256 bits stands before AVX-512 without one,
/// whose vpmaddwd and vpaddd take twice the instructions for the same products.
#if defined(__x86_64__)
inline constexpr std::array preference{isa::avx512_vnni, isa::avx_vnni, isa::avx512bw,
                                       isa::avx2,        isa::sse41,    isa::scalar};
#else
inline constexpr std::array preference{isa::scalar};
#endif

inline isa best_isa() noexcept {
    for (const isa which : preference)
        if (supported(which)) return which;
    return isa::scalar;
}

/// All that this machine runs, fastest first: what the tests go through. (A template, so that only units that ask
/// compile it.)
template <class Isa = isa>
std::vector<Isa> supported_isas() {
    std::vector<Isa> found;
    for (const isa which : preference)
        if (supported(which)) found.push_back(which);
    return found;
}

/// `asked` if this machine runs it, best_isa() if nothing was asked; throws octet::error otherwise.
inline isa choose_isa(std::optional<isa> asked) {
    if (asked && !supported(*asked))
        fail("this machine does not run ", to_string(*asked), ": leave the instruction set out to get ",
             to_string(best_isa()));
    return asked.value_or(best_isa());
}

/// "avx2" to isa::avx2; throws octet::error for a name that is unknown or that this machine cannot run.
inline isa parse_isa(std::string_view name) {
    std::string known;
    for (const isa which : preference) {
        if (to_string(which) == name) {
            if (!supported(which)) fail("this machine does not run ", name, ": choose another instruction set");
            return which;
        }
        known += text(known.empty() ? "" : ", ", to_string(which));
    }
    fail("unknown instruction set '", name, "': choose one of ", known);
}

}  // namespace octet::inline OCTET_ABI
