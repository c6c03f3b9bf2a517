// Int8 max, average and global average pooling. The arithmetic is kernel/pool_reference.hpp, the addresses
// kernel/taps.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/view.hpp"
#include "octet/isa/isa.hpp"
#include "octet/kernel/pool.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/layer.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {

/// How many pixels share a call: 16, fewer for windows so large that their table would leave the cache (32 KiB).
inline int pool_pixels_a_call(const window& taps) noexcept { return clamped(4096 / taps.taps(), 1, 16); }

inline std::size_t pool_scratch_bytes(const window& taps, int workers) noexcept {
    return round_up_64(sizeof(void*) * static_cast<std::size_t>(pool_pixels_a_call(taps) * taps.taps())) *
           static_cast<std::size_t>(workers);
}

/// body(call, divisor) for runs of output pixels that have equally many taps inside the image and the same divisor (the
/// cells inside image and padding); pixels without a tap, which only dilated windows have, become `empty`.
template <class Body>
void for_pool_runs(const sliding<std::int8_t>& over, tensor_view<std::int8_t> out, std::int8_t empty,
                   std::byte* scratch, const parallel& threads, const Body& body) noexcept {
    const std::size_t own_bytes = pool_scratch_bytes(over.taps, 1);
    for_row_blocks(
        threads, over.pixels(), pool_pixels_a_call(over.taps), 1, [&](std::int64_t first, int count, int worker) {
            auto** table =
                reinterpret_cast<const std::int8_t**>(scratch + static_cast<std::size_t>(worker) * own_bytes);
            int pixels = 0, taps = 0, divisor = 0;
            const auto flush = [&](std::int64_t end) {
                if (pixels == 0) return;
                const pool_call call{.lhs = table,
                                     .taps = taps,
                                     .pixels = pixels,
                                     .channels = static_cast<int>(out.cols()),
                                     .out = out.row(end - pixels),
                                     .out_stride = out.stride};
                body(call, divisor);
                pixels = 0;
            };
            for (std::int64_t pixel = first; pixel < first + count; ++pixel) {
                const std::int8_t** next = table + std::ptrdiff_t{pixels} * taps;
                const int here = fill_inner_taps(over, pixel, next), cells = padded_tap_count(over, pixel);
                if (here == 0) {
                    flush(pixel);
                    detail::fill(out.row(pixel), out.cols(), empty);
                    continue;
                }
                if (pixels != 0 && (here != taps || cells != divisor)) {
                    flush(pixel);
                    fill_inner_taps(over, pixel, table);
                }
                ++pixels, taps = here, divisor = cells;
            }
            flush(first + count);
        });
}

}  // namespace detail

/// y = max over the taps inside the image: padding never wins. Input and output share scale and zero point.
class max_pool2d {
  public:
    max_pool2d(const window& taps, zero_point zero, isa target)
        : window_(taps), zero_(static_cast<std::int8_t>(zero.value)), kernel_(choose_max_pool(target)) {}

    /// in and out NHWC of any stride, out may not overlap in; scratch: scratch_bytes(threads.workers), 64-byte aligned.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        const sliding<std::int8_t> over{in, window_, {static_cast<int>(out.dims[1]), static_cast<int>(out.dims[2])}};
        detail::for_pool_runs(over, out, zero_, scratch, threads,
                              [&](const pool_call& call, int) noexcept { kernel_.run(call, {}); });
    }
    std::size_t scratch_bytes(int workers) const noexcept { return detail::pool_scratch_bytes(window_, workers); }
    const max_pool_entry& kernel() const noexcept { return kernel_; }

  private:
    window window_;
    std::int8_t zero_;
    max_pool_entry kernel_;
};

/// y = the average over the taps inside the image, or over those in its padding too (as real 0) with count_include_pad.
/// Throws octet::error naming `who` when the scales do not fit together.
template <class Rounding = nearest_even>
class average_pool2d {
  public:
    average_pool2d(const window& taps, bool count_include_pad, quant_params in, quant_params out, isa target,
                   std::string_view who)
        : window_(taps),
          count_include_pad_(count_include_pad),
          zero_(static_cast<std::int8_t>(out.zero_point.value)),
          kernel_(choose_average_pool<Rounding>(target)) {
        check_int8(who, "input", in);
        check_int8(who, "output", out);
        for (int divisor = 1; divisor <= taps.taps(); ++divisor)
            by_divisor_.push_back(average_params<Rounding>::make(in, out, {}, divisor, who));
    }

    /// As max_pool2d.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        const sliding<std::int8_t> over{in, window_, {static_cast<int>(out.dims[1]), static_cast<int>(out.dims[2])}};
        detail::for_pool_runs(over, out, zero_, scratch, threads, [&](const pool_call& call, int cells) noexcept {
            kernel_.run(call, by_divisor_[static_cast<std::size_t>((count_include_pad_ ? cells : call.taps) - 1)]);
        });
    }
    std::size_t scratch_bytes(int workers) const noexcept { return detail::pool_scratch_bytes(window_, workers); }
    const average_pool_entry<Rounding>& kernel() const noexcept { return kernel_; }

  private:
    window window_;
    bool count_include_pad_;
    std::int8_t zero_;
    average_pool_entry<Rounding> kernel_;
    std::vector<average_params<Rounding>> by_divisor_;
};

/// y[b, 0, 0, c] = the average of channel c over `pixels` pixels.
template <class Rounding = nearest_even>
class global_average_pool {
  public:
    global_average_pool(std::int64_t pixels, quant_params in, quant_params out, isa target, std::string_view who)
        : params_(average_params<Rounding>::make(in, out, {}, static_cast<int>(pixels), who)),
          pixels_(static_cast<int>(pixels)),
          kernel_(choose_average_pool<Rounding>(target)) {
        check_int8(who, "input", in);
        check_int8(who, "output", out);
    }

    /// in [batch, height, width, channels] with height * width = pixels, out [batch, 1, 1, channels]; any stride.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte*,
                    const parallel& = {}) const noexcept {
        kernel_.run({.base = in.data,
                     .pixel_stride = pixels_ * in.stride,
                     .tap_stride = in.stride,
                     .taps = pixels_,
                     .pixels = static_cast<int>(in.dims[0]),
                     .channels = static_cast<int>(in.cols()),
                     .out = out.data,
                     .out_stride = out.stride},
                    params_);
    }
    std::size_t scratch_bytes(int) const noexcept { return 0; }
    const average_pool_entry<Rounding>& kernel() const noexcept { return kernel_; }

  private:
    average_params<Rounding> params_;
    int pixels_;
    average_pool_entry<Rounding> kernel_;
};

}  // namespace octet::inline OCTET_ABI
