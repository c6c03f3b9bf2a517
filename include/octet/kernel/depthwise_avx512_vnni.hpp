// The depthwise kernel on AVX512-VNNI: 64 channels of an output row, 32 of two, or 16 of four in one register; four
// taps in each 32-bit lane of vpdpbusd. kernel/depthwise_plan.hpp tells how taps come side by side.
//
// A 3x3 window costs 64 outputs 12 dot products, 4 conversions, 4 products and 4 conversions back, 9 instructions that
// pack and clamp, and (two output rows share them) 2 exclusive ors and 4 unpacks: 37.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/epilogue_avx512.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

/// Four lanes of a panel side by side: pixels of 64 channels, or of 32 in 2 streams, or of up to 16 in 4.
template <int Streams>
struct depthwise_lanes_avx512 {
    std::uint64_t mask;  ///< of the channels of a stream: all, but for 4 streams

    /// at[stream][lane], of which `Used` lanes are read; the others repeat the last. v: the bytes + 128.
    template <int Used>
    OCTET_INLINE void interleave(const std::int8_t* const* at, __m512i (&v)[4]) const noexcept {
        const __m512i a = row(at), b = row(at + 1), c = row(at + 2), d = Used == 3 ? c : row(at + 3);
        const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
        const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
        v[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
        v[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
        v[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
        v[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
    }

  private:
    OCTET_INLINE __m512i row(const std::int8_t* const* at) const noexcept {
        __m512i all;
        if constexpr (Streams == 1) {
            all = _mm512_loadu_si512(at[0]);
        } else if constexpr (Streams == 2) {
            all = _mm512_inserti64x4(_mm512_castsi256_si512(half(at[0])), half(at[4]), 1);
        } else {
            const __m256i front = _mm256_inserti128_si256(_mm256_castsi128_si256(quarter(at[0])), quarter(at[4]), 1);
            const __m256i back = _mm256_inserti128_si256(_mm256_castsi128_si256(quarter(at[8])), quarter(at[12]), 1);
            all = _mm512_inserti64x4(_mm512_castsi256_si512(front), back, 1);
        }
        return _mm512_xor_si512(all, _mm512_set1_epi8(-128));
    }
    static OCTET_INLINE __m256i half(const std::int8_t* p) noexcept {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    OCTET_INLINE __m128i quarter(const std::int8_t* p) const noexcept {
        return _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), p);
    }
};

/// Writes lines: entries of 4 registers a group, the bytes of the input + 128, four taps side by side.
struct depthwise_line_avx512 {
    const depthwise_plan* plan;
    const depthwise_source* sources;  ///< [group][stream][lane]
    const std::int8_t* padding;       ///< of the panel's first channel
    std::ptrdiff_t first;             ///< the panel's first channel
    std::ptrdiff_t in_stride;
    int in_width;
    std::uint64_t mask;  ///< of the channels of a stream

    /// `count` entries from the one of input column `col` on.
    template <int Streams>
    OCTET_INLINE void write(int col, int count, std::byte* line) const noexcept {
        const std::ptrdiff_t entry = 256 * std::ptrdiff_t{plan->groups};
        const int step = plan->step, last = in_width - plan->width;  // entries from column 0 to `last` are inside
        for (; count > 0 && col < 0; --count, col += step, line += entry) edge<Streams>(col, line);
        const int whole = col > last ? 0 : std::min(count, (last - col) / step + 1);
        for (int g = 0; g < plan->groups; ++g) inner<Streams>(g, col, whole, line + 256 * g, entry);
        count -= whole, col += whole * step, line += whole * entry;
        for (; count > 0; --count, col += step, line += entry) edge<Streams>(col, line);
    }

  private:
    template <int Streams>
    OCTET_INLINE void inner(int group, int col, int count, std::byte* to, std::ptrdiff_t entry) const noexcept {
        constexpr int places = 4 * Streams;
        const depthwise_source* from = sources + group * places;
        const std::int8_t* at[places];
        std::ptrdiff_t step[places];
#pragma GCC unroll 16
        for (int i = 0; i < places; ++i) {
            at[i] = from[i].at + (col * in_stride & from[i].step) + first;
            step[i] = plan->step * in_stride & from[i].step;
        }
        for (; count > 0; --count, to += entry) {
            interleave<Streams>(at, to);
#pragma GCC unroll 16
            for (int i = 0; i < places; ++i) at[i] += step[i];
        }
    }
    /// An entry of which some columns lie outside the image.
    template <int Streams>
    void edge(int col, std::byte* to) const noexcept {
        constexpr int places = 4 * Streams;
        const depthwise_source* from = sources;
        const depthwise_plan::place* place = plan->places.data();
        for (int g = 0; g < plan->groups; ++g, from += places, place += 4, to += 256) {
            const std::int8_t* at[places];
            for (int i = 0; i < places; ++i) {
                const int x = col + place[i % 4].col;
                at[i] = x < 0 || x >= in_width ? padding : from[i].at + (col * in_stride & from[i].step) + first;
            }
            interleave<Streams>(at, to);
        }
    }
    template <int Streams>
    OCTET_INLINE void interleave(const std::int8_t* const* at, std::byte* to) const noexcept {
        __m512i v[4];
        depthwise_lanes_avx512<Streams>{mask}.template interleave<4>(at, v);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) _mm512_store_si512(to + 64 * i, v[i]);
    }
};

template <class Rounding>
struct depthwise_kernel<isa::avx512_vnni, Rounding> {
    static constexpr const char* name = "depthwise 2x64 vpdpbusd";
    static constexpr depthwise_layout layout{
        .panel = 64, .narrow = 16, .slots = 16, .vectors = 4, .lanes = 4, .lhs_shift = 128};

    static std::size_t scratch_bytes(const packed_depthwise<Rounding>& w) noexcept {
        return static_cast<std::size_t>(w.line_bytes()) +
               static_cast<std::size_t>(w.plan.groups) * max_streams * 4 * sizeof(depthwise_source);
    }

    /// Panels outside, bands of output rows inside: weights stay near.
    static void run(const depthwise_call<Rounding>& call) noexcept {
        const int channels = call.weights->channels;
        for (int first = 0, panel = 0, width = 0; first < channels; first += width, ++panel) {
            width = layout.width(channels - first);
            if (width == 64)
                bands<1>(call, first, panel);
            else if (width == 32)
                bands<2>(call, first, panel);
            else
                bands<4>(call, first, panel);
        }
    }

  private:
    static constexpr int max_streams = 4;

    /// What a run of output columns needs.
    struct job {
        const packed_depthwise<Rounding>* weights;
        const std::byte* panel;
        const std::int32_t* bias;
        const typename Rounding::multiplier* multipliers;
        zero_point out_zero;
        clamp limits;
        const std::byte* line;
        int count;
        std::ptrdiff_t out_stride;
        int streams;
        std::uint64_t mask;
        std::int8_t* out[2 * max_streams];     ///< [output row][stream]
        std::ptrdiff_t step[2 * max_streams];  ///< all ones, or 0 where the row is none of the image's
    };

    template <int Streams>
    static void bands(const depthwise_call<Rounding>& call, int first, int panel) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        if (w.bounded && plan.taps.kernel == extent{3, 3} && plan.step == 1 && plan.reach == 3) {
            if (plan.rows == 2 && plan.advance == 1) return small_window<Streams, 2, 1>(call, first, panel);
            if (plan.rows == 1 && plan.advance == 2) return small_window<Streams, 1, 2>(call, first, panel);
        }
        const int columns = w.channels - first < 64 / Streams ? w.channels - first : 64 / Streams;
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - columns);
        std::byte* const line = call.scratch;
        auto* sources = reinterpret_cast<depthwise_source*>(line + w.line_bytes());
        const depthwise_line_avx512 lines{
            &plan, sources, call.padding + first, first, call.in_stride, call.in_size.width, mask};
        std::int8_t nowhere[64];
        job j{&w,
              w.panel_weights(panel),
              w.bias.data() + 64 * panel,
              w.multipliers.data() + 64 * panel,
              call.out_zero,
              call.limits,
              line,
              0,
              call.out_stride,
              Streams,
              mask,
              {},
              {}};
        void (*const outputs)(const job&) noexcept = choose(w);
        for (int row = call.first_row, end = row + call.rows; row < end; row += Streams * plan.rows) {
            fill_sources(call, row, Streams, sources);
            for (int x = 0; x < call.out_width; x += j.count) {
                j.count = call.out_width - x < w.outputs_a_line ? call.out_width - x : w.outputs_a_line;
                lines.template write<Streams>(x * plan.taps.stride.width - plan.taps.pad.left,
                                              (j.count - 1) * plan.advance + plan.reach, line);
                for (int r = 0; r < plan.rows; ++r)
                    for (int s = 0; s < Streams; ++s) {
                        const int y = row + s * plan.rows + r;
                        j.out[r * Streams + s] =
                            y < end ? call.out + (std::ptrdiff_t{y} * call.out_width + x) * call.out_stride + first
                                    : nowhere;
                        j.step[r * Streams + s] = y < end ? -1 : 0;
                    }
                outputs(j);
            }
        }
    }
    /// A 3x3 window in registers: three columns of the band, of which `Advance` are new for each output. Nothing is
    /// written but the result.
    template <int Streams, int Rows, int Advance>
    static void small_window(const depthwise_call<Rounding>& call, int first, int panel) noexcept {
        constexpr int places = 4 * Streams;
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        const int left = w.channels - first, columns = left < 64 / Streams ? left : 64 / Streams;
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - columns);
        const depthwise_lanes_avx512<Streams> lanes{mask};
        const scale_avx512<Rounding> scale(call.out_zero, call.limits);
        const bytes_avx512 bytes(call.out_zero, call.limits);
        const std::byte* const weights = w.panel_weights(panel);
        const std::int32_t* const bias = w.bias.data() + 64 * panel;
        const typename Rounding::multiplier* const multipliers = w.multipliers.data() + 64 * panel;
        const __m512i outside = _mm512_set1_epi8(static_cast<char>(*call.padding ^ -128));
        const int start = -plan.taps.pad.left, width = call.in_size.width, out_width = call.out_width;
        const std::ptrdiff_t out_stride = call.out_stride;
        std::int8_t nowhere[64];
        depthwise_source sources[places];
        for (int row = call.first_row, end = row + call.rows; row < end; row += Streams * Rows) {
            fill_sources(call, row, Streams, sources);
            const std::int8_t* at[places];
            std::ptrdiff_t step[places];
#pragma GCC unroll 16
            for (int i = 0; i < places; ++i) {
                step[i] = call.in_stride & sources[i].step;
                at[i] = sources[i].at + first + (start > 0 ? start * step[i] : 0);
            }
            std::int8_t* out[Rows * Streams];
            std::ptrdiff_t out_step[Rows * Streams];
#pragma GCC unroll 8
            for (int i = 0; i < Rows * Streams; ++i) {
                const int y = row + i % Streams * Rows + i / Streams;
                out[i] = y < end ? call.out + std::ptrdiff_t{y} * out_width * out_stride + first : nowhere;
                out_step[i] = y < end ? out_stride : 0;
            }
            int col = start;
            const auto next = [&](__m512i(&v)[4]) {
                if (col >= 0 && col < width) {
                    lanes.template interleave<Rows == 2 ? 4 : 3>(at, v);
#pragma GCC unroll 16
                    for (int i = 0; i < places; ++i) at[i] += step[i];
                } else {
                    v[0] = v[1] = v[2] = v[3] = outside;
                }
                ++col;
            };
            __m512i in[3][4];
#pragma GCC unroll 2
            for (int k = 0; k < 3 - Advance; ++k) next(in[k]);
            for (int x = 0; x < out_width; ++x) {
#pragma GCC unroll 2
                for (int k = 3 - Advance; k < 3; ++k) next(in[k]);
                const std::byte* near = weights;
                const std::int32_t* near_bias = bias;
                asm("" : "+r"(near), "+r"(near_bias));  // or compilers keep each address beyond them in a register
                __m512i sums[Rows][4];
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) {
                    const auto m = scale.load(multipliers + 16 * v);
#pragma GCC unroll 2
                    for (int r = 0; r < Rows; ++r) {
                        __m512i acc = _mm512_loadu_si512(near_bias + 16 * v);
#pragma GCC unroll 3
                        for (int k = 0; k < 3; ++k) dot(acc, in[k][v], near + ((3 * v + k) * Rows + r) * 64);
                        sums[r][v] = scaled<true>(scale, acc, m);
                    }
                }
#pragma GCC unroll 2
                for (int r = 0; r < Rows; ++r) {
                    put<Streams>(out + r * Streams, mask, bytes.lanes(sums[r][0], sums[r][1], sums[r][2], sums[r][3]));
#pragma GCC unroll 4
                    for (int s = 0; s < Streams; ++s) out[r * Streams + s] += out_step[r * Streams + s];
                }
#pragma GCC unroll 2
                for (int k = 0; k < 3 - Advance; ++k)
#pragma GCC unroll 4
                    for (int v = 0; v < 4; ++v) in[k][v] = in[k + Advance][v];
            }
        }
    }
    template <int Streams>
    static OCTET_INLINE void put(std::int8_t* const* out, std::uint64_t mask, __m512i row) noexcept {
        if constexpr (Streams == 1) {
            _mm512_storeu_si512(out[0], row);
        } else if constexpr (Streams == 2) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[0]), _mm512_castsi512_si256(row));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[1]), _mm512_extracti64x4_epi64(row, 1));
        } else {
            const auto some = static_cast<__mmask16>(mask);
            _mm_mask_storeu_epi8(out[0], some, _mm512_castsi512_si128(row));
            _mm_mask_storeu_epi8(out[1], some, _mm512_extracti32x4_epi32(row, 1));
            _mm_mask_storeu_epi8(out[2], some, _mm512_extracti32x4_epi32(row, 2));
            _mm_mask_storeu_epi8(out[3], some, _mm512_extracti32x4_epi32(row, 3));
        }
    }
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, const std::byte* w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "m"(*reinterpret_cast<const __m512i*>(w)));
    }
    static auto choose(const packed_depthwise<Rounding>& w) noexcept -> void (*)(const job&) noexcept {
        const extent kernel = w.plan.taps.kernel, whole{3, 3}, large{5, 5};
        if (w.plan.rows == 2) {
            if (w.bounded && kernel == whole && w.plan.advance == 1) return &outputs<3, 2, true>;
            if (w.bounded && kernel == large) return &outputs<8, 2, false>;
            return &outputs<0, 2, false>;
        }
        if (w.bounded && w.plan.terms.size() == 3) return &outputs<3, 1, false>;
        return &outputs<0, 1, false>;
    }

    /// Terms: their number where it is known when this is compiled, or 0. Two columns at a time share the loads of
    /// weights; where Shared, term t of the second one is term t + 1 of the first.
    template <int Terms, int Rows, bool Shared>
    static void outputs(const job& j) noexcept {
        const scale_avx512<Rounding> scale(j.out_zero, j.limits);
        const bytes_avx512 bytes(j.out_zero, j.limits);
        const packed_depthwise<Rounding>& w = *j.weights;
        const int terms = Terms != 0 ? Terms : static_cast<int>(w.plan.terms.size());
        const std::ptrdiff_t entry = w.entry_bytes(), advance = w.plan.advance * entry, out_stride = j.out_stride;
        const std::ptrdiff_t* const offsets = w.offsets.data();
        const std::int32_t* const bias = j.bias;
        const typename Rounding::multiplier* const multipliers = j.multipliers;
        const std::byte* line = j.line;
        std::ptrdiff_t at = 0;
        for (int x = 0; x < j.count; x += 2, line += 2 * advance, at += 2 * out_stride) {
            const std::byte* const next = x + 1 < j.count ? line + advance : line;
            const std::byte* weights = j.panel;
            __m512i sums[2][Rows][4];
#pragma GCC unroll 4
            for (int v = 0; v < 4; ++v) {
                __m512i acc[2][Rows];
#pragma GCC unroll 2
                for (int r = 0; r < Rows; ++r) acc[0][r] = acc[1][r] = _mm512_loadu_si512(bias + 16 * v);
                __m512i b = load(line + 64 * v);
#pragma GCC unroll 8
                for (int t = 0; t < terms; ++t, weights += 64 * Rows) {
                    const __m512i a = Shared ? b : load(line + offsets[t] + 64 * v);
                    b = load(Shared ? line + (t + 1) * entry + 64 * v : next + offsets[t] + 64 * v);
#pragma GCC unroll 2
                    for (int r = 0; r < Rows; ++r) {
                        const __m512i both = load(weights + 64 * r);
                        dot(acc[0][r], a, both);
                        dot(acc[1][r], b, both);
                    }
                }
                const auto m = scale.load(multipliers + 16 * v);
#pragma GCC unroll 2
                for (int r = 0; r < Rows; ++r) {
                    sums[0][r][v] = scaled<Terms != 0>(scale, acc[0][r], m);
                    sums[1][r][v] = scaled<Terms != 0>(scale, acc[1][r], m);
                }
            }
#pragma GCC unroll 2
            for (int r = 0; r < Rows; ++r) {
                store(j, r, at, bytes.lanes(sums[0][r][0], sums[0][r][1], sums[0][r][2], sums[0][r][3]));
                if (x + 1 < j.count)
                    store(j, r, at + out_stride,
                          bytes.lanes(sums[1][r][0], sums[1][r][1], sums[1][r][2], sums[1][r][3]));
            }
        }
    }
    /// Loaded once: compilers take a load for free and repeat it.
    static OCTET_INLINE __m512i load(const std::byte* p) noexcept {
        __m512i v = _mm512_load_si512(p);
        asm("" : "+v"(v));
        return v;
    }

    /// Bounded: no product reaches 2^31, and saturating packs are all the clamp that nearest_even needs.
    template <bool Bounded, class Multipliers>
    static OCTET_INLINE __m512i scaled(const scale_avx512<Rounding>& scale, __m512i acc,
                                       const Multipliers& m) noexcept {
        if constexpr (Bounded && Rounding::policy == rounding_policy::nearest_even)
            return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), m));
        else
            return scale(acc, m);
    }
    static OCTET_INLINE void store(const job& j, int r, std::ptrdiff_t at, __m512i row) noexcept {
        const auto to = [&](int s) { return j.out[r * j.streams + s] + (at & j.step[r * j.streams + s]); };
        if (j.streams == 1) {
            _mm512_storeu_si512(to(0), row);
        } else if (j.streams == 2) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to(0)), _mm512_castsi512_si256(row));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to(1)), _mm512_extracti64x4_epi64(row, 1));
        } else {
            const auto mask = static_cast<__mmask16>(j.mask);
            _mm_mask_storeu_epi8(to(0), mask, _mm512_castsi512_si128(row));
            _mm_mask_storeu_epi8(to(1), mask, _mm512_extracti32x4_epi32(row, 1));
            _mm_mask_storeu_epi8(to(2), mask, _mm512_extracti32x4_epi32(row, 2));
            _mm_mask_storeu_epi8(to(3), mask, _mm512_extracti32x4_epi32(row, 3));
        }
    }
    /// acc += four products of u's unsigned bytes with w's signed ones, in every 32-bit lane. Not the intrinsic: GCC 12
    /// copies the accumulators that it is fed.
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, __m512i w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "v"(w));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
