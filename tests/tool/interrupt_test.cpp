// Signals: at once, but for the moment in which a file takes its place.
#include "interrupt.hpp"

#include <csignal>
#include <cstdlib>
#include <octet/io/file.hpp>

#include "sample_files.hpp"

namespace {

class tool_interrupt : public in_folder {};

TEST_F(tool_interrupt, ends_with_128_and_the_signal) {
    for (const int which : {SIGINT, SIGTERM, SIGHUP})
        EXPECT_EXIT(
            {
                end_on_signals();
                std::raise(which);
                std::abort();
            },
            testing::ExitedWithCode(128 + which), "");
}

TEST_F(tool_interrupt, waits_until_a_file_is_whole) {
    const std::string path = file("out", std::string("before"));
    EXPECT_EXIT(
        {
            end_on_signals();
            {
                const uninterrupted until_written;
                std::raise(SIGINT);
                octet::write_file(path, "after", "result");
            }
            std::abort();
        },
        testing::ExitedWithCode(130), "");
    EXPECT_EQ(octet::read_file(path, "result"), "after");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder()), {}), 1);
}

TEST_F(tool_interrupt, what_was_ignored_stays_so) {
    EXPECT_EXIT(
        {
            std::signal(SIGINT, SIG_IGN);
            end_on_signals();
            std::raise(SIGINT);
            std::_Exit(7);
        },
        testing::ExitedWithCode(7), "");
}

}  // namespace
