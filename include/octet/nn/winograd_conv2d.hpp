// Int8 convolution by Winograd's F(4, 3): 3x3, stride 1, a quarter of the products, the bytes of conv2d. Start at
// kernel/winograd.hpp for the arithmetic; conv2d chooses between this layer and the direct product.
//
// A block of tiles is loaded (36 left-hand sides of its tiles), then panel by panel multiplied and stored, so that
// left-hand sides and sums stay in the L2 cache and the weights stream once for the block. Transformed weights are 8
// times those of the direct product: they are made at set-up, or, where they would stream from DRAM, by every run from
// the 9 taps, a chunk of depths at a time that stays in the L2 cache too.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "octet/core/algorithm.hpp"
#include "octet/core/buffer.hpp"
#include "octet/core/error.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/slab.hpp"
#include "octet/core/view.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/kernel/winograd.hpp"
#include "octet/nn/conv2d_options.hpp"
#include "octet/nn/layer.hpp"
#include "octet/nn/residual.hpp"

namespace octet::inline OCTET_ABI {

/// Why a convolution cannot be done by Winograd, as the end of a sentence; empty when it can.
inline std::string winograd_obstacle(const conv2d_weights& w, const conv2d_options& options) {
    if (w.kernel != extent{3, 3}) return text("a kernel of ", w.kernel.height, " x ", w.kernel.width, " is not 3 x 3");
    if (options.stride != extent{})
        return text("a stride of ", options.stride.height, " x ", options.stride.width, " is not 1 x 1");
    if (options.dilation != extent{})
        return text("a dilation of ", options.dilation.height, " x ", options.dilation.width, " is not 1 x 1");
    if (options.groups != 1) return text(options.groups, " groups are not 1");
    const winograd_bound bound = prove_winograd({w.values.data(), w.outputs, 9 * w.depth});
    if (bound.channel < 0) return {};
    return text("the magnitudes of the weights of output channel ", bound.channel, " sum to ", bound.sum,
                ", and only below ", winograd_weight_limit, " is the result exact");
}

/// Tiles of an input, [batch, height, width, channels]; 0 where a 3x3 window does not fit into it.
inline std::int64_t winograd_tiles(const shape& in, const padding& pad) noexcept {
    const auto along = [](std::int64_t outputs) { return (std::max<std::int64_t>(outputs, 0) + 3) / 4; };
    return in[0] * along(in[1] + pad.top + pad.bottom - 2) * along(in[2] + pad.left + pad.right - 2);
}

/// Tiles of a block at most. Half a MiB for their left-hand sides and sums: they share L2 with the weights that stream
/// by.
template <class Rounding>
int winograd_block_tiles(const winograd_entry<Rounding>& kernel, std::int64_t depth) noexcept {
    const std::int64_t tile_bytes = winograd_tile::positions * (2 * depth + 4 * kernel.panel);
    return static_cast<int>(std::max<std::int64_t>(kernel.register_rows, (std::int64_t{1} << 19) / tile_bytes));
}

/// When weights are transformed. The bytes are the same.
enum class winograd_weights_made : unsigned char { at_set_up, by_every_run };

/// conv2d by Winograd: the same formula, constructor, call and bytes. Throws octet::error naming the layer where conv2d
/// does, and where winograd_obstacle has a reason.
template <class Rounding = nearest_even>
class winograd_conv2d {
  public:
    winograd_conv2d(const conv2d_weights& weights, conv2d_options options,
                    winograd_weights_made made = winograd_weights_made::at_set_up, slab* memory = nullptr);

    /// As conv2d's.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* scratch,
                    const parallel& threads = {}, const residual_add<Rounding>& add = {}) const noexcept;
    shape output_shape(const shape& in) const;
    std::size_t scratch_bytes(int workers) const noexcept {
        return (lhs_bytes() + sum_bytes() + chunk_bytes() + order_bytes()) * static_cast<std::size_t>(workers);
    }
    const winograd_entry<Rounding>& kernel() const noexcept { return kernel_; }

  private:
    /// Tiles [first, first + count) against panels [panel, last).
    struct block {
        std::int64_t first;
        int count, panel, last;
    };
    void run(const block& b, const sliding<std::int8_t>& tiles, tensor_view<std::int8_t> out, std::byte* scratch,
             const residual_add<Rounding>& add) const noexcept;

    /// The outputs of a tile.
    struct tile_outputs {
        std::int64_t first;  ///< pixel
        int height, width;   ///< in [1, 4]
    };
    static tile_outputs outputs_of(const sliding<std::int8_t>& tiles, const shape& out, std::int64_t tile) noexcept;

    /// The tiles of a block in the order of their rows in scratch: narrow ones, of up to two outputs in width only,
    /// then whole ones, low ones, of up to two in height only, and those of up to two in both. Narrow and low ones have
    /// no products where x or y stands at 2 or -2: so those that a position multiplies are a range.
    struct tile_order {
        const int* tile;              ///< of each row; the first of the block is 0
        int narrow, whole, low, all;  ///< where each kind ends

        /// The rows [first, last) of position p.
        struct range {
            int first, last;
        };
        range rows_of(int p) const noexcept {
            const bool not_low = p / 6 == 3 || p / 6 == 4, not_narrow = p % 6 == 3 || p % 6 == 4;
            return {not_narrow ? narrow : 0, not_low ? whole : not_narrow ? low : all};
        }
        /// Of all positions.
        int rows() const noexcept {
            int sum = 0;
            for (int p = 0; p < winograd_tile::positions; ++p) sum += rows_of(p).last - rows_of(p).first;
            return sum;
        }
    };
    static tile_order order_tiles(const block& b, const sliding<std::int8_t>& tiles, const shape& out,
                                  int* order) noexcept;

    /// Adds a chunk of depths, from `pair` on, to the sums of panel p.
    void multiply(const tile_order& order, int p, int pair, int columns, const std::int16_t* lhs, std::uint32_t* sums,
                  std::int16_t* chunk) const noexcept;

    /// Where the 36 inputs of a tile begin.
    void fill_inputs(const sliding<std::int8_t>& tiles, std::int64_t tile,
                     const std::int8_t* (&inputs)[winograd_tile::positions]) const noexcept;

    /// Rows of scratch: a whole tile of registers from any tile on.
    int rows() const noexcept { return block_tiles_ + kernel_.register_rows - 1; }
    /// Elements from row to row, and from position to position: one cache line more than the rows, or all positions of
    /// a depth of a power of two would stand in one set of the cache.
    std::ptrdiff_t lhs_stride() const noexcept { return (packed_.depth + 31) / 32 * 32; }
    std::ptrdiff_t lhs_position() const noexcept { return rows() * lhs_stride() + 32; }
    std::ptrdiff_t sum_position() const noexcept { return std::ptrdiff_t{rows()} * kernel_.panel + 16; }
    std::size_t lhs_bytes() const noexcept {
        return round_up_64(sizeof(std::int16_t) * static_cast<std::size_t>(winograd_tile::positions * lhs_position()));
    }
    std::size_t sum_bytes() const noexcept {
        return round_up_64(sizeof(std::uint32_t) * static_cast<std::size_t>(winograd_tile::positions * sum_position()));
    }

    /// Transformed weights are [position][pair of a chunk][column][depth of the pair], a cache line between positions:
    /// for every panel all pairs, or in scratch a chunk of one panel.
    std::ptrdiff_t weight_position() const noexcept { return std::ptrdiff_t{2} * chunk_pairs_ * kernel_.panel + 32; }
    std::size_t chunk_elements() const noexcept {
        return static_cast<std::size_t>(winograd_tile::positions * weight_position());
    }
    std::size_t chunk_bytes() const noexcept {
        return weights_.size() == 0 ? round_up_64(sizeof(std::int16_t) * chunk_elements()) : 0;
    }

    std::size_t order_bytes() const noexcept {
        return round_up_64(sizeof(int) * static_cast<std::size_t>(block_tiles_));
    }

    conv2d_options options_;
    winograd_entry<Rounding> kernel_;
    packed_winograd<Rounding> packed_;
    buffer<std::int16_t> weights_;  // transformed at set-up, panel by panel; empty: by every run
    int block_tiles_ = 1;           // of a block at most
    int chunk_pairs_ = 64;          // of a chunk at most
    buffer<std::int8_t> padding_;   // one pixel of zero points
};

template <class Rounding>
winograd_conv2d<Rounding>::winograd_conv2d(const conv2d_weights& w, conv2d_options options, winograd_weights_made made,
                                           slab* memory)
    : options_(std::move(options)), kernel_(choose_winograd<Rounding>(choose_isa(options_.target))) {
    const std::string& who = options_.name;
    check_int8(who, "input", options_.input);
    check_int8(who, "output", options_.output);
    check_int8(who, options_.limits);
    window{w.kernel, options_.stride, options_.dilation, options_.pad, false}.check(who);
    check_layer_weights(who, w.values.size(), w.outputs, std::int64_t{w.kernel.height} * w.kernel.width * w.depth,
                        w.scales.size(), w.bias.size());
    if (const std::string obstacle = winograd_obstacle(w, options_); !obstacle.empty())
        fail(who, ": Winograd cannot do it, because ", obstacle, ": choose conv2d_algorithm::automatic");
    packed_ = pack_winograd<Rounding>(
        kernel_.panel, {w.values.data(), w.outputs, 9 * w.depth}, w.bias,
        make_multipliers<Rounding>(who, options_.input.scale, w.scales, options_.output.scale,
                                   static_cast<std::size_t>(w.outputs)),
        options_.input.zero_point, who, made == winograd_weights_made::by_every_run ? memory : nullptr);
    if (made == winograd_weights_made::at_set_up) {
        chunk_pairs_ = packed_.pairs();
        weights_ = buffer<std::int16_t>(chunk_elements() * static_cast<std::size_t>(packed_.panels()));
        for (int p = 0; p < packed_.panels(); ++p)
            kernel_.expand({packed_.at(p, 0), packed_.pairs(), kernel_.panel,
                            weights_.data() + static_cast<std::size_t>(p) * chunk_elements(), weight_position()});
        packed_.taps = {};
    }
    block_tiles_ = winograd_block_tiles(kernel_, w.depth);
    if (const shape& in = options_.expected_input; in.rank() == 4)  // scratch for more would be of no use
        block_tiles_ = static_cast<int>(
            detail::clamped<std::int64_t>(winograd_tiles(in, options_.pad), kernel_.register_rows, block_tiles_));
    padding_ = buffer<std::int8_t>(static_cast<std::size_t>(w.depth));
    for (std::int8_t& byte : padding_) byte = static_cast<std::int8_t>(options_.input.zero_point.value);
}

template <class Rounding>
shape winograd_conv2d<Rounding>::output_shape(const shape& in) const {
    if (in.rank() != 4 || in[3] != packed_.depth)
        fail(options_.name, ": an input of ", to_string(in), ", but it takes NHWC with ", packed_.depth, " channels");
    const extent out = window{{3, 3}, {}, {}, options_.pad, false}.outputs(options_.name, in[1], in[2]);
    return {in[0], out.height, out.width, packed_.cols};
}

template <class Rounding>
void winograd_conv2d<Rounding>::operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out,
                                           std::byte* scratch, const parallel& threads,
                                           const residual_add<Rounding>& add) const noexcept {
    assert(out.dims == output_shape(in.dims) && scratch != nullptr);
    const auto tiles_along = [](std::int64_t outputs) { return static_cast<int>((outputs + 3) / 4); };
    const sliding<std::int8_t> tiles{
        in, {{6, 6}, {4, 4}, {}, options_.pad, false}, {tiles_along(out.dims[1]), tiles_along(out.dims[2])}};
    // Workers share tiles as long as each gets whole blocks of registers, four times over; fewer tiles than that are
    // loaded by every worker, for columns of its own.
    const std::int64_t count = tiles.pixels(), workers = threads.workers;
    const int parts = count >= 4 * workers * kernel_.register_rows
                          ? 1
                          : static_cast<int>(std::min<std::int64_t>(workers, packed_.panels()));
    std::int64_t blocks = (count + block_tiles_ - 1) / block_tiles_;
    if (parts == 1) blocks = std::min((blocks + workers - 1) / workers * workers, count);
    parallel_for(threads, static_cast<int>(blocks) * parts, [&](int task, int worker) noexcept {
        const std::int64_t b = task / parts, first = count * b / blocks;
        const int part = task % parts, panels = packed_.panels();
        run({first, static_cast<int>(count * (b + 1) / blocks - first), panels * part / parts,
             panels * (part + 1) / parts},
            tiles, out, scratch + static_cast<std::size_t>(worker) * scratch_bytes(1), add);
    });
}

template <class Rounding>
void winograd_conv2d<Rounding>::fill_inputs(const sliding<std::int8_t>& tiles, std::int64_t tile,
                                            const std::int8_t* (&inputs)[winograd_tile::positions]) const noexcept {
    const pixel_origin at = origin_of(tiles, tile);
    const std::int64_t height = tiles.in.dims[1], width = tiles.in.dims[2];
    if (at.top < 0 || at.left < 0 || at.top + winograd_tile::inputs > height || at.left + winograd_tile::inputs > width)
        return fill_taps(tiles, tile, 1, padding_.data(), 1, 1, inputs);
    for (int y = 0; y < winograd_tile::inputs; ++y) {
        const std::int8_t* from = tiles.in.row((at.image * height + at.top + y) * width + at.left);
        for (int x = 0; x < winograd_tile::inputs; ++x) inputs[6 * y + x] = from + x * tiles.in.stride;
    }
}

template <class Rounding>
auto winograd_conv2d<Rounding>::outputs_of(const sliding<std::int8_t>& tiles, const shape& out,
                                           std::int64_t tile) noexcept -> tile_outputs {
    const std::int64_t row = tile / tiles.outputs.width, image = row / tiles.outputs.height;
    const std::int64_t top = row % tiles.outputs.height * 4, left = tile % tiles.outputs.width * 4;
    return {(image * out[1] + top) * out[2] + left, static_cast<int>(std::min<std::int64_t>(4, out[1] - top)),
            static_cast<int>(std::min<std::int64_t>(4, out[2] - left))};
}

template <class Rounding>
auto winograd_conv2d<Rounding>::order_tiles(const block& b, const sliding<std::int8_t>& tiles, const shape& out,
                                            int* order) noexcept -> tile_order {
    int count = 0, ends[4];
    for (int kind = 0; kind < 4; ++kind) {
        for (int t = 0; t < b.count; ++t) {
            const tile_outputs to = outputs_of(tiles, out, b.first + t);
            const bool narrow = to.width <= 2, low = to.height <= 2;
            if ((low ? narrow ? 3 : 2 : narrow ? 0 : 1) == kind) order[count++] = t;
        }
        ends[kind] = count;
    }
    return {order, ends[0], ends[1], ends[2], ends[3]};
}

template <class Rounding>
void winograd_conv2d<Rounding>::multiply(const tile_order& order, int p, int pair, int columns, const std::int16_t* lhs,
                                         std::uint32_t* sums, std::int16_t* chunk) const noexcept {
    static constexpr std::uint32_t zeros[64] = {};
    const int pairs = std::min(chunk_pairs_, packed_.pairs() - pair);
    const std::int16_t* weights = chunk;
    const void* next = nullptr;  // what is asked for ahead: weights from the next position on, or the next chunk's taps
    std::ptrdiff_t next_bytes = 0;
    if (weights_.size() != 0) {
        weights = weights_.data() + static_cast<std::size_t>(p) * chunk_elements();
        next = weights + weight_position();
        next_bytes = 2 * winograd_tile::positions * weight_position();
    } else {
        kernel_.expand({packed_.at(p, pair), pairs, kernel_.panel, chunk, weight_position()});
        next = packed_.at(p, pair + pairs);
        next_bytes = std::ptrdiff_t{18} * pairs * kernel_.panel;
    }
    const std::ptrdiff_t all_rows = order.rows();
    std::ptrdiff_t done = 0;
    for (int position = 0; position < winograd_tile::positions; ++position) {
        const auto [first, last] = order.rows_of(position);
        std::uint32_t* const out = sums + position * sum_position() + std::ptrdiff_t{first} * kernel_.panel;
        // A position with fewer rows takes less time, and memory has less of it.
        const std::ptrdiff_t asked = next_bytes * done / all_rows;
        done += last - first;
        kernel_.multiply({lhs + position * lhs_position() + first * lhs_stride() + 2 * pair, lhs_stride(), last - first,
                          weights + position * weight_position(), pairs, columns, pair == 0 ? zeros : out,
                          pair == 0 ? 0 : kernel_.panel, out, kernel_.panel,
                          reinterpret_cast<std::intptr_t>(next) + asked, next_bytes * done / all_rows - asked});
    }
}

template <class Rounding>
void winograd_conv2d<Rounding>::run(const block& b, const sliding<std::int8_t>& tiles, tensor_view<std::int8_t> out,
                                    std::byte* scratch, const residual_add<Rounding>& add) const noexcept {
    auto* const lhs = reinterpret_cast<std::int16_t*>(scratch);
    auto* const sums = reinterpret_cast<std::uint32_t*>(scratch + lhs_bytes());
    auto* const chunk = reinterpret_cast<std::int16_t*>(scratch + lhs_bytes() + sum_bytes());
    const tile_order order =
        order_tiles(b, tiles, out.dims, reinterpret_cast<int*>(scratch + lhs_bytes() + sum_bytes() + chunk_bytes()));
    const auto for_tiles = [&](const auto& body) noexcept {
        for (int row = 0; row < b.count; ++row)
            body(row, b.first + order.tile[row], outputs_of(tiles, out.dims, b.first + order.tile[row]));
    };
    for_tiles([&](int row, std::int64_t tile, const tile_outputs& to) noexcept {
        const std::int8_t* inputs[winograd_tile::positions];
        fill_inputs(tiles, tile, inputs);
        kernel_.load({inputs, to.height, to.width, packed_.depth, lhs + row * lhs_stride(), lhs_position()});
    });
    // Sums without products stay zero for all panels.
    for (int position = 0; position < winograd_tile::positions; ++position) {
        const auto [first, last] = order.rows_of(position);
        std::uint32_t* const at = sums + position * sum_position();
        detail::fill(at, std::ptrdiff_t{first} * kernel_.panel, 0U);
        detail::fill(at + std::ptrdiff_t{last} * kernel_.panel, std::ptrdiff_t{b.count - last} * kernel_.panel, 0U);
    }
    const int first_column = b.panel * kernel_.panel, end_column = std::min(b.last * kernel_.panel, packed_.cols);
    for (int p = b.panel; p < b.last; ++p) {
        const int first = p * kernel_.panel, columns = std::min(kernel_.panel, packed_.cols - first);
        for (int pair = 0; pair < packed_.pairs(); pair += chunk_pairs_)
            multiply(order, p, pair, columns, lhs, sums, chunk);
        for_tiles([&](int row, std::int64_t, const tile_outputs& to) noexcept {
            kernel_.store({.sums = sums + std::ptrdiff_t{row} * kernel_.panel,
                           .position_stride = sum_position(),
                           .bias = packed_.bias.data() + first,
                           .multipliers = packed_.multipliers.data() + first,
                           .columns = columns,
                           .out = out.row(to.first) + first,
                           .row_stride = out.dims[2] * out.stride,
                           .pixel_stride = out.stride,
                           .height = to.height,
                           .width = to.width,
                           .out_zero = options_.output.zero_point,
                           .limits = options_.limits,
                           .fits_int32 = packed_.fits_int32});
        });
    }
    if (add.sum == nullptr) return;
    for_tiles([&](int, std::int64_t, const tile_outputs& to) noexcept {
        for (int y = 0; y < to.height; ++y)
            add(out, to.first + y * out.dims[2], to.width, first_column, end_column - first_column);
    });
}

}  // namespace octet::inline OCTET_ABI
