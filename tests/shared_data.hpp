// Where the real models and samples are: the directory named by the environment variable OCTET_TEST_DATA, else
// ../shared/data beside the project. Tests skip, saying so, what is not there.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace octet::test {

inline std::string shared_data(const std::string& path) {
    const char* chosen = std::getenv("OCTET_TEST_DATA");
    return std::string(chosen != nullptr ? chosen : OCTET_TEST_DATA) + "/" + path;
}

/// The bytes of a file; empty where it cannot be read.
inline std::vector<unsigned char> read_file(const std::string& path) {
    std::vector<unsigned char> bytes;
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return bytes;
    unsigned char part[1 << 16];
    while (const std::size_t count = std::fread(part, 1, sizeof part, file))
        bytes.insert(bytes.end(), part, part + count);
    std::fclose(file);
    return bytes;
}

/// The elements of a raw file after the first `skip` bytes; empty where it cannot be read.
template <class T>
std::vector<T> read_elements(const std::string& path, std::size_t skip = 0) {
    const std::vector<unsigned char> bytes = read_file(path);
    if (bytes.size() <= skip) return {};
    std::vector<T> values((bytes.size() - skip) / sizeof(T));
    std::memcpy(values.data(), bytes.data() + skip, values.size() * sizeof(T));
    return values;
}

}  // namespace octet::test
