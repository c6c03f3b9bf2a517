#include "npy.hpp"

#include <cstring>
#include <limits>
#include <octet/core/error.hpp>
#include <string_view>

namespace {

/// The header's text, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class header_parser {
  public:
    header_parser(const std::string& file, std::string_view words) : file_(file), left_(words) {}

    struct header {
        std::string descr;
        bool fortran_order = false;
        std::vector<std::int64_t> dims;
    };

    header parse() {
        header found;
        bool has_descr = false, has_order = false, has_shape = false;
        expect('{');
        while (!accept('}')) {
            const std::string key = quoted();
            expect(':');
            if (key == "descr")
                found.descr = quoted(), has_descr = true;
            else if (key == "fortran_order")
                found.fortran_order = truth(), has_order = true;
            else if (key == "shape")
                found.dims = sizes(), has_shape = true;
            else
                broken("an unknown key");
            if (!accept(',') && peek() != '}') broken("no comma between two keys");
        }
        if (!has_descr || !has_order || !has_shape) broken("no descr, fortran_order or shape");
        if (peek() != '\0') broken("text after the dictionary");
        return found;
    }

  private:
    [[noreturn]] void broken(const char* what) const {
        octet::fail(file_, ": the .npy header has ", what, ": write the file again with numpy.save");
    }
    char peek() {
        while (!left_.empty() && (left_[0] == ' ' || left_[0] == '\n')) left_.remove_prefix(1);
        return left_.empty() ? '\0' : left_[0];
    }
    bool accept(char wanted) {
        if (peek() != wanted) return false;
        left_.remove_prefix(1);
        return true;
    }
    void expect(char wanted) {
        if (!accept(wanted)) broken("no Python dictionary of descr, fortran_order and shape");
    }
    std::string quoted() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') broken("a key or a type that is not in quotes");
        left_.remove_prefix(1);
        const std::size_t end = left_.find(quote);
        if (end == std::string_view::npos) broken("a quote that does not end");
        const std::string word(left_.substr(0, end));
        left_.remove_prefix(end + 1);
        return word;
    }
    bool truth() {
        peek();
        const bool yes = left_.starts_with("True");
        if (!yes && !left_.starts_with("False")) broken("a fortran_order that is neither True nor False");
        left_.remove_prefix(yes ? 4 : 5);
        return yes;
    }
    std::vector<std::int64_t> sizes() {
        std::vector<std::int64_t> all;
        expect('(');
        while (!accept(')')) {
            all.push_back(size());
            if (all.size() > 8) broken("more than 8 dimensions");
            if (!accept(',') && peek() != ')') broken("a shape that is no tuple of sizes");
        }
        return all;
    }
    std::int64_t size() {
        if (peek() < '0' || peek() > '9') broken("a size that is no number");
        std::int64_t value = 0;
        while (!left_.empty() && left_[0] >= '0' && left_[0] <= '9') {
            value = value * 10 + (left_[0] - '0');
            if (value > std::numeric_limits<std::int32_t>::max()) broken("a size above 2^31 - 1");
            left_.remove_prefix(1);
        }
        return value;
    }

    const std::string& file_;
    std::string_view left_;
};

element parse_type(const std::string& file, const std::string& descr) {
    if (descr == "|u1" || descr == "<u1") return element::u8;
    if (descr == "|i1" || descr == "<i1") return element::i8;
    if (descr == "<f4") return element::f32;
    if (descr == "<i4") return element::i32;
    if (descr == "<i8") return element::i64;
    octet::fail(file, ": elements of type '", descr.substr(0, 16),
                "': convert them to uint8, int8 or float32 (labels also int32 or int64), little-endian");
}

}  // namespace

array read_npy(const std::string& file, std::span<const std::byte> bytes) {
    const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(bytes[i]); };
    if (bytes.size() < 10 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0)
        octet::fail(file, ": this is no .npy file (it does not begin with \\x93NUMPY): write it with numpy.save");
    const std::size_t version = byte(6), prefix = version == 1 ? 10 : 12;
    if (version < 1 || version > 3) octet::fail(file, ": .npy version ", version, ": versions 1 to 3 are read");
    if (bytes.size() < prefix) octet::fail(file, ": the file ends inside its .npy header: write it again");
    std::size_t length = byte(8) + (byte(9) << 8);
    if (version != 1) length += (byte(10) << 16) + (byte(11) << 24);
    if (bytes.size() - prefix < length)
        octet::fail(file, ": a .npy header of ", length, " bytes in a file of ", bytes.size(), ": write it again");
    const auto* words = reinterpret_cast<const char*>(bytes.data() + prefix);
    const auto header = header_parser(file, {words, length}).parse();
    if (header.fortran_order) octet::fail(file, ": column-major order: save numpy.ascontiguousarray of it");

    array found{parse_type(file, header.descr), header.dims, {}};
    const std::size_t data = bytes.size() - prefix - length;
    std::size_t wanted = size_of(found.type);
    for (const std::int64_t size : header.dims) {
        if (size == 0) octet::fail(file, ": an array with a dimension of size 0: there is nothing in it");
        if (wanted > data / static_cast<std::size_t>(size))
            octet::fail(file, ": the header promises more elements than the ", data,
                        " bytes of data hold: it is cut off");
        wanted *= static_cast<std::size_t>(size);
    }
    if (wanted != data)
        octet::fail(file, ": the header promises ", wanted, " bytes of data, but the file holds ", data,
                    ": write it again");
    found.bytes.assign(bytes.begin() + static_cast<std::ptrdiff_t>(prefix + length), bytes.end());
    return found;
}

std::string write_npy(const std::vector<std::int64_t>& dims, std::span<const float> values) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    for (const std::int64_t size : dims) header += std::to_string(size) + ",";
    header += "), }";
    constexpr std::size_t prefix = 10, grain = 64;  // data begins at a multiple of 64
    header.resize((prefix + header.size() + grain) / grain * grain - prefix - 1, ' ');
    header += '\n';
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 255);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    return bytes;
}
