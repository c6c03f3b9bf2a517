// placeholder
#pragma once
#include "octet/core/view.hpp"
#include "octet/quant/math.hpp"
#include "octet/quant/quantizer.hpp"
namespace octet::inline OCTET_ABI {
struct softmax_layer {
    quant_params a, b;
    softmax_layer(quant_params i, quant_params o, std::string_view) : a(i), b(o) {}
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out) const noexcept {
        for (std::int64_t r = 0; r < in.rows(); ++r) {
            int mx = -128;
            for (std::int64_t c = 0; c < in.cols(); ++c) mx = std::max<int>(mx, in.row(r)[c]);
            double s = 0;
            for (std::int64_t c = 0; c < in.cols(); ++c) s += math::exp(double(a.scale.value) * (in.row(r)[c] - mx));
            for (std::int64_t c = 0; c < in.cols(); ++c)
                out.row(r)[c] = std::int8_t(
                    quantize_value(float(math::exp(double(a.scale.value) * (in.row(r)[c] - mx)) / s), b, -128, 127));
        }
    }
};
}  // namespace octet::inline OCTET_ABI
