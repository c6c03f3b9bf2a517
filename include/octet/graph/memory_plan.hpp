// The memory plan of a session: which bytes of one arena hold which value, found before anything is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "octet/core/algorithm.hpp"
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
    std::size_t arena_bytes = 0;  ///< what the blocks take together
    /// Working memory of the largest step, for all workers: an equal part for each, a multiple of 64 bytes.
    std::size_t scratch_bytes = 0;
    std::size_t total_bytes() const noexcept { return arena_bytes + scratch_bytes; }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

inline std::size_t place_bytes(const allocation& block) noexcept { return (block.size + 63) / 64 * 64; }
inline bool live_together(const allocation& a, const allocation& b) noexcept {
    return a.last >= b.first && a.first <= b.last;
}

/// What no plan can do without: the largest sum of the blocks in use at one step.
inline std::size_t least_arena(const std::vector<allocation>& blocks) {
    std::size_t most = 0;
    for (const allocation& at : blocks) {  // a largest sum stands at the first step of one of them
        std::size_t sum = 0;
        for (const allocation& other : blocks)
            sum += other.first <= at.first && at.first <= other.last ? place_bytes(other) : 0;
        most = std::max(most, sum);
    }
    return most;
}

/// Places a block among `placed`, which stand by ascending offset: at the lowest free offset, or so that it ends at the
/// highest free one below `top`. Returns false where it does not fit below `top`.
template <class Blocks>
bool place(Blocks& blocks, std::vector<std::size_t>& placed, std::size_t index, bool low, std::size_t top) {
    allocation& block = blocks[index];
    const std::size_t bytes = place_bytes(block);
    std::size_t begin = 0, end = top;
    if (low)
        for (const std::size_t other : placed) {
            const allocation& there = blocks[other];
            if (!live_together(there, block)) continue;
            if (begin + bytes <= there.offset) break;
            begin = std::max(begin, there.offset + place_bytes(there));
        }
    else
        for (std::size_t i = placed.size(); i-- > 0;) {
            const allocation& there = blocks[placed[i]];
            if (live_together(there, block) && there.offset + place_bytes(there) + bytes > end)
                end = std::min(end, there.offset);
        }
    if (low ? begin + bytes > top : end < bytes) return false;
    block.offset = low ? begin : end - bytes;
    placed.push_back(index);
    detail::sort_stably(placed, [&](std::size_t a, std::size_t b) { return blocks[a].offset < blocks[b].offset; });
    return true;
}

/// Places blocks in lanes, those of a lane one about the other with their middles at one place, and returns what they
/// take: the sum of the largest of each lane. `order` is by descending size.
template <class Blocks>
std::size_t place_in_lanes(Blocks& blocks, const std::vector<std::size_t>& order) {
    std::vector<std::vector<std::size_t>> lanes;
    for (const std::size_t index : order) {
        const auto is_free = [&](const std::vector<std::size_t>& lane) {
            for (const std::size_t other : lane)
                if (live_together(blocks[other], blocks[index])) return false;
            return true;
        };
        std::size_t l = 0;
        while (l < lanes.size() && !is_free(lanes[l])) ++l;
        if (l == lanes.size()) lanes.emplace_back();
        lanes[l].push_back(index);
    }
    std::size_t begin = 0;
    for (const std::vector<std::size_t>& lane : lanes) {
        const std::size_t bytes = place_bytes(blocks[lane.front()]);
        for (const std::size_t index : lane)
            blocks[index].offset = begin + (bytes - place_bytes(blocks[index])) / 128 * 64;
        begin += bytes;
    }
    return begin;
}

}  // namespace detail

/// Chooses the offsets. For one worker: largest block first, each at the lowest place that is free for as long as it
/// lives (greedy by size; Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). Where
/// that takes more than the largest sum of blocks in use at once, blocks by first use, in turn at the lower and the
/// upper end of that sum: no chain of layers needs more, and it stands where it fits. For more workers: blocks that
/// share a place have their middles there. A worker has about the same share of the rows of every tensor, so that its
/// part of one stands where it had its part of another; elsewhere it would write to lines that another worker's cache
/// holds, and wait for each. That takes more bytes (MobileNetV2 at 224 x 224: 2.5 for 1.7 million). O(blocks^2).
///
/// (A template, so that only units that make sessions compile it.)
template <class Blocks = std::vector<allocation>>
memory_plan plan_memory(Blocks blocks, std::size_t scratch_bytes, int workers = 1) {
    memory_plan plan{std::move(blocks), 0, scratch_bytes};
    std::vector<std::size_t> order(plan.blocks.size()), placed;
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::vector<std::size_t> by_use = order;
    detail::sort_stably(order, [&](std::size_t a, std::size_t b) { return plan.blocks[a].size > plan.blocks[b].size; });
    if (workers > 1) {
        plan.arena_bytes = detail::place_in_lanes(plan.blocks, order);
        return plan;
    }
    for (const std::size_t index : order) {
        detail::place(plan.blocks, placed, index, true, ~std::size_t{0});
        plan.arena_bytes =
            std::max(plan.arena_bytes, plan.blocks[index].offset + detail::place_bytes(plan.blocks[index]));
    }
    const std::size_t least = detail::least_arena(plan.blocks);
    if (plan.arena_bytes == least) return plan;

    detail::sort_stably(by_use,
                        [&](std::size_t a, std::size_t b) { return plan.blocks[a].first < plan.blocks[b].first; });
    auto two_ends = plan.blocks;
    placed.clear();
    bool fits = true, low = true;
    for (const std::size_t index : by_use) {
        fits = fits && detail::place(two_ends, placed, index, low, least);
        low = !low;
    }
    if (fits) plan.blocks = std::move(two_ends), plan.arena_bytes = least;
    return plan;
}

}  // namespace octet::inline OCTET_ABI
