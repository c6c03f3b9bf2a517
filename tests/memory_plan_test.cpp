// label: law
// The memory plan: what is in use at once never overlaps, offsets are aligned, the same blocks give the same plan, and
// a chain of layers takes no more than its two largest neighbours.
#include "octet/graph/memory_plan.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace {

using octet::allocation;
using octet::memory_plan;
using octet::plan_memory;

std::size_t rounded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

/// The largest sum of blocks in use at one step: no plan takes less.
std::size_t least(const std::vector<allocation>& blocks, int steps) {
    std::size_t most = 0;
    for (int step = 0; step < steps; ++step) {
        std::size_t sum = 0;
        for (const allocation& b : blocks) sum += b.first <= step && step <= b.last ? rounded(b.size) : 0;
        most = std::max(most, sum);
    }
    return most;
}

std::vector<allocation> random_blocks(std::mt19937& random, int steps) {
    std::vector<allocation> blocks(random() % 40);
    for (allocation& b : blocks) {
        b.name = "b" + std::to_string(random() % 1000);
        b.size = random() % 4 == 0 ? random() % 8 * 64 : 1 + random() % 5000;
        b.first = static_cast<int>(random() % static_cast<unsigned>(steps));
        b.last = random() % 5 == 0 ? steps - 1 : std::min(steps - 1, b.first + static_cast<int>(random() % 6));
    }
    return blocks;
}

void expect_sound(const memory_plan& plan) {
    std::size_t end = 0;
    for (const allocation& a : plan.blocks) {
        EXPECT_EQ(a.offset % 64, 0U);
        end = std::max(end, a.offset + rounded(a.size));
        for (const allocation& b : plan.blocks) {
            const bool apart_in_time = &a == &b || a.last < b.first || b.last < a.first;
            const bool apart_in_space = a.offset + a.size <= b.offset || b.offset + b.size <= a.offset;
            EXPECT_TRUE(apart_in_time || apart_in_space)
                << a.name << " at " << a.offset << ", " << b.name << " at " << b.offset;
        }
    }
    EXPECT_EQ(plan.arena_bytes, end);
}

TEST(memory_plan, blocks_in_use_at_once_never_overlap) {
    std::mt19937 random(1);
    double over = 0.0;
    int plans = 0;
    for (int round = 0; round < 400; ++round) {
        const int steps = 1 + static_cast<int>(random() % 30);
        const std::vector<allocation> blocks = random_blocks(random, steps);
        const memory_plan plan = plan_memory(blocks, 192);
        expect_sound(plan);
        ASSERT_EQ(plan.blocks.size(), blocks.size());
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            EXPECT_EQ(plan.blocks[i].name, blocks[i].name);
            EXPECT_EQ(plan.blocks[i].size, blocks[i].size);
            EXPECT_EQ(plan.blocks[i].first, blocks[i].first);
            EXPECT_EQ(plan.blocks[i].last, blocks[i].last);
        }
        EXPECT_EQ(plan.scratch_bytes, 192U);
        EXPECT_EQ(plan.total_bytes(), plan.arena_bytes + 192U);
        const std::size_t bound = least(blocks, steps);
        EXPECT_GE(plan.arena_bytes, bound);
        if (bound != 0) over += static_cast<double>(plan.arena_bytes) / static_cast<double>(bound), ++plans;
    }
    EXPECT_LT(over / plans, 1.10);
}

/// A worker's share of one block stands where it had its share of another: what shares bytes has one middle, to 64.
TEST(memory_plan, with_more_workers_blocks_that_share_a_place_share_their_middle) {
    std::mt19937 random(4);
    int shared = 0;
    for (int round = 0; round < 400; ++round) {
        const memory_plan plan = plan_memory(random_blocks(random, 1 + static_cast<int>(random() % 30)), 192, 2);
        expect_sound(plan);
        EXPECT_EQ(plan.scratch_bytes, 192U);
        for (const allocation& a : plan.blocks)
            for (const allocation& b : plan.blocks) {
                const std::size_t a_end = a.offset + rounded(a.size), b_end = b.offset + rounded(b.size);
                if (a.size == 0 || b.size == 0 || a_end <= b.offset || b_end <= a.offset) continue;
                const std::size_t sums[2] = {a.offset + a_end, b.offset + b_end};  // twice the middles
                EXPECT_LE(std::max(sums[0], sums[1]) - std::min(sums[0], sums[1]), 128U);
                shared += &a != &b ? 1 : 0;
            }
    }
    EXPECT_GT(shared, 1000);
}

TEST(memory_plan, the_same_blocks_give_the_same_plan) {
    std::mt19937 random(2);
    for (int round = 0; round < 50; ++round) {
        const std::vector<allocation> blocks = random_blocks(random, 12);
        std::vector<allocation> moved = blocks;  // offsets that stood there before must not matter
        for (allocation& b : moved) b.offset = 64 * (random() % 100);
        const memory_plan one = plan_memory(blocks, 0), two = plan_memory(moved, 0);
        for (std::size_t i = 0; i < blocks.size(); ++i) EXPECT_EQ(one.blocks[i].offset, two.blocks[i].offset);
        EXPECT_EQ(one.arena_bytes, two.arena_bytes);
    }
}

/// A chain: tensor i is written by step i and read by step i + 1. Its bound is the largest sum of two neighbours.
TEST(memory_plan, chains_take_the_least) {
    const auto chain = [](const std::vector<std::size_t>& sizes) {
        std::vector<allocation> blocks;
        for (std::size_t i = 0; i < sizes.size(); ++i)
            blocks.push_back({"", sizes[i] * 64, static_cast<int>(i), static_cast<int>(i) + 1, 0});
        return blocks;
    };
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::size_t> sizes(1 + random() % 25);
        for (std::size_t& size : sizes) size = 1 + random() % 50;
        std::vector<allocation> blocks = chain(sizes);
        const int steps = static_cast<int>(sizes.size()) + 1;
        memory_plan plan = plan_memory(blocks, 0);
        expect_sound(plan);
        EXPECT_EQ(plan.arena_bytes, least(blocks, steps));
        // As a session has it: the input and the output stay for ever.
        blocks.front().last = blocks.back().last = steps;
        plan = plan_memory(blocks, 0);
        expect_sound(plan);
        EXPECT_EQ(plan.arena_bytes, least(blocks, steps + 1));
    }
    // Greedy by size takes 17: 10 and 9 at the bottom leave no room of 3 below 14.
    EXPECT_EQ(plan_memory(chain({10, 4, 3, 9}), 0).arena_bytes, 14U * 64U);
}

TEST(memory_plan, nothing_takes_nothing) {
    EXPECT_EQ(plan_memory({}, 0).total_bytes(), 0U);
    EXPECT_EQ(plan_memory({}, 5).total_bytes(), 5U);
    EXPECT_EQ(plan_memory({{"one byte", 1, 0, 0, 0}}, 0).arena_bytes, 64U);
}

}  // namespace
