#include "interrupt.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace {

// One word, so that a signal on any thread of a pool and the thread that writes cannot miss each other.
constexpr int open_to_signals = 0;
constexpr int held = 1;     // held + signal: and that signal waits
constexpr int ending = -1;  // nothing may begin any more
std::atomic<int> state{open_to_signals};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch nothing else");

void end(int which) {
    if (isatty(STDERR_FILENO) != 0) [[maybe_unused]]
        const auto written = write(STDERR_FILENO, "\n", 1);
    _exit(128 + which);  // not exit: the threads of a pool may be anywhere, and nothing is left to be done
}

extern "C" void on_signal(int which) {
    int was = open_to_signals;
    if (state.compare_exchange_strong(was, ending)) end(which);
    was = held;
    state.compare_exchange_strong(was, held + which);
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

uninterrupted::uninterrupted() noexcept {
    for (int was = open_to_signals; !state.compare_exchange_strong(was, held); was = open_to_signals)
        pause();  // the program is ending
}
uninterrupted::~uninterrupted() {
    if (const int was = state.exchange(open_to_signals); was > held) end(was - held);
}
