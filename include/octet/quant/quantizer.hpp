// The only code that turns floats into integers. Start here to quantize an array: choose_params picks scale and zero
// point from a range, quantize and dequantize apply them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/quant/params.hpp"

namespace octet {

struct symmetric {};    ///< the range is [-a, a] and the zero point stands in the middle of the storage
struct asymmetric {};   ///< the range is [min, max], widened to include 0, over all 256 values
struct per_tensor {};   ///< one scale and zero point
struct per_channel {};  ///< one scale and zero point for each index of one axis

/// An array seen as [outer, channels, inner]: OHWI weights quantized per output channel are {1, O, H * W * I}.
struct channel_layout {
    std::int64_t outer = 1;
    std::int64_t channels = 1;
    std::int64_t inner = 1;
    std::int64_t elements() const noexcept { return outer * channels * inner; }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// The smallest and the largest scale that choose_params returns: data beyond them is clipped or becomes 0. Products of
/// two such scales, and their quotient by a third, stay finite and normal in float for every data an image network has.
inline constexpr double smallest_scale = 0x1p-60, largest_scale = 0x1p60;

/// q = clamp(round_half_even(x / scale) + zero_point); a NaN becomes `low`. As ONNX QuantizeLinear: the division is a
/// division, not a product with the inverse.
inline std::int32_t quantize_value(float x, quant_params p, std::int32_t low, std::int32_t high) noexcept {
    const float floor = static_cast<float>(low - p.zero_point.value);
    const float ceiling = static_cast<float>(high - p.zero_point.value);
    const float steps = x / p.scale.value;
    const float held = steps > floor ? (steps < ceiling ? steps : ceiling) : floor;
    return static_cast<std::int32_t>(ieee::lrint(held)) + p.zero_point.value;
}

/// real = scale * (q - zero_point)
inline float dequantize_value(std::int32_t q, quant_params p) noexcept {
    return p.scale.value * static_cast<float>(q - p.zero_point.value);
}

/// Quantizes arrays of one scheme (symmetric, asymmetric), granularity (per_tensor, per_channel) and storage (int8_t,
/// uint8_t):
///   quantizer<asymmetric, per_tensor> q{range{-1, 3}};   q.quantize(reals, bytes);   q.dequantize(bytes, reals);
///   quantizer<symmetric, per_channel> w{weights, {1, 64, 27}};
/// Symmetric storage leaves its lowest value unused, so that every |q - zero_point| <= 127: int8 [-127, 127] with zero
/// point 0, uint8 [1, 255] with zero point 128. Real 0 is always represented exactly.
template <class Scheme, class Granularity, class Storage = std::int8_t>
class quantizer {
    static_assert(std::is_same_v<Scheme, symmetric> || std::is_same_v<Scheme, asymmetric>,
                  "octet::quantizer: the scheme is octet::symmetric or octet::asymmetric");
    static_assert(std::is_same_v<Granularity, per_tensor> || std::is_same_v<Granularity, per_channel>,
                  "octet::quantizer: the granularity is octet::per_tensor or octet::per_channel");
    static_assert(std::is_same_v<Storage, std::int8_t> || std::is_same_v<Storage, std::uint8_t>,
                  "octet::quantizer: the storage is std::int8_t or std::uint8_t");
    static constexpr bool is_symmetric = std::is_same_v<Scheme, symmetric>;

  public:
    static constexpr std::int32_t low = std::numeric_limits<Storage>::min() + (is_symmetric ? 1 : 0);
    static constexpr std::int32_t high = std::numeric_limits<Storage>::max();

    /// The parameters for reals in `seen`. Asymmetric: scale = (max - min) / 255 and zero_point = low - min / scale, of
    /// the range widened to include 0, formed in double, the zero point rounded half to even and clamped. Symmetric:
    /// scale = max(-min, max) / 127. A range of nothing but 0 gives scale 1. The scale is held in [smallest_scale,
    /// largest_scale]. Throws octet::error when a bound is NaN or infinite, or min > max.
    static quant_params choose_params(range seen) {
        if (!(ieee::is_finite(seen.min) && ieee::is_finite(seen.max) && seen.min <= seen.max))
            fail("the range [", seen.min, ", ", seen.max,
                 "] cannot be quantized: both bounds must be finite and ordered");
        const double least = std::min(static_cast<double>(seen.min), 0.0);
        const double most = std::max(static_cast<double>(seen.max), 0.0);
        constexpr std::int32_t middle = (high + low) / 2;
        if (is_symmetric) return {held_scale(std::max(-least, most) / ((high - low) / 2)), zero_point(middle)};
        const octet::scale step = held_scale((most - least) / (high - low));
        const double z = ieee::nearbyint(low - least / static_cast<double>(step.value));
        const double q = detail::clamped(z, static_cast<double>(low), static_cast<double>(high));
        return {step, zero_point(static_cast<std::int32_t>(q))};
    }

    explicit quantizer(quant_params params) requires(std::is_same_v<Granularity, per_tensor>) : params_{params} {}
    explicit quantizer(range seen) requires(std::is_same_v<Granularity, per_tensor>) : params_{choose_params(seen)} {}
    /// From the smallest and largest element; scale 1 where there is none. Throws octet::error on an element that is
    /// NaN or infinite.
    explicit quantizer(std::span<const float> data) requires(std::is_same_v<Granularity, per_tensor>)
        : quantizer(data, channel_layout{1, 1, static_cast<std::int64_t>(data.size())}, 0) {}
    /// One pair of parameters for each channel of an array of layout.elements() reals.
    quantizer(std::span<const float> data, channel_layout layout) requires(std::is_same_v<Granularity, per_channel>)
        : quantizer(data, layout, 0) {}
    quantizer(std::vector<quant_params> params,
              channel_layout layout) requires(std::is_same_v<Granularity, per_channel>)
        : params_(std::move(params)), layout_(checked(layout)) {
        if (static_cast<std::int64_t>(params_.size()) != layout_.channels)
            fail("a quantizer with ", params_.size(), " parameters for ", layout_.channels,
                 " channels: give one scale and zero point for each channel");
    }

    std::span<const quant_params> params() const noexcept { return {params_.data(), params_.size()}; }
    /// Not checked: channel < params().size().
    const quant_params& operator[](std::size_t channel) const noexcept { return params_[channel]; }

    /// out[i] = clamp(round_half_even(in[i] / scale) + zero_point). Sizes are equal (and layout.elements() per
    /// channel): otherwise octet::error. The ranges may not overlap. A NaN becomes the lowest value.
    void quantize(std::span<const float> in, std::span<Storage> out) const {
        check(in.size(), out.size());
        each(in.size(), [&](std::size_t i, const quant_params& p) {
            out[i] = static_cast<Storage>(quantize_value(in[i], p, low, high));
        });
    }
    /// out[i] = scale * (in[i] - zero_point)
    void dequantize(std::span<const Storage> in, std::span<float> out) const {
        check(in.size(), out.size());
        each(in.size(), [&](std::size_t i, const quant_params& p) { out[i] = dequantize_value(in[i], p); });
    }

  private:
    quantizer(std::span<const float> data, channel_layout layout, int)
        : params_(static_cast<std::size_t>(checked(layout).channels)), layout_(layout) {
        check(data.size(), data.size());
        std::vector<range> seen(params_.size());
        for (std::size_t i = 0; i < data.size(); ++i) {
            if (!ieee::is_finite(data[i]))
                fail("element ", i, " to quantize is ", data[i], ": every element must be finite");
            range& r = seen[channel_of(i)];
            r = {std::min(r.min, data[i]), std::max(r.max, data[i])};
        }
        for (std::size_t c = 0; c < params_.size(); ++c) params_[c] = choose_params(seen[c]);
    }

    static channel_layout checked(channel_layout layout) {
        constexpr std::int64_t most = 0x7fffffff;
        const auto [outer, channels, inner] = layout;
        const bool fits = outer >= 1 && channels >= 1 && inner >= 1 && outer <= most / channels / inner;
        if (std::is_same_v<Granularity, per_channel> && !fits)
            fail("a quantizer for the layout [", outer, ", ", channels, ", ", inner,
                 "]: every size must be at least 1, and their product at most ", most);
        return layout;
    }
    static octet::scale held_scale(double step) {
        if (step == 0.0) return octet::scale(1.0F);
        return octet::scale(static_cast<float>(detail::clamped(step, smallest_scale, largest_scale)));
    }
    std::size_t channel_of(std::size_t i) const noexcept {
        return i / static_cast<std::size_t>(layout_.inner) % static_cast<std::size_t>(layout_.channels);
    }
    void check(std::size_t in, std::size_t out) const {
        if (in != out) fail("quantizing ", in, " elements into ", out, ": both arrays must have the same size");
        if (std::is_same_v<Granularity, per_channel> && static_cast<std::int64_t>(in) != layout_.elements())
            fail("quantizing ", in, " elements as [", layout_.outer, ", ", layout_.channels, ", ", layout_.inner,
                 "]: the layout holds ", layout_.elements());
    }
    template <class Body>
    void each(std::size_t count, const Body& body) const {
        if constexpr (std::is_same_v<Granularity, per_tensor>)
            for (std::size_t i = 0; i < count; ++i) body(i, params_.front());
        else
            for (std::size_t i = 0; i < count; ++i) body(i, params_[channel_of(i)]);
    }

    std::vector<quant_params> params_;
    channel_layout layout_;
};

/// The int8 parameters of a tensor whose reals lie in `seen`: quantizer<..., per_tensor>::choose_params of that scheme.
inline quant_params choose_params(range seen, scheme how) {
    return how == scheme::asymmetric ? quantizer<asymmetric, per_tensor>::choose_params(seen)
                                     : quantizer<symmetric, per_tensor>::choose_params(seen);
}

}  // namespace octet::inline OCTET_ABI
