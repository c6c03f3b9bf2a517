// IDX files, as MNIST comes in (train-images-idx3-ubyte): http://yann.lecun.com/exdb/mnist/
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "array.hpp"

/// Whether a file of that name is taken for one: "*-idx3-ubyte", "*.idx3-ubyte", "*.idx1", "*.idx".
bool is_idx_name(const std::string& name);

/// Elements of 8 bits, int32 and float32, which the file stores big-endian. Throws octet::error, naming `file`, on
/// anything else and on a file that does not hold exactly what its header says. Every read is checked: `bytes` may be
/// hostile.
array read_idx(const std::string& file, std::span<const std::byte> bytes);
