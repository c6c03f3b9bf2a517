// Int8 depthwise convolution: one filter for each channel. Its arithmetic is kernel/depthwise_reference.hpp.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "octet/core/buffer.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/depthwise.hpp"
#include "octet/nn/conv2d_options.hpp"
#include "octet/nn/layer.hpp"

namespace octet {

/// Int8 weights of a depthwise convolution, HWC: values [kernel.height, kernel.width, channels], zero point 0; scales
/// [channels], or one for all; bias [channels] int32 with scale s_input * scales[c].
struct depthwise_weights {
    std::span<const std::int8_t> values;
    int channels = 0;
    extent kernel{};
    std::span<const scale> scales;
    std::span<const std::int32_t> bias;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// y[b, r, c, k] = requantize(bias[k] + sum over taps of (x[..., k] - z_x) * w[tap, k], s_x * s_w[k] / s_y), clamped.
/// conv2d_options::groups is not read: there is one group a channel. Throws as conv2d does.
template <class Rounding = nearest_even>
class depthwise_conv2d {
  public:
    depthwise_conv2d(const depthwise_weights& w, conv2d_options options)
        : options_(std::move(options)),
          window_{w.kernel, options_.stride, options_.dilation, options_.pad, false},
          kernel_(choose_depthwise<Rounding>(choose_isa(options_.target))) {
        const std::string& who = options_.name;
        check_int8(who, "input", options_.input);
        check_int8(who, "output", options_.output);
        check_int8(who, options_.limits);
        window_.check(who);
        check_layer_weights(who, w.values.size(), w.channels, window_.taps(), w.scales.size(), w.bias.size());
        const auto multipliers = make_multipliers<Rounding>(who, options_.input.scale, w.scales, options_.output.scale,
                                                            static_cast<std::size_t>(w.channels));
        packed_ = pack_depthwise<Rounding>(kernel_.layout, window_, w.values.data(), w.channels, w.bias, multipliers,
                                           options_.input.zero_point, who);
        padding_ = buffer<std::int8_t>(static_cast<std::size_t>(w.channels));
        for (std::int8_t& byte : padding_) byte = static_cast<std::int8_t>(options_.input.zero_point.value);
    }

    /// in [batch, height, width, channels], out as output_shape says; any stride between pixels; out may not overlap
    /// in. scratch: scratch_bytes(threads.workers) bytes, 64-byte aligned. Shapes are not checked where NDEBUG is
    /// defined.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        assert(out.dims == output_shape(in.dims) && scratch != nullptr);
        const std::int64_t all_rows = in.dims[0] * out.dims[1];
        // Bands are 1, 2 or 4 output rows: a cut between bands costs nothing, and few rows must not lack tasks.
        const int grain = all_rows < few_rows ? packed_.plan.rows : 4;
        for_row_blocks(threads, all_rows, rows_a_call, grain, [&](std::int64_t first, int count, int worker) {
            rows(in, out, first, count, scratch + static_cast<std::size_t>(worker) * scratch_bytes(1));
        });
    }
    /// Of the same, the image rows [first, first + count) of `out`, counted over the batch; scratch of one worker.
    void rows(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::int64_t first, int count,
              std::byte* scratch) const noexcept {
        const extent size{static_cast<int>(in.dims[1]), static_cast<int>(in.dims[2])};
        const std::int64_t height = out.dims[1], width = out.dims[2];
        for (int done = 0, some = 0; done < count; done += some) {  // image by image
            const std::int64_t image = (first + done) / height, row = (first + done) % height;
            some = static_cast<int>(std::min<std::int64_t>(count - done, height - row));
            kernel_.run({&packed_, in.row(image * size.height * size.width), in.stride, size, padding_.data(),
                         out.row(image * height * width), out.stride, static_cast<int>(width), static_cast<int>(row),
                         some, options_.output.zero_point, options_.limits, scratch});
        }
    }
    shape output_shape(const shape& in) const {
        const auto channels = static_cast<std::int64_t>(padding_.size());
        if (in.rank() != 4 || in[3] != channels)
            fail(options_.name, ": an input of ", to_string(in), ", but it takes NHWC with ", channels, " channels");
        const extent out = window_.outputs(options_.name, in[1], in[2]);
        return {in[0], out.height, out.width, channels};
    }
    std::size_t scratch_bytes(int workers) const noexcept {
        return round_up_64(kernel_.scratch_bytes(packed_)) * static_cast<std::size_t>(workers);
    }
    const depthwise_entry<Rounding>& kernel() const noexcept { return kernel_; }

    static constexpr int rows_a_call = 8;  ///< image rows that had better stay together
    static constexpr int few_rows = 32;    ///< less are cut as each worker needs them

  private:
    conv2d_options options_;
    window window_;
    depthwise_entry<Rounding> kernel_;
    packed_depthwise<Rounding> packed_;
    buffer<std::int8_t> padding_;  // one pixel of zero points
};

}  // namespace octet::inline OCTET_ABI
