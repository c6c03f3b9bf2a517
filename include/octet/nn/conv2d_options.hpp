// What a convolution is built from: its weights and its options.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "octet/core/shape.hpp"
#include "octet/isa/isa.hpp"
#include "octet/quant/params.hpp"

namespace octet {

/// How a convolution is computed. The bytes are the same.
enum class conv2d_algorithm : unsigned char {
    automatic,  ///< Winograd where conv2d_options::expected_input predicts that it is faster, direct otherwise
    direct,     ///< a product for every tap
    winograd,   ///< F(4, 3): a quarter of the products, 3x3 with stride 1 only; anything else throws octet::error
};

/// What computes a convolution, for reports.
struct conv2d_kernel {
    isa target = isa::scalar;
    const char* name = "";
};

struct conv2d_options {
    extent stride{};
    extent dilation{};
    padding pad{};
    int groups = 1;
    quant_params input{};         ///< of the input; padding counts as its zero point
    quant_params output{};        ///< of an int8 output
    clamp limits{};               ///< of the output bytes: a fused activation
    std::optional<isa> target{};  ///< default: the best that this machine runs
    std::string name = "conv2d";  ///< for error messages
    conv2d_algorithm algorithm = conv2d_algorithm::automatic;
    shape expected_input{};  ///< NHWC, for the choice of the algorithm and the size of its blocks: any input is
                             ///< computed. Rank 0: unknown
    std::int64_t expected_weights = 0;  ///< bytes of weights that other layers read between two runs of this one, for
                                        ///< the same choice: what leaves the cache comes from DRAM
};

/// Int8 weights of a convolution, OHWI: values [outputs, kernel.height, kernel.width, depth], zero point 0, where depth
/// is input channels / groups; scales [outputs], or one for all; bias [outputs] int32 with scale s_input * scales[o].
struct conv2d_weights {
    std::span<const std::int8_t> values;
    int outputs = 0;
    extent kernel{};
    int depth = 0;
    std::span<const scale> scales;
    std::span<const std::int32_t> bias;
};

}  // namespace octet
