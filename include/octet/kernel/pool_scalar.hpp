// Pooling in plain C++, for machines without a kernel of their own.
#pragma once

#include <cstdint>

#include "octet/kernel/pool_call.hpp"

namespace octet::inline OCTET_ABI {

/// Channels that are taken together: a count that compilers turn into vectors.
inline constexpr int pool_block = 16;

template <>
struct max_pool_kernel<isa::scalar> {
    struct pixel {
        clamp limits;

        template <class Taps>
        void run(int taps, const Taps& tap, int channels, std::int8_t* out) const noexcept {
            int first = 0;
            for (; first <= channels - pool_block; first += pool_block) {
                std::int8_t most[pool_block];
                for (int c = 0; c < pool_block; ++c) most[c] = static_cast<std::int8_t>(limits.low);
                for (int t = 0; t < taps; ++t) {
                    const std::int8_t* from = tap(t) + first;
                    for (int c = 0; c < pool_block; ++c) most[c] = from[c] > most[c] ? from[c] : most[c];
                }
                for (int c = 0; c < pool_block; ++c)
                    out[first + c] = most[c] < limits.high ? most[c] : static_cast<std::int8_t>(limits.high);
            }
            for (int c = first; c < channels; ++c) out[c] = max_reference(taps, tap, c, limits);
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
            int first = 0;
            for (; first <= channels - pool_block; first += pool_block) {
                std::int32_t sums[pool_block] = {};
                for (int t = 0; t < taps; ++t) {
                    const std::int8_t* from = tap(t) + first;
                    for (int c = 0; c < pool_block; ++c) sums[c] += from[c];
                }
                for (int c = 0; c < pool_block; ++c) out[first + c] = params(sums[c], taps);
            }
            for (int c = first; c < channels; ++c) out[c] = average_reference(taps, tap, c, params);
        }
    };
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        pool_pixels(call, pixel{params});
    }
};

}  // namespace octet::inline OCTET_ABI
