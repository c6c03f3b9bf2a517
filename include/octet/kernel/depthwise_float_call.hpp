// The contract of the float depthwise kernels, for calibration and for layers left in float. The law: each output is
// one chain, acc = bias, then acc = fma(x, w, acc) in ascending order of taps, then the clamp; every instruction set
// returns the same bits.
#pragma once

#include <cstddef>
#include <limits>

#include "octet/core/config.hpp"
#include "octet/isa/isa.hpp"

namespace octet {

/// `pixels` output pixels. Tap t of pixel i begins at lhs[i * taps + t] and has `channels` floats, of which none beyond
/// the last is read; padding points at zeros. weights [taps, channels], bias [channels]. Pixel i of the result goes to
/// out + i * out_stride, and nothing beyond its channels is written. Results are held in [low, high]: v < low ? low :
/// v, then v > high ? high : v, so that NaN stays NaN. out may not overlap the input.
struct depthwise_float_call {
    const float* weights = nullptr;
    const float* bias = nullptr;
    int taps = 1;
    int channels = 0;
    const float* const* lhs = nullptr;
    int pixels = 0;
    float* out = nullptr;
    std::ptrdiff_t out_stride = 0;
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
};

struct depthwise_float_entry {
    isa target = isa::scalar;
    const char* name = "";
    void (*run)(const depthwise_float_call&) noexcept = nullptr;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The kernel of one instruction set: static void run(const depthwise_float_call&) noexcept. A missing specialization
/// is a compile error.
template <isa Which>
struct depthwise_float_kernel;

}  // namespace octet::inline OCTET_ABI
