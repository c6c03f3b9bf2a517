// Calibrations in files: watch samples here, quantize there.
//   octet::save_calibration("part1.cal", octet::calibrate(model, samples));
//   octet::quantize(model, octet::load_calibration("part1.cal"));
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octet/calib/calibration_bytes.hpp"
#include "octet/io/file.hpp"

namespace octet::inline OCTET_ABI {

/// Writes to_bytes(all), whole or not at all. Throws octet::error naming the file when it cannot.
inline void save_calibration(const std::string& path, const calibration& all) {
    const std::vector<std::byte> bytes = to_bytes(all);
    write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "calibration");
}

/// Throws octet::error naming the file when it cannot be read or calibration_from_bytes refuses it.
inline calibration load_calibration(const std::string& path) {
    const std::string bytes = read_file(path, "calibration");
    return calibration_from_bytes(std::as_bytes(std::span(bytes)), path);
}

}  // namespace octet::inline OCTET_ABI
