// Words from outside, such as the names in a model file: what of them may stand in a message, a table or a graph.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "octet/core/config.hpp"

namespace octet::inline OCTET_ABI {

/// The length of the UTF-8 sequence that begins at `words`, or 0 where its bytes are not UTF-8 (RFC 3629: the shortest
/// form of a code point up to U+10FFFF that is no surrogate).
inline std::size_t utf8_length(std::string_view words) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(words[i]); };
    const std::size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xc2 ? 0 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
    if (byte(0) > 0xf4 || length > words.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if (length > 2) {
        const unsigned lead = byte(0), next = byte(1);
        if (next < (lead == 0xe0 ? 0xa0U : lead == 0xf0 ? 0x90U : 0x80U)) return 0;
        if (next > (lead == 0xed ? 0x9fU : lead == 0xf4 ? 0x8fU : 0xbfU)) return 0;
    }
    return length;
}

/// The words with control bytes and broken UTF-8 replaced by '?', cut after about `most` bytes.
inline std::string printable(std::string_view words, std::size_t most = 200) {
    std::string clean;
    for (std::size_t i = 0; i < words.size();) {
        if (clean.size() >= most) return clean + "...";
        const std::size_t length = utf8_length(words.substr(i));
        const auto first = static_cast<unsigned char>(words[i]);
        if (length == 0 || first < 0x20 || first == 0x7f)
            clean += '?', ++i;
        else
            clean += words.substr(i, length), i += length;
    }
    return clean;
}

}  // namespace octet::inline OCTET_ABI
