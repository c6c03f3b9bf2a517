// label: threads
// Octet beside Eigen: views and maps see the same elements, and Eigen's thread pool keeps the contract of the parallel
// hook.
#include "octet/eigen.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> allocations{0};

}  // namespace

// Not inlined: GCC would take an inlined malloc or free for a mismatch with the operators it knows.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using octet::eigen_threads;
using octet::shape;
using octet::tensor_view;
using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

TEST(to_eigen, maps_the_elements_of_a_view) {
    std::vector<float> data(2 * 3 * 5);
    const tensor_view<float> channels{data.data() + 1, shape{2, 3, 4}, 5};  // 4 of 5 channels
    auto map = octet::to_eigen(channels);
    static_assert(std::is_same_v<decltype(map), Eigen::Map<row_major, Eigen::Unaligned, Eigen::OuterStride<>>>);
    ASSERT_EQ(map.rows(), 6);
    ASSERT_EQ(map.cols(), 4);
    map(5, 3) = 7.0F;
    EXPECT_EQ(channels.row(5)[3], 7.0F);
    EXPECT_EQ(data[29], 7.0F);
    const auto reading = octet::to_eigen(tensor_view<const float>(channels));
    EXPECT_EQ(reading.sum(), 7.0F);
    EXPECT_EQ(reading.data(), map.data());
}

TEST(to_view, sees_matrices_maps_and_blocks) {
    row_major matrix = row_major::Random(6, 8);
    const tensor_view<float> whole = octet::to_view(matrix);
    EXPECT_EQ(whole.dims, (shape{6, 8}));
    EXPECT_TRUE(whole.dense());
    const tensor_view<float> part = octet::to_view(matrix.block(1, 2, 4, 3));
    EXPECT_EQ(part.dims, (shape{4, 3}));
    EXPECT_EQ(part.stride, 8);
    for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 3; ++c) EXPECT_EQ(part.row(r)[c], matrix(r + 1, c + 2));
    const row_major& constant = matrix;
    const tensor_view<const float> reading = octet::to_view(constant);
    EXPECT_EQ(reading.data, matrix.data());
    const tensor_view<float> back = octet::to_view(octet::to_eigen(part));
    EXPECT_EQ(back.data, part.data);
    EXPECT_EQ(back.dims, part.dims);
    EXPECT_EQ(back.stride, part.stride);
    Eigen::Matrix<std::int8_t, 1, Eigen::Dynamic> row(5);
    EXPECT_EQ(octet::to_view(row).dims, (shape{1, 5}));
}

TEST(to_view, refuses_rows_that_are_not_contiguous_and_empty_matrices) {
    std::vector<float> data(64);
    Eigen::Map<row_major, Eigen::Unaligned, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>> every_other(
        data.data(), 4, 4, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(16, 2));
    try {
        (void)octet::to_view(every_other);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const octet::error& e) {
        EXPECT_NE(std::string(e.what()).find("2 elements apart"), std::string::npos) << e.what();
    }
    row_major empty(0, 3);
    EXPECT_THROW((void)octet::to_view(empty), octet::error);
}

/// Runs `tasks` tasks and checks that each ran once, with workers in range and none on two tasks at once.
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
    ASSERT_EQ(faults, 0);
    for (int i = 0; i < tasks; ++i) ASSERT_EQ(runs[static_cast<std::size_t>(i)], 1) << i << " of " << tasks;
}

TEST(eigen_threads, runs_every_index_once) {
    for (const int workers : {1, 2, 3, 8}) {
        eigen_threads threads{workers};
        EXPECT_EQ(threads.hook().workers, workers);
        for (int round = 0; round < 200; ++round)
            for (const int tasks : {0, 1, 2, 3, 7, 50}) check(threads.hook(), tasks);
    }
}

/// Helpers that leave at once, so that each run races with one going away.
TEST(eigen_threads, runs_every_index_once_while_helpers_leave) {
    eigen_threads threads{3, std::chrono::microseconds(0)};
    for (int round = 0; round < 2000; ++round) check(threads.hook(), 1 + round % 9);
    eigen_threads brief{3, std::chrono::microseconds(30)};
    for (int round = 0; round < 300; ++round) {
        check(brief.hook(), 5);
        std::this_thread::sleep_for(std::chrono::microseconds(round % 60));
    }
}

TEST(eigen_threads, lets_helpers_take_part) {
    eigen_threads threads{2};
    std::atomic<bool> met{false};
    octet::parallel_for(threads.hook(), 2, [&](int, int worker) {
        // Worker 0 stays until the other has come, or for ten seconds.
        if (worker != 0) met = true;
        for (int i = 0; i < 10000 && !met; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    EXPECT_TRUE(met);
}

TEST(eigen_threads, borrows_the_threads_of_a_pool) {
    Eigen::ThreadPool pool(2);
    {
        eigen_threads threads{pool};
        EXPECT_EQ(threads.workers(), 3);
        for (int round = 0; round < 200; ++round) check(threads.hook(), round % 10);
    }
    eigen_threads again{pool};
    check(again.hook(), 10);
}

/// A pool whose only thread is taken: the caller does all the work and waits for nobody.
TEST(eigen_threads, does_not_wait_for_a_busy_pool) {
    std::atomic<bool> release{false}, taken{false};
    Eigen::ThreadPool pool(1);
    pool.Schedule([&] {
        taken = true;
        while (!release) std::this_thread::yield();
    });
    while (!taken) std::this_thread::yield();
    eigen_threads threads{pool};
    for (int round = 0; round < 50; ++round) check(threads.hook(), 10);
    release = true;
}

TEST(eigen_threads, may_be_called_from_a_thread_of_its_pool) {
    std::atomic<bool> done{false};
    std::atomic<int> helped{0};
    Eigen::ThreadPool pool(2);  // one of its threads is free
    eigen_threads threads{pool};
    pool.Schedule([&] {
        for (int round = 0; round < 50; ++round) check(threads.hook(), 10);
        octet::parallel_for(threads.hook(), 10, [&](int, int worker) { helped += worker; });
        done = true;
    });
    while (!done) std::this_thread::yield();
    EXPECT_EQ(helped, 0) << "its caller does it alone";
}

TEST(eigen_threads, runs_may_nest_and_meet) {
    eigen_threads threads{3};
    std::atomic<int> inner{0};
    octet::parallel_for(threads.hook(), 20,
                        [&](int, int) { octet::parallel_for(threads.hook(), 10, [&](int, int) { ++inner; }); });
    EXPECT_EQ(inner, 200);
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i)
        callers.emplace_back([&] {
            for (int round = 0; round < 500; ++round) check(threads.hook(), 10);
        });
    for (std::thread& caller : callers) caller.join();
}

TEST(eigen_threads, allocates_nothing_when_it_runs) {
    eigen_threads threads{3, std::chrono::microseconds(20)};
    std::atomic<int> sum{0};
    const auto body = [&](int index, int) { sum += index; };
    octet::parallel_for(threads.hook(), 10, body);
    const int before = allocations;
    for (int round = 0; round < 300; ++round) {
        octet::parallel_for(threads.hook(), 10, body);
        if (round % 10 == 0)
            std::this_thread::sleep_for(std::chrono::microseconds(200));  // helpers leave and are called
    }
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(sum, 301 * 45);
}

TEST(eigen_threads, refuses_a_senseless_number) {
    for (const int workers : {0, -3, 100000}) {
        try {
            const eigen_threads threads{workers};
            ADD_FAILURE() << workers << " was accepted";
        } catch (const octet::error& e) {
            EXPECT_NE(std::string(e.what()).find(std::to_string(workers)), std::string::npos) << e.what();
        }
    }
}

}  // namespace
