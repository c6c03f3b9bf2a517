#include "image.hpp"

#include <limits>
#include <memory>
#include <octet/core/error.hpp>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_FAILURE_USERMSG
#define STBI_MAX_DIMENSIONS 16384
#include <stb/stb_image.h>

image decode_png(const std::string& file, std::span<const std::byte> bytes, int channels) {
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        octet::fail(file, ": a PNG file of ", bytes.size(), " bytes: at most 2^31 - 1 are read");
    image found;
    int in_file = 0;
    const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
        stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), static_cast<int>(bytes.size()),
                              &found.width, &found.height, &in_file, channels),
        stbi_image_free);
    if (pixels == nullptr)
        octet::fail(file, ": this PNG file cannot be decoded (", stbi_failure_reason(), "): write it again");
    const auto count = static_cast<std::size_t>(found.width) * static_cast<std::size_t>(found.height) *
                       static_cast<std::size_t>(channels);
    found.pixels.assign(pixels.get(), pixels.get() + count);
    return found;
}
