// Files for the tests of the tool's readers, good ones to begin with.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <octet/core/error.hpp>
#include <span>
#include <string>
#include <vector>

using bytes = std::vector<unsigned char>;

inline std::span<const std::byte> view(const bytes& of) { return std::as_bytes(std::span(of)); }

/// A directory of its own for each test, removed afterwards.
class in_folder : public testing::Test {
  protected:
    in_folder()
        : folder_(std::filesystem::path(testing::TempDir()) /
                  (std::string("octet_") + testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
                   std::to_string(testing::UnitTest::GetInstance()->random_seed()))) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    ~in_folder() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name, const bytes& content) const {
        const std::string path = (folder_ / name).string();
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
        return path;
    }
    std::string file(const std::string& name, const std::string& content) const {
        return file(name, bytes(content.begin(), content.end()));
    }
    std::string folder() const { return folder_.string(); }

  private:
    std::filesystem::path folder_;
};

/// The message of the octet::error that `body` throws.
template <class Body>
std::string message_of(const Body& body) {
    try {
        body();
    } catch (const octet::error& problem) {
        EXPECT_STRNE(problem.what(), "");
        return problem.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
}
inline void expect_words(const std::string& message, const std::vector<std::string>& words) {
    for (const std::string& word : words) EXPECT_NE(message.find(word), std::string::npos) << message;
}

inline bytes npy(const std::string& header, const bytes& data, unsigned char version = 1) {
    bytes all{0x93,
              'N',
              'U',
              'M',
              'P',
              'Y',
              version,
              0,
              static_cast<unsigned char>(header.size() & 255),
              static_cast<unsigned char>(header.size() >> 8)};
    if (version > 1) all.insert(all.end(), {0, 0});
    all.insert(all.end(), header.begin(), header.end());
    all.insert(all.end(), data.begin(), data.end());
    return all;
}
inline std::string npy_header(const std::string& descr, const std::string& dims, const std::string& order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + dims + ", }   \n";
}

/// A PNG file whose deflate stream is stored as it is.
inline bytes png(int width, int height, int channels, const bytes& pixels) {
    const auto big = [](bytes& to, std::uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<unsigned char>(value >> shift));
    };
    const auto crc = [](const unsigned char* data, std::size_t count) {
        std::uint32_t c = 0xffffffffU;
        for (std::size_t i = 0; i < count; ++i) {
            c ^= data[i];
            for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1U) != 0 ? 0xedb88320U : 0U);
        }
        return ~c;
    };
    bytes all{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const auto chunk = [&](const char* kind, const bytes& body) {
        big(all, static_cast<std::uint32_t>(body.size()));
        const std::size_t begin = all.size();
        all.insert(all.end(), kind, kind + 4);
        all.insert(all.end(), body.begin(), body.end());
        big(all, crc(all.data() + begin, all.size() - begin));
    };
    const std::array<unsigned char, 5> colour_type{0, 0, 4, 2, 6};
    bytes head;
    big(head, static_cast<std::uint32_t>(width));
    big(head, static_cast<std::uint32_t>(height));
    head.insert(head.end(), {8, colour_type[static_cast<std::size_t>(channels)], 0, 0, 0});
    chunk("IHDR", head);

    bytes raw;
    const auto row = static_cast<std::ptrdiff_t>(width) * channels;
    for (std::ptrdiff_t y = 0; y < height; ++y) {
        raw.push_back(0);
        raw.insert(raw.end(), pixels.begin() + y * row, pixels.begin() + (y + 1) * row);
    }
    const auto size = static_cast<std::uint32_t>(raw.size());
    bytes stream{0x78, 1, 1};
    for (const std::uint32_t word : {size, ~size})
        stream.insert(stream.end(), {static_cast<unsigned char>(word), static_cast<unsigned char>(word >> 8)});
    stream.insert(stream.end(), raw.begin(), raw.end());
    std::uint32_t a = 1, b = 0;
    for (const unsigned char value : raw) a = (a + value) % 65521, b = (b + a) % 65521;
    big(stream, (b << 16) | a);
    chunk("IDAT", stream);
    chunk("IEND", {});
    return all;
}
