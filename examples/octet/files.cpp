#include "files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <octet/core/error.hpp>

std::vector<std::byte> read_file(const std::string& path) {
    std::error_code status;
    if (std::filesystem::is_directory(path, status))
        octet::fail(path, ": this is a directory, and a file is needed here");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file)
        octet::fail(path, ": cannot be read (", errno != 0 ? std::strerror(errno) : "it does not open",
                    "): check the path and its permissions");
    std::vector<std::byte> bytes;  // in pieces: a pipe does not tell its size
    constexpr std::size_t piece = std::size_t{1} << 20;
    while (file) {
        const std::size_t have = bytes.size();
        bytes.resize(have + piece);
        file.read(reinterpret_cast<char*>(bytes.data() + have), static_cast<std::streamsize>(piece));
        bytes.resize(have + static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad()) octet::fail(path, ": reading stopped after ", bytes.size(), " bytes: check the disk");
    return bytes;
}

std::vector<std::string> list_files(const std::string& directory, const std::string& extension) {
    std::error_code status;
    std::vector<std::string> found;
    for (std::filesystem::directory_iterator at(directory, status), end; !status && at != end; at.increment(status))
        if (extension_of(at->path().string()) == extension) found.push_back(at->path().string());
    if (status)
        octet::fail(directory, ": cannot be listed (", status.message(), "): check the path and its permissions");
    if (found.empty())
        octet::fail(directory, ": there is no .", extension,
                    " file in this directory: name one that holds the samples");
    std::sort(found.begin(), found.end());
    return found;
}

bool is_directory(const std::string& path) {
    std::error_code status;
    return std::filesystem::is_directory(path, status);
}

std::string extension_of(const std::string& path) {
    std::string extension = std::filesystem::path(path).extension().string();
    if (!extension.empty()) extension.erase(0, 1);
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
    });
    return extension;
}

std::string name_of(const std::string& path) {
    const std::filesystem::path whole(path);
    return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}
