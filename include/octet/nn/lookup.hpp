// Activations of one byte: any function of one real becomes a table of 256 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "octet/core/view.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::inline OCTET_ABI {

/// y = quantize(f(dequantize(x))) for every x, found when the layer is built; f is a function float -> float.
class lookup_layer {
  public:
    template <class F>
    lookup_layer(quant_params input, quant_params output, const F& f) {
        for (int q = -128; q < 128; ++q)
            table_[static_cast<std::size_t>(q + 128)] =
                static_cast<std::int8_t>(quantize_value(f(dequantize_value(q, input)), output, -128, 127));
    }

    /// in and out of the same shape, any stride; out may be in.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out) const noexcept {
        for (std::int64_t r = 0; r < in.rows(); ++r) {
            const std::int8_t* from = in.row(r);
            std::int8_t* to = out.row(r);
            for (std::int64_t c = 0; c < in.cols(); ++c) to[c] = table_[static_cast<std::size_t>(from[c] + 128)];
        }
    }

  private:
    std::array<std::int8_t, 256> table_{};
};

}  // namespace octet::inline OCTET_ABI
