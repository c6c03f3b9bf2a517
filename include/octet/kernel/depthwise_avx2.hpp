// The depthwise kernel on AVX2: 16 channels of two output rows at a time, two taps in each 32-bit lane of vpmaddwd.
// Exact: both factors are 8-bit values in int16, so that a sum of two products is at most 2^15 and fits int32.
// kernel/depthwise_plan.hpp tells how taps come side by side.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/partial_avx2.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

template <class Rounding>
struct depthwise_kernel<isa::avx2, Rounding> {
    static constexpr const char* name = "depthwise 2x16 vpmaddwd";
    static constexpr depthwise_layout layout{
        .panel = 16, .narrow = 16, .slots = 8, .vectors = 2, .lanes = 2, .element_bytes = 2};

    static std::size_t scratch_bytes(const packed_depthwise<Rounding>& w) noexcept {
        return static_cast<std::size_t>(w.line_bytes()) +
               static_cast<std::size_t>(w.plan.groups) * layout.lanes * sizeof(depthwise_source);
    }

    /// Panels outside, bands of output rows inside: weights stay near.
    static void run(const depthwise_call<Rounding>& call) noexcept {
        for (int first = 0, panel = 0; first < call.weights->channels; first += 16, ++panel) bands(call, first, panel);
    }

  private:
    /// What a run of output columns needs.
    struct job {
        const packed_depthwise<Rounding>* weights;
        const std::byte* panel;
        const std::int32_t* bias;
        const typename Rounding::multiplier* multipliers;
        zero_point out_zero;
        clamp limits;
        const std::byte* line;
        int columns;  ///< channels of this panel
        int count;
        std::int8_t* out;
        std::ptrdiff_t out_stride;
        std::ptrdiff_t second;  ///< from the first output row to the second
    };

    static void bands(const depthwise_call<Rounding>& call, int first, int panel) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        const int columns = w.channels - first < 16 ? w.channels - first : 16;
        auto* const sources = reinterpret_cast<depthwise_source*>(call.scratch + w.line_bytes());
        const std::ptrdiff_t row_bytes = call.out_width * call.out_stride;
        job j{&w,
              w.panel_weights(panel),
              w.bias.data() + 16 * panel,
              w.multipliers.data() + 16 * panel,
              call.out_zero,
              call.limits,
              call.scratch,
              columns,
              0,
              nullptr,
              call.out_stride,
              0};
        for (int row = call.first_row, end = row + call.rows; row < end; row += plan.rows) {
            const int rows = end - row < plan.rows ? end - row : plan.rows;
            fill_sources(call, row, 1, sources);
            for (int x = 0; x < call.out_width; x += j.count) {
                j.count = call.out_width - x < w.outputs_a_line ? call.out_width - x : w.outputs_a_line;
                write(call, sources, first, columns, x * plan.taps.stride.width - plan.taps.pad.left,
                      (j.count - 1) * plan.advance + plan.reach);
                j.out = call.out + row * row_bytes + x * call.out_stride + first;
                j.second = rows == 2 ? row_bytes : 0;
                choose(w, rows)(j);
            }
        }
    }
    static auto choose(const packed_depthwise<Rounding>& w, int rows) noexcept -> void (*)(const job&) noexcept {
        if (w.plan.rows == 1) return &outputs<1, 1>;
        return rows == 2 ? &outputs<2, 2> : &outputs<2, 1>;
    }

    /// `count` entries of a line from the one of input column `col` on, 64 bytes a group.
    static void write(const depthwise_call<Rounding>& call, const depthwise_source* sources, int first, int columns,
                      int col, int count) noexcept {
        const depthwise_plan& plan = call.weights->plan;
        std::byte* line = call.scratch;
        for (; count > 0; --count, col += plan.step) {
            const depthwise_source* from = sources;
            const depthwise_plan::place* place = plan.places.data();
            for (int g = 0; g < plan.groups; ++g, from += 2, place += 2, line += 64) {
                __m256i row[2];
#pragma GCC unroll 2
                for (int l = 0; l < 2; ++l) {
                    const int x = col + place[l].col;
                    const bool inside = x >= 0 && x < call.in_size.width;
                    row[l] =
                        wide(inside ? from[l].at + (col * call.in_stride & from[l].step) + first : call.padding + first,
                             columns);
                }
                store(line, _mm256_unpacklo_epi16(row[0], row[1]));
                store(line + 32, _mm256_unpackhi_epi16(row[0], row[1]));
            }
        }
    }

    /// Packed: the output rows of which weights stand beside each other; Rows: those that are computed.
    template <int Packed, int Rows>
    static void outputs(const job& j) noexcept {
        const packed_depthwise<Rounding>& w = *j.weights;
        const scale_avx2<Rounding> scale(j.out_zero, j.limits);
        const bytes_avx2 bytes(j.out_zero, j.limits);
        const std::ptrdiff_t advance = w.plan.advance * w.entry_bytes();
        const auto terms = static_cast<std::ptrdiff_t>(w.plan.terms.size());
        const std::ptrdiff_t* const offsets = w.offsets.data();
        const std::byte* line = j.line;
        std::int8_t* out = j.out;
        for (int x = 0; x < j.count; ++x, line += advance, out += j.out_stride) {
            const std::byte* weights = j.panel;
            __m256i sums[Rows][2];
#pragma GCC unroll 2
            for (int v = 0; v < 2; ++v) {
                __m256i acc[Rows];
#pragma GCC unroll 2
                for (int r = 0; r < Rows; ++r) acc[r] = load(j.bias + 8 * v);
                for (std::ptrdiff_t t = 0; t < terms; ++t, weights += 32 * Packed) {
                    const __m256i a = load(line + offsets[t] + 32 * v);
#pragma GCC unroll 2
                    for (int r = 0; r < Rows; ++r)
                        acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(a, load(weights + 32 * r)));
                }
                const auto m = scale.load(j.multipliers + 8 * v);
#pragma GCC unroll 2
                for (int r = 0; r < Rows; ++r) sums[r][v] = scale(acc[r], m);
            }
            const __m256i lanes = bytes.lanes(sums[0][0], sums[0][1], sums[Rows - 1][0], sums[Rows - 1][1]);
            // 16-byte lane i holds channels 8i to 8i + 7 of the first row, then of the second
            const __m256i rows = _mm256_permute4x64_epi64(lanes, 0xd8);
            put(out, _mm256_castsi256_si128(rows), j.columns);
            if constexpr (Rows == 2) put(out + j.second, _mm256_extracti128_si256(rows, 1), j.columns);
        }
    }

    static OCTET_INLINE __m256i load(const void* p) noexcept {
        return _mm256_loadu_si256(static_cast<const __m256i*>(p));
    }
    static OCTET_INLINE void store(std::byte* p, __m256i v) noexcept {
        _mm256_store_si256(reinterpret_cast<__m256i*>(p), v);
    }
    static OCTET_INLINE __m256i wide(const std::int8_t* p, int columns) noexcept {
        return _mm256_cvtepi8_epi16(columns == 16 ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))
                                                  : load_partial(p, columns));
    }
    static OCTET_INLINE void put(std::int8_t* out, __m128i row, int columns) noexcept {
        if (columns == 16)
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out), row);
        else
            store_partial(out, row, columns);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
