// The add that follows a convolution in a residual block, run while the convolution's output is in cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/core/view.hpp"
#include "octet/nn/elementwise.hpp"

namespace octet::inline OCTET_ABI {

/// out = add(y, other), or add(other, y) unless y_first, where y is what the convolution has written to out. The bytes
/// are those of the two layers one after the other. `other` has the shape of out and may not overlap it.
template <class Rounding>
struct residual_add {
    const add_layer<Rounding>* sum = nullptr;  ///< null: no add
    tensor_view<const std::int8_t> other{};
    bool y_first = true;

    /// Channels [first_channel, first_channel + channels) of `count` pixels from `pixel` on.
    void operator()(tensor_view<std::int8_t> out, std::int64_t pixel, int count, std::int64_t first_channel,
                    std::int64_t channels) const noexcept {
        const bool dense = channels == out.cols() && out.dense() && other.dense();  // then pixels are one row
        const std::int64_t rows = dense ? 1 : count, length = dense ? count * channels : channels;
        for (std::int64_t r = pixel; r < pixel + rows; ++r) {
            std::int8_t* y = out.row(r) + first_channel;
            const std::int8_t* x = other.row(r) + first_channel;
            sum->row(y_first ? y : x, y_first ? x : y, y, static_cast<std::size_t>(length));
        }
    }
};

}  // namespace octet::inline OCTET_ABI
