// Depthwise convolution in float: for calibration, and for layers that are left in float. See conv2d_float.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "octet/core/buffer.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/kernel/depthwise_float.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/activation.hpp"
#include "octet/nn/layer.hpp"

namespace octet::inline OCTET_ABI {

/// y[c] = held(chain of fma(x[c], w[tap, c], .) over the taps in ascending order, begun at bias[c]), the same bits on
/// every instruction set and for every split into tasks, and those of conv2d_float with one group a channel.
class depthwise_conv2d_float {
  public:
    /// weights [channels, taps] as OHWI has them, bias [channels].
    depthwise_conv2d_float(std::span<const float> weights, std::span<const float> bias, const window& taps,
                           activation_range range, isa target)
        : window_(taps),
          range_(range),
          kernel_(choose_float_depthwise(target)),
          weights_(weights.size()),
          bias_(bias.size()),
          padding_(bias.size()) {
        const std::size_t channels = bias.size(), count = weights.size() / channels;
        for (std::size_t i = 0; i < weights.size(); ++i) weights_[i] = weights[i % channels * count + i / channels];
        for (std::size_t c = 0; c < channels; ++c) bias_[c] = bias[c];
    }

    /// in and out NHWC of any stride, out may not overlap in; scratch: scratch_bytes(threads.workers), 64-byte aligned.
    void operator()(tensor_view<const float> in, tensor_view<float> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        const sliding<float> over{in, window_, {static_cast<int>(out.dims[1]), static_cast<int>(out.dims[2])}};
        for_row_blocks(threads, over.pixels(), pixels_a_call, 1, [&](std::int64_t first, int count, int worker) {
            auto** table =
                reinterpret_cast<const float**>(scratch + static_cast<std::size_t>(worker) * scratch_bytes(1));
            fill_taps(over, first, count, padding_.data(), 1, window_.taps(), table);
            kernel_.run({weights_.data(), bias_.data(), window_.taps(), static_cast<int>(bias_.size()), table, count,
                         out.row(first), out.stride, range_.low, range_.high});
        });
    }
    std::size_t scratch_bytes(int workers) const noexcept {
        return round_up_64(sizeof(void*) * static_cast<std::size_t>(pixels_a_call * window_.taps())) *
               static_cast<std::size_t>(workers);
    }
    const depthwise_float_entry& kernel() const noexcept { return kernel_; }

  private:
    static constexpr int pixels_a_call = 16;

    window window_;
    activation_range range_;
    depthwise_float_entry kernel_;
    buffer<float> weights_;  // [taps][channels]
    buffer<float> bias_;
    buffer<float> padding_;  // one pixel of zeros
};

}  // namespace octet::inline OCTET_ABI
