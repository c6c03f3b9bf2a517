// An array of numbers as a file holds it: what the readers of .npy and IDX files return.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// How the elements of a file are stored; little-endian.
enum class element { u8, i8, f32, i32, i64 };

std::size_t size_of(element type);
std::string to_string(element type);

/// In row-major order.
struct array {
    element type = element::u8;
    std::vector<std::int64_t> dims;
    std::vector<std::byte> bytes;  ///< elements() * size_of(type)
    std::int64_t elements() const;
};

/// Element `i` as a number.
double value_at(element type, std::span<const std::byte> bytes, std::size_t i);
