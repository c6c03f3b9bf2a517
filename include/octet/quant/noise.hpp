// How much of a signal is left of it in another: what reports, rankings and searches measure quantization by.
#pragma once

#include <limits>

#include "octet/core/config.hpp"
#include "octet/quant/math.hpp"

namespace octet::inline OCTET_ABI {

/// Sums over values f and what stands for them, q: signal = sum f^2, noise = sum (f - q)^2, where f - q is rounded to
/// float. Squares of floats are exact in double, so that no compiler's contraction shows: rankings by these ratios, and
/// the networks that follow from them, are the same on every machine.
struct signal_and_noise {
    double signal = 0.0;
    double noise = 0.0;

    void add(float f, float q) noexcept {
        const auto lost = static_cast<float>(double{f} - double{q});
        signal += double{f} * double{f};
        noise += double{lost} * double{lost};
    }
    void merge(const signal_and_noise& other) noexcept { signal += other.signal, noise += other.noise; }
    /// 10 log10(signal / noise), in dB: infinite where nothing was lost, -infinity where there is noise and no signal.
    double decibel() const noexcept {
        constexpr double infinity = std::numeric_limits<double>::infinity(), ln_10 = 2.302585092994046;
        if (noise == 0.0) return infinity;
        return signal == 0.0 ? -infinity : 10.0 / ln_10 * math::log(signal / noise);
    }
};

}  // namespace octet::inline OCTET_ABI
