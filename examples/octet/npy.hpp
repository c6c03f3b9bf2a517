// NumPy's .npy files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "array.hpp"

/// Versions 1 to 3, row-major, elements of the types above. Throws octet::error, naming `file`, on anything else and on
/// a file that does not hold exactly what its header says. Every read is checked: `bytes` may be hostile.
array read_npy(const std::string& file, std::span<const std::byte> bytes);

/// The bytes of a file, version 1, that holds `values` as float32.
std::string write_npy(const std::vector<std::int64_t>& dims, std::span<const float> values);
