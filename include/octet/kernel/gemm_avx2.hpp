// The GEMM micro-kernel on AVX2: tiles of up to 3 rows x 32 columns, 12 accumulators of 8 columns in registers.
//
// Exact for every int8, -128 included: both factors are widened to int16, and vpmaddwd adds two products in int32. Not
// vpmaddubsw on unsigned times signed bytes: it adds two products in int16, and 255 * 127 * 2 = 64,770 does not fit.
// Nor vpmaddubsw(|a|, sign(w, a)): with vpsignb, vpmaddwd and vpaddd it takes as many instructions. A single row, which
// widened weights would hold up, is split into digits that vpmaddubsw can take.
//
// A pair of depths costs a full tile 12 times vpmaddwd and vpaddd, 3 broadcasts and 1 load of weights; the other three
// vectors of weights are operands in memory. Two turns unrolled, that is 29.5 instructions, where 6 rows x 16 columns
// take 35: a core whose decoder another thread shares runs 4 in a cycle, and 24 of them must multiply and add.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/gemm_gathered.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

template <class Epilogue>
struct gemm_kernel<isa::avx2, Epilogue> : gemm_gathered<gemm_kernel<isa::avx2, Epilogue>> {
    using element = std::int16_t;
    using strip_type = gemm_strip<element, Epilogue>;
    static constexpr const char* name = "gemm 3x32 vpmaddwd";
    static constexpr gemm_layout layout{.panel = 32, .group = 2};
    static constexpr int register_rows = 3;
    static constexpr int tile_rows = 96;

  private:
    friend struct gemm_gathered<gemm_kernel>;

    /// The last elements are those of a whole register, which overlaps the one before.
    static void convert(const std::int8_t* from, int bytes, std::int16_t* to) noexcept {
        if (bytes >= 16) {
            for (int k = 0; k < bytes - 16; k += 16) store(to + k, wide(from + k));
            store(to + bytes - 16, wide(from + bytes - 16));
        } else if (bytes >= 8) {
            widen_8(from, to);
            widen_8(from + bytes - 8, to + bytes - 8);
        } else {
            for (int k = 0; k < bytes; ++k) to[k] = from[k];
        }
    }
    static OCTET_INLINE void widen_8(const std::int8_t* from, std::int16_t* to) noexcept {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_cvtepi8_epi16(bytes));
    }

    /// `blocks` tiles of Rows rows x 8 * Vectors columns, one below the other.
    template <int Rows, int Vectors>
    static void strip(const strip_type& s, int blocks) noexcept {
        const Epilogue epilogue(s.args);
        const std::int16_t* rows = s.rows;
        auto* out = s.out;
        // Each block asks for its share of the next panel, so that memory works all the time: 1x1 layers of 7x7 pixels,
        // whose weights come from DRAM, take 10 % less. Behind the last panel that is of no use, and does no harm.
        std::intptr_t next = address_of(s.packed) + 64 * s.groups;
        const std::ptrdiff_t step = (64 * Rows + s.rows_of_call - 1) / s.rows_of_call;
        for (; blocks > 0; --blocks, rows += Rows * s.row_stride, next += step * s.groups) {
            __m256i acc[Rows][Vectors];
            multiply(rows, s, next, step, acc);
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m, out += s.out_stride) epilogue.store(acc[m], s.columns, out);
        }
    }

    /// acc = bias + the product of Rows rows with the panel.
    template <int Rows, int Vectors>
    static OCTET_INLINE void multiply(const std::int16_t* rows, const strip_type& s, std::intptr_t next,
                                      std::ptrdiff_t step, __m256i (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) acc[m][v] = load(s.bias + 8 * v);
        }
        const std::int16_t* lhs[Rows];
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) lhs[m] = rows + m * s.row_stride;
        const std::int16_t* weights = s.weights;
#pragma GCC unroll 2
        for (std::ptrdiff_t k = 0; k < 2 * s.groups; k += 2, weights += 64, next += step) {
            prefetch(next);
            const __m256i first = load(weights);
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m) {
                const __m256i x = pair(lhs[m] + k);
                acc[m][0] = _mm256_add_epi32(acc[m][0], _mm256_madd_epi16(x, first));
#pragma GCC unroll 4
                for (int v = 1; v < Vectors; ++v)
                    acc[m][v] = _mm256_add_epi32(acc[m][v], multiply_add(x, weights + 16 * v));
            }
        }
    }

    // A single row. To widen its weights in registers would be a vpmovsxbw for every 16 bytes, of which cores do one a
    // cycle. Its elements are split instead, x = 16 h + l with h in [-8, 8] and l in [-8, 7], and vpmaddubsw multiplies
    // weights, plus 128, by digits: |(w0 + 128) * h0 + (w1 + 128) * h1| <= 2 * 255 * 8 = 4080, and the sum of eight,
    // 32,640, fits int16. What the 128 bring, 128 times the sum of the row, is taken back from the bias.

    /// What row_strip takes: the digits of each pair of depths as bytes, twice, (h0 h1 h0 h1) for all groups, then
    /// (l0 l1 l0 l1); then a register of int32, each 128 times the row's sum. The row is continued by zeros to a
    /// multiple of 8 groups, whole registers, which row_stride leaves room for. 2 * digits + 16 elements are written,
    /// at most the 64 * groups of a panel: 48 of 64 at one group.
    static const std::int16_t* prepare_row(std::int16_t* row, std::ptrdiff_t groups, std::int16_t* to) noexcept {
        const __m256i order =
            _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 2, 0, 2, 4, 6, 4, 6, 8, 10, 8, 10, 12, 14, 12, 14));
        const std::ptrdiff_t all = digits(groups);
        for (std::ptrdiff_t k = 2 * groups; k < all; ++k) row[k] = 0;
        __m256i sum = _mm256_setzero_si256();
        for (std::ptrdiff_t k = 0; k < all; k += 16) {
            const __m256i x = load(row + k);
            const __m256i high = _mm256_srai_epi16(_mm256_add_epi16(x, _mm256_set1_epi16(8)), 4);
            const __m256i low = _mm256_sub_epi16(x, _mm256_slli_epi16(high, 4));
            store(to + k, _mm256_shuffle_epi8(high, order));
            store(to + all + k, _mm256_shuffle_epi8(low, order));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, _mm256_set1_epi16(128)));
        }
        sum = _mm256_add_epi32(sum, _mm256_permute2x128_si256(sum, sum, 1));
        sum = _mm256_add_epi32(sum, _mm256_shuffle_epi32(sum, 0x4e));
        store(to + 2 * all, _mm256_add_epi32(sum, _mm256_shuffle_epi32(sum, 0xb1)));
        return to;
    }
    /// Elements that the high digits of a row take, and as many the low ones.
    static constexpr std::ptrdiff_t digits(std::ptrdiff_t groups) noexcept { return (groups + 7) / 8 * 16; }

    /// The row against 8 * Vectors columns of the panel as it is packed, in parts side by side: the core reads ahead in
    /// each, and anew in every panel, for which short parts do not pay. On Zen 4, held to AVX2, 2 MB of weights in the
    /// third cache level take 0.86 of the time of widening in two parts (0.88 of that of one with prefetches a page
    /// ahead, each of which takes a load's slot), and 4096x4096 from DRAM 0.91 in four (1.08 in two).
    template <int Vectors>
    static void row_strip(const strip_type& s) noexcept {
        __m256i sums[Vectors];  // of 16 columns: 0 to 3 and 8 to 11, then the others
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sums[v] = _mm256_setzero_si256();
        const int parts = s.groups < 2048 ? 2 : 4;
        const std::ptrdiff_t part = s.groups / (8 * parts) * 8;
        std::ptrdiff_t group = 0;
        for (; group < part; group += 8)
            for (int i = 0; i < parts; ++i) add_groups<8>(s, i * part + group, sums);
        for (group = parts * part; group + 8 <= s.groups; group += 8) add_groups<8>(s, group, sums);
        for (; group < s.groups; ++group) add_groups<1>(s, group, sums);
        const __m256i of_128 = load(s.rows + 2 * digits(s.groups));
        __m256i acc[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            const __m256i even = sums[v / 2 * 2], odd = sums[v / 2 * 2 + 1];
            const __m256i sum =
                v % 2 == 0 ? _mm256_permute2x128_si256(even, odd, 0x20) : _mm256_permute2x128_si256(even, odd, 0x31);
            acc[v] = _mm256_add_epi32(_mm256_sub_epi32(load(s.bias + 8 * v), of_128), sum);
        }
        Epilogue(s.args).store(acc, s.columns, s.out);
    }
    /// sums += `Groups` groups of digits, at most 8, times their weights.
    template <int Groups, int Vectors>
    static OCTET_INLINE void add_groups(const strip_type& s, std::ptrdiff_t group, __m256i (&sums)[Vectors]) noexcept {
        const std::int16_t *high = s.rows + 2 * group, *low = high + digits(s.groups);
        const std::int8_t* weights = s.packed + 64 * group;
        constexpr int registers = Vectors / 2;
        __m256i h[registers], l[registers];
#pragma GCC unroll 8
        for (int g = 0; g < Groups; ++g, weights += 64) {
            const __m256i high_pair = pair(high + 2 * g), low_pair = pair(low + 2 * g);
#pragma GCC unroll 2
            for (int r = 0; r < registers; ++r) {
                const __m256i w = _mm256_xor_si256(load(weights + 32 * r), _mm256_set1_epi8(-128));
                const __m256i more_h = _mm256_maddubs_epi16(w, high_pair), more_l = _mm256_maddubs_epi16(w, low_pair);
                h[r] = g == 0 ? more_h : _mm256_add_epi16(h[r], more_h);
                l[r] = g == 0 ? more_l : _mm256_add_epi16(l[r], more_l);
                asm("" : "+x"(h[r]), "+x"(l[r]));  // or GCC adds in a tree, and spills the leaves
            }
        }
        const __m256i weight = _mm256_set1_epi32(1 << 16 | 16);  // of (h, l)
#pragma GCC unroll 2
        for (int r = 0; r < registers; ++r) {
            const __m256i front = _mm256_madd_epi16(_mm256_unpacklo_epi16(h[r], l[r]), weight);
            const __m256i back = _mm256_madd_epi16(_mm256_unpackhi_epi16(h[r], l[r]), weight);
            sums[2 * r] = _mm256_add_epi32(sums[2 * r], front);
            sums[2 * r + 1] = _mm256_add_epi32(sums[2 * r + 1], back);
        }
    }

    static OCTET_INLINE __m256i load(const void* p) noexcept {
        return _mm256_loadu_si256(static_cast<const __m256i*>(p));
    }
    static OCTET_INLINE __m256i wide(const std::int8_t* p) noexcept {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static OCTET_INLINE void store(void* p, __m256i x) noexcept { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
    /// Two depths of a row in every lane.
    static OCTET_INLINE __m256i pair(const std::int16_t* p) noexcept {
        std::int32_t both;
        __builtin_memcpy(&both, p, 4);
        return _mm256_set1_epi32(both);
    }
    /// vpmaddwd with its second factor in memory. Not the intrinsic: GCC 12 loads each vector into a register for all
    /// rows, and has none left for the accumulators.
    static OCTET_INLINE __m256i multiply_add(__m256i x, const std::int16_t* weights) noexcept {
        __m256i sums;
        asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=x"(sums) : "x"(x), "m"(*reinterpret_cast<const __m256i*>(weights)));
        return sums;
    }

    static constexpr void (*strips[2][register_rows])(const strip_type&, int) noexcept = {
        {strip<1, 2>, strip<2, 2>, strip<3, 2>}, {strip<1, 4>, strip<2, 4>, strip<3, 4>}};
    static constexpr void (*row_strips[2])(const strip_type&) noexcept = {row_strip<2>, row_strip<4>};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
