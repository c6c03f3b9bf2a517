// The depthwise kernel on AVX512-VNNI: four taps in each 32-bit lane of vpdpbusd, 64 channels of an output row, 32 of
// two, or 16 in a register. kernel/depthwise_plan.hpp tells how taps come side by side.
//
// A 3x3 window costs 64 outputs 12 dot products, 4 conversions, 4 products and 4 conversions back, 9 instructions that
// pack, clamp and store, and (two output rows share them) 2 exclusive ors and 4 unpacks: 37.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/depthwise_call.hpp"
#include "octet/kernel/epilogue_avx512.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

/// A panel of 64 channels, of 32 in two streams, or of up to 16.
template <int Width>
struct depthwise_panel_avx512 {
    static constexpr int streams = Width == 32 ? 2 : 1;
    static constexpr int places = 4 * streams;
    static constexpr int vectors = Width == 16 ? 1 : 4;

    std::uint64_t mask;  ///< of the channels; read where Width is 16

    /// Four lanes side by side, their bytes + 128. at[stream][lane], of which `Used` lanes are read; weights of the
    /// others are 0.
    template <int Used>
    OCTET_INLINE void interleave(const std::int8_t* const* at, __m512i (&v)[vectors]) const noexcept {
        const __m512i shift = _mm512_set1_epi8(-128);
        if constexpr (Width == 16) {
            const __m512i rows =
                _mm512_xor_si512(mask == 0xffff ? quarters<Used, true>(at) : quarters<Used, false>(at), shift);
            // 4 channels of each row to one 16-byte lane, then the 4 rows of each channel side by side.
            const __m128i turned = _mm_set_epi32(0x0f0b0703, 0x0e0a0602, 0x0d090501, 0x0c080400);
            v[0] = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(transposed(), rows), _mm512_broadcast_i32x4(turned));
        } else {
            const __m512i a = _mm512_xor_si512(row(at), shift), b = _mm512_xor_si512(row(at + 1), shift);
            const __m512i c = _mm512_xor_si512(row(at + 2), shift);
            const __m512i d = Used == 4 ? _mm512_xor_si512(row(at + 3), shift) : c;
            const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
            const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
            v[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
            v[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
            v[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
            v[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
        }
    }
    /// The bytes of `Rows` output rows to out[row][stream].
    template <int Rows>
    OCTET_INLINE void store(const bytes_avx512& bytes, const __m512i (&sums)[Rows][vectors],
                            std::int8_t* const* out) const noexcept {
        if constexpr (Width == 16) {
            const __m512i lanes = bytes.lanes(sums[0][0], sums[Rows - 1][0], sums[0][0], sums[Rows - 1][0]);
            const __m512i rows = _mm512_permutexvar_epi32(transposed(), lanes);
            const auto some = static_cast<__mmask16>(mask);
            _mm_mask_storeu_epi8(out[0], some, _mm512_castsi512_si128(rows));
            if constexpr (Rows == 2) _mm_mask_storeu_epi8(out[1], some, _mm512_extracti32x4_epi32(rows, 1));
        } else {
#pragma GCC unroll 2
            for (int r = 0; r < Rows; ++r) {
                const __m512i row = bytes.lanes(sums[r][0], sums[r][1], sums[r][2], sums[r][3]);
                if constexpr (Width == 64) {
                    _mm512_storeu_si512(out[r], row);
                } else {
                    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[2 * r]), _mm512_castsi512_si256(row));
                    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[2 * r + 1]), _mm512_extracti64x4_epi64(row, 1));
                }
            }
        }
    }

  private:
    static OCTET_INLINE __m512i row(const std::int8_t* const* at) noexcept {
        if constexpr (Width == 64) return _mm512_loadu_si512(at[0]);
        return _mm512_inserti64x4(_mm512_castsi256_si512(half(at[0])), half(at[4 % places]), 1);
    }
    static OCTET_INLINE __m256i half(const std::int8_t* p) noexcept {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    /// Up to 16 channels of one lane. Whole: 16, which need no masks.
    template <bool Whole>
    OCTET_INLINE __m128i quarter(const std::int8_t* p) const noexcept {
        if constexpr (Whole) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), p);
    }
    /// Of four lanes side by side, the last of which is anything where 3 are used.
    template <int Used, bool Whole>
    OCTET_INLINE __m512i quarters(const std::int8_t* const* at) const noexcept {
        const __m256i a = _mm256_castsi128_si256(quarter<Whole>(at[0]));
        const __m256i c = _mm256_castsi128_si256(quarter<Whole>(at[2]));
        const __m256i ab = _mm256_inserti128_si256(a, quarter<Whole>(at[1]), 1);
        const __m256i cd = Used == 4 ? _mm256_inserti128_si256(c, quarter<Whole>(at[3]), 1) : c;
        return _mm512_inserti64x4(_mm512_castsi256_si512(ab), cd, 1);
    }
    /// The order that makes the dwords i of the four 16-byte lanes lane i.
    static OCTET_INLINE __m512i transposed() noexcept {
        return _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    }
};

template <class Rounding>
struct depthwise_kernel<isa::avx512_vnni, Rounding> {
    static constexpr const char* name = "depthwise 2x64 vpdpbusd";
    static constexpr depthwise_layout layout{
        .panel = 64, .narrow = 16, .slots = 16, .vectors = 4, .lanes = 4, .lhs_shift = 128};

    static std::size_t scratch_bytes(const packed_depthwise<Rounding>& w) noexcept {
        return static_cast<std::size_t>(w.line_bytes()) +
               static_cast<std::size_t>(w.plan.groups) * 2 * layout.lanes * sizeof(depthwise_source);
    }

    /// Panels outside, bands of output rows inside: weights stay near.
    static void run(const depthwise_call<Rounding>& call) noexcept {
        const int channels = call.weights->channels;
        for (int first = 0, panel = 0, width = 0; first < channels; first += width, ++panel) {
            width = layout.width(channels - first);
            const auto bands = width == 64 ? choose<64>(call) : width == 32 ? choose<32>(call) : choose<16>(call);
            bands(call, first, panel);
        }
    }

  private:
    using function = void (*)(const depthwise_call<Rounding>&, int first, int panel) noexcept;

    /// A 3x3 window stays in registers; for others lines are written. Where the number of terms is known when this is
    /// compiled, packing has proved that no product reaches 2^31.
    template <int Width>
    static function choose(const depthwise_call<Rounding>& call) noexcept {
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        const auto is = [&](extent kernel, int rows, int advance) {
            return w.fits_int32 && plan.taps.kernel == kernel && plan.step == 1 && plan.rows == rows &&
                   plan.advance == advance;
        };
        if (is({3, 3}, 2, 1)) return &small_window<Width, 2, 1>;
        if (is({3, 3}, 1, 2)) return &small_window<Width, 1, 2>;
        if (is({5, 5}, 2, 1)) return &lines<Width, 8, 5, 2>;
        return plan.rows == 2 ? &lines<Width, 0, 0, 2> : &lines<Width, 0, 0, 1>;
    }

    /// Where the output rows of a band go; rows beyond the last go nowhere.
    template <int Width, int Rows>
    struct targets {
        static constexpr int streams = depthwise_panel_avx512<Width>::streams;
        std::int8_t* out[Rows * streams];  ///< [row][stream]
        std::ptrdiff_t step[Rows * streams];

        OCTET_INLINE targets(const depthwise_call<Rounding>& call, int first, int row, std::int8_t* nowhere) noexcept {
#pragma GCC unroll 4
            for (int i = 0; i < Rows * streams; ++i) {
                const int y = row + i % streams * Rows + i / streams;
                const bool inside = y < call.first_row + call.rows;
                out[i] = inside ? call.out + std::ptrdiff_t{y} * call.out_width * call.out_stride + first : nowhere;
                step[i] = inside ? call.out_stride : 0;
            }
        }
        OCTET_INLINE void next() noexcept {
#pragma GCC unroll 4
            for (int i = 0; i < Rows * streams; ++i) out[i] += step[i];
        }
    };

    /// 3x3: three columns of a band, of which `Advance` are new for each output. Nothing is written but the result.
    template <int Width, int Rows, int Advance>
    static void small_window(const depthwise_call<Rounding>& call, int first, int panel) noexcept {
        using shape = depthwise_panel_avx512<Width>;
        constexpr int streams = shape::streams, places = shape::places, vectors = shape::vectors;
        constexpr int lanes = Rows == 2 ? 4 : 3;  // rows of the input that a stream reads
        const packed_depthwise<Rounding>& w = *call.weights;
        const shape of = panel_shape<Width>(call, first);
        const scale_avx512<Rounding> scale(call.out_zero, call.limits);
        const bytes_avx512 bytes(call.out_zero, call.limits);
        const std::byte* const weights = w.panel_weights(panel);
        const std::int32_t* const bias = w.bias.data() + 64 * panel;
        const typename Rounding::multiplier* const multipliers = w.multipliers.data() + 64 * panel;
        const __m512i outside = _mm512_set1_epi8(static_cast<char>(*call.padding ^ -128));
        const int start = -w.plan.taps.pad.left, width = call.in_size.width, out_width = call.out_width;
        const std::ptrdiff_t in_stride = call.in_stride, row_bytes = width * in_stride;
        std::int8_t nowhere[64];
        for (int row = call.first_row, end = row + call.rows; row < end; row += streams * Rows) {
            const std::int8_t* at[places];
            std::ptrdiff_t step[places];
            bool whole = true;  // then all step alike, by one register: GCC would spill a step for each of three rows
#pragma GCC unroll 8
            for (int i = 0; i < places; ++i) {
                const int y = (row + i / 4 * Rows) * w.plan.taps.stride.height - w.plan.taps.pad.top +
                              i % 4 * w.plan.taps.dilation.height;
                const bool inside = y >= 0 && y < call.in_size.height;
                at[i] = (inside ? call.in + y * row_bytes : call.padding) + first;
                step[i] = inside ? in_stride : 0;
                whole = whole && (inside || i % 4 >= lanes);
            }
            int col = start;
            const auto next = [&](__m512i(&v)[vectors]) {
                if (col >= 0 && col < width) {
                    of.template interleave<lanes>(at, v);
#pragma GCC unroll 8
                    for (int i = 0; i < places; ++i)
                        if (i % 4 < lanes) at[i] += Advance == 2 && whole ? in_stride : step[i];
                } else {
#pragma GCC unroll 4
                    for (int i = 0; i < vectors; ++i) v[i] = outside;
                }
                ++col;
            };
            targets<Width, Rows> to(call, first, row, nowhere);
            __m512i in[3][vectors];
#pragma GCC unroll 2
            for (int k = 0; k < 3 - Advance; ++k) next(in[k]);
            for (int x = 0; x < out_width; ++x) {
#pragma GCC unroll 2
                for (int k = 3 - Advance; k < 3; ++k) next(in[k]);
                const std::byte* near = weights;
                const std::int32_t* near_bias = bias;
                const typename Rounding::multiplier* near_multipliers = multipliers;
                // Or compilers keep each address beyond these in a register, and spill those.
                asm("" : "+r"(near), "+r"(near_bias), "+r"(near_multipliers));
                __m512i sums[Rows][vectors];
#pragma GCC unroll 4
                for (int v = 0; v < vectors; ++v) {
                    const auto m = scale.load(near_multipliers + 16 * v);
#pragma GCC unroll 2
                    for (int r = 0; r < Rows; ++r) {
                        __m512i acc = _mm512_loadu_si512(near_bias + 16 * v);
#pragma GCC unroll 3
                        for (int k = 0; k < 3; ++k) dot(acc, in[k][v], near + ((3 * v + k) * Rows + r) * 64);
                        sums[r][v] = scaled<true>(scale, acc, m);
                    }
                }
                of.store(bytes, sums, to.out);
                to.next();
#pragma GCC unroll 2
                for (int k = 0; k < 3 - Advance; ++k)
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; ++v) in[k][v] = in[k + Advance][v];
            }
        }
    }

    /// Any window: a run of entries is written to a line, then the outputs that it serves are summed, two columns at a
    /// time, which share the loads of weights. Terms: their number where it is known when this is compiled, or 0. Of
    /// the first `Shared` terms, term t of the second column is term t + 1 of the first.
    template <int Width, int Terms, int Shared, int Rows>
    static void lines(const depthwise_call<Rounding>& call, int first, int panel) noexcept {
        using shape = depthwise_panel_avx512<Width>;
        constexpr int streams = shape::streams, vectors = shape::vectors;
        const packed_depthwise<Rounding>& w = *call.weights;
        const depthwise_plan& plan = w.plan;
        const shape of = panel_shape<Width>(call, first);
        const scale_avx512<Rounding> scale(call.out_zero, call.limits);
        const bytes_avx512 bytes(call.out_zero, call.limits);
        const std::byte* const weights = w.panel_weights(panel);
        const std::int32_t* const bias = w.bias.data() + 64 * panel;
        const typename Rounding::multiplier* const multipliers = w.multipliers.data() + 64 * panel;
        auto* const sources = reinterpret_cast<depthwise_source*>(call.scratch + w.line_bytes());
        const int terms = Terms != 0 ? Terms : static_cast<int>(plan.terms.size());
        const std::ptrdiff_t entry = 64 * vectors * std::ptrdiff_t{plan.groups}, advance = plan.advance * entry;
        const std::ptrdiff_t* const offsets = w.offsets.data();
        std::int8_t nowhere[64];
        for (int row = call.first_row, end = row + call.rows; row < end; row += streams * Rows) {
            fill_sources(call, row, streams, sources);
            targets<Width, Rows> to(call, first, row, nowhere);
            for (int x = 0, count = 0; x < call.out_width; x += count) {
                count = call.out_width - x < w.outputs_a_line ? call.out_width - x : w.outputs_a_line;
                write(of, call, sources, first, x * plan.taps.stride.width - plan.taps.pad.left,
                      (count - 1) * plan.advance + plan.reach);
                const std::byte* line = call.scratch;
                for (int i = 0; i < count; i += 2, line += 2 * advance) {
                    const std::byte* const second = i + 1 < count ? line + advance : line;
                    const std::byte* near = weights;
                    __m512i sums[2][Rows][vectors];
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; ++v) {
                        __m512i acc[2][Rows];
#pragma GCC unroll 2
                        for (int r = 0; r < Rows; ++r) acc[0][r] = acc[1][r] = _mm512_loadu_si512(bias + 16 * v);
                        __m512i b = load(line + 64 * v);
#pragma GCC unroll 8
                        for (int t = 0; t < terms; ++t, near += 64 * Rows) {
                            const std::ptrdiff_t offset = offsets[t] * vectors + 64 * v;
                            const __m512i a = t < Shared ? b : load(line + offset);
                            b = t < Shared ? load(line + (t + 1) * entry + 64 * v) : load(second + offset);
#pragma GCC unroll 2
                            for (int r = 0; r < Rows; ++r) {
                                const __m512i both = load(near + 64 * r);
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
                    of.store(bytes, sums[0], to.out);
                    to.next();
                    if (i + 1 == count) break;
                    of.store(bytes, sums[1], to.out);
                    to.next();
                }
            }
        }
    }

    /// `count` entries of a line from the one of input column `col` on.
    template <int Width>
    static void write(const depthwise_panel_avx512<Width>& of, const depthwise_call<Rounding>& call,
                      const depthwise_source* sources, int first, int col, int count) noexcept {
        constexpr int places = depthwise_panel_avx512<Width>::places, vectors = depthwise_panel_avx512<Width>::vectors;
        const depthwise_plan& plan = call.weights->plan;
        const int step = plan.step, last = call.in_size.width - plan.width;  // up to it entries are inside
        const std::ptrdiff_t entry = 64 * vectors * std::ptrdiff_t{plan.groups};
        const __m512i outside = _mm512_set1_epi8(static_cast<char>(*call.padding ^ -128));
        std::byte* line = call.scratch;
        while (count > 0) {
            if (col + plan.width <= 0 || col >= call.in_size.width) {  // padding alone
                for (std::byte* const end = line + entry; line != end; line += 64) _mm512_store_si512(line, outside);
                --count, col += step;
                continue;
            }
            const int inside = col < 0 || col > last ? 1 : (last - col) / step + 1,
                      run = count < inside ? count : inside;
            for (int g = 0; g < plan.groups; ++g) {
                const depthwise_source* const from = sources + g * places;
                const depthwise_plan::place* const place = plan.places.data() + 4 * g;
                const std::int8_t* at[places];
                std::ptrdiff_t steps[places];
#pragma GCC unroll 8
                for (int i = 0; i < places; ++i) {
                    const int x = col + place[i % 4].col;
                    at[i] = x < 0 || x >= call.in_size.width
                                ? call.padding + first
                                : from[i].at + (col * call.in_stride & from[i].step) + first;
                    steps[i] = step * call.in_stride & from[i].step;
                }
                std::byte* to = line + 64 * vectors * g;
                for (int e = 0; e < run; ++e, to += entry) {
                    __m512i v[vectors];
                    of.template interleave<4>(at, v);
#pragma GCC unroll 4
                    for (int i = 0; i < vectors; ++i) _mm512_store_si512(to + 64 * i, v[i]);
#pragma GCC unroll 8
                    for (int i = 0; i < places; ++i) at[i] += steps[i];
                }
            }
            count -= run, col += run * step, line += run * entry;
        }
    }

    template <int Width>
    static OCTET_INLINE depthwise_panel_avx512<Width> panel_shape(const depthwise_call<Rounding>& call,
                                                                  int first) noexcept {
        const int left = call.weights->channels - first;
        return {~std::uint64_t{0} >> (64 - (left < Width ? left : Width))};
    }
    /// Bounded: packing found fits_int32, and the clamp of bytes is all that is needed.
    template <bool Bounded, class Multipliers>
    static OCTET_INLINE __m512i scaled(const scale_avx512<Rounding>& scale, __m512i acc,
                                       const Multipliers& m) noexcept {
        return Bounded ? scale.unheld(acc, m) : scale(acc, m);
    }
    /// Loaded once: compilers take a load for free and repeat it.
    static OCTET_INLINE __m512i load(const std::byte* p) noexcept {
        __m512i v = _mm512_load_si512(p);
        asm("" : "+v"(v));
        return v;
    }
    /// acc += four products of u's unsigned bytes with w's signed ones, in every 32-bit lane. Not the intrinsic: GCC 12
    /// copies the accumulators that it is fed.
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, __m512i w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "v"(w));
    }
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, const std::byte* w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "m"(*reinterpret_cast<const __m512i*>(w)));
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
