// How much of a signal is left of it in another: what reports, rankings and searches measure quantization by.
#pragma once

#include <limits>

#include "octet/core/config.hpp"
#include "octet/core/ieee.hpp"

namespace octet::inline OCTET_ABI {

/// Sums over values f and what stands for them, q: signal = sum f^2, noise = sum (f - q)^2.
struct signal_and_noise {
    double signal = 0.0;
    double noise = 0.0;

    void add(float f, float q) noexcept {
        const double lost = double{f} - double{q};
        signal += double{f} * double{f};
        noise += lost * lost;
    }
    void merge(const signal_and_noise& other) noexcept { signal += other.signal, noise += other.noise; }
    /// 10 log10(signal / noise), in dB: infinite where nothing was lost, -infinity where there is noise and no signal.
    double decibel() const noexcept {
        return noise == 0.0 ? std::numeric_limits<double>::infinity() : 10.0 * ieee::log10(signal / noise);
    }
};

}  // namespace octet::inline OCTET_ABI
