#include "idx.hpp"

#include <algorithm>
#include <cstdint>
#include <octet/core/error.hpp>
#include <string_view>

namespace {

/// The element type of the third byte.
element parse_type(const std::string& file, unsigned code) {
    switch (code) {
        case 0x08:
            return element::u8;
        case 0x09:
            return element::i8;
        case 0x0c:
            return element::i32;
        case 0x0d:
            return element::f32;
        default:
            octet::fail(file, ": IDX elements of type ", code,
                        ": 8 (uint8), 9 (int8), 12 (int32) and 13 (float32) are read, convert the file to one");
    }
}

}  // namespace

bool is_idx_name(const std::string& name) {
    const std::size_t at = name.rfind("idx");
    if (at == std::string::npos || at == 0 || (name[at - 1] != '-' && name[at - 1] != '.')) return false;
    std::string_view rest = std::string_view(name).substr(at + 3);
    if (!rest.empty() && rest[0] >= '1' && rest[0] <= '9') rest.remove_prefix(1);
    return rest.empty() || rest[0] == '-';
}

array read_idx(const std::string& file, std::span<const std::byte> bytes) {
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    if (bytes.size() < 4 || byte(0) != 0 || byte(1) != 0)
        octet::fail(file, ": this is no IDX file (it does not begin with two bytes 0): unpack it if it is a .gz");
    array found{parse_type(file, byte(2)), {}, {}};
    const std::size_t rank = byte(3), header = 4 + 4 * rank;
    if (rank < 1 || rank > 8) octet::fail(file, ": an IDX array of ", rank, " dimensions: 1 to 8 are read");
    if (bytes.size() < header)
        octet::fail(file, ": an IDX header of ", header, " bytes in a file of ", bytes.size(), ": it is cut off");
    const std::size_t data = bytes.size() - header, each = size_of(found.type);
    std::size_t wanted = each;
    for (std::size_t i = 0; i < rank; ++i) {
        const std::size_t at = 4 + 4 * i;
        const std::size_t size = (byte(at) << 24) | (byte(at + 1) << 16) | (byte(at + 2) << 8) | byte(at + 3);
        if (size == 0) octet::fail(file, ": an array with a dimension of size 0: there is nothing in it");
        if (wanted > data / size)
            octet::fail(file, ": the header promises more elements than the ", data,
                        " bytes of data hold: it is cut off");
        wanted *= size;
        found.dims.push_back(static_cast<std::int64_t>(size));
    }
    if (wanted != data)
        octet::fail(file, ": the header promises ", wanted, " bytes of data, but the file holds ", data,
                    ": get the file again");
    found.bytes.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end());
    if (each == 4)
        for (auto word = found.bytes.begin(); word != found.bytes.end(); word += 4) std::reverse(word, word + 4);
    return found;
}
