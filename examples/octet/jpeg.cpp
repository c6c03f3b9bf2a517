#include "jpeg.hpp"

#include <algorithm>
#include <cstdint>

namespace {

/// The segments of a file, one after the other. Reads beyond the end give 0.
class jpeg_walk {
  public:
    explicit jpeg_walk(std::span<const std::byte> bytes) : bytes_(bytes) {}

    const char* complaint() {
        at_ = 2;
        for (;;) {
            const unsigned code = next_marker();
            if (code == end_of_image) return nullptr;
            if (at_ + 2 > bytes_.size()) return "it is cut off";
            const std::size_t length = byte(at_) << 8 | byte(at_ + 1), begin = at_ + 2;
            at_ += std::max<std::size_t>(length, 2);
            if (code == huffman_tables && !tables_fit(begin, at_)) return "a Huffman table has more than 256 codes";
            if (code >= 0xc0 && code <= 0xc2 && !sampling_divides(begin)) return "its sampling factors do not divide";
        }
    }

  private:
    static constexpr unsigned huffman_tables = 0xc4, end_of_image = 0xd9;

    std::size_t byte(std::size_t i) const { return i < bytes_.size() ? std::to_integer<std::size_t>(bytes_[i]) : 0; }

    /// The code of the next marker that is no part of a scan's data; at the end of the file an end of nothing, 0.
    unsigned next_marker() {
        for (; at_ + 1 < bytes_.size(); ++at_) {
            const auto code = static_cast<unsigned>(byte(at_ + 1));
            const bool in_data = code == 0 || code == 0xff || (code >= 0xd0 && code <= 0xd7);
            if (byte(at_) != 0xff || in_data) continue;
            at_ += 2;
            return code;
        }
        at_ = bytes_.size();
        return 0;
    }
    /// Of each table: its class and number, how many codes there are of 1 to 16 bits, and their values.
    bool tables_fit(std::size_t i, std::size_t end) const {
        while (i < end) {
            std::size_t codes = 0;
            for (std::size_t length = 1; length <= 16; ++length) codes += byte(i + length);
            if (codes > 256) return false;
            i += 17 + codes;
        }
        return true;
    }
    /// Precision, height, width, the number of components; and of each its number, its factors and its table.
    bool sampling_divides(std::size_t i) const {
        const std::size_t components = byte(i + 5);
        std::size_t most_h = 1, most_v = 1;
        const auto factors = [&](std::size_t c) { return byte(i + 6 + 3 * c + 1); };
        for (std::size_t c = 0; c < components; ++c)
            most_h = std::max(most_h, factors(c) >> 4), most_v = std::max(most_v, factors(c) & 15);
        for (std::size_t c = 0; c < components; ++c) {
            const std::size_t h = factors(c) >> 4, v = factors(c) & 15;
            if (h == 0 || v == 0 || most_h % h != 0 || most_v % v != 0) return false;
        }
        return true;
    }

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

}  // namespace

const char* broken_jpeg(std::span<const std::byte> bytes) {
    const bool is_jpeg = bytes.size() >= 2 && bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0xd8};
    return is_jpeg ? jpeg_walk(bytes).complaint() : nullptr;
}
