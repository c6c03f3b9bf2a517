// The GEMM micro-kernel on AVX512-VNNI: tiles of up to 6 rows x 64 columns, 24 accumulators of 16 columns in registers.
//
// vpdpbusd multiplies unsigned by signed bytes: lhs bytes get 128 added (as xor 0x80), which packing has taken back out
// of the bias. That happens once per call, while rows are gathered from their taps into scratch: there every row is one
// run of bytes, 4-byte groups without tails, and the inner loop is loads and dot products only. A group of 4 depths
// costs a full tile 24 dot products, 6 broadcasts and 4 loads of weights (256 bytes, 21 bytes a cycle at 2 dot products
// a cycle).
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx512.hpp"
#include "octet/kernel/gemm_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

template <class Epilogue>
struct gemm_kernel<isa::avx512_vnni, Epilogue> {
    using rounding = typename Epilogue::rounding;
    static constexpr const char* name = "gemm 6x64 vpdpbusd";
    static constexpr gemm_layout layout{.panel = 64, .group = 4, .lhs_shift = 128};
    static constexpr int register_rows = 6;
    static constexpr int tile_rows = 48;

    static std::size_t scratch_bytes(int taps, int depth) noexcept {
        return static_cast<std::size_t>(tile_rows * row_stride(taps, depth) + 64);
    }

    /// Panels outside, blocks of rows inside: a panel comes from far memory once for all rows of the call.
    static void run(const gemm_call<rounding>& call) noexcept {
        const packed_gemm<rounding>& w = *call.weights;
        auto* scratch = reinterpret_cast<std::uint8_t*>(call.scratch);
        const std::ptrdiff_t stride = row_stride(w.taps, w.depth);
        gather(call, scratch, stride);
        const int blocks = call.count / register_rows, rest = call.count % register_rows;
        for (int p = 0; p < w.panels(); ++p) {
            const int first = p * layout.panel;
            const int columns = w.cols - first < layout.panel ? w.cols - first : layout.panel;
            const strip_function* strip = strips[(columns + 15) / 16 - 1];
            job j{scratch,
                  stride,
                  reinterpret_cast<const std::int8_t*>(w.panel(p)),
                  std::ptrdiff_t{w.taps} * w.groups(),
                  w.bias.data() + first,
                  {w.multipliers.data() + first, call.out_zero, call.limits},
                  columns,
                  call.out + first,
                  call.out_stride};
            if (blocks != 0) strip[register_rows - 1](j, blocks);
            j.lhs += blocks * register_rows * stride;
            j.out += blocks * register_rows * call.out_stride;
            if (rest != 0) strip[rest - 1](j, 1);
        }
    }

  private:
    /// Rows against one panel: lhs rows in scratch, the panel, where results go.
    struct job {
        const std::uint8_t* lhs;
        std::ptrdiff_t lhs_stride;
        const std::int8_t* weights;
        std::ptrdiff_t groups;
        const std::int32_t* bias;
        typename Epilogue::args args;
        int columns;
        std::int8_t* out;
        std::ptrdiff_t out_stride;
    };

    /// Bytes from row to row in scratch: whole cache lines, and one more so that depths of a power of two do not put
    /// all rows into one set of the cache.
    static std::ptrdiff_t row_stride(int taps, int depth) noexcept {
        const std::ptrdiff_t bytes = std::ptrdiff_t{taps} * ((depth + 3) / 4 * 4);
        return (bytes + 63) / 64 * 64 + 64;
    }

    /// All rows: taps one after the other, each padded to groups of 4 bytes. Stores are whole registers; what they
    /// write beyond a tap is overwritten by the next, beyond a row never read.
    static void gather(const gemm_call<rounding>& call, std::uint8_t* to, std::ptrdiff_t stride) noexcept {
        const __m512i shift = _mm512_set1_epi8(static_cast<char>(0x80));
        const int taps = call.weights->taps, depth = call.weights->depth, groups = call.weights->groups();
        const __mmask64 last = ~std::uint64_t{0} >> ((64 - depth % 64) % 64);
        for (int m = 0; m < call.count; ++m, to += stride) {
            std::uint8_t* run = to;
            for (int t = 0; t < taps; ++t, run += 4 * groups) {
                const std::int8_t* from = call.lhs[t * tile_rows + m] + call.lhs_offset;
                int k = 0;
                for (; k < depth - 64; k += 64)
                    _mm512_storeu_si512(run + k, _mm512_xor_si512(_mm512_loadu_si512(from + k), shift));
                _mm512_storeu_si512(run + k, _mm512_xor_si512(_mm512_maskz_loadu_epi8(last, from + k), shift));
            }
        }
    }

    /// acc += four products of u's unsigned bytes with w's signed ones, in every 32-bit lane. Not the intrinsic: GCC 12
    /// copies the accumulators that it is fed, which halves the speed.
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, __m512i w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "v"(w));
    }

    /// `blocks` tiles of Rows rows, one below the other.
    template <int Rows, int Vectors>
    static void strip(const job& j, int blocks) noexcept {
        const Epilogue epilogue(j.args);
        const auto multipliers = epilogue.template load<Vectors>();
        const std::uint8_t* first = j.lhs;
        std::int8_t* out = j.out;
        for (; blocks > 0; --blocks, first += Rows * j.lhs_stride) {
            __m512i acc[Rows][Vectors];
            multiply(first, j, acc);
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m, out += j.out_stride) epilogue.store(acc[m], multipliers, j.columns, out);
        }
    }

    /// acc = bias + the product of Rows rows from `first` on with the panel.
    template <int Rows, int Vectors>
    static OCTET_INLINE void multiply(const std::uint8_t* first, const job& j, __m512i (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            const __m512i bias = _mm512_loadu_si512(j.bias + 16 * v);
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m) acc[m][v] = bias;
        }
        const std::uint8_t* lhs[Rows];
#pragma GCC unroll 6
        for (int m = 0; m < Rows; ++m) lhs[m] = first + m * j.lhs_stride;
        const std::int8_t* weights = j.weights;
        for (std::ptrdiff_t k = 0; k < 4 * j.groups; k += 4, weights += 256) {
            __m512i w[Vectors];
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) w[v] = _mm512_loadu_si512(weights + 64 * v);
#pragma GCC unroll 6
            for (int m = 0; m < Rows; ++m) {
                std::int32_t group;
                __builtin_memcpy(&group, lhs[m] + k, 4);
                const __m512i u = _mm512_set1_epi32(group);
#pragma GCC unroll 4
                for (int v = 0; v < Vectors; ++v) dot(acc[m][v], u, w[v]);
            }
        }
    }

    using strip_function = void (*)(const job&, int) noexcept;
    static constexpr strip_function strips[4][register_rows] = {
        {strip<1, 1>, strip<2, 1>, strip<3, 1>, strip<4, 1>, strip<5, 1>, strip<6, 1>},
        {strip<1, 2>, strip<2, 2>, strip<3, 2>, strip<4, 2>, strip<5, 2>, strip<6, 2>},
        {strip<1, 3>, strip<2, 3>, strip<3, 3>, strip<4, 3>, strip<5, 3>, strip<6, 3>},
        {strip<1, 4>, strip<2, 4>, strip<3, 4>, strip<4, 4>, strip<5, 4>, strip<6, 4>},
    };
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
