// The tool's readers: what they make of good files, and that they refuse every broken one with octet::error.
#include "samples.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "files.hpp"
#include "idx.hpp"
#include "image.hpp"
#include "labels.hpp"
#include "npy.hpp"
#include "sample_files.hpp"

namespace {

class tool_samples : public in_folder {};

octet::tensor input(const octet::shape& dims) { return {"image", dims, {}}; }
constexpr std::size_t all_samples = 1000;

TEST_F(tool_samples, npy_holds_what_its_header_says) {
    for (const unsigned char version : bytes{1, 2, 3}) {
        const array found = read_npy("a.npy", view(npy(npy_header("|i1", "(2, 3)"), {1, 2, 3, 255, 5, 6}, version)));
        EXPECT_EQ(found.type, element::i8);
        EXPECT_EQ(found.dims, (std::vector<std::int64_t>{2, 3}));
        EXPECT_EQ(value_at(found.type, found.bytes, 3), -1.0);
    }
    EXPECT_EQ(read_npy("a.npy", view(npy(npy_header("<i8", "(1,)"), {1, 1, 0, 0, 0, 0, 0, 0}))).elements(), 1);
    EXPECT_TRUE(read_npy("a.npy", view(npy(npy_header("|u1", "()"), {7}))).dims.empty());
    // Keys in another order and other quotes, as the format allows.
    const array other =
        read_npy("a.npy", view(npy("{\"shape\":(1 , 2),'fortran_order':False,'descr':'<f4'}", bytes(8))));
    EXPECT_EQ(other.type, element::f32);
}

TEST_F(tool_samples, hostile_npy_is_refused) {
    const bytes good = npy(npy_header("|u1", "(2, 2)"), {1, 2, 3, 4});
    for (std::size_t length = 0; length < good.size(); ++length)
        message_of(
            [&] { read_npy("a.npy", view(bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)))); });
    // Any one byte changed: read or refused, never anything else.
    for (std::size_t at = 0; at < good.size(); ++at)
        for (int value = 0; value < 256; ++value) {
            bytes changed = good;
            changed[at] = static_cast<unsigned char>(value);
            try {
                const array found = read_npy("a.npy", view(changed));
                EXPECT_EQ(static_cast<std::size_t>(found.elements()) * size_of(found.type), found.bytes.size());
            } catch (const octet::error&) {
            }
        }
    const auto refused = [&](const std::string& header, const bytes& data) {
        return message_of([&] { read_npy("a.npy", view(npy(header, data))); });
    };
    expect_words(refused(npy_header("<f8", "(1,)"), bytes(8)), {"a.npy", "<f8", "float32"});
    expect_words(refused(npy_header(">f4", "(1,)"), bytes(4)), {"little-endian"});
    expect_words(refused(npy_header("|O", "(1,)"), bytes(8)), {"|O"});
    expect_words(refused(npy_header("|u1", "(2, 2)", "True"), bytes(4)), {"ascontiguousarray"});
    expect_words(refused(npy_header("|u1", "(0, 2)"), {}), {"size 0"});
    expect_words(refused(npy_header("|u1", "(-1, 2)"), bytes(4)), {"no number"});
    expect_words(refused(npy_header("|u1", "(2147483647, 2147483647, 2147483647, 2147483647)"), bytes(4)), {"cut off"});
    expect_words(refused(npy_header("|u1", "(99999999999999999999999,)"), bytes(4)), {"2^31 - 1"});
    expect_words(refused(npy_header("|u1", "(1,1,1,1,1,1,1,1,1,1)"), bytes(1)), {"8 dimensions"});
    expect_words(refused(npy_header("|u1", "(2, 2)"), bytes(5)), {"4 bytes", "holds 5"});
    expect_words(refused("{'descr': '|u1', 'shape': (1,)}", bytes(1)), {"fortran_order"});
    expect_words(refused("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} or 1", bytes(1)), {"after"});
    expect_words(refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", bytes(4)), {"quotes"});
    expect_words(refused("{'descr", bytes(4)), {"quote"});
    message_of([&] { read_npy("a.npy", view(npy(npy_header("|u1", "(1,)"), {1}, 4))); });
}

TEST_F(tool_samples, layouts_and_orders_meet_in_nhwc) {
    // One image of 1 x 2 pixels and 3 channels: (1, 2, 3), (4, 5, 6).
    const octet::tensor to = input({1, 1, 2, 3});
    const std::vector<float> rgb{1, 2, 3, 4, 5, 6}, bgr{3, 2, 1, 6, 5, 4};
    const std::string nhwc = file("nhwc.npy", npy(npy_header("|u1", "(1, 1, 2, 3)"), {1, 2, 3, 4, 5, 6}));
    const std::string nchw = file("nchw.npy", npy(npy_header("|u1", "(1, 3, 1, 2)"), {1, 4, 2, 5, 3, 6}));
    EXPECT_EQ(load_samples(nhwc, to, {}, all_samples).values.inputs[0], rgb);
    EXPECT_EQ(load_samples(nhwc, to, {.bgr = true}, all_samples).values.inputs[0], bgr);
    EXPECT_EQ(load_samples(nchw, to, {.nchw = true}, all_samples).values.inputs[0], rgb);
    EXPECT_EQ(load_samples(nchw, to, {.bgr = true, .nchw = true}, all_samples).values.inputs[0], bgr);
    expect_words(message_of([&] { load_samples(nchw, to, {}, all_samples); }), {"3x1x2", "1x2x3", "--layout nchw"});

    const std::string raw = file("raw.bin", bytes{1, 4, 2, 5, 3, 6, 9, 9, 9, 9, 9, 9});
    EXPECT_EQ(load_samples(raw, to, {.nchw = true}, 1).values.inputs[0], rgb);
    EXPECT_EQ(load_samples(raw, to, {.nchw = true}, all_samples).values.count, 2U);

    const std::string image = file("image.png", png(2, 1, 3, {1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(load_samples(image, to, {}, all_samples).values.inputs[0], rgb);
    EXPECT_EQ(load_samples(image, to, {.bgr = true}, all_samples).values.inputs[0], bgr);
    EXPECT_EQ(load_samples(image, to, {.nchw = true}, all_samples).values.inputs[0], rgb)
        << "PNG files have one layout";
}

TEST_F(tool_samples, values_are_normalized_with_one_rounding) {
    const octet::tensor to = input({1, 1, 1, 3});
    const std::string raw = file("raw.bin", bytes{10, 20, 250});
    const auto values = [&](const sample_format& how) {
        return load_samples(raw, to, how, all_samples).values.inputs[0];
    };
    EXPECT_EQ(values({.mean = {127.5F}, .scale = {{1.0F, 127.5F}}}),
              (std::vector<float>{(10 - 127.5F) / 127.5F, (20 - 127.5F) / 127.5F, (250 - 127.5F) / 127.5F}));
    EXPECT_EQ(values({.scale = {{0.1F, 1.0F}}}), (std::vector<float>{10 * 0.1F, 20 * 0.1F, 250 * 0.1F}));
    EXPECT_EQ(values({.mean = {1, 2, 3}, .scale = {{1, 2}, {1, 3}, {5, 1}}}),
              (std::vector<float>{4.5F, 6.0F, 1235.0F}));
    // In the network's order: after the swap.
    EXPECT_EQ(values({.mean = {1, 2, 3}, .bgr = true}), (std::vector<float>{249, 18, 7}));
    const std::string floats = file("f.bin", bytes{0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 0, 63});
    EXPECT_EQ(load_samples(floats, to, {.type = element::f32}, 5).values.inputs[0], (std::vector<float>{1, -2, 0.5F}));
    EXPECT_EQ(load_samples(raw, to, {.type = element::i8}, 5).values.inputs[0], (std::vector<float>{10, 20, -6}));
    expect_words(message_of([&] { values({.mean = {1, 2}}); }), {"--mean", "2 values", "3 channels"});
    expect_words(message_of([&] {
                     load_samples(file("b.bin", bytes(2)), input({1, 1, 2, 1}), {.bgr = true}, 1);
                 }),
                 {"--channel-order", "3 channels"});
}

TEST_F(tool_samples, images_are_taken_by_name) {
    const octet::tensor to = input({1, 1, 2, 1});
    file("b.png", png(2, 1, 1, {3, 4}));
    file("a.PNG", png(2, 1, 1, {1, 2}));
    file("c.png", png(2, 1, 3, {9, 9, 9, 200, 200, 200}));  // colour becomes grey
    file("notes.txt", std::string("no image"));
    EXPECT_EQ(load_samples(folder(), to, {}, all_samples).values.inputs[0], (std::vector<float>{1, 2, 3, 4, 9, 200}));
    EXPECT_EQ(load_samples(folder(), to, {}, 2).values.count, 2U);
    // Grey is repeated, alpha dropped.
    EXPECT_EQ(decode_image("g", view(png(1, 1, 1, {7})), 3).pixels, (std::vector<std::uint8_t>{7, 7, 7}));
    EXPECT_EQ(decode_image("g", view(png(1, 1, 4, {7, 8, 9, 0})), 3).pixels, (std::vector<std::uint8_t>{7, 8, 9}));
}

TEST_F(tool_samples, files_that_do_not_fit_are_named_with_the_remedy) {
    const octet::tensor to = input({1, 4, 4, 3});
    const auto refused = [&](const std::string& path, const sample_format& how = {}) {
        return message_of([&] { load_samples(path, to, how, all_samples); });
    };
    expect_words(refused(file("wide.png", png(5, 4, 1, bytes(20)))), {"wide.png", "4x5", "4x4x3", "resize"});
    const bytes whole = png(4, 4, 3, bytes(48));
    expect_words(refused(file("cut.png", bytes(whole.begin(), whole.begin() + 60))), {"cut.png", "decoded"});
    expect_words(refused(file("text.png", std::string("hello"))), {"text.png", "decoded"});
    expect_words(refused(file("empty.bin", bytes{})), {"empty.bin", "0 bytes"});
    expect_words(refused(file("odd.bin", bytes(49))), {"odd.bin", "49 bytes", "48 bytes each"});
    expect_words(refused(file("nan.bin",
                              [] {
                                  bytes reals(192);
                                  reals[190] = 0xc0, reals[191] = 0x7f;  // the last of 48 floats is NaN
                                  return reals;
                              }()),
                         {.type = element::f32}),
                 {"nan.bin", "sample 0", "nan", "--type"});
    expect_words(refused(file("raw.bin", bytes(48, 255)), {.scale = {{1e38F, 0.1F}}}),
                 {"sample 0 holds 255", "--scale"});
    expect_words(refused(file("small.npy", npy(npy_header("|u1", "(1, 2, 2, 3)"), bytes(12)))),
                 {"small.npy", "2x2x3", "4x4x3", "resize"});
    expect_words(refused(file("labels.npy", npy(npy_header("<i4", "(1, 4, 4, 3)"), bytes(192)))), {"i32", "uint8"});
    expect_words(refused(file("type.npy", npy(npy_header("|u1", "(1, 4, 4, 3)"), bytes(48))), {.type = element::f32}),
                 {"type.npy", "--type"});
    expect_words(refused(file("image.jpg", bytes(48))), {"image.jpg", "decoded"});
    expect_words(refused(folder() + "/missing.npy"), {"missing.npy", "no such file"});
    expect_words(refused(folder() + "/missing"), {"missing", "no such file"});
    std::filesystem::create_directory(folder() + "/none");
    expect_words(refused(folder() + "/none"), {"none", ".png"});
    expect_words(message_of([&] { load_samples(folder() + "/wide.png", input({1, 9}), {}, 1); }), {"9 values", ".npy"});
}

TEST_F(tool_samples, any_byte_of_a_png_may_be_wrong) {
    const bytes good = png(3, 2, 3, bytes(18, 77));
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const int flip : {1, 0x80, 0xff}) {
            bytes changed = good;
            changed[at] = static_cast<unsigned char>(changed[at] ^ flip);
            try {
                const image one = decode_image("a.png", view(changed), 3);
                EXPECT_EQ(one.pixels.size(), static_cast<std::size_t>(one.width * one.height * 3));
            } catch (const octet::error&) {
            }
        }
    for (std::size_t length = 0; length < good.size() - 12; ++length)  // the last chunk, of 12 bytes, holds nothing
        expect_words(message_of([&] {
                         const auto end = good.begin() + static_cast<std::ptrdiff_t>(length);
                         decode_image("a.png", view(bytes(good.begin(), end)), 3);
                     }),
                     {"a.png", "decoded"});
}

/// So many samples of so many, without a file of their own each.
sample_set unnamed(std::size_t count, std::size_t available) {
    sample_set all;
    all.values.count = count, all.available = available;
    return all;
}
sample_set unnamed(std::size_t count) { return unnamed(count, count); }

TEST_F(tool_samples, labels_come_in_many_forms) {
    const std::vector<int> expected{3, 0, 9};
    const sample_set three = unnamed(3);
    EXPECT_EQ(load_labels(file("l.bin", bytes{3, 0, 9}), three, 10, 0), expected);
    EXPECT_EQ(load_labels(file("l.bin", bytes{3, 0, 9, 1}), unnamed(3, 4), 10, 0), expected) << "one for each";
    EXPECT_EQ(load_labels(file("l.bin", bytes{3, 0, 9}), unnamed(3, 4), 10, 0), expected) << "one for each taken";
    EXPECT_EQ(load_labels(file("l.txt", std::string("3\n0\r\n9\n")), three, 10, 0), expected);
    EXPECT_EQ(load_labels(file("n.txt", std::string("3\n0\n9")), three, 10, 0), expected);
    EXPECT_EQ(load_labels(file("l.npy", npy(npy_header("|u1", "(3,)"), {3, 0, 9})), three, 10, 0), expected);
    EXPECT_EQ(load_labels(file("labels-idx1-ubyte", bytes{0, 0, 8, 1, 0, 0, 0, 3, 3, 0, 9}), three, 10, 0), expected);
    EXPECT_EQ(load_labels(file("l.bin", bytes{2, 255}), unnamed(1, 2), 4, 1), std::vector<int>{3});
    const auto refused = [&](const std::string& path, std::size_t count) {
        return message_of([&] { load_labels(path, unnamed(count), 10, 0); });
    };
    expect_words(refused(file("l.bin", bytes{3}), 2), {"1 labels", "2 samples"});
    expect_words(refused(file("l.bin", bytes(6)), 2), {"6 labels", "2 samples"});
    expect_words(refused(file("l.bin", bytes{10}), 1), {"label 0 is 10", "0 to 9"});
    expect_words(refused(file("l.txt", std::string("1\nseven\n")), 2), {"line 2", "seven"});
    expect_words(refused(file("l.npy", npy(npy_header("<f4", "(1,)"), bytes(4))), 1), {"integers"});
    expect_words(refused("", 1), {"--labels", "folders"});
}

TEST_F(tool_samples, labels_by_file_name) {
    sample_set images = unnamed(2);
    images.files = {"cat/a,1.png", "dog/b.png"};
    const auto labels = [&](const std::string& text) { return load_labels(file("l.csv", text), images, 10, 0); };
    const std::vector<int> expected{7, 2};
    EXPECT_EQ(labels("dog/b.png,2\ncat/a,1.png,7\n"), expected);
    EXPECT_EQ(labels("file,label\r\n\"cat/a,1.png\",7\r\nunused.png,5\r\ndog/b.png,2"), expected);
    const auto refused = [&](const std::string& text) { return message_of([&] { labels(text); }); };
    expect_words(refused("cat/a,1.png,7\n"), {"l.csv", "dog/b.png"});
    expect_words(refused("dog/b.png\n"), {"line 1", "file,label"});
    expect_words(refused("dog/b.png,two\n"), {"line 1", "two"});
    expect_words(refused("dog/b.png,2\ndog/b.png,3\n"), {"line 2", "dog/b.png", "3", "2"});
    expect_words(refused("dog/b.png,99999999999999999999\n"), {"line 1"});
    expect_words(message_of([&] { load_labels(file("l.csv", std::string("a,1")), unnamed(1), 10, 0); }), {"images"});
}

TEST_F(tool_samples, options_are_numbers_fractions_and_sizes) {
    EXPECT_EQ(parse_number("--mean", "-1.5"), -1.5);
    EXPECT_EQ(parse_fraction("--scale", "1/127.5").denominator, 127.5F);
    for (const char* wrong : {"", "x", "1.5.2", "1e999", "nan", "inf", "2 "})
        message_of([&] { parse_number("--mean", wrong); });
    for (const char* wrong : {"", "/", "1/", "/2", "0", "1/0", "1/2/3"})
        message_of([&] { parse_fraction("--scale", wrong); });
    EXPECT_EQ(parse_sides("--crop", "256"), std::vector<int>{256});
    EXPECT_EQ(parse_sides("--crop", "256x320"), (std::vector<int>{256, 320}));
    for (const char* wrong : {"", "0", "3x", "x3", "3x0", "1x2x3", "3 x 3", "16385", "-1", "99999999999"})
        expect_words(message_of([&] { parse_sides("--crop", wrong); }), {"--crop", wrong});
}

TEST_F(tool_samples, a_target_is_a_new_file_in_a_directory_that_takes_it) {
    const std::string model = file("model.onnx", std::string("model")), output = folder() + "/out.onnx";
    check_target("--output", output, {model, ""});
    check_target("--output", "/dev/null", {"/dev/null"});
    const auto refused = [&](const std::string& path, const std::vector<std::string>& others) {
        return message_of([&] { check_target("--output", path, others); });
    };
    expect_words(refused(model, {"", model}), {"--output", "model.onnx", "another name"});
    expect_words(refused(folder() + "/./model.onnx", {model}), {"another name"});
    std::filesystem::create_symlink(model, folder() + "/link.onnx");
    expect_words(refused(folder() + "/link.onnx", {model}), {"another name"});
    expect_words(refused(output, {output}), {"another name"});
    expect_words(refused(folder(), {}), {"is a directory"});
    expect_words(refused(folder() + "/none/out.onnx", {}), {"none/out.onnx", "cannot be written", "no directory"});
}

TEST_F(tool_samples, lines_end_in_many_ways) {
    EXPECT_EQ(lines_of("a\nb c \r\n\nd"), (std::vector<std::string>{"a", "b c", "", "d"}));
    EXPECT_EQ(lines_of("a\n\n"), (std::vector<std::string>{"a"}));
    EXPECT_TRUE(lines_of("").empty());
}

TEST_F(tool_samples, the_first_of_many) {
    const octet::samples all(3, std::vector<float>{1, 2, 3, 4, 5, 6});
    EXPECT_EQ(first_samples(all, 2).inputs[0], (std::vector<float>{1, 2, 3, 4}));
    EXPECT_EQ(first_samples(all, 9).count, 3U);
}

}  // namespace
