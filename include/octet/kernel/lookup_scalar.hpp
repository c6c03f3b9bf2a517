// Lookup in plain C++: the definition.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/kernel/lookup_call.hpp"

namespace octet::inline OCTET_ABI {

template <>
struct lookup_kernel<isa::scalar> {
    static void run(const lookup_table& table, const std::int8_t* in, std::size_t n, std::int8_t* out) noexcept {
        for (std::size_t i = 0; i < n; ++i) out[i] = table[static_cast<std::size_t>(in[i] + 128)];
    }
};

}  // namespace octet::inline OCTET_ABI
