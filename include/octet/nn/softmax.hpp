// Int8 softmax over the last dimension. The formula stands in kernel/softmax.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "octet/core/view.hpp"
#include "octet/isa/isa.hpp"
#include "octet/kernel/lookup.hpp"
#include "octet/kernel/softmax.hpp"

namespace octet::inline OCTET_ABI {

/// Each row of y = softmax of the same row of x, of `cols` values. The usual output is scale 1/256, zero point -128.
/// Throws octet::error naming `who` when cols or the output's scale is out of bounds.
class softmax_layer {
  public:
    softmax_layer(quant_params input, quant_params output, std::int64_t cols, isa target, std::string_view who)
        : params_(make_softmax(input.scale, output, {}, cols, who)), lookup_(choose_lookup(target)) {
        check_int8(who, "output", output);
    }

    /// in and out of the same shape, any stride; out may be in.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out) const noexcept {
        for (std::int64_t r = 0; r < in.rows(); ++r)
            softmax_row(params_, in.row(r), static_cast<std::size_t>(in.cols()), out.row(r), lookup_);
    }

    const lookup_entry& kernel() const noexcept { return lookup_; }

  private:
    softmax_params params_;
    lookup_entry lookup_;
};

}  // namespace octet::inline OCTET_ABI
