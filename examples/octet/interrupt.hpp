// Ctrl-C leaves nothing half-written: what is being written is finished first.
#pragma once

/// From here on SIGINT, SIGTERM and SIGHUP end the program with exit code 128 + signal (130 for Ctrl-C), at once, or
/// at the end of the `uninterrupted` that is there. A signal that was ignored stays so.
void end_on_signals();

/// While one lives (one at a time), a signal waits. For what takes milliseconds: to put whole files in their places.
class uninterrupted {
  public:
    uninterrupted() noexcept;
    ~uninterrupted();
    uninterrupted(const uninterrupted&) = delete;
    uninterrupted& operator=(const uninterrupted&) = delete;
};
