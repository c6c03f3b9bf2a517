// A bar on stderr that says how far something is, how fast it goes and how long it will take; lines where stderr is not
// a terminal.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <octet/core/progress.hpp>
#include <string>
#include <utility>

/// "calibrating [#######                 ] 29/100  6.1/s  12 s left". The hook is valid as long as this object.
class progress_bar {
  public:
    explicit progress_bar(std::string what) : what_(std::move(what)) {}
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;
    ~progress_bar() {
        if (drawn_) std::fputc('\n', stderr);
    }
    octet::progress hook() noexcept {
        return {this, [](void* self, std::size_t done, std::size_t all) noexcept {
                    static_cast<progress_bar*>(self)->show(done, all);
                }};
    }

  private:
    using clock = std::chrono::steady_clock;
    static constexpr std::size_t width = 30;

    static double seconds(clock::duration d) { return std::chrono::duration<double>(d).count(); }

    /// On a terminal ten times a second, elsewhere every ten seconds; and at the end, if it has shown anything before.
    void show(std::size_t done, std::size_t all) noexcept {
        const auto now = clock::now();
        const bool end = done == all;
        if (seconds(now - shown_) < (terminal_ ? 0.1 : 10.0) && !(end && begun_)) return;
        begun_ = true, shown_ = now;
        const double rate = static_cast<double>(done) / std::max(seconds(now - start_), 1e-9);
        const double left = static_cast<double>(all - done) / rate;
        if (terminal_) {
            char bar[width + 1] = {};
            for (std::size_t i = 0; i < width; ++i) bar[i] = i * all < done * width ? '#' : ' ';
            std::fprintf(stderr, "\r%s [%s] %zu/%zu  %.1f/s  ", what_.c_str(), bar, done, all, rate);
        } else {
            std::fprintf(stderr, "%s: %zu of %zu, %.1f/s", what_.c_str(), done, all, rate);
        }
        if (end)
            std::fprintf(stderr, terminal_ ? "%.1f s      " : ", took %.1f s\n", seconds(now - start_));
        else
            std::fprintf(stderr, terminal_ ? "%.0f s left  " : ", %.0f s left\n", left);
        std::fflush(stderr);
        drawn_ = terminal_;
    }

    std::string what_;
    bool terminal_ = isatty(STDERR_FILENO) != 0;
    bool begun_ = false;
    bool drawn_ = false;
    clock::time_point start_ = clock::now();
    clock::time_point shown_ = start_;
};
