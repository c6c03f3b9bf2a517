// The contract between the Winograd layer and its kernels. Weights are transformed by one step:
//   expand    pairs of depths of a panel: 36 right-hand sides from 9 taps
// and each block of tiles takes three:
//   load      a tile of inputs, transformed, to one row of each of the 36 left-hand sides
//   multiply  one position: [tiles, depth] x [depth, columns of a panel]
//   store     the 36 sums of a tile and panel, transformed back, requantized, to 4x4 output pixels
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/kernel/packed_winograd.hpp"

namespace octet::inline OCTET_ABI {

/// One tile of inputs, for height x width outputs, both in [1, 4]. inputs[6 * y + x] leads to the `depth` bytes of a
/// pixel, of which no byte beyond the last is read. Position p of the transformed tile goes to out + p *
/// position_stride: `depth` values and a zero after an odd number of them; beyond that, up to a multiple of 32 values,
/// anything may be written.
struct winograd_load {
    const std::int8_t* const* inputs = nullptr;
    int height = 0;
    int width = 0;
    int depth = 0;
    std::int16_t* out = nullptr;
    std::ptrdiff_t position_stride = 0;
};

/// `pairs` pairs of depths of one panel of weights. taps: [pair][tap 3 * y + x][column of the panel][depth of the
/// pair]. Position p of the transformed weights goes to out + p * position_stride: [pair][column][depth of the pair].
struct winograd_expand {
    const std::int8_t* taps = nullptr;
    int pairs = 0;
    int panel = 0;
    std::int16_t* out = nullptr;
    std::ptrdiff_t position_stride = 0;
};

/// One position of a block of tiles: out[m, n] = begin[m, n] + sum_k lhs[m, k] * weights[k, n] modulo 2^32, for `rows`
/// tiles and `columns` columns of a panel; begin may be out. Whole tiles of registers are read and written: up to the
/// next multiple of register_rows rows of lhs, begin and out, which must be there, and whole panels. Meanwhile
/// next_bytes from the address `next` on, what is read soon, are asked for from memory; they need not be there.
struct winograd_product {
    const std::int16_t* lhs = nullptr;
    std::ptrdiff_t lhs_stride = 0;
    int rows = 0;
    const std::int16_t* weights = nullptr;
    int pairs = 0;
    int columns = 0;
    const std::uint32_t* begin = nullptr;
    std::ptrdiff_t begin_stride = 0;
    std::uint32_t* out = nullptr;
    std::ptrdiff_t out_stride = 0;
    std::intptr_t next = 0;
    std::ptrdiff_t next_bytes = 0;
};

/// One tile of outputs. sums + p * position_stride: the columns of position p. Pixel (y, x) goes to out + y *
/// row_stride + x * pixel_stride, `columns` bytes, for y < height and x < width, both in [1, 4]; nothing else is
/// written. bias and multipliers have a whole panel each.
template <class Rounding>
struct winograd_store {
    const std::uint32_t* sums = nullptr;
    std::ptrdiff_t position_stride = 0;
    const std::int32_t* bias = nullptr;
    const typename Rounding::multiplier* multipliers = nullptr;
    int columns = 0;
    std::int8_t* out = nullptr;
    std::ptrdiff_t row_stride = 0;
    std::ptrdiff_t pixel_stride = 0;
    int height = 0;
    int width = 0;
    zero_point out_zero;
    clamp limits;
    bool fits_int32 = false;  ///< Rounding::fits_int32 of every column
};

/// multiply by strips[v][r] of `RegisterRows - Counts + 1 + r` rows, against the first half of a panel or all of it:
/// blocks of nearly equal numbers of rows, 13 rows of 6 as 5 + 4 + 4, whose last would otherwise wait for its sums.
/// Each block asks for its share of call.next, a step with every pair of depths, so that memory works all the time.
template <int Panel, int RegisterRows, int Counts>
void winograd_multiply(const winograd_product& call,
                       void (*const (&strips)[2][Counts])(const winograd_product&, std::intptr_t,
                                                          std::ptrdiff_t) noexcept) noexcept {
    constexpr int least = RegisterRows - Counts + 1;
    winograd_product part = call;
    for (int blocks = (call.rows + RegisterRows - 1) / RegisterRows, done = 0; blocks > 0; --blocks) {
        const int rows = (call.rows - done + blocks - 1) / blocks;
        strips[call.columns > Panel / 2 ? 1 : 0][rows < least ? 0 : rows - least](
            part, call.next + call.next_bytes * done / call.rows, call.next_bytes * rows / call.rows / call.pairs);
        part.lhs += rows * part.lhs_stride;
        part.begin += rows * part.begin_stride;
        part.out += rows * part.out_stride;
        done += rows;
    }
}

/// What a kernel costs, for the choice between it and the direct product. Measured on Zen 5 beside a busy neighbour, if
/// it does not say otherwise.
struct winograd_cost {
    /// Multiply-adds of the direct product in a cycle: what its dot products allow, less what a 3x3 layer of 64 to 256
    /// channels was seen to lose, 5 to 16 %. Unless it is given, no layer is left to Winograd.
    float direct = 1e9F;
    float product = 1;      ///< multiply-adds of multiply in a cycle
    float load = 1;         ///< cycles of load for 32 depths of a tile
    float store = 1;        ///< cycles of store for 16 columns of a tile
    float expand = 1;       ///< cycles of expand for 16 pairs of depths
    float from_cache = 16;  ///< bytes a cycle of transformed weights, while they are multiplied
    float from_dram = 5;    ///< the same where no cache holds them
};

/// A kernel as the layer sees it.
template <class Rounding>
struct winograd_entry {
    isa target = isa::scalar;
    const char* name = "";
    int panel = 1;
    int register_rows = 1;
    winograd_cost cost;
    void (*expand)(const winograd_expand&) noexcept = nullptr;
    void (*load)(const winograd_load&) noexcept = nullptr;
    void (*multiply)(const winograd_product&) noexcept = nullptr;
    void (*store)(const winograd_store<Rounding>&) noexcept = nullptr;
};

/// The kernel of one instruction set: static constexpr const char* name; static constexpr int panel, register_rows;
/// static constexpr winograd_cost cost; static expand, load, multiply, and the template store<Rounding>. A missing
/// specialization is a compile error.
template <isa Which>
struct winograd_kernel;

}  // namespace octet::inline OCTET_ABI
