// Chains: steps that every worker takes its own rows through, one after the other, without waiting for the rest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/core/algorithm.hpp"
#include "octet/core/parallel.hpp"
#include "octet/graph/program.hpp"
#include "octet/nn/layer.hpp"

namespace octet::inline OCTET_ABI {

/// Marks the chains of a program for `workers` workers: as many steps in a row as have outputs of one number of rows,
/// and of which all but the first need no row of another worker. Too few rows are no chain: layers then share out
/// columns, or the first step's cuts leave one worker much more than another (less than 8 cuts for each, unevenly). One
/// worker needs none.
/// (A template, as run_chain is, so that only units that make sessions compile it.)
template <class Program>
void find_chains(Program& p, int workers) noexcept {
    const auto rows_of = [&](const step& s) { return p.slots[static_cast<std::size_t>(s.outputs[0])].dims.rows(); };
    // A reshape of what steps write below one another has other rows than they, if as many: its stride tells.
    const auto sees_same_rows = [&](std::size_t first, std::size_t reader) {
        for (const int index : p.steps[reader].inputs)
            for (std::size_t i = first; i < reader; ++i) {
                const slot& from = p.slots[static_cast<std::size_t>(index)];
                const slot& to = p.slots[static_cast<std::size_t>(p.steps[i].outputs[0])];
                if (from.block >= 0 && from.block == to.block && from.stride != to.stride) return false;
            }
        return true;
    };
    for (std::size_t i = 0, end = 0; workers > 1 && i < p.steps.size(); i = end) {
        step& head = p.steps[i];
        end = i + 1;
        const std::int64_t rows = rows_of(head), cuts = rows / head.grain;
        const bool uneven = head.split == row_split::outputs && cuts % workers != 0 && cuts < 8 * workers;
        if (head.split == row_split::none || uneven || rows < std::int64_t{workers} * shared_rows) continue;
        while (end < p.steps.size() && p.steps[end].split == row_split::rows && rows_of(p.steps[end]) == rows &&
               sees_same_rows(i, end))
            ++end;
        head.chained = static_cast<int>(end - i);
    }
}

/// Runs the chain that begins at step `first`. Scratch is that of all workers, of which each has an equal part.
template <class Program>
void run_chain(const Program& p, std::size_t first, const memory& all) noexcept {
    const step& head = p.steps[first];
    const std::int64_t rows = p.slots[static_cast<std::size_t>(head.outputs[0])].dims.rows();
    const std::size_t own_scratch = p.plan.scratch_bytes / static_cast<std::size_t>(all.threads.workers);
    for_row_blocks(all.threads, rows, head.block, head.grain, [&](std::int64_t row, int count, int worker) noexcept {
        memory own = all;
        own.scratch += own_scratch * static_cast<std::size_t>(worker);
        own.threads = {};
        own.first_row = row, own.rows = count;
        for (int i = 0; i < head.chained; ++i) p.steps[first + static_cast<std::size_t>(i)].run(own);
    });
}

}  // namespace octet::inline OCTET_ABI
