// Add and mul in plain C++, for machines without a kernel of their own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/kernel/elementwise_call.hpp"

namespace octet::inline OCTET_ABI {

template <class Params>
struct binary_kernel<isa::scalar, Params> {
    static void run(const Params& params, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                    std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept {
        for (std::size_t i = 0; i < n; ++i, a += a_step, b += b_step) out[i] = params(*a, *b);
    }
};

}  // namespace octet::inline OCTET_ABI
