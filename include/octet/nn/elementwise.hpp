// Int8 add and mul of two tensors with NumPy's broadcasting. The formulas are kernel/elementwise_reference.hpp's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/elementwise.hpp"
#include "octet/nn/broadcast.hpp"

namespace octet::inline OCTET_ABI {

/// out = Params's formula of (a, b), add_params or mul_params, of operands with the parameters a, b and out, held in
/// `limits` (bytes, zero point included). `who` names the layer in errors, which the constructor throws when the scales
/// do not fit together.
template <class Params>
class binary_layer {
  public:
    /// target: the best that this machine runs where none is given.
    binary_layer(quant_params a, quant_params b, quant_params out, clamp limits = {}, std::optional<isa> target = {},
                 std::string_view who = "elementwise")
        : params_(checked(a, b, out, limits, who)), kernel_(choose_binary<Params>(choose_isa(target))) {}

    /// The shape of out is that of a and b broadcast; any stride. out may be a or b where their shapes are its own.
    void operator()(tensor_view<const std::int8_t> a, tensor_view<const std::int8_t> b, tensor_view<std::int8_t> out,
                    const parallel& threads = {}) const noexcept {
        for_broadcast_rows(a, b, out, threads,
                           [this](const std::int8_t* x, std::ptrdiff_t x_step, const std::int8_t* y,
                                  std::ptrdiff_t y_step, std::int8_t* to, std::size_t count) noexcept {
                               kernel_.run(params_, x, x_step, y, y_step, to, count);
                           });
    }
    /// One row of `count` elements; out may be a or b.
    void row(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t count) const noexcept {
        kernel_.run(params_, a, 1, b, 1, out, count);
    }
    const binary_entry<Params>& kernel() const noexcept { return kernel_; }

  private:
    /// Zero points and limits of int8 first: the formulas multiply by them.
    static Params checked(quant_params a, quant_params b, quant_params out, clamp limits, std::string_view who) {
        check_int8(who, "first input", a);
        check_int8(who, "second input", b);
        check_int8(who, "output", out);
        check_int8(who, limits);
        return Params::make(a, b, out, limits, who);
    }

    Params params_;
    binary_entry<Params> kernel_;
};

template <class Rounding = nearest_even>
using add_layer = binary_layer<add_params<Rounding>>;
template <class Rounding = nearest_even>
using mul_layer = binary_layer<mul_params<Rounding>>;

}  // namespace octet::inline OCTET_ABI
