// The contract between a layer and the pooling kernels: one call computes a run of output pixels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/kernel/pool_reference.hpp"

namespace octet {

/// `pixels` output pixels of `taps` >= 1 values each (an average's divisor may be larger). Tap t of pixel i begins at
///   lhs[i * taps + t]                            where lhs is not null: windows with gaps, or cut off by a border
///   base + i * pixel_stride + t * tap_stride     where it is: a global average, or a window of one row
/// and has `channels` bytes, of which no byte beyond the last is read. Pixel i of the result goes to out + i *
/// out_stride, and nothing beyond its channels is written. out may not overlap the input.
struct pool_call {
    const std::int8_t* const* lhs = nullptr;
    const std::int8_t* base = nullptr;
    std::ptrdiff_t pixel_stride = 0;
    std::ptrdiff_t tap_stride = 0;
    int taps = 1;
    int pixels = 0;
    int channels = 0;
    std::int8_t* out = nullptr;
    std::ptrdiff_t out_stride = 0;
};

/// The two address providers.
struct tap_table {
    const std::int8_t* const* lhs;
    const std::int8_t* operator()(int t) const noexcept { return lhs[t]; }
};
struct tap_run {
    const std::int8_t* first;
    std::ptrdiff_t stride;
    const std::int8_t* operator()(int t) const noexcept { return first + t * stride; }
};

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

/// pixel.run(taps, tap, channels, out) for all pixels of a call, with either address provider. Always inlined, so that
/// it becomes part of the target region that calls it.
template <class Pixel>
OCTET_INLINE void pool_pixels(const pool_call& call, const Pixel& pixel) noexcept {
    for (int i = 0; i < call.pixels; ++i) {
        std::int8_t* out = call.out + i * call.out_stride;
        if (call.lhs != nullptr)
            pixel.run(call.taps, tap_table{call.lhs + std::ptrdiff_t{i} * call.taps}, call.channels, out);
        else
            pixel.run(call.taps, tap_run{call.base + i * call.pixel_stride, call.tap_stride}, call.channels, out);
    }
}

}  // namespace octet::inline OCTET_ABI
