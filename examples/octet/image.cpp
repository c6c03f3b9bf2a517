#include "image.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <octet/core/error.hpp>

#include "jpeg.hpp"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_NO_SIMD  // the same pixels of a JPEG on every machine
#define STBI_FAILURE_USERMSG
#define STBI_MAX_DIMENSIONS max_image_side
#include <stb/stb_image.h>

#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb/stb_image_resize.h>

image decode_image(const std::string& file, std::span<const std::byte> bytes, int channels) {
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        octet::fail(file, ": an image file of ", bytes.size(), " bytes: at most 2^31 - 1 are read");
    if (const char* why = broken_jpeg(bytes))
        octet::fail(file, ": this JPEG file cannot be decoded (", why, "): get it again");
    image found;
    int in_file = 0;
    const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
        stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), static_cast<int>(bytes.size()),
                              &found.width, &found.height, &in_file, channels),
        stbi_image_free);
    if (pixels == nullptr)
        octet::fail(file, ": this image cannot be decoded as PNG or JPEG (", stbi_failure_reason(),
                    "): write it again");
    const auto count = static_cast<std::size_t>(found.width) * static_cast<std::size_t>(found.height) *
                       static_cast<std::size_t>(channels);
    found.pixels.assign(pixels.get(), pixels.get() + count);
    return found;
}

image resize(const image& from, int channels, image_size to) {
    image made{to.height, to.width, {}};
    made.pixels.resize(static_cast<std::size_t>(to.height) * static_cast<std::size_t>(to.width) *
                       static_cast<std::size_t>(channels));
    const int done = stbir_resize_uint8_generic(
        from.pixels.data(), from.width, from.height, 0, made.pixels.data(), to.width, to.height, 0, channels,
        STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP, STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr);
    if (done == 0)
        octet::fail("--resize: an image of ", from.height, "x", from.width, " cannot be made ", to.height, "x",
                    to.width, ": it is out of memory");
    return made;
}

image_size with_shorter_side(const image& from, int side) {
    const auto scaled = [&](int longer, int shorter) {
        return static_cast<int>(std::int64_t{side} * longer / shorter);  // side and longer are below 2^15
    };
    return from.height <= from.width ? image_size{side, scaled(from.width, from.height)}
                                     : image_size{scaled(from.height, from.width), side};
}

image centre_crop(const image& from, int channels, image_size to) {
    image made{to.height, to.width, {}};
    const std::ptrdiff_t top = (from.height - to.height) / 2, left = (from.width - to.width) / 2;
    for (std::ptrdiff_t y = 0; y < to.height; ++y) {
        const auto row = from.pixels.begin() + ((top + y) * from.width + left) * channels;
        made.pixels.insert(made.pixels.end(), row, row + std::ptrdiff_t{to.width} * channels);
    }
    return made;
}
