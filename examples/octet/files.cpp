#include "files.hpp"

#include <algorithm>
#include <filesystem>
#include <octet/core/error.hpp>

namespace {

namespace fs = std::filesystem;

/// The names of those that are wanted, sorted.
template <class Wanted>
std::vector<std::string> list(const std::string& directory, const Wanted& wanted) {
    std::error_code status;
    std::vector<std::string> found;
    for (fs::directory_iterator at(directory, status), end; !status && at != end; at.increment(status))
        if (wanted(*at)) found.push_back(at->path().filename().string());
    if (status)
        octet::fail(directory, ": cannot be listed (", status.message(), "): check the path and its permissions");
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

std::vector<std::string> list_images(const std::string& directory) {
    return list(directory, [](const fs::directory_entry& one) { return is_image_name(one.path().string()); });
}
std::vector<std::string> list_folders(const std::string& directory) {
    return list(directory, [](const fs::directory_entry& one) {
        std::error_code status;
        return one.is_directory(status);
    });
}

bool is_directory(const std::string& path) {
    std::error_code status;
    return fs::is_directory(path, status);
}

bool is_image_name(const std::string& path) {
    const std::string extension = extension_of(path);
    return extension == "png" || extension == "jpg" || extension == "jpeg";
}

std::string extension_of(const std::string& path) {
    std::string extension = fs::path(path).extension().string();
    if (!extension.empty()) extension.erase(0, 1);
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
    });
    return extension;
}

std::string name_of(const std::string& path) {
    const fs::path whole(path);
    return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}
