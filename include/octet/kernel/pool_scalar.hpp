// Pooling in plain C++, for machines without a kernel of their own.
#pragma once

#include <cstdint>

#include "octet/kernel/pool_call.hpp"

namespace octet::inline OCTET_ABI {

/// Channels that are taken together: a count that compilers turn into vectors.
inline constexpr int pool_block = 16;

template <>
struct max_pool_kernel<isa::scalar> {
    static void run(const pool_call& call, clamp limits) noexcept {
        const int taps = call.rows * call.cols;
        for (int i = 0; i < call.pixels; ++i) {
            std::int8_t* out = call.out + i * call.out_stride;
            int first = 0;
            for (; first <= call.channels - pool_block; first += pool_block) {
                std::int8_t most[pool_block];
                for (int c = 0; c < pool_block; ++c) most[c] = static_cast<std::int8_t>(limits.low);
                for (int t = 0; t < taps; ++t) {
                    const std::int8_t* from = pool_tap(call, i, t) + first;
                    for (int c = 0; c < pool_block; ++c) most[c] = from[c] > most[c] ? from[c] : most[c];
                }
                for (int c = 0; c < pool_block; ++c)
                    out[first + c] = most[c] < limits.high ? most[c] : static_cast<std::int8_t>(limits.high);
            }
            const auto tap = [&](int t) noexcept { return pool_tap(call, i, t); };
            for (int c = first; c < call.channels; ++c) out[c] = max_reference(taps, tap, c, limits);
        }
    }
};

template <class Rounding>
struct average_pool_kernel<isa::scalar, Rounding> {
    static void run(const pool_call& call, const average_params<Rounding>& params) noexcept {
        const int taps = call.rows * call.cols;
        for (int i = 0; i < call.pixels; ++i) {
            std::int8_t* out = call.out + i * call.out_stride;
            int first = 0;
            for (; first <= call.channels - pool_block; first += pool_block) {
                std::int32_t sums[pool_block] = {};
                for (int t = 0; t < taps; ++t) {
                    const std::int8_t* from = pool_tap(call, i, t) + first;
                    for (int c = 0; c < pool_block; ++c) sums[c] += from[c];
                }
                for (int c = 0; c < pool_block; ++c) out[first + c] = params(sums[c], taps);
            }
            const auto tap = [&](int t) noexcept { return pool_tap(call, i, t); };
            for (int c = first; c < call.channels; ++c) out[c] = average_reference(taps, tap, c, params);
        }
    }
};

}  // namespace octet::inline OCTET_ABI
