// How Octet fails: set-up throws one exception type, octet::error, whose message says what was wrong, with the value,
// where, and what to do. Hot calls never fail.
#pragma once

#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "octet/core/config.hpp"

namespace octet {

/// The only exception that Octet throws, and only from set-up: constructors, packing, loading, calibration.
class error : public std::runtime_error {
  public:
    explicit error(const std::string& message) : std::runtime_error(message) {}
};

/// Where exceptions are switched off (-fno-exceptions) a set-up error calls this handler with its message; the process
/// aborts when the handler returns. The default writes the message to stderr. Set it before the first set-up call.
using error_handler = void (*)(const char* message);
inline error_handler on_error = [](const char* message) { std::fprintf(stderr, "octet: %s\n", message); };

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {
inline void append(std::string& to, std::string_view part) { to += part; }
inline void append(std::string& to, char part) { to += part; }
inline void append(std::string& to, std::integral auto part) { to += std::to_string(part); }
inline void append(std::string& to, std::floating_point auto part) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", static_cast<double>(part));
    to += digits;
}
}  // namespace detail

/// The parts (strings, characters, numbers), one after the other.
template <class... Parts>
[[gnu::cold]] std::string text(const Parts&... parts) {
    std::string all;
    (detail::append(all, parts), ...);
    return all;
}

/// Throws octet::error with the parts as its message, or calls on_error and aborts where exceptions are off.
template <class... Parts>
[[noreturn, gnu::cold]] void fail(const Parts&... parts) {
    const std::string message = text(parts...);
#if defined(__cpp_exceptions)
    throw error(message);
#else
    on_error(message.c_str());
    std::abort();
#endif
}

}  // namespace octet::inline OCTET_ABI
