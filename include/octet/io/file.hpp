// Whole files: read at once, written whole or not at all.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "octet/core/error.hpp"

namespace octet::inline OCTET_ABI {

/// The bytes of a file, at most 2^31 - 1. `what` names it in messages: "ONNX model". Throws octet::error with the path
/// and the system's reason.
inline std::string read_file(const std::string& path, std::string_view what) {
    struct close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    constexpr std::size_t most = 0x7fffffff;
    const std::unique_ptr<std::FILE, close> file(std::fopen(path.c_str(), "rb"));
    if (file == nullptr) fail(what, " '", path, "' cannot be opened (", std::strerror(errno), "): check the path");
    std::string bytes;
    char part[1 << 16];
    while (const std::size_t count = std::fread(part, 1, sizeof part, file.get())) {
        if (bytes.size() > most - count) fail(what, " '", path, "' has 2 GiB or more, which no file that is read may");
        bytes.append(part, count);
    }
    if (std::ferror(file.get()) != 0)
        fail(what, " '", path, "' cannot be read (", std::strerror(errno), "): it must be a readable file");
    return bytes;
}

namespace detail {

/// A file that is being written. What is not kept is removed.
class unfinished_file {
  public:
    /// `path` itself, which is a device or a pipe.
    static unfinished_file device(const std::string& path) {
        return {::open(path.c_str(), O_WRONLY | O_CLOEXEC), path, false};
    }
    /// A new file beside `path`, so that a rename can put it there.
    static unfinished_file beside(const std::string& path) {
        for (int i = 0;; ++i) {
            const std::string name = text(path, ".", ::getpid(), "-", i, ".part");
            const int made = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (made >= 0 || errno != EEXIST || i == 1000) return {made, name, made >= 0};
        }
    }
    unfinished_file(const unfinished_file&) = delete;
    unfinished_file& operator=(const unfinished_file&) = delete;
    ~unfinished_file() {
        if (file_ >= 0) ::close(file_);
        if (temporary_) ::unlink(name_.c_str());
    }

    bool opened() const noexcept { return file_ >= 0; }
    bool take_mode(mode_t mode) const noexcept { return ::fchmod(file_, mode) == 0; }
    bool write(std::string_view bytes) const noexcept {
        while (!bytes.empty()) {
            const ssize_t count = ::write(file_, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    /// Some file systems learn only here that there is no room.
    bool flush() const noexcept { return ::fsync(file_) == 0; }
    bool close() noexcept { return ::close(std::exchange(file_, -1)) == 0; }
    bool rename_to(const std::string& path) noexcept {
        if (::rename(name_.c_str(), path.c_str()) != 0) return false;
        temporary_ = false;
        return true;
    }

  private:
    unfinished_file(int file, std::string name, bool temporary)
        : file_(file), name_(std::move(name)), temporary_(temporary) {}

    int file_;
    std::string name_;
    bool temporary_;
};

}  // namespace detail

/// Makes `bytes` the content of the file `path`: the whole of it, or, where that fails, what was there before. They are
/// written to a new file beside it, flushed to the disk and renamed. The mode of a file that is replaced stays. A link
/// stays, and the file that it leads to is replaced; one that leads nowhere is replaced itself. A device or a pipe is
/// written to as it is, and keeps what it took before a failure. `what` names the file in messages. Throws octet::error
/// with the path and the system's reason.
inline void write_file(const std::string& path, std::string_view bytes, std::string_view what) {
    struct stat there {};
    const bool exists = ::stat(path.c_str(), &there) == 0;
    const bool device = exists && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
    const auto require = [&](bool done) {
        if (!done)
            fail(what, " '", path, "' cannot be written (", std::strerror(errno), "): ",
                 device ? "it may have taken a part; check the device or pipe"
                        : "nothing of it was kept; check the path and the room on its disk");
    };
    if (device) {
        auto file = detail::unfinished_file::device(path);
        return require(file.opened() && file.write(bytes) && file.close());
    }
    std::string target = path;
    if (exists) {
        const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
        require(resolved != nullptr);
        target = resolved.get();
    }
    auto file = detail::unfinished_file::beside(target);
    require(file.opened() && (!exists || file.take_mode(there.st_mode & 07777)) && file.write(bytes) && file.flush() &&
            file.close() && file.rename_to(target));
}

}  // namespace octet::inline OCTET_ABI
