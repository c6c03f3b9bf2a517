// Decodes PNG files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// 8 bits a value, [height, width, channels].
struct image {
    int height = 0;
    int width = 0;
    std::vector<std::uint8_t> pixels;
};

/// With `channels` (1 to 4) values a pixel: grey is repeated for colour, colour becomes grey by the weights 77, 150 and
/// 29 of 256, alpha is dropped or opaque, 16 bits become 8. Throws octet::error naming `file` when it cannot be
/// decoded.
image decode_png(const std::string& file, std::span<const std::byte> bytes, int channels);
