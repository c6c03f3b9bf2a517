// Decodes PNG and JPEG files, resizes and crops: all by stb.
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

/// What to resize or crop to.
struct image_size {
    int height = 0;
    int width = 0;
};

constexpr int max_image_side = 16384;

/// With `channels` (1 to 4) values a pixel: grey is repeated for colour, colour becomes grey by the weights 77, 150 and
/// 29 of 256, alpha is dropped or opaque, 16 bits become 8; an orientation in EXIF is not read. Throws octet::error
/// naming `file` when it cannot be decoded.
image decode_image(const std::string& file, std::span<const std::byte> bytes, int channels);

/// Bilinear, and smoothed where it shrinks: along each axis, with f = max(1, in / out),
///   out[x] = round(sum_i w_i in[i] / sum_i w_i), w_i = max(0, 1 - |(i + 0.5) - (x + 0.5) in / out| / f),
/// where pixels beyond the edge repeat it. In float, without fma and SIMD: the same bytes on every machine. (Pillow's
/// BILINEAR but at the edges, where that leaves out what lies beyond.)
image resize(const image& from, int channels, image_size to);

/// The size at which the shorter side is `side` and the longer one floor(side * longer / shorter).
image_size with_shorter_side(const image& from, int side);

/// The middle: rows from floor((height - to.height) / 2) on, columns likewise. `to` fits into the image.
image centre_crop(const image& from, int channels, image_size to);
