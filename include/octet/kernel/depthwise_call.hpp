// The contract between a layer and the depthwise kernels: one call computes a run of output pixels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/kernel/epilogue_scalar.hpp"
#include "octet/kernel/packed_depthwise.hpp"

namespace octet::inline OCTET_ABI {

/// `pixels` output pixels. Tap t of pixel i begins at lhs[i * taps + t] and has weights->channels bytes, of which no
/// byte beyond the last is read; padding points at a row of zero points. Pixel i of the result goes to out + i *
/// out_stride, and nothing beyond its channels is written. out may not overlap the input.
template <class Rounding>
struct depthwise_call {
    const packed_depthwise<Rounding>* weights = nullptr;
    const std::int8_t* const* lhs = nullptr;
    int pixels = 0;
    std::int8_t* out = nullptr;
    std::ptrdiff_t out_stride = 0;
    zero_point out_zero;
    clamp limits;
};

/// A kernel as the layers see it: what it wants of its weights, and the function.
template <class Rounding>
struct depthwise_entry {
    isa target = isa::scalar;
    const char* name = "";
    depthwise_layout layout;
    void (*run)(const depthwise_call<Rounding>&) noexcept = nullptr;
};

/// The kernel of one instruction set: static constexpr depthwise_layout layout; static constexpr const char* name;
/// static void run(const depthwise_call<Rounding>&) noexcept. A missing specialization is a compile error.
template <isa Which, class Rounding>
struct depthwise_kernel;

}  // namespace octet::inline OCTET_ABI
