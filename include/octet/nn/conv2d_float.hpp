// Convolution in float: for calibration, and for layers that are left in float. The addresses are those of the int8
// layer (kernel/taps.hpp); padding is a row of zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "octet/core/buffer.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/kernel/gemm_float.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/activation.hpp"
#include "octet/nn/layer.hpp"

namespace octet::inline OCTET_ABI {

/// y[o] = held(chain of fma(x, w[o], .) over taps and channels in ascending order, begun at bias[o]), the same bits on
/// every instruction set and for every split into tasks.
class conv2d_float {
  public:
    /// weights OHWI [outputs, taps, depth] with depth = input channels / groups; bias [outputs].
    conv2d_float(std::span<const float> weights, std::span<const float> bias, int depth, const window& taps, int groups,
                 activation_range range, isa target)
        : window_(taps), groups_(groups), range_(range), kernel_(choose_float_gemm(target)) {
        const int columns = static_cast<int>(bias.size()) / groups;
        const std::size_t group_values = weights.size() / static_cast<std::size_t>(groups);
        for (int g = 0; g < groups; ++g)
            packed_.push_back(pack_float_gemm(
                kernel_.panel, weights.data() + static_cast<std::size_t>(g) * group_values, columns, taps.taps(), depth,
                bias.subspan(static_cast<std::size_t>(g * columns), static_cast<std::size_t>(columns))));
        padding_ = buffer<float>(static_cast<std::size_t>(depth) * static_cast<std::size_t>(groups));
    }

    /// in and out NHWC of any stride, out may not overlap in; scratch: scratch_bytes(threads.workers), 64-byte aligned.
    void operator()(tensor_view<const float> in, tensor_view<float> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        const sliding<float> over{in, window_, {static_cast<int>(out.dims[1]), static_cast<int>(out.dims[2])}};
        const int tile = kernel_.tile_rows, depth = packed_.front().depth;
        for_row_blocks(
            threads, over.pixels(), tile, kernel_.register_rows, [&](std::int64_t first, int count, int worker) {
                auto** table =
                    reinterpret_cast<const float**>(scratch + static_cast<std::size_t>(worker) * scratch_bytes(1));
                fill_taps(over, first, count, padding_.data(), tile, 1, table);
                for (int g = 0; g < groups_; ++g) {
                    const packed_float_gemm& w = packed_[static_cast<std::size_t>(g)];
                    kernel_.run({&w, table, std::ptrdiff_t{g} * depth, count,
                                 out.row(first) + std::ptrdiff_t{g} * w.cols, out.stride, range_.low, range_.high});
                }
            });
    }
    std::size_t scratch_bytes(int workers) const noexcept {
        return round_up_64(sizeof(void*) * static_cast<std::size_t>(kernel_.tile_rows * window_.taps())) *
               static_cast<std::size_t>(workers);
    }
    const float_gemm_entry& kernel() const noexcept { return kernel_; }

  private:
    window window_;
    int groups_;
    activation_range range_;
    float_gemm_entry kernel_;
    std::vector<packed_float_gemm> packed_;  // one for each group
    buffer<float> padding_;
};

}  // namespace octet::inline OCTET_ABI
