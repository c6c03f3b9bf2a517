#include "files.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

bool exists(const std::string& path) {
    std::error_code status;
    return fs::exists(path, status);
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

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
        lines.emplace_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

void check_target(const char* option, const std::string& path, const std::vector<std::string>& others) {
    std::error_code status;
    if (is_directory(path)) octet::fail(option, ": '", path, "' is a directory: name a file in it");
    if (exists(path) && !fs::is_regular_file(path, status)) return;  // a device or a pipe
    for (const std::string& other : others)
        if (fs::weakly_canonical(path, status) == fs::weakly_canonical(other, status))
            octet::fail(option, ": '", path, "' is also a file that this command reads or writes: give another name");
    const std::string directory = fs::path(path).has_parent_path() ? fs::path(path).parent_path().string() : ".";
    if (!is_directory(directory))
        octet::fail(option, ": '", path, "' cannot be written: there is no directory '", directory, "': make it first");
    if (access(directory.c_str(), W_OK) != 0)
        octet::fail(option, ": '", path, "' cannot be written: directory '", directory, "' takes no files (",
                    std::strerror(errno), "): choose another");
}
