// Names that come from a file: what of them may stand in a message or in a graph; and names that must differ.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "octet/core/error.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// The length of the UTF-8 sequence that begins at `text`, or 0 where its bytes are not UTF-8 (RFC 3629: the shortest
/// form of a code point up to U+10FFFF that is no surrogate).
inline std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xc2 ? 0 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
    if (byte(0) > 0xf4 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if (length > 2) {
        const unsigned lead = byte(0), next = byte(1);
        if (next < (lead == 0xe0 ? 0xa0U : lead == 0xf0 ? 0x90U : 0x80U)) return 0;
        if (next > (lead == 0xed ? 0x9fU : lead == 0xf4 ? 0x8fU : 0xbfU)) return 0;
    }
    return length;
}

/// The name with control bytes and broken UTF-8 replaced by '?', cut after about 200 bytes.
inline std::string printable(std::string_view name) {
    constexpr std::size_t most = 200;
    std::string clean;
    for (std::size_t i = 0; i < name.size();) {
        if (clean.size() >= most) return clean + "...";
        const std::size_t length = utf8_length(name.substr(i));
        const auto first = static_cast<unsigned char>(name[i]);
        if (length == 0 || first < 0x20 || first == 0x7f)
            clean += '?', ++i;
        else
            clean += name.substr(i, length), i += length;
    }
    return clean;
}

/// printable(name) in quotes.
inline std::string in_quotes(std::string_view name) { return "'" + printable(name) + "'"; }

/// Names that were given out, so that none is given twice.
class unique_names {
  public:
    /// printable(wanted), with a number where that is taken.
    std::string operator()(const std::string& wanted) {
        std::string name = printable(wanted);
        if (taken_.emplace(name, 1).second) return name;
        for (;;) {
            std::string other = text(name, "_", ++taken_[name]);
            if (taken_.emplace(other, 1).second) return other;
        }
    }

  private:
    std::map<std::string, int> taken_;
};

}  // namespace octet::onnx::inline OCTET_ABI
