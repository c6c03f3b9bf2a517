// The steps of Winograd's F(4, 3) on AVX-512: 32 depths of inputs at a time, products in tiles of up to 6 rows x 64
// columns, 16 columns of outputs at a time. What multiplies is the instruction set's: vpmaddwd and vpaddd here,
// vpdpwssd in kernel/winograd_avx512_vnni.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx512.hpp"
#include "octet/kernel/winograd_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

/// Dot adds two products of int16 to every 32-bit lane: static void add(__m512i& acc, __m512i u, __m512i w).
template <class Dot>
struct winograd_product_avx512 {
    static constexpr int panel = 64;
    static constexpr int register_rows = 6;

    static void multiply(const winograd_product& call) noexcept {
        winograd_multiply<panel, register_rows>(call, strips);
    }

  private:
    /// Rows rows against 16 * Vectors columns; asks for one line of `next` with every pair of depths, `step` apart.
    template <int Rows, int Vectors>
    static void strip(const winograd_product& call, std::intptr_t next, std::ptrdiff_t step) noexcept {
        __m512i acc[Rows][Vectors];
        const std::int16_t* lhs[Rows];
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m) {
            lhs[m] = call.lhs + m * call.lhs_stride;
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v)
                acc[m][v] = _mm512_loadu_si512(call.begin + m * call.begin_stride + 16 * v);
        }
        const std::int16_t* weights = call.weights;
        for (std::ptrdiff_t k = 0; k < 2 * std::ptrdiff_t{call.pairs}; k += 2, weights += 2 * panel, next += step) {
            prefetch<2>(next);  // L1 holds the weights that other rows of this position still read
            __m512i w[Vectors];
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) w[v] = _mm512_loadu_si512(weights + 32 * v);
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m) {
                std::int32_t pair;
                __builtin_memcpy(&pair, lhs[m] + k, 4);
                const __m512i u = _mm512_set1_epi32(pair);
#pragma GCC unroll 4
                for (int v = 0; v < Vectors; ++v) Dot::add(acc[m][v], u, w[v]);
            }
        }
        std::uint32_t* out = call.out;
        const std::ptrdiff_t out_stride = call.out_stride;  // the stores might change what `call` refers to
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m, out += out_stride)
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) _mm512_storeu_si512(out + 16 * v, acc[m][v]);
    }

    using strip_function = void (*)(const winograd_product&, std::intptr_t, std::ptrdiff_t) noexcept;
    static constexpr strip_function strips[2][4] = {{strip<3, 2>, strip<4, 2>, strip<5, 2>, strip<6, 2>},
                                                    {strip<3, 4>, strip<4, 4>, strip<5, 4>, strip<6, 4>}};
};

struct winograd_transforms_avx512 {
    static void expand(const winograd_expand& call) noexcept {
        for (int i = 0; i < call.pairs * call.panel; i += 16) {  // column i % panel of pair i / panel
            const std::int8_t* taps = call.taps + 2 * (i / call.panel * 9 * call.panel + i % call.panel);
            int16x32 rows[6][3];  // [transformed x][y]
#pragma GCC unroll 3
            for (int y = 0; y < 3; ++y) {
                int16x32 line[3], across[6];
#pragma GCC unroll 3
                for (int x = 0; x < 3; ++x, taps += 2 * call.panel) line[x] = widened(taps);
                winograd_weights(line, across);
#pragma GCC unroll 6
                for (int x = 0; x < 6; ++x) rows[x][y] = across[x];
            }
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) {
                int16x32 column[6];
                winograd_weights(rows[x], column);
#pragma GCC unroll 6
                for (int y = 0; y < 6; ++y)
                    _mm512_storeu_si512(call.out + (6 * y + x) * call.position_stride + 2 * i,
                                        reinterpret_cast<__m512i>(column[y]));
            }
        }
    }

    static void load(const winograd_load& call) noexcept {
        const auto load_some = call.height > 2 && call.width > 2 ? load_depths<true> : load_depths<false>;
        int k = 0;
        for (; k <= call.depth - 32; k += 32) load_some(call, call.inputs, k, call.out + k);
        if (k == call.depth) return;
        std::int8_t rest[winograd_tile::positions][32];
        const std::int8_t* inputs[winograd_tile::positions];
        const __mmask32 mask = ~std::uint32_t{0} >> (32 - (call.depth - k));
        for (int p = 0; p < winograd_tile::positions; ++p) {
            inputs[p] = rest[p];
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(rest[p]), _mm256_maskz_loadu_epi8(mask, call.inputs[p] + k));
        }
        load_some(call, inputs, 0, call.out + k);
    }

    template <class Rounding>
    static void store(const winograd_store<Rounding>& call) noexcept {
        if (bytes_avx512::saturates(call.fits_int32, call.limits))
            store_columns<true>(call);
        else
            store_columns<false>(call);
    }

  private:
    using int16x32 = std::int16_t __attribute__((vector_size(64)));
    using uint32x16 = std::uint32_t __attribute__((vector_size(64)));

    static OCTET_INLINE int16x32 widened(const std::int8_t* bytes) noexcept {
        return reinterpret_cast<int16x32>(
            _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes))));
    }

    /// Saturating: packs clamp, as in store_epilogue.
    template <bool Saturating, class Rounding>
    static void store_columns(const winograd_store<Rounding>& call) noexcept {
        const scale_avx512<Rounding> scale(call.out_zero, call.limits);
        const bytes_avx512 bytes(call.out_zero, call.limits);
        for (int n = 0; n < call.columns; n += 16) {
            const int columns = call.columns - n < 16 ? call.columns - n : 16;
            uint32x16 rows[4][6];  // [y][transformed x]
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) {
                uint32x16 line[6], down[4];
#pragma GCC unroll 6
                for (int y = 0; y < 6; ++y)
                    line[y] = reinterpret_cast<uint32x16>(
                        _mm512_loadu_si512(call.sums + (6 * y + x) * call.position_stride + n));
                winograd_output(line, down);
#pragma GCC unroll 4
                for (int y = 0; y < 4; ++y) rows[y][x] = down[y];
            }
            const __m512i bias = _mm512_loadu_si512(call.bias + n);
            const auto multipliers = scale.load(call.multipliers + n);
            for (int y = 0; y < call.height; ++y) {
                uint32x16 sums[4];
                winograd_output(rows[winograd_output_index(y, call.height)], sums);
                __m512i scaled[4];
#pragma GCC unroll 4
                for (int x = 0; x < 4; ++x) {
                    const __m512i quotient = _mm512_srai_epi32(
                        _mm512_mullo_epi32(reinterpret_cast<__m512i>(sums[x]), _mm512_set1_epi32(winograd_inverse_9)),
                        6);
                    const __m512i acc = _mm512_add_epi32(quotient, bias);
                    scaled[x] = Saturating ? scale.unheld(acc, multipliers) : scale(acc, multipliers);
                }
                const __m512i pixels = Saturating ? bytes.saturated(scaled[0], scaled[1], scaled[2], scaled[3])
                                                  : bytes(scaled[0], scaled[1], scaled[2], scaled[3]);
                std::int8_t* const out = call.out + y * call.row_stride + n;
                if (columns == 16 && call.width == 4)
                    store_row(out, call.pixel_stride, pixels);
                else
                    store_part(out, call.pixel_stride, pixels, columns, call.width);
            }
        }
    }
    /// Four pixels of 16 columns.
    static OCTET_INLINE void store_row(std::int8_t* out, std::ptrdiff_t step, __m512i pixels) noexcept {
        put(out, _mm512_castsi512_si128(pixels));
        put(out + step, _mm512_extracti32x4_epi32(pixels, 1));
        put(out + 2 * step, _mm512_extracti32x4_epi32(pixels, 2));
        put(out + 3 * step, _mm512_extracti32x4_epi32(pixels, 3));
    }
    static OCTET_INLINE void put(std::int8_t* out, __m128i pixel) noexcept {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), pixel);
    }
    /// The same of `columns` columns of the tile's `width` pixels.
    static OCTET_INLINE void store_part(std::int8_t* out, std::ptrdiff_t step, __m512i pixels, int columns,
                                        int width) noexcept {
        alignas(64) std::int8_t all[4][16];
        _mm512_store_si512(all, pixels);
        const auto mask = static_cast<__mmask16>(0xffff >> (16 - columns));
        for (int x = 0; x < width; ++x, out += step)
            _mm_mask_storeu_epi8(
                out, mask, _mm_load_si128(reinterpret_cast<const __m128i*>(all[winograd_output_index(x, width)])));
    }

    /// 32 depths of a tile, from depth k of `inputs` on. Whole: of more than two outputs a side.
    template <bool Whole>
    static void load_depths(const winograd_load& call, const std::int8_t* const* inputs, int k,
                            std::int16_t* out) noexcept {
        int16x32 rows[6][6];  // [transformed x][y]
#pragma GCC unroll 6
        for (int y = 0; y < 6; ++y) {
            int16x32 line[6], across[6];
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) line[x] = widened(inputs[6 * y + x] + k);
            winograd_input(line, across, Whole ? 4 : call.width);
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) rows[x][y] = across[x];
        }
#pragma GCC unroll 6
        for (int x = 0; x < 6; ++x) {
            int16x32 column[6];
            winograd_input(rows[x], column, Whole ? 4 : call.height);
#pragma GCC unroll 6
            for (int y = 0; y < 6; ++y)
                _mm512_storeu_si512(out + (6 * y + x) * call.position_stride, reinterpret_cast<__m512i>(column[y]));
        }
    }
};

struct vpmaddwd_avx512 {
    static OCTET_INLINE void add(__m512i& acc, __m512i u, __m512i w) noexcept {
        acc = _mm512_add_epi32(acc, _mm512_madd_epi16(u, w));
    }
};

template <>
struct winograd_kernel<isa::avx512bw> : winograd_transforms_avx512, winograd_product_avx512<vpmaddwd_avx512> {
    static constexpr const char* name = "winograd 4x4 vpmaddwd";
    /// Of Zen 5; store: with clamps beside the packs. On Emerald Rapids all of them are about twice as slow, and
    /// choices by them are right: 7x7x512 takes 0.57 of the direct product's time.
    static constexpr winograd_cost cost{.direct = 54, .product = 44, .load = 170, .store = 150, .expand = 80};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
