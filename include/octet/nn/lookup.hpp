// Activations of one byte: any function of one real becomes a table of 256 bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/core/view.hpp"
#include "octet/isa/isa.hpp"
#include "octet/kernel/lookup.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::inline OCTET_ABI {

/// y = quantize(f(dequantize(x))) for every x, found when the layer is built; f is a function float -> float.
class lookup_layer {
  public:
    template <class F>
    lookup_layer(quant_params input, quant_params output, const F& f, isa target) : kernel_(choose_lookup(target)) {
        check_int8("lookup", "input", input);
        check_int8("lookup", "output", output);
        for (int q = -128; q < 128; ++q)
            table_[static_cast<std::size_t>(q + 128)] =
                static_cast<std::int8_t>(quantize_value(f(dequantize_value(q, input)), output, -128, 127));
    }

    /// in and out of the same shape, any stride; out may be in.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out) const noexcept {
        const bool dense = in.dense() && out.dense();
        const std::int64_t rows = dense ? 1 : in.rows(), cols = dense ? in.dims.elements() : in.cols();
        for (std::int64_t r = 0; r < rows; ++r)
            kernel_.run(table_, in.row(r), static_cast<std::size_t>(cols), out.row(r));
    }
    const lookup_entry& kernel() const noexcept { return kernel_; }

  private:
    lookup_table table_{};
    lookup_entry kernel_;
};

}  // namespace octet::inline OCTET_ABI
