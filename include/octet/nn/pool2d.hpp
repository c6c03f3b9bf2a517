// Int8 max, average and global average pooling. The arithmetic is kernel/pool_reference.hpp, the addresses
// kernel/taps.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "octet/core/algorithm.hpp"
#include "octet/core/view.hpp"
#include "octet/isa/isa.hpp"
#include "octet/kernel/pool.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/layer.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {

/// The pixels [first, end) of an output row whose windows lie inside the image from side to side; those before and
/// after are cut off by it.
struct whole_windows {
    int first = 0;
    int end = 0;

    whole_windows(const window& taps, int outputs, std::int64_t width) noexcept {
        const std::int64_t reach = std::int64_t{taps.kernel.width - 1} * taps.dilation.width;
        const std::int64_t room = width - 1 - reach + taps.pad.left, step = taps.stride.width;  // of the leftmost tap
        first = static_cast<int>(std::min<std::int64_t>(outputs, (taps.pad.left + step - 1) / step));
        end = room < 0 ? first : static_cast<int>(clamped<std::int64_t>(room / step + 1, first, outputs));
    }
};

inline std::size_t pool_scratch_bytes(const window& taps, int workers) noexcept {
    return round_up_64(sizeof(void*) * static_cast<std::size_t>(taps.kernel.height)) *
           static_cast<std::size_t>(workers);
}

/// body(call, divisor) for runs of output pixels of a row that have the same taps inside the image and the same divisor
/// (the cells inside image and padding); pixels without a tap, which only dilated windows have, become `empty`.
template <class Body>
void for_pool_rows(const sliding<std::int8_t>& over, tensor_view<std::int8_t> out, std::int8_t empty,
                   std::byte* scratch, const parallel& threads, const Body& body) noexcept {
    const window& w = over.taps;
    const int outputs = over.outputs.width;
    const std::int64_t height = over.in.dims[1], width = over.in.dims[2];
    const whole_windows whole(w, outputs, width);
    const std::size_t own_bytes = pool_scratch_bytes(w, 1);
    for_row_blocks(threads, over.in.dims[0] * over.outputs.height, 1, 1, [&](std::int64_t row, int, int worker) {
        auto** lines = reinterpret_cast<const std::int8_t**>(scratch + static_cast<std::size_t>(worker) * own_bytes);
        pool_call call{.lines = lines,
                       .rows = 0,
                       .tap_stride = w.dilation.width * over.in.stride,
                       .pixel_stride = w.stride.width * over.in.stride,
                       .channels = static_cast<int>(out.cols()),
                       .out_stride = out.stride};
        const std::int64_t first_pixel = row * outputs;
        const pixel_origin at = origin_of(over, first_pixel);
        // `count` pixels from x on, whose leftmost tap inside the image is tap `skip` of `cols`.
        const auto run = [&](int x, int count, int skip, int cols) noexcept {
            call.rows = 0;
            const std::int64_t left =
                std::int64_t{x} * w.stride.width - w.pad.left + std::int64_t{skip} * w.dilation.width;
            for (int y = 0; cols > 0 && y < w.kernel.height; ++y) {
                const std::int64_t line = at.top + std::int64_t{y} * w.dilation.height;
                if (line >= 0 && line < height)
                    lines[call.rows++] = over.in.row((at.image * height + line) * width + left);
            }
            call.cols = cols, call.pixels = count, call.out = out.row(first_pixel + x);
            if (call.rows > 0) return body(call, padded_tap_count(over, first_pixel + x));
            for (int i = 0; i < count; ++i) fill(out.row(first_pixel + x + i), out.cols(), empty);
        };
        const auto cut_off = [&](int x) noexcept {
            const std::int64_t left = std::int64_t{x} * w.stride.width - w.pad.left, spread = w.dilation.width;
            const std::int64_t skip = left < 0 ? (-left + spread - 1) / spread : 0;
            const std::int64_t end =
                left >= width ? 0 : std::min<std::int64_t>(w.kernel.width, (width - 1 - left) / spread + 1);
            run(x, 1, static_cast<int>(skip), static_cast<int>(std::max<std::int64_t>(end - skip, 0)));
        };
        for (int x = 0; x < whole.first; ++x) cut_off(x);
        if (whole.end > whole.first) run(whole.first, whole.end - whole.first, 0, w.kernel.width);
        for (int x = whole.end; x < outputs; ++x) cut_off(x);
    });
}

}  // namespace detail

/// y = max over the taps inside the image: padding never wins. Input and output share scale and zero point. Throws
/// octet::error naming `who` when the window or the parameters make no sense.
class max_pool2d {
  public:
    max_pool2d(const window& taps, quant_params params, isa target, std::string_view who)
        : window_(taps), zero_(static_cast<std::int8_t>(params.zero_point.value)), kernel_(choose_max_pool(target)) {
        taps.check(who);
        check_int8(who, "input", params);
    }

    /// in and out NHWC of any stride, out may not overlap in; scratch: scratch_bytes(threads.workers), 64-byte aligned.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        const sliding<std::int8_t> over{in, window_, {static_cast<int>(out.dims[1]), static_cast<int>(out.dims[2])}};
        detail::for_pool_rows(over, out, zero_, scratch, threads,
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
/// Throws octet::error naming `who` when the window makes no sense or the scales do not fit together.
template <class Rounding = nearest_even>
class average_pool2d {
  public:
    average_pool2d(const window& taps, bool count_include_pad, quant_params in, quant_params out, isa target,
                   std::string_view who)
        : window_(taps),
          count_include_pad_(count_include_pad),
          in_(in),
          out_(out),
          kernel_(choose_average_pool<Rounding>(target)) {
        taps.check(who);
        check_int8(who, "input", in);
        check_int8(who, "output", out);
        for (const int divisor : {1, taps.taps()}) average_params<Rounding>::make(in, out, {}, divisor, who);
    }

    /// As max_pool2d.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        const sliding<std::int8_t> over{in, window_, {static_cast<int>(out.dims[1]), static_cast<int>(out.dims[2])}};
        const auto empty = static_cast<std::int8_t>(out_.zero_point.value);
        detail::for_pool_rows(over, out, empty, scratch, threads, [&](const pool_call& call, int cells) noexcept {
            // Multipliers fall as divisors grow: this throws for none between the two that the constructor tried.
            const int divisor = count_include_pad_ ? cells : call.rows * call.cols;
            kernel_.run(call, average_params<Rounding>::make(in_, out_, {}, divisor, {}));
        });
    }
    std::size_t scratch_bytes(int workers) const noexcept { return detail::pool_scratch_bytes(window_, workers); }
    const average_pool_entry<Rounding>& kernel() const noexcept { return kernel_; }

  private:
    window window_;
    bool count_include_pad_;
    quant_params in_;
    quant_params out_;
    average_pool_entry<Rounding> kernel_;
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
        const std::int8_t* lines[] = {in.data};
        kernel_.run({.lines = lines,
                     .rows = 1,
                     .cols = pixels_,
                     .tap_stride = in.stride,
                     .pixel_stride = pixels_ * in.stride,
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
