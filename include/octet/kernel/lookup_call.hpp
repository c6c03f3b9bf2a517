// The contract of the lookup kernels: any function of one int8 value as a table of its 256 results.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "octet/core/config.hpp"
#include "octet/isa/isa.hpp"

namespace octet {

/// Element q + 128 is the result for q.
using lookup_table = std::array<std::int8_t, 256>;

/// run: out[i] = table[in[i] + 128] for i in [0, n). out may be exactly in, and may not overlap it otherwise.
struct lookup_entry {
    isa target = isa::scalar;
    const char* name = "";
    void (*run)(const lookup_table& table, const std::int8_t* in, std::size_t n, std::int8_t* out) noexcept = nullptr;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The kernel of one instruction set: static void run(...) noexcept as in the entry.
template <isa Which>
struct lookup_kernel;

}  // namespace octet::inline OCTET_ABI
