// Whole files, as the tool reads them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

/// Throws octet::error naming the file when it cannot be read.
std::vector<std::byte> read_file(const std::string& path);

/// The files of a directory that end in `extension` (any case), sorted by name. Throws octet::error when there are
/// none.
std::vector<std::string> list_files(const std::string& directory, const std::string& extension);

bool is_directory(const std::string& path);
/// "png" of "images/star.PNG"
std::string extension_of(const std::string& path);
/// "star.png" of "images/star.png"
std::string name_of(const std::string& path);
