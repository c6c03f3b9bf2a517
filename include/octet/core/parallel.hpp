// The parallel hook: Octet has no threads of its own and uses those that the application lends.
#pragma once

#include "octet/core/config.hpp"

namespace octet {

/// How a layer runs independent tasks. The hook calls task(argument, i, worker) once for every i in [0, tasks), on any
/// threads and in any order, and returns when all are done; `worker` is in [0, workers) and never the same on two tasks
/// that run at once (it selects scratch memory). It allocates nothing that can fail and throws nothing.
/// Results do not depend on it: tasks split rows and columns, never a sum.
struct parallel {
    using task = void (*)(void* argument, int index, int worker) noexcept;

    void* context = nullptr;
    int workers = 1;
    void (*run)(void* context, int tasks, task body, void* argument) noexcept = [](void*, int tasks, task body,
                                                                                   void* argument) noexcept {
        for (int i = 0; i < tasks; ++i) body(argument, i, 0);
    };
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// body(index, worker) for every index in [0, tasks). `body` is noexcept and lives on the caller's stack.
template <class Body>
void parallel_for(const parallel& hook, int tasks, const Body& body) noexcept {
    if (tasks == 1 || hook.workers == 1) {
        for (int i = 0; i < tasks; ++i) body(i, 0);
        return;
    }
    hook.run(
        hook.context, tasks,
        [](void* argument, int index, int worker) noexcept { (*static_cast<const Body*>(argument))(index, worker); },
        const_cast<Body*>(&body));
}

}  // namespace octet::inline OCTET_ABI
