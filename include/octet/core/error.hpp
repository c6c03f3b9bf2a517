// How Octet fails: set-up throws one exception type, octet::error, whose message says what was wrong, with the value,
// where, and what to do. Hot calls never fail.
#pragma once

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

/// One part of a message, as text. Overloads instead of templates, and one function that joins: every call of text and
/// fail is a template of its own, in every unit that includes any of Octet.
class message_part {
  public:
    message_part(std::string_view words) noexcept : words_(words) {}
    message_part(const std::string& words) noexcept : words_(words) {}
    message_part(const char* words) noexcept : words_(words) {}
    message_part(char letter) noexcept : length_(1) { digits_[0] = letter; }
    message_part(int value) noexcept : message_part(static_cast<long long>(value)) {}
    message_part(long value) noexcept : message_part(static_cast<long long>(value)) {}
    message_part(unsigned value) noexcept : message_part(static_cast<unsigned long long>(value)) {}
    message_part(unsigned long value) noexcept : message_part(static_cast<unsigned long long>(value)) {}
    message_part(long long value) noexcept { take(std::snprintf(digits_, sizeof digits_, "%lld", value)); }
    message_part(unsigned long long value) noexcept { take(std::snprintf(digits_, sizeof digits_, "%llu", value)); }
    message_part(double value) noexcept { take(std::snprintf(digits_, sizeof digits_, "%.9g", value)); }
    std::string_view words() const noexcept { return length_ == 0 ? words_ : std::string_view(digits_, length_); }

  private:
    void take(int length) noexcept { length_ = static_cast<std::size_t>(length); }

    std::string_view words_;
    char digits_[32] = {};
    std::size_t length_ = 0;  // of digits; 0: words
};

[[gnu::cold]] inline std::string joined(const message_part* parts, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += parts[i].words();
    return all;
}

[[noreturn, gnu::cold]] inline void raise(const std::string& message) {
#if defined(__cpp_exceptions)
    throw error(message);
#else
    on_error(message.c_str());
    std::abort();
#endif
}

}  // namespace detail

/// The parts (strings, characters, numbers), one after the other.
template <class... Parts>
[[gnu::cold]] std::string text(const Parts&... parts) {
    const detail::message_part all[]{parts...};
    return detail::joined(all, sizeof...(parts));
}

/// Throws octet::error with the parts as its message, or calls on_error and aborts where exceptions are off.
template <class... Parts>
[[noreturn, gnu::cold]] void fail(const Parts&... parts) {
    const detail::message_part all[]{parts...};
    detail::raise(detail::joined(all, sizeof...(parts)));
}

}  // namespace octet::inline OCTET_ABI
