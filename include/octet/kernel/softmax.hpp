// Int8 softmax of rows, in integers: one kernel for all rounding policies, and its definition. Instruction sets differ
// in the lookup at its end.
//
// With d_i = max(q) - q_i in [0, 255] and a table e[d] = round(exp(-s_x * d) * 2^30), found at set-up by
// octet::math::exp:
//   sum = e[d_0] + ... + e[d_(n-1)]                                  in 64 bits, at least 2^30
//   K = round(256 / s_y)
//   q = clamp(floor((e[d_i] * K + 128 * sum) / (256 * sum)) + z_y)   the quotient rounded, ties up
// Error: the exact softmax p differs from (q - z_y) * s_y by at most
//   1/2 + p * |256 / s_y - K| / 256 + (n + 1) / (2^31 * s_y)   steps of s_y, where q is not clamped;
// with the usual s_y = 1/256, z_y = -128 the middle term is 0 and the last is 0.0002 for 1,000 classes. TensorFlow
// Lite's own fixed-point exponential differs: no policy returns its bytes here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/kernel/lookup_call.hpp"
#include "octet/quant/math.hpp"
#include "octet/quant/params.hpp"

namespace octet {

/// What a row needs besides its values; about 1 KB.
struct softmax_params {
    std::array<std::uint32_t, 256> exponentials{};
    std::uint32_t steps = 0;  ///< K
    zero_point out_zero;
    clamp limits;
};

/// The longest row: 256 * 2^30 * 2^25 = 2^63.
inline constexpr std::int64_t max_softmax_cols = std::int64_t{1} << 25;

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// For rows of `cols` values with the scale of `in` (its zero point cancels). Throws octet::error naming `who` when
/// cols is not in [1, max_softmax_cols] or the output's scale not in [2^-16, 1].
inline softmax_params make_softmax(scale in, quant_params out, clamp limits, std::int64_t cols, std::string_view who) {
    if (cols < 1 || cols > max_softmax_cols)
        fail(who, ": a softmax over ", cols, " values: there must be 1 to ", max_softmax_cols);
    if (!(out.scale.value >= 0x1p-16F && out.scale.value <= 1.0F))
        fail(who, ": a softmax with the output scale ", out.scale.value,
             ": it must be in [2^-16, 1], and 1/256 with zero point -128 holds every result");
    softmax_params made;
    for (int d = 0; d < 256; ++d)
        made.exponentials[static_cast<std::size_t>(d)] =
            static_cast<std::uint32_t>(ieee::llround(math::exp(-static_cast<double>(in.value) * d) * 0x1p30));
    made.steps = static_cast<std::uint32_t>(ieee::llround(256.0 / static_cast<double>(out.scale.value)));
    made.out_zero = out.zero_point;
    made.limits = limits;
    return made;
}

/// The largest of in[0, n), n >= 1, 16 at a time.
inline int softmax_largest(const std::int8_t* in, std::size_t n) noexcept {
    std::int8_t most[16];
    for (std::int8_t& m : most) m = in[0];
    std::size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (std::size_t j = 0; j < 16; ++j) most[j] = most[j] < in[i + j] ? in[i + j] : most[j];
    for (; i < n; ++i) most[0] = most[0] < in[i] ? in[i] : most[0];
    return detail::largest(most, 16);
}

/// out[i] = softmax of in[0, n), 1 <= n <= the cols of `params`; out may be exactly in. Costs a 64-bit division
/// a value; long rows make a table of their results, down to the first that rounds to 0, and look it up.
inline void softmax_row(const softmax_params& params, const std::int8_t* in, std::size_t n, std::int8_t* out,
                        const lookup_entry& lookup) noexcept {
    const int most = softmax_largest(in, n);
    const auto exponential = [&](int q) noexcept { return params.exponentials[static_cast<std::size_t>(most - q)]; };
    std::uint64_t sum = 0, other = 0;
    std::size_t i = 0;
    for (; i + 2 <= n; i += 2) sum += exponential(in[i]), other += exponential(in[i + 1]);
    if (i < n) sum += exponential(in[i]);
    sum += other;
    const auto vanishes = [&](std::uint32_t e) noexcept { return std::uint64_t{e} * params.steps < sum << 7; };
    const auto byte = [&](std::uint32_t e) noexcept {
        const auto rounded = static_cast<std::int32_t>((std::uint64_t{e} * params.steps + (sum << 7)) / (sum << 8)) +
                             params.out_zero.value;
        return static_cast<std::int8_t>(detail::clamped(rounded, params.limits.low, params.limits.high));
    };
    if (n < 128) {
        for (i = 0; i < n; ++i) out[i] = byte(exponential(in[i]));
        return;
    }
    lookup_table table;
    int q = most;
    for (; q >= -128 && !vanishes(exponential(q)); --q) table[static_cast<std::size_t>(q + 128)] = byte(exponential(q));
    detail::fill(table.data(), q + 129, byte(0));
    lookup.run(table, in, n, out);
}

}  // namespace octet::inline OCTET_ABI
