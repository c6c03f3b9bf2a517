// Images: PNG and JPEG of directories and class folders, resized and cropped by stated formulas.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "image.hpp"
#include "labels.hpp"
#include "sample_files.hpp"
#include "samples.hpp"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_image_write.h>

namespace {

bytes jpeg(int width, int height, int channels, const bytes& pixels) {
    bytes all;
    stbi_write_jpg_to_func(
        [](void* to, void* data, int count) {
            const auto* first = static_cast<const unsigned char*>(data);
            static_cast<bytes*>(to)->insert(static_cast<bytes*>(to)->end(), first, first + count);
        },
        &all, width, height, channels, pixels.data(), 95);
    return all;
}

/// Smooth, so that a JPEG of it comes back within a few steps.
bytes gradient(int width, int height, int channels) {
    bytes pixels;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c)
                pixels.push_back(static_cast<unsigned char>(40 + 5 * x + 3 * y + 20 * c));
    return pixels;
}

/// As image.hpp states it, along one axis at a time, rounded once.
std::vector<double> resized_axis(const std::vector<double>& in, int count, int step, int lines, int line_step, int to) {
    std::vector<double> out(static_cast<std::size_t>(to * lines));
    const double ratio = static_cast<double>(count) / to, width = std::max(1.0, ratio);
    for (int line = 0; line < lines; ++line)
        for (int x = 0; x < to; ++x) {
            double sum = 0, weights = 0;
            for (int i = -2 * count; i < 3 * count; ++i) {
                const double w = std::max(0.0, 1.0 - std::abs((i + 0.5) - (x + 0.5) * ratio) / width);
                sum += w * in[static_cast<std::size_t>(line * line_step + std::clamp(i, 0, count - 1) * step)];
                weights += w;
            }
            out[static_cast<std::size_t>(line * to + x)] = sum / weights;
        }
    return out;
}

class tool_images : public in_folder {};

TEST_F(tool_images, resizing_follows_its_formula) {
    image from{9, 7, {}};
    for (int i = 0; i < 63; ++i) from.pixels.push_back(static_cast<std::uint8_t>(i * 89 % 256));
    for (const image_size to : {image_size{9, 7}, {4, 3}, {20, 15}, {5, 30}, {1, 1}, {16, 2}}) {
        const std::vector<double> pixels(from.pixels.begin(), from.pixels.end());
        const std::vector<double> rows = resized_axis(pixels, 7, 1, 9, 7, to.width);                 // [9, to.width]
        const std::vector<double> turned = resized_axis(rows, 9, to.width, to.width, 1, to.height);  // [width, height]
        const image made = resize(from, 1, to);
        ASSERT_EQ(made.pixels.size(), static_cast<std::size_t>(to.height * to.width));
        for (int y = 0; y < to.height; ++y)
            for (int x = 0; x < to.width; ++x)
                EXPECT_NEAR(made.pixels[static_cast<std::size_t>(y * to.width + x)],
                            turned[static_cast<std::size_t>(x * to.height + y)], 0.51)
                    << to.height << "x" << to.width << " at " << y << ", " << x;
    }
}

TEST_F(tool_images, the_shorter_side_and_the_middle) {
    const auto size_of = [](int height, int width, int side) {
        const image_size made = with_shorter_side({height, width, {}}, side);
        return std::pair(made.height, made.width);
    };
    EXPECT_EQ(size_of(300, 200, 256), std::pair(384, 256));
    EXPECT_EQ(size_of(200, 301, 100), std::pair(100, 150));  // 150.5, rounded down
    EXPECT_EQ(size_of(7, 7, 3), std::pair(3, 3));
    image one{4, 5, {}};
    for (int i = 0; i < 40; ++i) one.pixels.push_back(static_cast<std::uint8_t>(i));
    EXPECT_EQ(centre_crop(one, 2, {2, 2}).pixels, (std::vector<std::uint8_t>{12, 13, 14, 15, 22, 23, 24, 25}));
    EXPECT_EQ(centre_crop(one, 2, {4, 5}).pixels, one.pixels);
}

TEST_F(tool_images, options_resize_and_crop) {
    const octet::tensor to{"image", {1, 2, 2, 1}, {}, {}};
    const std::string wide = file("wide.png", png(6, 4, 1, gradient(6, 4, 1)));
    const image whole = decode_image("wide", view(png(6, 4, 1, gradient(6, 4, 1))), 1);
    const auto values = [&](const sample_format& how) { return load_samples(wide, to, how, 1).values.inputs[0]; };
    const auto floats = [](const image& from) { return std::vector<float>(from.pixels.begin(), from.pixels.end()); };
    EXPECT_EQ(values({.crop = {2}}), floats(centre_crop(whole, 1, {2, 2})));
    EXPECT_EQ(values({.resize = {2, 2}}), floats(resize(whole, 1, {2, 2})));
    EXPECT_EQ(values({.resize = {2}, .crop = {2}}), floats(centre_crop(resize(whole, 1, {2, 3}), 1, {2, 2})));
    const auto refused = [&](const std::string& path, const sample_format& how) {
        return message_of([&] { load_samples(path, to, how, 1); });
    };
    expect_words(refused(wide, {}), {"4x6", "2x2x1", "--resize"});
    expect_words(refused(wide, {.resize = {3}}), {"3x4 after", "--crop"});
    expect_words(refused(wide, {.crop = {5, 2}}), {"--crop", "5x2", "4x6"});
    const std::string line = file("line.png", png(2000, 1, 1, bytes(2000)));
    expect_words(refused(line, {.resize = {256}}), {"--resize", "256x512000", "16384"});
    expect_words(refused(file("raw.bin", bytes(4)), {.crop = {2}}), {"raw.bin", "--crop"});
}

TEST_F(tool_images, jpeg_files_are_decoded) {
    const bytes pixels = gradient(16, 8, 3);
    const image one = decode_image("a.jpg", view(jpeg(16, 8, 3, pixels)), 3);
    ASSERT_EQ(one.pixels.size(), pixels.size());
    EXPECT_EQ(one.height, 8);
    for (std::size_t i = 0; i < pixels.size(); ++i) EXPECT_NEAR(one.pixels[i], pixels[i], 6);
    const octet::tensor to{"image", {1, 8, 16, 3}, {}, {}};
    file("b.JPG", jpeg(16, 8, 3, pixels));
    file("c.jpeg", jpeg(16, 8, 3, pixels));
    file("a.png", png(16, 8, 3, pixels));
    const sample_set all = load_samples(folder(), to, {}, 9);
    EXPECT_EQ(all.files, (std::vector<std::string>{"a.png", "b.JPG", "c.jpeg"}));
    EXPECT_TRUE(all.folders.empty());
}

TEST_F(tool_images, no_byte_of_a_jpeg_brings_it_down) {
    const bytes good = jpeg(9, 7, 3, gradient(9, 7, 3));
    for (std::size_t length = 0; length < good.size(); ++length)
        expect_words(message_of([&] {
                         decode_image("a.jpg",
                                      view(bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))), 3);
                     }),
                     {"a.jpg"});
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const int flip : {1, 0x80, 0xff}) {
            bytes changed = good;
            changed[at] = static_cast<unsigned char>(changed[at] ^ flip);
            try {
                const image one = decode_image("a.jpg", view(changed), 3);
                EXPECT_EQ(one.pixels.size(), static_cast<std::size_t>(one.width * one.height * 3));
            } catch (const octet::error&) {
            }
        }
}

TEST_F(tool_images, what_stb_takes_on_trust_is_checked) {
    const bytes good = jpeg(9, 7, 3, gradient(9, 7, 3));
    const auto after = [&](unsigned char code) {
        const bytes marker{0xff, code};
        return static_cast<std::size_t>(std::search(good.begin(), good.end(), marker.begin(), marker.end()) -
                                        good.begin());
    };
    bytes tables = good;
    tables[after(0xc4) + 5 + 15] = 255;  // codes of 16 bits, with those that are there more than 256
    expect_words(message_of([&] { decode_image("a.jpg", view(tables), 3); }), {"a.jpg", "256 codes"});
    bytes sampling = good;
    sampling[after(0xc0) + 11] = 0x31;  // 3 x 1 beside 2 x 1
    sampling[after(0xc0) + 14] = 0x21;
    expect_words(message_of([&] { decode_image("a.jpg", view(sampling), 3); }), {"a.jpg", "sampling factors"});
}

TEST_F(tool_images, giant_sizes_are_refused_before_memory_is_asked_for) {
    bytes giant = png(1, 1, 1, {7});
    for (const std::size_t at : {16U, 20U}) giant[at] = 0x7f;  // width and height near 2^31
    expect_words(message_of([&] { decode_image("giant.png", view(giant), 3); }), {"giant.png", "decoded"});
    bytes wide = jpeg(8, 8, 1, bytes(64));
    const bytes frame{0xff, 0xc0};
    const auto at = std::search(wide.begin(), wide.end(), frame.begin(), frame.end()) - wide.begin();
    for (std::ptrdiff_t i = 5; i < 9; ++i) wide[static_cast<std::size_t>(at + i)] = 0xff;  // 65535 x 65535
    expect_words(message_of([&] { decode_image("wide.jpg", view(wide), 3); }), {"wide.jpg", "decoded"});
}

TEST_F(tool_images, folders_are_classes) {
    const octet::tensor to{"image", {1, 1, 1, 1}, {}, {}};
    for (const char* name : {"dog", "cat", "notes"}) std::filesystem::create_directory(folder() + "/" + name);
    file("dog/2.png", png(1, 1, 1, {3}));
    file("dog/1.png", png(1, 1, 1, {2}));
    file("cat/9.png", png(1, 1, 1, {1}));
    file("notes/readme.txt", std::string("no image"));
    const sample_set all = load_samples(folder(), to, {}, 9);
    EXPECT_EQ(all.files, (std::vector<std::string>{"cat/9.png", "dog/1.png", "dog/2.png"}));
    EXPECT_EQ(all.folders, (std::vector<int>{0, 1, 1}));
    EXPECT_EQ(all.classes, (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(all.values.inputs[0], (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(load_labels("", all, 3, 1), (std::vector<int>{1, 2, 2}));
    expect_words(message_of([&] { load_labels("", all, 1, 0); }), {"folders", "label 1 is 1", "0 to 0"});
    EXPECT_EQ(load_samples(folder(), to, {}, 2).folders, (std::vector<int>{0, 1}));

    file("stray.png", png(1, 1, 1, {4}));
    expect_words(message_of([&] { load_samples(folder(), to, {}, 9); }), {"stray.png", "'cat'", "class"});
}

}  // namespace
