// The steps of Winograd's F(4, 3) on AVX2: 16 depths of inputs at a time, products in tiles of up to 3 rows x 32
// columns, 8 columns of outputs at a time. What multiplies is the instruction set's: vpmaddwd and vpaddd here, vpdpwssd
// in kernel/winograd_avx_vnni.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/partial_sse41.hpp"
#include "octet/kernel/winograd_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

/// Dot adds two products of int16 to every 32-bit lane of acc: static void add(__m256i& acc, __m256i x, __m256i w), and
/// the same with w in memory, so that three of four vectors of weights need no instruction to load them.
template <class Dot>
struct winograd_product_avx2 {
    static constexpr int panel = 32;
    static constexpr int register_rows = 3;

    static void multiply(const winograd_product& call) noexcept {
        winograd_multiply<panel, register_rows>(call, strips);
    }

  private:
    /// Rows rows against 8 * Vectors columns; asks for one line of `next` with every pair of depths, `step` apart.
    template <int Rows, int Vectors>
    static void strip(const winograd_product& call, std::intptr_t next, std::ptrdiff_t step) noexcept {
        __m256i acc[Rows][Vectors];
        const std::int16_t* lhs[Rows];
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) {
            lhs[m] = call.lhs + m * call.lhs_stride;
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v)
                acc[m][v] =
                    _mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.begin + m * call.begin_stride + 8 * v));
        }
        const std::int16_t* weights = call.weights;
        for (std::ptrdiff_t k = 0; k < 2 * std::ptrdiff_t{call.pairs}; k += 2, weights += 2 * panel, next += step) {
            prefetch(next);
            const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m) {
                std::int32_t pair;
                __builtin_memcpy(&pair, lhs[m] + k, 4);
                const __m256i x = _mm256_set1_epi32(pair);
                Dot::add(acc[m][0], x, first);
#pragma GCC unroll 4
                for (int v = 1; v < Vectors; ++v) Dot::add(acc[m][v], x, weights + 16 * v);
            }
        }
        std::uint32_t* out = call.out;
        const std::ptrdiff_t out_stride = call.out_stride;  // the stores might change what `call` refers to
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m, out += out_stride)
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8 * v), acc[m][v]);
    }

    using strip_function = void (*)(const winograd_product&, std::intptr_t, std::ptrdiff_t) noexcept;
    static constexpr strip_function strips[2][2] = {{strip<2, 2>, strip<3, 2>}, {strip<2, 4>, strip<3, 4>}};
};

struct winograd_transforms_avx2 {
    static void expand(const winograd_expand& call) noexcept {
        for (int i = 0; i < call.pairs * call.panel; i += 8) {  // column i % panel of pair i / panel
            const std::int8_t* taps = call.taps + 2 * (i / call.panel * 9 * call.panel + i % call.panel);
            int16x16 rows[6][3];  // [transformed x][y]
#pragma GCC unroll 3
            for (int y = 0; y < 3; ++y) {
                int16x16 line[3], across[6];
#pragma GCC unroll 3
                for (int x = 0; x < 3; ++x, taps += 2 * call.panel) line[x] = widened(taps);
                winograd_weights(line, across);
#pragma GCC unroll 6
                for (int x = 0; x < 6; ++x) rows[x][y] = across[x];
            }
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) {
                int16x16 column[6];
                winograd_weights(rows[x], column);
#pragma GCC unroll 6
                for (int y = 0; y < 6; ++y)
                    _mm256_storeu_si256(
                        reinterpret_cast<__m256i*>(call.out + (6 * y + x) * call.position_stride + 2 * i),
                        reinterpret_cast<__m256i>(column[y]));
            }
        }
    }

    static void load(const winograd_load& call) noexcept {
        const auto load_some = call.height > 2 && call.width > 2 ? load_depths<true> : load_depths<false>;
        int k = 0;
        for (; k <= call.depth - 16; k += 16) load_some(call, call.inputs, k, call.out + k);
        if (k == call.depth) return;
        std::int8_t rest[winograd_tile::positions][16];
        const std::int8_t* inputs[winograd_tile::positions];
        for (int p = 0; p < winograd_tile::positions; ++p) {
            inputs[p] = rest[p];
            _mm_storeu_si128(reinterpret_cast<__m128i*>(rest[p]), load_partial(call.inputs[p] + k, call.depth - k));
        }
        load_some(call, inputs, 0, call.out + k);
    }

    template <class Rounding>
    static void store(const winograd_store<Rounding>& call) noexcept {
        const scale_avx2<Rounding> scale(call.out_zero, call.limits);
        const bytes_avx2 bytes(call.out_zero, call.limits);
        for (int n = 0; n < call.columns; n += 8) {
            const int columns = call.columns - n < 8 ? call.columns - n : 8;
            uint32x8 rows[4][6];  // [y][transformed x]
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) {
                uint32x8 line[6], down[4];
#pragma GCC unroll 6
                for (int y = 0; y < 6; ++y)
                    line[y] = reinterpret_cast<uint32x8>(_mm256_loadu_si256(
                        reinterpret_cast<const __m256i*>(call.sums + (6 * y + x) * call.position_stride + n)));
                winograd_output(line, down);
#pragma GCC unroll 4
                for (int y = 0; y < 4; ++y) rows[y][x] = down[y];
            }
            const __m256i bias = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.bias + n));
            const auto multipliers = scale.load(call.multipliers + n);
            for (int y = 0; y < call.height; ++y) {
                uint32x8 sums[4];
                winograd_output(rows[winograd_output_index(y, call.height)], sums);
                __m256i scaled[4];
#pragma GCC unroll 4
                for (int x = 0; x < 4; ++x) {
                    const __m256i quotient = _mm256_srai_epi32(
                        _mm256_mullo_epi32(reinterpret_cast<__m256i>(sums[x]), _mm256_set1_epi32(winograd_inverse_9)),
                        6);
                    scaled[x] = scale(_mm256_add_epi32(quotient, bias), multipliers);
                }
                alignas(32) std::int8_t pixels[4][8];
                _mm256_store_si256(reinterpret_cast<__m256i*>(pixels),
                                   bytes(scaled[0], scaled[1], scaled[2], scaled[3]));
                std::int8_t* out = call.out + y * call.row_stride + n;
                for (int x = 0; x < call.width; ++x, out += call.pixel_stride) {
                    const std::int8_t* pixel = pixels[winograd_output_index(x, call.width)];
                    if (columns == 8)
                        __builtin_memcpy(out, pixel, 8);
                    else
                        for (int i = 0; i < columns; ++i) out[i] = pixel[i];
                }
            }
        }
    }

  private:
    using int16x16 = std::int16_t __attribute__((vector_size(32)));
    using uint32x8 = std::uint32_t __attribute__((vector_size(32)));

    static OCTET_INLINE int16x16 widened(const std::int8_t* bytes) noexcept {
        return reinterpret_cast<int16x16>(
            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))));
    }

    /// 16 depths of a tile, from depth k of `inputs` on. Whole: of more than two outputs a side.
    template <bool Whole>
    static void load_depths(const winograd_load& call, const std::int8_t* const* inputs, int k,
                            std::int16_t* out) noexcept {
        int16x16 rows[6][6];  // [transformed x][y]
#pragma GCC unroll 6
        for (int y = 0; y < 6; ++y) {
            int16x16 line[6], across[6];
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) line[x] = widened(inputs[6 * y + x] + k);
            winograd_input(line, across, Whole ? 4 : call.width);
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) rows[x][y] = across[x];
        }
#pragma GCC unroll 6
        for (int x = 0; x < 6; ++x) {
            int16x16 column[6];
            winograd_input(rows[x], column, Whole ? 4 : call.height);
#pragma GCC unroll 6
            for (int y = 0; y < 6; ++y)
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (6 * y + x) * call.position_stride),
                                    reinterpret_cast<__m256i>(column[y]));
        }
    }
};

struct vpmaddwd_avx2 {
    static OCTET_INLINE void add(__m256i& acc, __m256i x, __m256i w) noexcept {
        acc = _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
    }
    /// Not the intrinsic: compilers would load w first, for the rows to share.
    static OCTET_INLINE void add(__m256i& acc, __m256i x, const std::int16_t* w) noexcept {
        __m256i sums;
        asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=x"(sums) : "x"(x), "m"(*reinterpret_cast<const __m256i*>(w)));
        acc = _mm256_add_epi32(acc, sums);
    }
};

template <>
struct winograd_kernel<isa::avx2> : winograd_transforms_avx2, winograd_product_avx2<vpmaddwd_avx2> {
    static constexpr const char* name = "winograd 4x4 vpmaddwd";
    static constexpr winograd_cost cost{.direct = 27, .product = 22, .load = 250, .store = 320, .expand = 160};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
