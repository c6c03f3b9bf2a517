// Int8 convolution with fused bias, and its result in int8 (requantized and clamped), int32 or float. Start here for
// the layer; its arithmetic is kernel/gemm_reference.hpp, its addresses kernel/taps.hpp. Where nn/winograd_choice.hpp
// says so, the work is done by nn/winograd_conv2d.hpp.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "octet/core/buffer.hpp"
#include "octet/core/error.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/slab.hpp"
#include "octet/core/view.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/gemm.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/conv2d_options.hpp"
#include "octet/nn/layer.hpp"
#include "octet/nn/residual.hpp"
#include "octet/nn/winograd_choice.hpp"
#include "octet/nn/winograd_conv2d.hpp"
#include "octet/quant/result.hpp"

namespace octet::inline OCTET_ABI {

/// acc[b, r, c, o] = bias[o] + sum over taps and channels of (x - z_x) * w, exactly, and of it, as Result says,
///   nearest_even, tflite, single    int8     requantize(acc, s_x * s_w[o] / s_y), clamped
///   accumulators                    int32    acc
///   dequantized                     float    float(acc) * (s_x * s_w[o])
///
///   conv2d<> conv{{weights, 64, {3, 3}, 32, scales, bias}, {.pad = {1, 1, 1, 1}, .input = x, .output = y}};
///   conv(input, output, scratch);                          // noexcept, allocates nothing
/// Weights are packed once, here. Throws octet::error naming the layer when sizes do not fit, when a scale leaves no
/// finite multiplier, when a channel can leave its 32-bit accumulator, or when an int32 or float result is given what
/// only int8 has: output parameters, limits, Winograd's algorithm.
template <class Result = nearest_even>
class conv2d {
  public:
    /// memory: where packed weights are put, if it has room; else they have memory of their own. It outlives this layer
    /// and what that is moved to; a copy has memory of its own.
    conv2d(const conv2d_weights& weights, conv2d_options options, slab* memory = nullptr);

    using stored = typename Result::stored;
    using residual = residual_add<Result>;

    /// in [batch, height, width, groups * depth] int8, out as output_shape says; any stride between pixels; out may
    /// not overlap in. scratch: scratch_bytes(threads.workers) bytes, 64-byte aligned. `add` (int8 only), where its sum
    /// is not null: out = sum(y, other), or sum(other, y), with y rounded to int8 as if it had been stored; add.other
    /// has the shape of out and may not overlap it. Shapes are not checked where NDEBUG is defined.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<stored> out, std::byte* scratch,
                    const parallel& threads = {}, const residual& add = {}) const noexcept;

    /// Throws octet::error where `in` has another number of channels or is too small for the window.
    shape output_shape(const shape& in) const;
    std::size_t scratch_bytes(int workers) const noexcept {
        if (winograd_) return winograd_->scratch_bytes(workers);
        return worker_bytes() * static_cast<std::size_t>(workers);
    }
    conv2d_kernel kernel() const noexcept {
        return winograd_ ? conv2d_kernel{winograd_->kernel().target, winograd_->kernel().name}
                         : conv2d_kernel{kernel_.target, kernel_.name};
    }

  private:
    int channels() const noexcept { return packed_.front().depth / window_.taps() * options_.groups; }
    bool by_rows() const noexcept { return packed_.front().runs != window_.taps(); }
    std::size_t table_bytes() const noexcept {
        return round_up_64(sizeof(void*) * static_cast<std::size_t>(rows_a_call() * (by_rows() ? 1 : window_.taps())));
    }
    static constexpr int readable = 32;  ///< bytes behind copies of rows: runs of at most 32 are read as one word
    std::ptrdiff_t row_distance() const noexcept { return row_copy_elements(window_, rows_a_call(), channels()); }
    /// Short rows are those of which 128 KiB hold most_rows.
    int rows_a_call() const noexcept {
        const bool one_pointer = by_rows() || window_.taps() == 1;
        const bool is_short = packed_.front().depth <= (128 << 10) / kernel_.most_rows;
        return one_pointer && is_short ? kernel_.most_rows : kernel_.tile_rows;
    }
    std::size_t kernel_bytes() const noexcept { return kernel_.scratch_bytes(rows_a_call(), packed_.front().depth); }
    std::size_t copies_bytes() const noexcept {
        return by_rows() ? round_up_64(static_cast<std::size_t>(window_.kernel.height * row_distance() + readable)) : 0;
    }
    /// Scratch of one worker: table, copies, the kernel's.
    std::size_t worker_bytes() const noexcept { return table_bytes() + copies_bytes() + kernel_bytes(); }

    conv2d_options options_;
    window window_;
    std::optional<winograd_conv2d<Result>> winograd_;  // where it was chosen; what follows is then empty
    gemm_entry<Result> kernel_;
    std::vector<packed_gemm<Result>> packed_;  // one for each group
    buffer<std::int8_t> padding_;              // one pixel of zero points
};

template <class Result>
conv2d<Result>::conv2d(const conv2d_weights& w, conv2d_options options, slab* memory)
    : options_(std::move(options)), window_{w.kernel, options_.stride, options_.dilation, options_.pad, false} {
    const std::string& who = options_.name;
    check_int8(who, "input", options_.input);
    check_int8(who, "output", options_.output);
    check_int8(who, options_.limits);
    const int groups = options_.groups;
    window_.check(who);
    check_layer_weights(who, w.values.size(), w.outputs, std::int64_t{window_.taps()} * w.depth, w.scales.size(),
                        w.bias.size());
    if (groups < 1 || w.outputs % groups != 0)
        fail(who, ": ", groups, " groups do not divide ", w.outputs, " output channels");
    if constexpr (stores_int8<Result>) {
        if (const auto made = chooses_winograd<Result>(w, options_)) {
            winograd_.emplace(w, options_, *made, memory);
            return;
        }
    } else {
        if (options_.output != quant_params{} || options_.limits != clamp{})
            fail(who, ": output parameters and limits belong to int8 results, not to int32 or float: leave them out");
        if (options_.algorithm == conv2d_algorithm::winograd)
            fail(who, ": Winograd's algorithm has int8 results only: leave the choice of the algorithm open");
    }
    const std::size_t group_bytes = w.values.size() / static_cast<std::size_t>(groups);
    const auto columns = static_cast<std::size_t>(w.outputs / groups);
    const auto multipliers = make_multipliers<Result>(who, options_.input.scale, w.scales, options_.output.scale,
                                                      static_cast<std::size_t>(w.outputs));
    const int depth = window_.taps() * w.depth;
    // A kernel row is one run where that makes longer runs of whole pixels: it pays where a pixel has few channels, or
    // not whole groups of the product's.
    const bool by_rows =
        groups == 1 && w.kernel.width > 1 && options_.dilation.width == 1 && (w.depth < 16 || w.depth % 4 != 0);
    const int runs = by_rows ? w.kernel.height : window_.taps();
    kernel_ = choose_gemm<Result>(choose_isa(options_.target));
    for (int g = 0; g < groups; ++g) {
        const std::size_t first = static_cast<std::size_t>(g) * columns;
        const gemm_weights part{w.values.data() + static_cast<std::size_t>(g) * group_bytes, w.outputs / groups, depth,
                                runs};
        packed_.push_back(pack_gemm<Result>(kernel_.layout, part, w.bias.subspan(first, columns),
                                            std::span(multipliers).subspan(first, columns), options_.input.zero_point,
                                            groups == 1 ? who : text(who, ", group ", g), memory));
    }
    padding_ = buffer<std::int8_t>(static_cast<std::size_t>(w.depth) * static_cast<std::size_t>(groups));
    for (std::int8_t& byte : padding_) byte = static_cast<std::int8_t>(options_.input.zero_point.value);
}

template <class Result>
shape conv2d<Result>::output_shape(const shape& in) const {
    if (winograd_) return winograd_->output_shape(in);
    const auto channels = static_cast<std::int64_t>(padding_.size());
    if (in.rank() != 4 || in[3] != channels)
        fail(options_.name, ": an input of ", to_string(in), ", but it takes NHWC with ", channels, " channels");
    const extent out = window_.outputs(options_.name, in[1], in[2]);
    return {in[0], out.height, out.width, std::int64_t{packed_.front().cols} * options_.groups};
}

template <class Result>
void conv2d<Result>::operator()(tensor_view<const std::int8_t> in, tensor_view<stored> out, std::byte* scratch,
                                const parallel& threads, const residual& add) const noexcept {
    assert(out.dims == output_shape(in.dims) && scratch != nullptr);
    if constexpr (stores_int8<Result>) assert(add.sum == nullptr || add.other.dims == out.dims);
    if constexpr (stores_int8<Result>)
        if (winograd_) return (*winograd_)(in, out, scratch, threads, add);
    const sliding<std::int8_t> over{in, window_, {static_cast<int>(out.dims[1]), static_cast<int>(out.dims[2])}};
    const int tile = rows_a_call(), width = over.outputs.width;
    // Copies of input rows begin anew where a row of the output does: calls end there.
    const bool whole_rows = by_rows() && width <= tile;
    const int step = whole_rows ? tile / width * width : tile, grain = whole_rows ? width : kernel_.register_rows;
    // `part` of `parts` is a share of the panels of each group.
    const auto block = [&](std::int64_t first, int count, int part, int parts, int worker) noexcept {
        std::byte* own = scratch + static_cast<std::size_t>(worker) * worker_bytes();
        auto** table = reinterpret_cast<const std::int8_t**>(own);
        if (by_rows())
            fill_rows(over, first, count, padding_[0], reinterpret_cast<std::int8_t*>(own + table_bytes()),
                      row_distance(), table);
        else
            fill_taps(over, first, count, padding_.data(), tile, 1, table);
        for (int g = 0; g < options_.groups; ++g) {
            const packed_gemm<Result>& w = packed_[static_cast<std::size_t>(g)];
            const int first_panel = w.panels() * part / parts, end_panel = w.panels() * (part + 1) / parts;
            kernel_.run({.weights = &w,
                         .lhs = table,
                         .lhs_offset = std::ptrdiff_t{g} * (channels() / options_.groups),
                         .table_step = by_rows() ? 0 : tile,
                         .run_distance = by_rows() ? row_distance() : 0,
                         .readable = by_rows() ? readable : 0,
                         .count = count,
                         .first_panel = first_panel,
                         .end_panel = end_panel,
                         .out = out.row(first) + std::ptrdiff_t{g} * w.cols,
                         .out_stride = out.stride,
                         .out_zero = options_.output.zero_point,
                         .limits = options_.limits,
                         .scratch = own + table_bytes() + copies_bytes()});
            const int from = first_panel * w.layout.panel, to = std::min(end_panel * w.layout.panel, w.cols);
            if constexpr (stores_int8<Result>)
                if (add.sum != nullptr) add(out, first, count, g * w.cols + from, to - from);
        }
    };
    // Workers share rows, so that from layer to layer each finds in its own cache what it wrote. But where these do not
    // fill two blocks of registers for each, or are too few to make up for weights that every worker reads, columns, if
    // these come out even: then each reads its own weights only.
    const int workers = threads.workers;
    const int panels = packed_.front().panels();
    const int least_rows = panels % workers == 0 ? shared_rows : 2 * kernel_.register_rows;
    const bool few_rows = over.pixels() < std::int64_t{workers} * least_rows;
    if (workers > 1 && few_rows && panels >= workers)
        parallel_for(threads, workers, [&](int part, int worker) noexcept {
            for (std::int64_t first = 0; first < over.pixels(); first += step)
                block(first, static_cast<int>(std::min<std::int64_t>(step, over.pixels() - first)), part, workers,
                      worker);
        });
    else
        for_row_blocks(threads, over.pixels(), step, grain,
                       [&](std::int64_t first, int count, int worker) noexcept { block(first, count, 0, 1, worker); });
}

}  // namespace octet::inline OCTET_ABI
