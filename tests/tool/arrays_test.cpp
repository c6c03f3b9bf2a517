// Arrays in files: IDX is read whole or refused, and what write_npy writes is read back.
#include <string>
#include <vector>

#include "idx.hpp"
#include "npy.hpp"
#include "sample_files.hpp"
#include "samples.hpp"

namespace {

class tool_arrays : public in_folder {};

bytes idx(unsigned char type, const std::vector<std::uint32_t>& dims, const bytes& data) {
    bytes all{0, 0, type, static_cast<unsigned char>(dims.size())};
    for (const std::uint32_t size : dims)
        for (int shift = 24; shift >= 0; shift -= 8) all.push_back(static_cast<unsigned char>(size >> shift));
    all.insert(all.end(), data.begin(), data.end());
    return all;
}

TEST_F(tool_arrays, idx_holds_what_its_header_says) {
    const array images = read_idx("a", view(idx(0x08, {2, 1, 3}, {1, 2, 3, 4, 5, 255})));
    EXPECT_EQ(images.type, element::u8);
    EXPECT_EQ(images.dims, (std::vector<std::int64_t>{2, 1, 3}));
    EXPECT_EQ(value_at(images.type, images.bytes, 5), 255.0);
    const array small = read_idx("a", view(idx(0x09, {1}, {255})));
    EXPECT_EQ(value_at(small.type, small.bytes, 0), -1.0);
    const array words = read_idx("a", view(idx(0x0c, {2}, {0, 0, 1, 2, 255, 255, 255, 255})));
    EXPECT_EQ(value_at(words.type, words.bytes, 0), 258.0);
    EXPECT_EQ(value_at(words.type, words.bytes, 1), -1.0);
    const array reals = read_idx("a", view(idx(0x0d, {1}, {0x3f, 0x80, 0, 0})));
    EXPECT_EQ(value_at(reals.type, reals.bytes, 0), 1.0);
}

TEST_F(tool_arrays, hostile_idx_is_refused) {
    const bytes good = idx(0x08, {2, 2}, {1, 2, 3, 4});
    const auto refused = [&](const bytes& of) { return message_of([&] { read_idx("a-idx", view(of)); }); };
    for (std::size_t length = 0; length < good.size(); ++length)
        expect_words(refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)}), {"a-idx"});
    // Any one byte changed: read or refused, never anything else.
    for (std::size_t at = 0; at < good.size(); ++at)
        for (int value = 0; value < 256; ++value) {
            bytes changed = good;
            changed[at] = static_cast<unsigned char>(value);
            try {
                const array found = read_idx("a", view(changed));
                EXPECT_EQ(static_cast<std::size_t>(found.elements()) * size_of(found.type), found.bytes.size());
            } catch (const octet::error&) {
            }
        }
    expect_words(refused({0x1f, 0x8b, 8, 0}), {".gz"});
    expect_words(refused(idx(0x0e, {1}, bytes(8))), {"type 14", "float32"});
    expect_words(refused(idx(0x08, {}, {})), {"0 dimensions"});
    expect_words(refused(idx(0x08, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1})), {"9 dimensions"});
    expect_words(refused(idx(0x08, {0, 5}, {})), {"size 0"});
    expect_words(refused(idx(0x0d, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, bytes(16))), {"cut off"});
    expect_words(refused(idx(0x08, {2, 2}, bytes(5))), {"4 bytes", "holds 5"});
}

TEST_F(tool_arrays, idx_files_are_samples_by_their_name) {
    for (const char* name : {"train-images-idx3-ubyte", "t10k-images.idx3-ubyte", "a.idx", "b.idx1"})
        EXPECT_TRUE(is_idx_name(name)) << name;
    for (const char* name : {"idx", "idx3-ubyte", "images.idx3x", "appendix", "a.npy", "a-idx3ubyte"})
        EXPECT_FALSE(is_idx_name(name)) << name;
    const octet::tensor to{"image", {1, 1, 2, 1}, {}, {}};
    const std::string images = file("images-idx3-ubyte", idx(0x08, {2, 1, 2}, {1, 2, 3, 4}));
    EXPECT_EQ(load_samples(images, to, {}, 9).values.inputs[0], (std::vector<float>{1, 2, 3, 4}));
    EXPECT_EQ(load_samples(images, to, {}, 1).values.count, 1U);
    expect_words(message_of([&] { load_samples(images, to, {.type = element::f32}, 9); }), {"--type", "u8"});
    const std::string other = file("other-idx3-ubyte", idx(0x08, {1, 2, 2}, {1, 2, 3, 4}));
    expect_words(message_of([&] { load_samples(other, to, {}, 9); }), {"other-idx3-ubyte", "2x2", "1x2x1"});
    const std::string words = file("words-idx1", idx(0x0c, {1}, bytes(4)));
    expect_words(message_of([&] { load_samples(words, to, {}, 9); }), {"i32", "uint8"});
}

TEST_F(tool_arrays, written_npy_is_read_back) {
    const std::vector<float> values{1, -2, 0.5F, 3e30F, 5, 6};
    for (const std::vector<std::int64_t>& dims :
         {std::vector<std::int64_t>{6}, {2, 3}, {1, 1, 1, 1, 1, 1, 3, 2}, {2, 1, 3}}) {
        const std::string written = write_npy(dims, values);
        EXPECT_EQ((written.size() - values.size() * sizeof(float)) % 64, 0U);
        const array found = read_npy("a.npy", std::as_bytes(std::span(written)));
        EXPECT_EQ(found.dims, dims);
        ASSERT_EQ(found.type, element::f32);
        for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(value_at(found.type, found.bytes, i), values[i]);
    }
}

}  // namespace
