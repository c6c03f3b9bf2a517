// Int8 matrix product with packed weights: a fully connected layer, and what other libraries call gemm or
// inner_product. It is a 1x1 convolution over rows: see nn/conv2d.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/nn/conv2d.hpp"
#include "octet/nn/layer.hpp"
#include "octet/quant/result.hpp"

namespace octet {

/// Int8 weights of a product: values [outputs, inputs], zero point 0; scales [outputs], or one for all; bias [outputs]
/// int32 with scale s_input * scales[n].
struct linear_weights {
    std::span<const std::int8_t> values;
    int outputs = 0;
    int inputs = 0;
    std::span<const scale> scales;
    std::span<const std::int32_t> bias;
};

struct linear_options {
    quant_params input{};         ///< of the input
    quant_params output{};        ///< of an int8 output
    clamp limits{};               ///< of the output bytes: a fused activation
    std::optional<isa> target{};  ///< default: the best that this machine runs
    std::string name = "linear";  ///< for error messages
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// acc[m, n] = bias[n] + sum over k of (x[m, k] - z_x) * w[n, k], exactly, and of it, as Result says,
///   nearest_even, tflite, single    int8     requantize(acc, s_x * s_w[n] / s_y), clamped
///   accumulators                    int32    acc
///   dequantized                     float    float(acc) * (s_x * s_w[n])
///
///   linear<dequantized> scores{{weights, 1000, 2048, scales, bias}, {.input = x}};
///   scores(features, logits, scratch);                     // noexcept, allocates nothing
/// Weights are packed once, here. Throws octet::error as conv2d does.
template <class Result = nearest_even>
class linear {
  public:
    /// memory: as conv2d's.
    linear(const linear_weights& w, linear_options options, slab* memory = nullptr)
        : product_({w.values, w.outputs, {1, 1}, w.inputs, w.scales, w.bias},
                   {.input = options.input,
                    .output = options.output,
                    .limits = options.limits,
                    .target = options.target,
                    .name = options.name},
                   memory),
          name_(std::move(options.name)),
          inputs_(w.inputs),
          outputs_(w.outputs) {}

    using stored = typename Result::stored;

    /// in [..., inputs] int8 and out [..., outputs], as many rows in both, any stride between rows; out may not overlap
    /// in. scratch: scratch_bytes(threads.workers) bytes, 64-byte aligned. Rows are shared out to workers, or the
    /// columns where there are few rows. Costs rows * inputs * outputs multiply-adds; one row costs a read of the
    /// weights. Shapes are not checked where NDEBUG is defined.
    void operator()(tensor_view<const std::int8_t> in, tensor_view<stored> out, std::byte* scratch,
                    const parallel& threads = {}) const noexcept {
        product_(as_pixels(in), as_pixels(out), scratch, threads);
    }

    /// The shape of `in` with `outputs` in the place of `inputs`; throws octet::error where its rows have another size.
    shape output_shape(const shape& in) const {
        if (in.rank() < 1 || in.cols() != inputs_)
            fail(name_, ": an input of ", to_string(in), ", but it takes rows of ", inputs_, " values");
        return in.with(in.rank() - 1, outputs_);
    }
    std::size_t scratch_bytes(int workers) const noexcept { return product_.scratch_bytes(workers); }
    conv2d_kernel kernel() const noexcept { return product_.kernel(); }

  private:
    conv2d<Result> product_;
    std::string name_;
    std::int64_t inputs_ = 0;
    std::int64_t outputs_ = 0;
};

}  // namespace octet::inline OCTET_ABI
