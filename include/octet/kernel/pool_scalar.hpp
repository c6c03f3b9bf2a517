// Pooling in plain C++, for machines without a kernel of their own.
#pragma once

#include <cstdint>

#include "octet/kernel/pool_call.hpp"

namespace octet::inline OCTET_ABI {

template <>
struct max_pool_kernel<isa::scalar> {
    struct pixel {
        clamp limits;
        template <class Taps>
        void run(int taps, const Taps& tap, int channels, std::int8_t* out) const noexcept {
            for (int c = 0; c < channels; ++c) out[c] = max_reference(taps, tap, c, limits);
        }
    };
    static void run(const pool_call& call, clamp limits) noexcept { pool_pixels(call, pixel{limits}); }
};

template <class Rounding>
struct average_pool_kernel<isa::scalar, Rounding> {
    struct pixel {
        const average_params<Rounding>& params;
        template <class Taps>
        void run(int taps, const Taps& tap, int channels, std::int8_t* out) const noexcept {
            for (int c = 0; c < channels; ++c) out[c] = average_reference(taps, tap, c, params);
        }
    };
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        pool_pixels(call, pixel{params});
    }
};

}  // namespace octet::inline OCTET_ABI
