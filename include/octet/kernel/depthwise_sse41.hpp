// The depthwise kernel on SSE4.1: 8 channels of one or two output rows at a time, two taps in each 32-bit lane of
// pmaddwd. Exact: both factors are 8-bit values in int16, so that a sum of two products is at most 2^15 and fits int32.
// kernel/depthwise_plan.hpp tells how taps come side by side.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/epilogue_sse41.hpp"
#include "octet/kernel/partial_sse41.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("sse4.1")

template <class Rounding>
struct depthwise_kernel<isa::sse41, Rounding> {
    static constexpr const char* name = "depthwise 2x8 pmaddwd";
    static constexpr depthwise_layout layout{
        .panel = 8, .narrow = 8, .slots = 4, .vectors = 2, .lanes = 2, .element_bytes = 2};

    static std::size_t scratch_bytes(const packed_depthwise<Rounding>& w) noexcept {
        return static_cast<std::size_t>(w.line_bytes()) +
               static_cast<std::size_t>(w.plan.groups) * layout.lanes * sizeof(depthwise_source);
    }

    /// Bands of output rows outside, panels inside: the rows that a band reads stay in the first-level cache.
    static void run(const depthwise_call<Rounding>& call) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        auto* const sources = reinterpret_cast<depthwise_source*>(call.scratch + w.line_bytes());
        const std::ptrdiff_t row_bytes = call.out_width * call.out_stride;
        for (int row = call.first_row, end = row + call.rows; row < end; row += w.plan.rows) {
            fill_sources(call, row, 1, sources);
            band b{&call, sources, call.out + row * row_bytes, row_bytes, 0, 0, 0};
            for (; b.first < w.channels; b.first += 8, b.out += 8, ++b.panel) {
                b.columns = w.channels - b.first < 8 ? w.channels - b.first : 8;
                if (w.plan.rows == 2 && end - row > 1)
                    lines<2, 2>(b);
                else if (w.plan.rows == 2)
                    lines<1, 2>(b);
                else
                    lines<1, 1>(b);
            }
        }
    }

  private:
    /// One panel of a band of output rows, which stand `second` bytes apart.
    struct band {
        const depthwise_call<Rounding>* call;
        const depthwise_source* sources;
        std::int8_t* out;
        std::ptrdiff_t second;
        int first;    ///< channel
        int columns;  ///< channels
        int panel;
    };

    /// A run of entries, then the outputs of `Rows` rows that they serve, of the `Packed` rows that have weights.
    template <int Rows, int Packed>
    static void lines(const band& b) noexcept {
        const depthwise_call<Rounding>& call = *b.call;
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        const store_epilogue<isa::sse41, Rounding> epilogue(
            {w.multipliers.data() + 8 * b.panel, call.out_zero, call.limits});
        const std::int32_t* const bias = w.bias.data() + 8 * b.panel;
        const auto* const weights = reinterpret_cast<const __m128i*>(w.panel_weights(b.panel));
        const std::ptrdiff_t advance = plan.advance * w.entry_bytes(), half = std::ssize(plan.terms) * Packed;
        std::int8_t* out = b.out;
        for (int x = 0, count = 0; x < call.out_width; x += count) {
            count = call.out_width - x < w.outputs_a_line ? call.out_width - x : w.outputs_a_line;
            write(b, x * plan.taps.stride.width - plan.taps.pad.left, (count - 1) * plan.advance + plan.reach);
            const std::byte* line = call.scratch;
            for (int i = 0; i < count; ++i, line += advance, out += call.out_stride) {
                __m128i acc[Rows][2];
#pragma GCC unroll 2
                for (int r = 0; r < Rows; ++r) acc[r][0] = load(bias), acc[r][1] = load(bias + 4);
                const __m128i* near = weights;
                for (const std::ptrdiff_t offset : w.offsets) {
                    const __m128i low = load(line + 2 * offset), high = load(line + 2 * offset + 16);
#pragma GCC unroll 2
                    for (int r = 0; r < Rows; ++r) {
                        acc[r][0] = _mm_add_epi32(acc[r][0], _mm_madd_epi16(low, near[r]));
                        acc[r][1] = _mm_add_epi32(acc[r][1], _mm_madd_epi16(high, near[half + r]));
                    }
                    near += Packed;
                }
#pragma GCC unroll 2
                for (int r = 0; r < Rows; ++r) epilogue.store(acc[r], b.columns, out + r * b.second);
            }
        }
    }
    /// `count` entries of a line from the one of input column `col` on, 32 bytes a group.
    static void write(const band& b, int col, int count) noexcept {
        const depthwise_call<Rounding>& call = *b.call;
        const depthwise_plan& plan = call.weights->plan;
        const std::ptrdiff_t entry = call.weights->entry_bytes(), stride = plan.step * call.in_stride;
        const std::int8_t* const outside = call.padding + b.first;
        for (int g = 0; g < plan.groups; ++g) {
            const depthwise_source* const from = b.sources + 2 * g;
            const depthwise_plan::place* const place = plan.places.data() + 2 * g;
            const std::int8_t *p = from[0].at + (col * call.in_stride & from[0].step) + b.first,
                              *q = from[1].at + (col * call.in_stride & from[1].step) + b.first;
            const std::ptrdiff_t p_step = stride & from[0].step, q_step = stride & from[1].step;
            std::byte* to = call.scratch + 32 * g;
            int i = col + place[0].col, j = col + place[1].col;
            for (int e = 0; e < count; ++e, i += plan.step, j += plan.step, p += p_step, q += q_step, to += entry) {
                const __m128i pairs =
                    _mm_unpacklo_epi8(bytes(i >= 0 && i < call.in_size.width ? p : outside, b.columns),
                                      bytes(j >= 0 && j < call.in_size.width ? q : outside, b.columns));
                store(to, _mm_cvtepi8_epi16(pairs));
                store(to + 16, _mm_cvtepi8_epi16(_mm_unpackhi_epi64(pairs, pairs)));
            }
        }
    }

    static OCTET_INLINE __m128i load(const void* p) noexcept { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
    static OCTET_INLINE void store(void* p, __m128i x) noexcept { _mm_store_si128(static_cast<__m128i*>(p), x); }
    static OCTET_INLINE __m128i bytes(const std::int8_t* p, int columns) noexcept {
        return columns == 8 ? _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)) : load_partial(p, columns);
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
