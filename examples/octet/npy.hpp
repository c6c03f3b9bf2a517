// Reads NumPy's .npy files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
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

/// An array in row-major order.
struct npy_array {
    element type = element::u8;
    std::vector<std::int64_t> dims;
    std::vector<std::byte> bytes;  ///< elements() * size_of(type)
    std::int64_t elements() const;
};

/// Versions 1 to 3, row-major, elements of the types above. Throws octet::error, naming `file`, on anything else and on
/// a file that does not hold exactly what its header says. Every read is checked: `bytes` may be hostile.
npy_array read_npy(const std::string& file, std::span<const std::byte> bytes);

/// Element `i` as a number.
double value_at(element type, std::span<const std::byte> bytes, std::size_t i);
