// What the layers with weights share: checks, multipliers, and the split of output rows into tasks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/quant/result.hpp"

namespace octet::inline OCTET_ABI {

/// Throws octet::error unless there are outputs * inner weights, one scale or one for each output, and outputs biases.
inline void check_layer_weights(std::string_view who, std::size_t values, int outputs, std::int64_t inner,
                                std::size_t scales, std::size_t biases) {
    if (outputs < 1 || inner < 1) fail(who, ": weights of ", outputs, " x ", inner, ": both must be at least 1");
    if (inner > INT32_MAX)
        fail(who, ": ", inner, " weights for each output: split the layer, at most ", INT32_MAX, " fit");
    const auto count = static_cast<std::size_t>(outputs);
    if (values != count * static_cast<std::size_t>(inner))
        fail(who, ": ", values, " weights, but ", outputs, " outputs of ", inner, " inputs need ", outputs * inner);
    if (scales != 1 && scales != count)
        fail(who, ": ", scales, " weight scales: give one, or one for each of the ", outputs, " outputs");
    if (biases != count) fail(who, ": ", biases, " biases: give one for each of the ", outputs, " outputs");
}

/// The multiplier of every output channel. (An error names the scales; most channels need no such words.)
template <class Result>
std::vector<typename Result::multiplier> make_multipliers(std::string_view who, scale input,
                                                          std::span<const scale> weights, scale output,
                                                          std::size_t outputs) {
    std::vector<typename Result::multiplier> all(outputs);
    for (std::size_t o = 0; o < outputs; ++o) {
        const scale own = weights[weights.size() == 1 ? 0 : o];
        const double m = double{input.value} * double{own.value} / double{output.value};
        const bool usual = m > 0x1p-120 && m < 0x1p29;
        all[o] = Result::make(input, own, output,
                              usual ? text(who, ", output channel ", o)
                                    : text(who, ", output channel ", o, ", of scales ", input.value, " (input), ",
                                           own.value, " (weights) and ", output.value, " (output)"));
    }
    return all;
}

constexpr std::size_t round_up_64(std::size_t bytes) noexcept { return (bytes + 63) / 64 * 64; }

/// Rows of each worker from which on rows are better shared out than columns.
constexpr int shared_rows = 32;

/// body(first, count, worker) for blocks of at most `tile` rows that together cover [0, rows). One worker takes all in
/// one task. More workers take up to four tasks each, which keeps them level, but one where tasks would be less than a
/// tile: what a call costs once (weights from far memory) should count a tile's rows. Tasks are cut at multiples of
/// `grain` rows, and their blocks are level too: 121 rows by 120 are 66 and 55, not 120 and a row alone.
template <class Body>
void for_row_blocks(const parallel& threads, std::int64_t rows, int tile, int grain, const Body& body) noexcept {
    const std::int64_t grains = (rows + grain - 1) / grain, workers = threads.workers;
    const std::int64_t each = workers == 1 ? 1 : detail::clamped<std::int64_t>(rows / (workers * tile), 1, 4);
    const std::int64_t tasks = std::min(grains, workers * each);
    parallel_for(threads, static_cast<int>(tasks), [&](int task, int worker) noexcept {
        const std::int64_t end = std::min(rows, grains * (task + 1) / tasks * grain);
        std::int64_t first = grains * task / tasks * grain;
        const std::int64_t all = end - first, blocks = std::max<std::int64_t>((all + tile - 1) / tile, 1);
        const std::int64_t level = ((all + blocks - 1) / blocks + grain - 1) / grain * grain;
        const std::int64_t step = std::min<std::int64_t>(level, tile);
        for (; first < end; first += step) body(first, static_cast<int>(std::min(step, end - first)), worker);
    });
}

/// A matrix of any rank seen as a batch of one row of pixels: how a linear layer runs as a 1x1 convolution.
template <class T>
tensor_view<T> as_pixels(tensor_view<T> rows) noexcept {
    return {rows.data, {1, 1, rows.rows(), rows.cols()}, rows.stride};
}

}  // namespace octet::inline OCTET_ABI
