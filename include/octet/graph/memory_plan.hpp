// The memory plan of a session: which bytes of one arena hold which value, found before anything is allocated.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "octet/core/config.hpp"

namespace octet {

/// One block of the arena: `size` bytes at `offset`, in use from step `first` to step `last`, both included.
struct allocation {
    std::string name;
    std::size_t size = 0;
    int first = 0;
    int last = 0;
    std::size_t offset = 0;
};

/// Plain data: blocks that are in use at the same step never overlap; every offset is a multiple of 64.
struct memory_plan {
    std::vector<allocation> blocks;
    std::size_t arena_bytes = 0;    ///< what the blocks take together
    std::size_t scratch_bytes = 0;  ///< working memory of the largest step, for all workers
    std::size_t total_bytes() const noexcept { return arena_bytes + scratch_bytes; }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// Chooses the offsets: largest block first, each at the lowest place that is free for as long as it lives (greedy by
/// size; Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). O(blocks^2).
inline memory_plan plan_memory(std::vector<allocation> blocks, std::size_t scratch_bytes) {
    memory_plan plan{std::move(blocks), 0, scratch_bytes};
    std::vector<std::size_t> order(plan.blocks.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return plan.blocks[a].size > plan.blocks[b].size; });
    std::vector<std::size_t> placed;  // by ascending offset
    for (const std::size_t index : order) {
        allocation& block = plan.blocks[index];
        const std::size_t bytes = (block.size + 63) / 64 * 64;
        std::size_t offset = 0;
        for (const std::size_t other : placed) {
            const allocation& there = plan.blocks[other];
            if (there.last < block.first || there.first > block.last) continue;
            if (offset + bytes <= there.offset) break;
            offset = std::max(offset, there.offset + (there.size + 63) / 64 * 64);
        }
        block.offset = offset;
        plan.arena_bytes = std::max(plan.arena_bytes, offset + bytes);
        const auto at = std::find_if(placed.begin(), placed.end(),
                                     [&](std::size_t other) { return plan.blocks[other].offset > offset; });
        placed.insert(at, index);
    }
    return plan;
}

}  // namespace octet::inline OCTET_ABI
