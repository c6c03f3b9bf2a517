// Files are written whole or not at all.
#include <octet/io/file.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "network_data.hpp"

namespace octet::test {
namespace {

namespace fs = std::filesystem;

/// A folder of this test's own, removed at its end.
class file : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "octet_file_XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { fs::remove_all(folder); }

    std::string path(const char* name) const { return (folder / name).string(); }
    int entries() const { return static_cast<int>(std::distance(fs::directory_iterator(folder), {})); }

    fs::path folder;
};

/// No file that this process writes may grow beyond so many bytes: writing more fails as on a full disk.
class limited_files {
  public:
    explicit limited_files(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit less{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &less);
    }
    ~limited_files() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    limited_files(const limited_files&) = delete;
    limited_files& operator=(const limited_files&) = delete;

  private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST_F(file, bytes_come_back) {
    for (const std::size_t size : {0U, 1U, 65'536U, 200'001U}) {
        std::string bytes(size, '\0');
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 % 251);
        write_file(path("a"), bytes, "thing");
        EXPECT_EQ(read_file(path("a"), "thing"), bytes);
        EXPECT_EQ(entries(), 1);
    }
}

TEST_F(file, without_room_the_old_file_stays) {
    write_file(path("old"), "as it was", "thing");
    const limited_files limit(10'000);
    for (const char* name : {"old", "new"})
        expect_error([&] { write_file(path(name), std::string(10'001, 'x'), "thing"); },
                     text("thing '", path(name), "' cannot be written (File too large)"), "nothing of it was kept");
    EXPECT_EQ(read_file(path("old"), "thing"), "as it was");
    EXPECT_EQ(entries(), 1);
    write_file(path("new"), std::string(10'000, 'x'), "thing");
    EXPECT_EQ(entries(), 2);
}

TEST_F(file, a_full_device_is_an_error) {
    expect_error([] { write_file("/dev/full", "x", "thing"); }, "thing '/dev/full' cannot be written (No space left",
                 "may have taken a part");
    write_file("/dev/null", "x", "thing");
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(file, paths_that_cannot_be) {
    expect_error([&] { write_file(path("no/where"), "x", "thing"); }, "no/where' cannot be written (No such file");
    expect_error([&] { write_file(folder.string(), "x", "thing"); }, "cannot be written (Is a directory)");
    expect_error([&] { read_file(path("none"), "thing"); }, "thing '", "none' cannot be opened (No such file");
    expect_error([&] { read_file(folder.string(), "thing"); }, "cannot be read (Is a directory)");
    EXPECT_EQ(entries(), 0);
}

TEST_F(file, mode_and_links_stay) {
    write_file(path("a"), "1", "thing");
    fs::permissions(path("a"), fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("a", path("link"));
    write_file(path("link"), "2", "thing");
    EXPECT_TRUE(fs::is_symlink(path("link")));
    EXPECT_EQ(read_file(path("a"), "thing"), "2");
    EXPECT_EQ(fs::status(path("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("nowhere", path("dangling"));
    write_file(path("dangling"), "3", "thing");
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(path("dangling"))));
    EXPECT_EQ(entries(), 3);
}

}  // namespace
}  // namespace octet::test
