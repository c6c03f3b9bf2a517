// The contract between a layer and the kernels of add and mul: one call computes a row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/kernel/elementwise_reference.hpp"

namespace octet::inline OCTET_ABI {

/// The operands of a kernel, as below.
struct binary_operands {
    const std::int8_t* a;
    std::ptrdiff_t a_step;
    const std::int8_t* b;
    std::ptrdiff_t b_step;
    std::int8_t* out;
    std::size_t n;
};

/// A kernel as the layers see it. run: out[i] = params(a[i * a_step], b[i * b_step]) for i in [0, n); a step is 1, or 0
/// for one value over the whole row. out may be exactly a or b where its step is 1, and may not overlap them otherwise.
/// No byte beyond the operands is read or written. Params is add_params or mul_params of a rounding policy.
template <class Params>
struct binary_entry {
    isa target = isa::scalar;
    const char* name = "";
    void (*run)(const Params& params, const std::int8_t* a, std::ptrdiff_t a_step, const std::int8_t* b,
                std::ptrdiff_t b_step, std::int8_t* out, std::size_t n) noexcept = nullptr;
};

/// The kernel of one instruction set: static void run(...) noexcept as above. A missing specialization is a compile
/// error.
template <isa Which, class Params>
struct binary_kernel;

}  // namespace octet::inline OCTET_ABI
