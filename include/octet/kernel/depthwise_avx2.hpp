// The depthwise kernel on AVX2: 8 channels of two output rows at a time, two taps in each 32-bit lane of vpmaddwd.
// Exact: both factors are 8-bit values in int16, so that a sum of two products is at most 2^15 and fits int32.
// kernel/depthwise_plan.hpp tells how taps come side by side.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/partial_sse41.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

template <class Rounding>
struct depthwise_kernel<isa::avx2, Rounding> {
    static constexpr const char* name = "depthwise 2x8 vpmaddwd";
    static constexpr depthwise_layout layout{.panel = 8, .narrow = 8, .slots = 8, .lanes = 2, .element_bytes = 2};

    static std::size_t scratch_bytes(const packed_depthwise<Rounding>& w) noexcept {
        return static_cast<std::size_t>(w.line_bytes()) +
               static_cast<std::size_t>(w.plan.groups) * layout.lanes * sizeof(depthwise_source);
    }

    /// Bands of output rows outside, panels inside: the rows that a band reads stay in the first-level cache.
    static void run(const depthwise_call<Rounding>& call) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        auto* const sources = reinterpret_cast<depthwise_source*>(call.scratch + w.line_bytes());
        const bool small = plan.taps.kernel == extent{3, 3} && plan.step == 1;
        const std::ptrdiff_t row_bytes = call.out_width * call.out_stride;
        for (int row = call.first_row, end = row + call.rows; row < end; row += plan.rows) {
            fill_sources(call, row, 1, sources);
            band b{&call, sources, call.out + row * row_bytes, end - row == 1 ? 0 : row_bytes, 0, 8, 0};
            for (; b.first < w.channels; b.first += 8, b.out += 8, ++b.panel) {
                b.columns = w.channels - b.first < 8 ? w.channels - b.first : 8;
                const bool whole = b.columns == 8;
                if (small && plan.rows == 2 && plan.advance == 1)
                    whole ? two_rows<true>(b) : two_rows<false>(b);
                else if (small && plan.rows == 1 && plan.advance == 2)
                    whole ? every_second<true>(b) : every_second<false>(b);
                else
                    lines(b);
            }
        }
    }

  private:
    /// One panel of a band of output rows. second: bytes from the first row to the second, 0 where there is none.
    struct band {
        const depthwise_call<Rounding>* call;
        const depthwise_source* sources;
        std::int8_t* out;
        std::ptrdiff_t second;
        int first;    ///< channel
        int columns;  ///< channels
        int panel;
    };

    /// What becomes of accumulators of 8 channels.
    struct epilogue {
        scale_avx2<Rounding> scale;
        bytes_avx2 bytes;
        typename scale_avx2<Rounding>::multipliers m;

        explicit OCTET_INLINE epilogue(const band& b) noexcept
            : scale(b.call->out_zero, b.call->limits),
              bytes(b.call->out_zero, b.call->limits),
              m(scale.load(b.call->weights->multipliers.data() + 8 * b.panel)) {}

        /// The bytes of two rows.
        OCTET_INLINE __m128i operator()(__m256i front, __m256i back) const noexcept {
            const __m256i f = scale(front, m), s = scale(back, m), lanes = bytes.lanes(f, s, f, s);
            // 16-byte lane i begins with channels 4i to 4i + 3 of the first row, then of the second
            return _mm_unpacklo_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
        }
    };

    /// The columns of some rows of the input, from the first one that an output reads on; Whole: 8 channels of them.
    template <int Rows, bool Whole>
    struct reader {
        const std::int8_t* at[Rows];
        std::ptrdiff_t step[Rows];
        int col, width, columns;
        __m128i outside;

        OCTET_INLINE reader(const band& b, const int (&places)[Rows]) noexcept
            : col(-b.call->weights->plan.taps.pad.left),
              width(b.call->in_size.width),
              columns(b.columns),
              outside(_mm_set1_epi8(*b.call->padding)) {
#pragma GCC unroll 4
            for (int i = 0; i < Rows; ++i) {
                const depthwise_source& from = b.sources[places[i]];
                at[i] = from.at + b.first;
                step[i] = b.call->in_stride & from.step;
            }
        }
        OCTET_INLINE void next(__m128i (&v)[Rows]) noexcept {
            if (static_cast<unsigned>(col++) < static_cast<unsigned>(width)) {
#pragma GCC unroll 4
                for (int i = 0; i < Rows; ++i, at[i - 1] += step[i - 1]) v[i] = bytes(at[i], Whole ? 8 : columns);
            } else {
#pragma GCC unroll 4
                for (int i = 0; i < Rows; ++i) v[i] = outside;
            }
        }
    };

    /// 3x3, stride 1: rows 0 and 1 and rows 2 and 3 of three columns in registers serve two output rows.
    template <bool Whole>
    static void two_rows(const band& b) noexcept {
        const packed_depthwise<Rounding>& w = *b.call->weights;
        const epilogue finish(b);
        reader<4, Whole> rows(b, {0, 1, 2, 3});
        const __m256i bias = load(w.bias.data() + 8 * b.panel);
        const std::byte* const weights = w.panel_weights(b.panel);  // [rows 0 and 1, rows 2 and 3][column][output row]
        __m256i in[3][2];
        const auto next = [&](__m256i(&to)[2]) {
            __m128i v[4];
            rows.next(v);
            to[0] = pairs(v[0], v[1]);
            to[1] = pairs(v[2], v[3]);
        };
        next(in[0]);
        next(in[1]);
        std::int8_t* out = b.out;
        const std::ptrdiff_t out_stride = b.call->out_stride, second = b.second;  // stores might change `b`
        for (int x = b.call->out_width; x > 0; --x, out += out_stride) {
            next(in[2]);
            const std::byte* near = weights;
            asm("" : "+r"(near));  // or compilers keep every weight on the stack
            __m256i acc[2] = {bias, bias};
#pragma GCC unroll 6
            for (int t = 0; t < 6; ++t)
#pragma GCC unroll 2
                for (int r = 0; r < 2; ++r) acc[r] = add(acc[r], in[t % 3][t / 3], near + (2 * t + r) * 32);
            put(out, second, finish(acc[0], acc[1]), Whole ? 8 : b.columns);
#pragma GCC unroll 2
            for (int g = 0; g < 2; ++g) in[0][g] = in[1][g], in[1][g] = in[2][g];
        }
    }

    /// 3x3, stride 2: rows 0 and 1 of three columns; row 2 of the first two, and of the third.
    template <bool Whole>
    static void every_second(const band& b) noexcept {
        const packed_depthwise<Rounding>& w = *b.call->weights;
        const epilogue finish(b);
        reader<3, Whole> rows(b, {0, 1, 2});
        const __m256i bias = load(w.bias.data() + 8 * b.panel);
        const std::byte* const weights = w.panel_weights(b.panel);
        __m128i v[3][3];
        rows.next(v[2]);
        __m256i last = pairs(v[2][0], v[2][1]);
        std::int8_t* out = b.out;
        const std::ptrdiff_t out_stride = b.call->out_stride;
        for (int x = b.call->out_width; x > 0; --x, out += out_stride) {
            const std::byte* near = weights;
            asm("" : "+r"(near));
            __m256i acc = add(bias, last, near);
            const __m128i corner = v[2][2];
            rows.next(v[1]);
            rows.next(v[2]);
            last = pairs(v[2][0], v[2][1]);
            acc = add(acc, pairs(v[1][0], v[1][1]), near + 32);
            const __m256i other = add(_mm256_setzero_si256(), pairs(corner, v[1][2]), near + 96);
            acc = add(acc, last, near + 64);
            acc = _mm256_add_epi32(acc, add(other, pairs(v[2][2], v[2][2]), near + 128));
            put(out, 0, finish(acc, acc), Whole ? 8 : b.columns);
        }
    }

    /// Any window: a run of entries, then the outputs that they serve.
    static void lines(const band& b) noexcept {
        const depthwise_call<Rounding>& call = *b.call;
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        const epilogue finish(b);
        const __m256i bias = load(w.bias.data() + 8 * b.panel);
        const std::byte* const weights = w.panel_weights(b.panel);
        const std::ptrdiff_t advance = plan.advance * w.entry_bytes();
        std::int8_t* out = b.out;
        for (int x = 0, count = 0; x < call.out_width; x += count) {
            count = call.out_width - x < w.outputs_a_line ? call.out_width - x : w.outputs_a_line;
            write(b, x * plan.taps.stride.width - plan.taps.pad.left, (count - 1) * plan.advance + plan.reach);
            const std::byte* line = call.scratch;
            for (int i = 0; i < count; ++i, line += advance, out += call.out_stride) {
                __m256i acc[2] = {bias, bias};
                const std::byte* near = weights;
                if (plan.rows == 2) {
                    for (const std::ptrdiff_t offset : w.offsets) {
                        const __m256i a = load(line + offset);
                        acc[0] = add(acc[0], a, near), acc[1] = add(acc[1], a, near + 32);
                        near += 64;
                    }
                } else {
                    for (const std::ptrdiff_t offset : w.offsets)
                        acc[0] = add(acc[0], load(line + offset), near), near += 32;
                }
                put(out, plan.rows == 2 ? b.second : 0, finish(acc[0], acc[1]), b.columns);
            }
        }
    }
    /// `count` entries of a line from the one of input column `col` on, 32 bytes a group.
    static void write(const band& b, int col, int count) noexcept {
        const depthwise_call<Rounding>& call = *b.call;
        const depthwise_plan& plan = call.weights->plan;
        const std::ptrdiff_t entry = call.weights->entry_bytes(), stride = plan.step * call.in_stride;
        for (int g = 0; g < plan.groups; ++g) {
            const depthwise_source* const from = b.sources + 2 * g;
            const depthwise_plan::place* const place = plan.places.data() + 2 * g;
            const std::int8_t *p = from[0].at + (col * call.in_stride & from[0].step) + b.first,
                              *q = from[1].at + (col * call.in_stride & from[1].step) + b.first;
            const std::int8_t* const outside = call.padding + b.first;
            const std::ptrdiff_t p_step = stride & from[0].step, q_step = stride & from[1].step;
            std::byte* to = call.scratch + 32 * g;
            int i = col + place[0].col, j = col + place[1].col;
            for (int e = 0; e < count; ++e, i += plan.step, j += plan.step, p += p_step, q += q_step, to += entry) {
                const __m128i a = bytes(i >= 0 && i < call.in_size.width ? p : outside, b.columns);
                const __m128i c = bytes(j >= 0 && j < call.in_size.width ? q : outside, b.columns);
                _mm256_store_si256(reinterpret_cast<__m256i*>(to), pairs(a, c));
            }
        }
    }

    static OCTET_INLINE __m256i load(const void* p) noexcept {
        return _mm256_loadu_si256(static_cast<const __m256i*>(p));
    }
    static OCTET_INLINE __m128i bytes(const std::int8_t* p, int columns) noexcept {
        return columns == 8 ? _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)) : load_partial(p, columns);
    }
    /// The bytes of two taps side by side, in int16.
    static OCTET_INLINE __m256i pairs(__m128i a, __m128i b) noexcept {
        return _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b));
    }
    static OCTET_INLINE __m256i add(__m256i acc, __m256i taps, const std::byte* weights) noexcept {
        acc = _mm256_add_epi32(acc, _mm256_madd_epi16(taps, load(weights)));
        asm("" : "+x"(acc));  // or compilers add products to each other first, and have no registers for them
        return acc;
    }
    /// The second row first: where there is none, the first one takes its place.
    static OCTET_INLINE void put(std::int8_t* out, std::ptrdiff_t second, __m128i rows, int columns) noexcept {
        if (columns == 8) {
            _mm_storeh_pi(reinterpret_cast<__m64*>(out + second), _mm_castsi128_ps(rows));
            _mm_storel_epi64(reinterpret_cast<__m128i*>(out), rows);
        } else {
            store_partial(out + second, _mm_unpackhi_epi64(rows, rows), columns);
            store_partial(out, rows, columns);
        }
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
