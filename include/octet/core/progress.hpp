// How set-up work that takes seconds tells how far it is.
#pragma once

#include <cstddef>

namespace octet {

/// report(context, done, all): `done` of `all` units are finished. Called on the thread that asked for the work.
struct progress {
    void* context = nullptr;
    void (*report)(void* context, std::size_t done, std::size_t all) noexcept = [](void*, std::size_t,
                                                                                   std::size_t) noexcept {};
};

}  // namespace octet
