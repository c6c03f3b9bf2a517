// Calibrations in files: watch samples here, quantize there.
//   octet::save_calibration("part1.cal", octet::calibrate(model, samples));
//   octet::quantize(model, octet::load_calibration("part1.cal"));
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "octet/calib/calibration_bytes.hpp"
#include "octet/core/error.hpp"

namespace octet::inline OCTET_ABI {

/// Writes to_bytes(all). Throws octet::error naming the file when it cannot be written whole; what is there then is
/// refused by load_calibration.
inline void save_calibration(const std::string& path, const calibration& all) {
    const std::vector<std::byte> bytes = to_bytes(all);
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) fail("calibration '", path, "' cannot be opened to write: check the path and its permissions");
    const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    if (std::fclose(file) != 0 || !written)
        fail("calibration '", path, "' could not be written: is there room for ", bytes.size(), " bytes?");
}

/// Throws octet::error naming the file when it cannot be read or calibration_from_bytes refuses it.
inline calibration load_calibration(const std::string& path) {
    struct closes {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, closes> file(std::fopen(path.c_str(), "rb"));
    if (file == nullptr) fail("calibration '", path, "' cannot be opened: check the path and its permissions");
    std::vector<std::byte> bytes;
    std::byte part[1 << 14];
    while (const std::size_t count = std::fread(part, 1, sizeof part, file.get()))
        bytes.insert(bytes.end(), part, part + count);
    if (std::ferror(file.get()) != 0) fail("calibration '", path, "' cannot be read: is it a file?");
    return calibration_from_bytes({bytes.data(), bytes.size()}, path);
}

}  // namespace octet::inline OCTET_ABI
