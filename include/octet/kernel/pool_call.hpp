// The contract between a layer and the pooling kernels: one call computes a row of output pixels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/kernel/pool_reference.hpp"

namespace octet {

/// `pixels` output pixels whose windows have `rows` x `cols` taps, both >= 1 (an average's divisor may be larger). Tap
/// (y, x) of pixel i begins at lines[y] + i * pixel_stride + x * tap_stride and has `channels` bytes, of which no byte
/// beyond the last is read. Pixel i of the result goes to out + i * out_stride, and nothing beyond its channels is
/// written. out may not overlap the input.
struct pool_call {
    const std::int8_t* const* lines = nullptr;
    int rows = 1;
    int cols = 1;
    std::ptrdiff_t tap_stride = 0;
    std::ptrdiff_t pixel_stride = 0;
    int pixels = 0;
    int channels = 0;
    std::int8_t* out = nullptr;
    std::ptrdiff_t out_stride = 0;
};

/// Where tap t of pixel i begins, rows first.
constexpr const std::int8_t* pool_tap(const pool_call& call, int i, int t) noexcept {
    return call.lines[t / call.cols] + i * call.pixel_stride + t % call.cols * call.tap_stride;
}

}  // namespace octet

namespace octet::inline OCTET_ABI {

struct max_pool_entry {
    isa target = isa::scalar;
    const char* name = "";
    void (*run)(const pool_call&, clamp limits) noexcept = nullptr;
};

template <class Rounding>
struct average_pool_entry {
    isa target = isa::scalar;
    const char* name = "";
    void (*run)(const pool_call&, const average_params<Rounding>&) noexcept = nullptr;
};

/// The kernels of one instruction set: static void run(...) noexcept as in the entries. A missing specialization is a
/// compile error.
template <isa Which>
struct max_pool_kernel;
template <isa Which, class Rounding>
struct average_pool_kernel;

}  // namespace octet::inline OCTET_ABI
