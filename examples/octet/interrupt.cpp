#include "interrupt.hpp"

#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace {

// Only the thread that writes files changes `held`; the handler may run on any.
volatile std::sig_atomic_t held = 0;
volatile std::sig_atomic_t waiting = 0;

void end(int which) {
    // Not exit: the threads of a pool may be anywhere, and nothing is left to be done.
    if (isatty(STDERR_FILENO) != 0) [[maybe_unused]]
        const auto written = write(STDERR_FILENO, "\n", 1);
    _exit(128 + which);
}

extern "C" void on_signal(int which) {
    if (held != 0)
        waiting = which;
    else
        end(which);
}

}  // namespace

void end_on_signals() {
    for (const int which : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action {};
        if (sigaction(which, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action.sa_handler = on_signal;
        action.sa_flags = SA_RESTART;
        sigaction(which, &action, nullptr);
    }
}

uninterrupted::uninterrupted() noexcept { held = 1; }
uninterrupted::~uninterrupted() {
    held = 0;
    if (waiting != 0) end(waiting);
}
