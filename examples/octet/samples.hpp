// Samples from files: images, .npy, IDX, raw .bin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <octet/octet.hpp>
#include <optional>
#include <string>
#include <vector>

#include "array.hpp"
#include "parse.hpp"

/// How the values in a file become what the network takes: real = (raw - mean) * scale, one rounding to float.
struct sample_format {
    std::optional<element> type{};  ///< of raw .bin files; default: u8
    std::vector<float> mean{};      ///< one, or one for each channel in the network's order; default: 0
    std::vector<fraction> scale{};  ///< one, or one for each channel in the network's order; default: 1
    bool bgr = false;               ///< swap the first and the third of three channels
    bool nchw = false;              ///< .npy and .bin files hold channels before rows
    std::vector<int> resize{};      ///< images: to this shorter side, or this height and width; see image.hpp
    std::vector<int> crop{};        ///< images, after that: to the middle of this side, or this height and width
};

struct sample_set {
    octet::samples values;
    std::size_t available = 0;         ///< how many there are, of which values.count are taken
    std::vector<std::string> files;    ///< of images: each as it stands below the directory
    std::vector<int> folders;          ///< of images in folders: the index of each one's folder; else empty
    std::vector<std::string> classes;  ///< the folders, sorted
};

/// A directory (every image in it, by name, or in its folders, by folder and name), an image, a .npy, IDX or .bin file:
/// at most `most` samples for `input`, in NHWC. Throws octet::error naming the file, what it holds, what the network
/// takes, and the remedy.
sample_set load_samples(const std::string& path, const octet::tensor& input, const sample_format& format,
                        std::size_t most, const octet::progress& told = {});

/// The first `count` of them.
octet::samples first_samples(const octet::samples& all, std::size_t count);
