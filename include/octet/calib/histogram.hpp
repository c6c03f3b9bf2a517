// What calibration remembers of a tensor: integer counts in bins that depend on the value alone, and exact extremes.
// The order of the values, their split into batches and the thread that saw them therefore cannot matter, and merging
// two histograms is addition. Every selection of a range (min_max.hpp, percentile.hpp) reads a histogram and nothing
// else.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/config.hpp"
#include "octet/quant/params.hpp"

namespace octet::inline OCTET_ABI {

/// Counts of values by sign, exponent and the 7 top bits of the mantissa: 128 bins an octave, each at most 2^-7 (0.8 %)
/// of its values wide, over the 48 octaves from 2^-24 to 2^24. Smaller magnitudes share the middle bin, larger ones the
/// two outermost. NaN and infinity are counted apart and reach neither bins nor extremes.
/// 12,289 counts of 64 bits: 96 KiB a tensor, whatever it is shown. About 1 ns a value.
class histogram {
  public:
    static constexpr int mantissa_bits = 7;
    static constexpr int least_exponent = -24, most_exponent = 24;
    /// Bin `middle` holds |x| < 2^-24; bin middle + k, k in [1, middle], the k-th interval of positive values; bin
    /// middle - k that of the negative ones. So bins stand in the order of their values.
    static constexpr int middle = (most_exponent - least_exponent) << mantissa_bits;
    static constexpr int bins = 2 * middle + 1;

    histogram() : counts_(static_cast<std::size_t>(bins)) {}

    /// Returns the extremes of the finite ones among these values; min > max where there is none.
    range observe(std::span<const float> values) noexcept {
        const seen all = count(values);
        // A sum with 0 turns -0 into 0: which of the two came first must not show.
        const range here{all.least + 0.0F, all.most + 0.0F};
        least_ = std::min(least_, here.min), most_ = std::max(most_, here.max);
        finite_ += values.size() - all.nans - all.infinities;
        zeros_ += all.zeros, nans_ += all.nans, infinities_ += all.infinities;
        return here;
    }
    /// As if this one had seen what `other` saw too.
    void merge(const histogram& other) noexcept {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        least_ = std::min(least_, other.least_), most_ = std::max(most_, other.most_);
        finite_ += other.finite_, zeros_ += other.zeros_, nans_ += other.nans_, infinities_ += other.infinities_;
    }

    /// The bin of a value that is not NaN.
    static int bin_of(float x) noexcept {
        const auto bits = std::bit_cast<std::uint32_t>(x);
        const int step = static_cast<int>((bits & magnitude_mask) >> drop) - first_key + 1;
        const int held = detail::clamped(step, 0, middle);
        return (bits >> 31) != 0 ? middle - held : middle + held;
    }
    /// The smallest magnitude that lies in the bins middle + step and middle - step: 0 for step 0. The bins' magnitudes
    /// are [edge(step), edge(step + 1)), those of the outermost [edge(middle), infinity).
    static float edge(int step) noexcept {
        if (step <= 0) return 0.0F;
        return std::bit_cast<float>(static_cast<std::uint32_t>(step - 1 + first_key) << drop);
    }

    std::span<const std::uint64_t> counts() const noexcept { return {counts_.data(), counts_.size()}; }
    /// How many values were seen: all, finite (zeros among them), exactly 0, NaN, infinite.
    std::uint64_t values() const noexcept { return finite_ + nans_ + infinities_; }
    std::uint64_t finite() const noexcept { return finite_; }
    std::uint64_t zeros() const noexcept { return zeros_; }
    std::uint64_t nans() const noexcept { return nans_; }
    std::uint64_t infinities() const noexcept { return infinities_; }
    /// The smallest and the largest finite value, exactly; [0, 0] before any.
    range extremes() const noexcept { return finite_ == 0 ? range{} : range{least_, most_}; }

    /// The interval that leaves at most `cut` finite values below and at most `cut` above, where 2 * cut < finite():
    /// from the lower end of the bin of the (cut + 1)-th smallest value to the upper end of that of the (cut + 1)-th
    /// largest, held inside extremes(). Each end therefore lies outside the exact order statistic by less than one bin.
    range without_tails(std::uint64_t cut) const noexcept {
        if (finite_ == 0) return {};
        int low = 0, high = bins - 1;
        for (std::uint64_t below = counts_[0]; below <= cut;) below += counts_[static_cast<std::size_t>(++low)];
        for (std::uint64_t above = counts_[bins - 1]; above <= cut;) above += counts_[static_cast<std::size_t>(--high)];
        const float from = low > middle ? edge(low - middle) : low == 0 ? least_ : -edge(middle - low + 1);
        const float to = high < middle ? -edge(middle - high) : high == bins - 1 ? most_ : edge(high - middle + 1);
        return {std::max(from, least_), std::min(to, most_)};
    }
    /// A magnitude that at most `cut` finite values reach, where cut < finite(): the upper end of the bin of the
    /// (cut + 1)-th largest magnitude, at most the largest magnitude.
    float magnitude_without_tail(std::uint64_t cut) const noexcept {
        const float largest = finite_ == 0 ? 0.0F : std::max(-least_, most_);
        int step = middle;
        const auto in_bin = [&] {
            const auto up = static_cast<std::size_t>(middle + step), down = static_cast<std::size_t>(middle - step);
            return counts_[up] + (step == 0 ? 0 : counts_[down]);
        };
        for (std::uint64_t above = in_bin(); above <= cut && step > 0; above += in_bin()) --step;
        return step == middle ? largest : std::min(edge(step + 1), largest);
    }

    /// What a histogram remembers beside its bins.
    struct rest {
        std::uint64_t zeros = 0, nans = 0, infinities = 0;
        range extremes{};
    };
    /// Puts a histogram that was taken apart together again. Returns false, and changes nothing, where no values could
    /// have left these parts: the extremes stand in the outermost bins that are not empty, and zeros in the middle one.
    bool restore(std::span<const std::uint64_t> counts, const rest& other) {
        constexpr std::uint64_t most = ~std::uint64_t{0} / 4;  // of each kind, so that their sum does not wrap
        std::uint64_t finite = 0;
        int first = bins, last = -1;
        if (counts.size() != counts_.size()) return false;
        for (int bin = 0; bin < bins; ++bin) {
            const std::uint64_t count = counts[static_cast<std::size_t>(bin)];
            if (count > most - finite) return false;
            finite += count;
            if (count != 0) first = std::min(first, bin), last = bin;
        }
        const auto [least, largest] = other.extremes;
        const bool ends_fit = finite == 0 ? other.extremes == range{}
                                          : least <= largest && least >= std::numeric_limits<float>::lowest() &&
                                                largest <= std::numeric_limits<float>::max() &&
                                                bin_of(least) == first && bin_of(largest) == last;
        if (!ends_fit || other.zeros > counts[middle] || other.nans > most || other.infinities > most) return false;
        *this = histogram();
        for (std::size_t bin = 0; bin < counts.size(); ++bin) counts_[bin] = counts[bin];
        finite_ = finite, zeros_ = other.zeros, nans_ = other.nans, infinities_ = other.infinities;
        if (finite != 0) least_ = least + 0.0F, most_ = largest + 0.0F;
        return true;
    }

    friend bool operator==(const histogram&, const histogram&) = default;

  private:
    static constexpr std::uint32_t magnitude_mask = 0x7fffffffU, infinity_bits = 0x7f800000U;
    static constexpr int drop = 23 - mantissa_bits;
    static constexpr int first_key = (127 + least_exponent) << mantissa_bits;

    struct seen {
        float least, most;
        std::uint64_t zeros, nans, infinities;
    };
    /// Adds the values to the bins and returns the rest.
    seen count(std::span<const float> values) noexcept {
        seen all{std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest(), 0, 0, 0};
        for (const float x : values) {
            const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(x) & magnitude_mask;
            if (magnitude >= infinity_bits) [[unlikely]] {
                ++(magnitude > infinity_bits ? all.nans : all.infinities);
                continue;
            }
            all.zeros += magnitude == 0 ? 1U : 0U;
            all.least = x < all.least ? x : all.least;
            all.most = x > all.most ? x : all.most;
            ++counts_[static_cast<std::size_t>(bin_of(x))];
        }
        return all;
    }

    std::vector<std::uint64_t> counts_;
    std::uint64_t finite_ = 0, zeros_ = 0, nans_ = 0, infinities_ = 0;
    float least_ = std::numeric_limits<float>::max(), most_ = std::numeric_limits<float>::lowest();
};

}  // namespace octet::inline OCTET_ABI
