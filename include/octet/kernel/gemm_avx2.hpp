// The GEMM micro-kernel on AVX2: tiles of up to 6 rows x 16 columns, 12 accumulators of 8 columns in registers.
//
// Exact for every int8, -128 included: both operands are widened to int16, weights when they are packed and rows once
// per call while they are gathered from their taps into scratch, and vpmaddwd adds two products in int32. Not
// vpmaddubsw on unsigned times signed bytes: it adds two products in int16, and 255 * 127 * 2 = 64,770 does not fit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/gemm_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx2")

template <class Epilogue>
struct gemm_kernel<isa::avx2, Epilogue> {
    using rounding = typename Epilogue::rounding;
    static constexpr const char* name = "gemm 6x16 vpmaddwd";
    static constexpr gemm_layout layout{.panel = 16, .group = 2, .element_bytes = 2};
    static constexpr int register_rows = 6;
    static constexpr int tile_rows = 48;

    static std::size_t scratch_bytes(int, int depth) noexcept {
        return static_cast<std::size_t>(tile_rows * row_stride(depth)) * sizeof(std::int16_t);
    }

    /// Panels outside, blocks of rows inside: a panel comes from far memory once for all rows of the call.
    static void run(const gemm_call<rounding>& call) noexcept {
        const packed_gemm<rounding>& w = *call.weights;
        auto* scratch = reinterpret_cast<std::int16_t*>(call.scratch);
        const std::ptrdiff_t stride = row_stride(w.depth);
        gather(call, scratch, stride);
        const int blocks = call.count / register_rows, rest = call.count % register_rows;
        for (int p = call.first_panel; p < call.end_panel; ++p) {
            const int first = p * layout.panel;
            const int columns = w.cols - first < layout.panel ? w.cols - first : layout.panel;
            job j{scratch,
                  stride,
                  reinterpret_cast<const std::int16_t*>(w.panel(p)),
                  w.groups(),
                  w.bias.data() + first,
                  {w.multipliers.data() + first, call.out_zero, call.limits},
                  columns,
                  call.out + first,
                  call.out_stride};
            if (blocks != 0) strips[register_rows - 1](j, blocks);
            j.lhs += blocks * register_rows * stride;
            j.out += blocks * register_rows * call.out_stride;
            if (rest != 0) strips[rest - 1](j, 1);
        }
    }

  private:
    /// Rows against one panel: lhs rows in scratch, the panel, where results go.
    struct job {
        const std::int16_t* lhs;
        std::ptrdiff_t lhs_stride;
        const std::int16_t* weights;
        std::ptrdiff_t groups;
        const std::int32_t* bias;
        typename Epilogue::args args;
        int columns;
        std::int8_t* out;
        std::ptrdiff_t out_stride;
    };

    /// Elements from row to row in scratch: whole cache lines, and one more so that depths of a power of two do not put
    /// all rows into one set of the cache.
    static std::ptrdiff_t row_stride(int depth) noexcept {
        const std::ptrdiff_t elements = std::ptrdiff_t{depth} + depth % 2;
        return (elements + 31) / 32 * 32 + 32;
    }

    /// All rows: runs one after the other as int16, padded to pairs.
    static void gather(const gemm_call<rounding>& call, std::int16_t* to, std::ptrdiff_t stride) noexcept {
        const int bytes = call.run_bytes(), depth = call.weights->depth;
        for (int m = 0; m < call.count; ++m, to += stride) {
            for (int t = 0; t < call.runs; ++t)
                widen(call.lhs[t * tile_rows + m] + call.lhs_offset, bytes, to + t * bytes);
            if (depth % 2 != 0) to[depth] = 0;  // its weight is 0: only so that nothing unwritten is read
        }
    }
    static OCTET_INLINE void widen_16(const std::int8_t* from, std::int16_t* to) noexcept {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_cvtepi8_epi16(bytes));
    }
    static OCTET_INLINE void widen(const std::int8_t* from, int depth, std::int16_t* to) noexcept {
        if (depth >= 16) {
            for (int k = 0; k < depth - 16; k += 16) widen_16(from + k, to + k);
            widen_16(from + depth - 16, to + depth - 16);  // may overlap the one before
        } else {
            for (int k = 0; k < depth; ++k) to[k] = from[k];
        }
    }

    /// `blocks` tiles of Rows rows, one below the other.
    template <int Rows>
    static void strip(const job& j, int blocks) noexcept {
        const Epilogue epilogue(j.args);
        const std::int16_t* first = j.lhs;
        std::int8_t* out = j.out;
        for (; blocks > 0; --blocks, first += Rows * j.lhs_stride) {
            __m256i acc[Rows][2];
            multiply(first, j, acc);
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m, out += j.out_stride) epilogue.store(acc[m], j.columns, out);
        }
    }

    /// acc = bias + the product of Rows rows from `first` on with the panel.
    template <int Rows>
    static OCTET_INLINE void multiply(const std::int16_t* first, const job& j, __m256i (&acc)[Rows][2]) noexcept {
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m) {
            acc[m][0] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(j.bias));
            acc[m][1] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(j.bias + 8));
        }
        const std::int16_t* lhs[Rows];
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m) lhs[m] = first + m * j.lhs_stride;
        const std::int16_t* weights = j.weights;
        for (std::ptrdiff_t k = 0; k < 2 * j.groups; k += 2, weights += 32) {
            const __m256i left = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
            const __m256i right = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + 16));
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m) {
                std::int32_t pair;
                __builtin_memcpy(&pair, lhs[m] + k, 4);
                const __m256i x = _mm256_set1_epi32(pair);
                acc[m][0] = _mm256_add_epi32(acc[m][0], _mm256_madd_epi16(x, left));
                acc[m][1] = _mm256_add_epi32(acc[m][1], _mm256_madd_epi16(x, right));
            }
        }
    }

    using strip_function = void (*)(const job&, int) noexcept;
    static constexpr strip_function strips[register_rows] = {strip<1>, strip<2>, strip<3>,
                                                             strip<4>, strip<5>, strip<6>};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
