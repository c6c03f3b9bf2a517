// label: law, threads
// The parallel hook: the serial default and a hook of plain threads run every index once, with workers in range and no
// worker on two tasks at once.
#include "octet/core/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

/// The simplest hook that keeps the contract: `workers` threads that take indices from a counter.
octet::parallel threads(int workers) {
    octet::parallel hook;
    hook.workers = workers;
    hook.context = nullptr;
    hook.run = [](void*, int tasks, octet::parallel::task body, void* argument) noexcept {
        std::atomic<int> next{0};
        std::vector<std::thread> all;
        for (int worker = 0; worker < 3; ++worker)
            all.emplace_back([&, worker] {
                for (int i = next++; i < tasks; i = next++) body(argument, i, worker);
            });
        for (std::thread& one : all) one.join();
    };
    return hook;
}

/// Runs `tasks` tasks and checks the contract.
void check(const octet::parallel& hook, int tasks) {
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks) + 1);
    std::vector<std::atomic<int>> busy(static_cast<std::size_t>(hook.workers));
    std::atomic<int> faults{0};
    octet::parallel_for(hook, tasks, [&](int index, int worker) {
        if (index < 0 || index >= tasks || worker < 0 || worker >= hook.workers) {
            ++faults;
            return;
        }
        if (++busy[static_cast<std::size_t>(worker)] != 1) ++faults;
        ++runs[static_cast<std::size_t>(index)];
        --busy[static_cast<std::size_t>(worker)];
    });
    EXPECT_EQ(faults, 0);
    for (int i = 0; i < tasks; ++i) EXPECT_EQ(runs[static_cast<std::size_t>(i)], 1) << i;
}

TEST(parallel, runs_every_index_once_without_threads) {
    for (const int tasks : {0, 1, 2, 17}) check(octet::parallel{}, tasks);
}

TEST(parallel, runs_every_index_once_on_threads) {
    for (const int tasks : {0, 1, 2, 3, 64, 1000}) check(threads(3), tasks);
}

TEST(parallel, default_runs_in_order_on_the_calling_thread) {
    const std::thread::id caller = std::this_thread::get_id();
    std::vector<int> seen;
    const auto body = [&](int index, int worker) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        EXPECT_EQ(worker, 0);
        seen.push_back(index);
    };
    octet::parallel_for({}, 5, body);
    EXPECT_EQ(seen, (std::vector{0, 1, 2, 3, 4}));
    const octet::parallel hook;  // what the hook's own function does, without parallel_for's short cut
    seen.clear();
    hook.run(
        hook.context, 3,
        [](void* argument, int index, int) noexcept { static_cast<std::vector<int>*>(argument)->push_back(index); },
        &seen);
    EXPECT_EQ(seen, (std::vector{0, 1, 2}));
}

TEST(parallel, one_task_stays_on_the_calling_thread) {
    octet::parallel never = threads(3);
    never.run = [](void*, int, octet::parallel::task, void*) noexcept { ADD_FAILURE() << "the hook was called"; };
    int runs = 0;
    octet::parallel_for(never, 1, [&](int index, int worker) { runs += 1 + index + worker; });
    EXPECT_EQ(runs, 1);
}

TEST(parallel, results_do_not_depend_on_the_threads) {
    const auto squares = [](const octet::parallel& hook) {
        std::vector<int> out(500);
        octet::parallel_for(hook, 500, [&](int index, int) { out[static_cast<std::size_t>(index)] = index * index; });
        return out;
    };
    EXPECT_EQ(squares(threads(3)), squares({}));
}

}  // namespace
