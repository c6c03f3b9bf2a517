// Samples and labels from files: PNG, .npy, raw .bin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <octet/octet.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "npy.hpp"

/// A number, or a fraction such as 1/127.5, held as two floats so that neither loses bits before they are used.
struct fraction {
    float numerator = 1.0F;
    float denominator = 1.0F;
};

/// How the values in a file become what the network takes: real = (raw - mean) * scale, one rounding to float.
struct sample_format {
    std::vector<std::int64_t> dims{};  ///< of one sample in the file; default: the network's
    std::optional<element> type{};     ///< of raw .bin files; default: u8
    std::vector<float> mean{};         ///< one, or one for each channel in the network's order; default: 0
    std::vector<fraction> scale{};     ///< one, or one for each channel in the network's order; default: 1
    bool bgr = false;                  ///< swap the first and the third of three channels
    bool nchw = false;                 ///< .npy and .bin files hold channels before rows
};

/// "0.5" or "1/127.5"; throws octet::error naming `option`.
double parse_number(const std::string& option, std::string_view words);
fraction parse_fraction(const std::string& option, const std::string& words);
/// "224x224x3" or "224,224,3"
std::vector<std::int64_t> parse_dims(const std::string& words);

/// A directory (every .png in it, by name), a .png, a .npy or a .bin file: at most `most` samples for `input`, in NHWC.
/// Throws octet::error naming the file, what it holds, what the network takes, and the remedy.
octet::samples load_samples(const std::string& path, const octet::tensor& input, const sample_format& format,
                            std::size_t most);

/// The class of each sample: .npy of integers, .bin of bytes, or text with one number a line. Throws octet::error where
/// there are fewer than `count`, or a class plus `offset` is not in [0, classes). The result has `offset` added.
std::vector<int> load_labels(const std::string& path, std::size_t count, int classes, int offset);

/// The first `count` of them.
octet::samples first_samples(const octet::samples& all, std::size_t count);
