// The steps of Winograd's F(4, 3) in plain C++: for machines without a kernel of their own, and to be read first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/kernel/epilogue_scalar.hpp"
#include "octet/kernel/winograd_call.hpp"

namespace octet::inline OCTET_ABI {

template <>
struct winograd_kernel<isa::scalar> {
    static constexpr const char* name = "winograd 4x4";
    static constexpr int panel = 16;
    static constexpr int register_rows = 1;
    static constexpr winograd_cost cost{.direct = 2.2F, .product = 2.5F, .load = 3000, .store = 3000, .expand = 1500};

    static void expand(const winograd_expand& call) noexcept {
        for (int i = 0; i < 2 * call.pairs * panel; ++i) {
            const std::int8_t* taps = call.taps + i / (2 * panel) * 18 * panel + i % (2 * panel);
            std::int32_t rows[6][3];  // [transformed x][y]
            for (int y = 0; y < 3; ++y, taps += 6 * panel) {
                std::int32_t across[6];
                winograd_weights({std::int32_t{taps[0]}, std::int32_t{taps[2 * panel]}, std::int32_t{taps[4 * panel]}},
                                 across);
                for (int x = 0; x < 6; ++x) rows[x][y] = across[x];
            }
            for (int x = 0; x < 6; ++x) {
                std::int32_t column[6];
                winograd_weights(rows[x], column);
                for (int y = 0; y < 6; ++y)
                    call.out[(6 * y + x) * call.position_stride + i] = static_cast<std::int16_t>(column[y]);
            }
        }
    }

    static void load(const winograd_load& call) noexcept {
        for (int k = 0; k < call.depth; ++k) {
            std::int32_t rows[6][6], tile[6][6];  // [transformed x][y], [transformed x][transformed y]
            for (int y = 0; y < 6; ++y) {
                std::int32_t line[6], across[6];
                for (int x = 0; x < 6; ++x) line[x] = call.inputs[6 * y + x][k];
                winograd_input(line, across, call.width);
                for (int x = 0; x < 6; ++x) rows[x][y] = across[x];
            }
            for (int x = 0; x < 6; ++x) {
                winograd_input(rows[x], tile[x], call.height);
                for (int y = 0; y < 6; ++y)
                    call.out[(6 * y + x) * call.position_stride + k] = static_cast<std::int16_t>(tile[x][y]);
            }
        }
        if (call.depth % 2 != 0)
            for (int p = 0; p < winograd_tile::positions; ++p) call.out[p * call.position_stride + call.depth] = 0;
    }

    static void multiply(const winograd_product& call) noexcept {
        for (int m = 0; m < call.rows; ++m) {
            std::uint32_t* sums = call.out + m * call.out_stride;
            for (int n = 0; n < panel; ++n) sums[n] = call.begin[m * call.begin_stride + n];
            const std::int16_t* lhs = call.lhs + m * call.lhs_stride;
            const std::int16_t* weights = call.weights;
            for (int k = 0; k < call.pairs; ++k, lhs += 2, weights += 2 * panel)
                for (int n = 0; n < panel; ++n)
                    sums[n] += static_cast<std::uint32_t>(lhs[0] * weights[2 * n] + lhs[1] * weights[2 * n + 1]);
        }
    }

    template <class Rounding>
    static void store(const winograd_store<Rounding>& call) noexcept {
        for (int n = 0; n < call.columns; ++n) {
            std::uint32_t rows[4][6];  // [y][transformed x]
            for (int x = 0; x < 6; ++x) {
                std::uint32_t line[6], down[4];
                for (int y = 0; y < 6; ++y) line[y] = call.sums[(6 * y + x) * call.position_stride + n];
                winograd_output(line, down);
                for (int y = 0; y < 4; ++y) rows[y][x] = down[y];
            }
            for (int y = 0; y < call.height; ++y) {
                std::uint32_t pixels[4];
                winograd_output(rows[winograd_output_index(y, call.height)], pixels);
                for (int x = 0; x < call.width; ++x) {
                    const std::uint32_t sum = pixels[winograd_output_index(x, call.width)];
                    const auto acc = static_cast<std::int32_t>(static_cast<std::uint32_t>(winograd_quotient(sum)) +
                                                               static_cast<std::uint32_t>(call.bias[n]));
                    call.out[y * call.row_stride + x * call.pixel_stride + n] =
                        requantize<Rounding>(acc, call.multipliers[n], call.out_zero, call.limits);
                }
            }
        }
    }
};

}  // namespace octet::inline OCTET_ABI
