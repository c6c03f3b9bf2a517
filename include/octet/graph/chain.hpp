// Chains: steps that every worker takes its own rows through, one after the other, without waiting for the rest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "octet/core/parallel.hpp"
#include "octet/graph/program.hpp"
#include "octet/nn/layer.hpp"

namespace octet::inline OCTET_ABI {

/// The chains of a program for `workers` workers: as many steps in a row as have outputs of one number of rows, and of
/// which all but the first need no row of another worker. Too few rows are no chain: layers then share out columns, or
/// the first step's cuts leave one worker much more than another. One worker needs none.
inline std::vector<chain> find_chains(const program& p, int workers) {
    static constexpr int grain = 12;  // a multiple of the register rows of most kernels
    std::vector<chain> found;
    if (workers == 1) return found;
    const auto rows_of = [&](const step& s) { return p.slots[static_cast<std::size_t>(s.outputs[0])].dims.rows(); };
    const int count = static_cast<int>(p.steps.size());
    for (int i = 0; i < count; ++i) {
        const step& head = p.steps[static_cast<std::size_t>(i)];
        const std::int64_t rows = rows_of(head), cuts = rows / head.grain;
        const bool uneven = head.split == row_split::outputs && cuts % workers != 0 && cuts < 8 * workers;
        if (head.split == row_split::none || uneven || rows < std::int64_t{workers} * shared_rows) continue;
        int end = i + 1;
        for (; end < count; ++end) {
            const step& next = p.steps[static_cast<std::size_t>(end)];
            if (next.split != row_split::rows || rows_of(next) != rows) break;
        }
        if (end - i > 1) found.push_back({i, end, rows, head.split == row_split::rows ? grain : head.grain});
        i = end - 1;
    }
    return found;
}

/// Runs the steps of a chain. Scratch is that of all workers, of which each has an equal part.
inline void run_chain(const chain& c, const program& p, const memory& all) noexcept {
    const std::size_t own_scratch = p.plan.scratch_bytes / static_cast<std::size_t>(all.threads.workers);
    const int tile = std::max(128 / c.grain, 2) * c.grain;
    for_row_blocks(all.threads, c.rows, tile, c.grain, [&](std::int64_t first, int rows, int worker) noexcept {
        memory own = all;
        own.scratch += own_scratch * static_cast<std::size_t>(worker);
        own.threads = {};
        own.first_row = first, own.rows = rows;
        for (int i = c.first; i < c.end; ++i) p.steps[static_cast<std::size_t>(i)].run(own);
    });
}

}  // namespace octet::inline OCTET_ABI
