// One observer for each index of one axis, as a quantizer<..., per_channel> has parameters for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "octet/calib/observer.hpp"
#include "octet/core/error.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet::inline OCTET_ABI {

/// Watches arrays seen as [any outer, channels, inner], channel by channel:
///   per_channel_observer watch{histogram_observer{percentile{99.9}}, {.channels = 64}};    // NHWC, 64 channels
///   watch.observe(values);
///   quantizer<symmetric, per_channel> q{watch.params(scheme::symmetric), layout};
/// Octet's graphs keep activations per tensor, as int8 kernels need them, and weights per channel by their extremes or
/// least error: this one is for data of your own. Memory: `channels` times that of one observer, 96 KiB a histogram.
template <observer Observer>
class per_channel_observer {
  public:
    /// Each channel starts as a copy of `prototype`; layout.outer does not matter. Throws octet::error unless the sizes
    /// are at least 1 and their product at most 2^31 - 1.
    per_channel_observer(const Observer& prototype, channel_layout layout) : layout_(layout) {
        constexpr std::int64_t most = 0x7fffffff;
        if (layout.channels < 1 || layout.inner < 1 || layout.channels > most / layout.inner)
            fail("an observer of ", layout.channels, " channels of ", layout.inner,
                 " adjacent values: both must be at least 1, and their product at most ", most);
        channels_.assign(static_cast<std::size_t>(layout.channels), prototype);
    }
    /// Throws octet::error unless the number of values is a multiple of channels * inner.
    void observe(std::span<const float> values) {
        const std::size_t count = channels_.size(), inner = static_cast<std::size_t>(layout_.inner);
        if (values.size() % (count * inner) != 0)
            fail(values.size(), " values for ", count, " channels of ", inner,
                 " adjacent ones: give a multiple of the product");
        std::vector<float> own;
        for (std::size_t c = 0; c < count; ++c) {
            own.clear();
            for (std::size_t first = c * inner; first < values.size(); first += count * inner)
                own.insert(own.end(), values.begin() + static_cast<std::ptrdiff_t>(first),
                           values.begin() + static_cast<std::ptrdiff_t>(first + inner));
            channels_[c].observe(own);
        }
    }
    /// Throws octet::error where `other` has another number of channels.
    void merge(const per_channel_observer& other) {
        if (channels_.size() != other.channels_.size())
            fail("merging observers of ", channels_.size(), " and ", other.channels_.size(),
                 " channels: both must watch the same axis");
        for (std::size_t c = 0; c < channels_.size(); ++c) channels_[c].merge(other.channels_[c]);
    }
    std::vector<observed> result() const {
        std::vector<observed> all;
        for (const Observer& channel : channels_) all.push_back(channel.result());
        return all;
    }
    /// What a quantizer takes.
    std::vector<quant_params> params(scheme how) const {
        std::vector<quant_params> all;
        for (const Observer& channel : channels_) all.push_back(choose_params(channel.result().range, how));
        return all;
    }

  private:
    channel_layout layout_;
    std::vector<Observer> channels_;
};

}  // namespace octet::inline OCTET_ABI
