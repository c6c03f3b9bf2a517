// The GEMM micro-kernel on AVX512-VNNI: tiles of up to 6 rows x 64 columns, 12 x 32 or 12 x 16, in up to 24
// accumulators of 16 columns.
//
// vpdpbusd multiplies unsigned by signed bytes: lhs bytes get 128 added (as xor 0x80, in the instruction that loads and
// broadcasts them), which packing has taken back out of the bias. Rows are read where they stand, four bytes at a time;
// only runs of less than four bytes are copied first. A group of 4 depths costs a full tile 24 dot
// products, 6 broadcasts and 4 loads of weights (256 bytes, 21 bytes a cycle at 2 dot products a cycle).
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
    using result = typename Epilogue::result;
    static constexpr const char* name = "gemm 6x64 vpdpbusd";
    static constexpr gemm_layout layout{.panel = 64, .group = 4, .runs_apart = true, .lhs_shift = 128};
    static constexpr int register_rows = 6;
    static constexpr int tile_rows = 120;

    static std::size_t scratch_bytes(int runs, int depth) noexcept {
        const std::size_t row = sizeof(void*) + static_cast<std::size_t>(layout.group * runs);
        return depth / runs >= layout.group ? 0 : (static_cast<std::size_t>(tile_rows) * row + 63) / 64 * 64;
    }

    /// Panels outside, blocks of rows inside: a panel comes from far memory once for all rows of the call.
    static void run(const gemm_call<result>& call) noexcept {
        const packed_gemm<result>& w = *call.weights;
        const bool in_place = call.run_bytes() >= layout.group;
        if (!in_place) gather(call);
        for (int p = call.first_panel; p < call.end_panel; ++p) {
            const int first = p * layout.panel;
            const int columns = w.cols - first < layout.panel ? w.cols - first : layout.panel;
            // As many blocks as full ones would need, all of nearly one size: 49 rows are 4 x 6 and 5 x 5, not 8 x 6
            // and 1.
            const auto& [height, strips] = kind(columns);
            const int blocks = (call.count + height - 1) / height;
            const int rows = call.count / blocks, larger = call.count % blocks;
            job j{in_place ? call.lhs : gathered_rows(call),
                  in_place ? call.lhs_offset : 0,
                  call.table_step,
                  call.run_distance,
                  in_place ? w.runs : 1,
                  (in_place ? call.run_bytes() : layout.group * w.runs) - layout.group,
                  reinterpret_cast<const std::int8_t*>(w.panel(p)),
                  w.bias.data() + first,
                  {w.multipliers.data() + first, call.out_zero, call.limits, w.fits_int32},
                  columns,
                  call.out + first,
                  call.out_stride,
                  address_of(w.panel(p)) + static_cast<std::ptrdiff_t>(w.panel_bytes()),
                  (group_bytes + call.count - 1) / call.count};
            if (larger != 0) strips[rows](j, larger);
            j.rows += larger * (rows + 1);
            j.out += larger * (rows + 1) * call.out_stride;
            j.next += larger * (rows + 1) * j.share * static_cast<std::ptrdiff_t>(w.panel_bytes() / group_bytes);
            strips[rows - 1](j, blocks - larger);
        }
    }

  private:
    /// Rows against one panel: where their runs begin, the panel, where results go.
    struct job {
        const std::int8_t* const* rows;  ///< run t of row m: rows[t * table_step + m] + offset + t * run_distance
        std::ptrdiff_t offset, table_step, run_distance;
        int runs;
        std::ptrdiff_t last;  ///< where the last group of a run begins
        const std::int8_t* weights;
        const std::int32_t* bias;
        typename Epilogue::args args;
        int columns;
        typename result::stored* out;
        std::ptrdiff_t out_stride;
        std::intptr_t next;    ///< several ask for the panel behind this one, so that memory works all the time:
        std::ptrdiff_t share;  ///< each for so many bytes with every group
    };

    static constexpr int group_bytes = layout.panel * layout.group;

    /// Runs of less than a group: copied to scratch, a group each, behind a table of where each row begins.
    static const std::int8_t** gathered_rows(const gemm_call<result>& call) noexcept {
        return reinterpret_cast<const std::int8_t**>(call.scratch);
    }
    static void gather(const gemm_call<result>& call) noexcept {
        const int bytes = call.run_bytes();
        const std::int8_t** rows = gathered_rows(call);
        auto* to = reinterpret_cast<std::int8_t*>(rows + tile_rows);
        for (int m = 0; m < call.count; ++m) {
            rows[m] = to;
            for (int t = 0; t < call.weights->runs; ++t, to += layout.group) {
                const std::int8_t* from = call.run(t, m);
                for (int k = 0; k < layout.group; ++k) to[k] = k < bytes ? from[k] : std::int8_t{0};
            }
        }
    }

    /// acc += four products of u's unsigned bytes with w's signed ones, in every 32-bit lane. Not the intrinsic: GCC 12
    /// copies the accumulators that it is fed, which halves the speed.
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, __m512i w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "v"(w));
    }
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, const std::int8_t* w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "m"(*reinterpret_cast<const __m512i*>(w)));
    }
    /// Four unsigned bytes in every lane.
    static OCTET_INLINE __m512i unsigned_group(const std::int8_t* lhs) noexcept {
        std::int32_t group;
        __builtin_memcpy(&group, lhs, 4);
        return _mm512_xor_si512(_mm512_set1_epi32(group), _mm512_set1_epi8(static_cast<char>(0x80)));
    }
    /// One row against four groups, which follow each other.
    template <int Vectors>
    static OCTET_INLINE void four_groups(const std::int8_t* lhs, const std::int8_t* weights,
                                         __m512i (&acc)[Vectors]) noexcept {
#pragma GCC unroll 4
        for (int g = 0; g < 4; ++g) {
            const __m512i u = unsigned_group(lhs + 4 * g);
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) dot(acc[v], u, weights + g * group_bytes + 64 * v);
        }
    }
    /// One row against four quarters of a run's groups side by side; returns the depth that it came to. The core reads
    /// ahead in each place: on Zen 5 1000x2048 weights come at 96 % of a read loop's speed for 90 in one place, and
    /// 4096x4096, the second time, at 116 for 99. Prefetches gain as much where the weights were just read, and lose as
    /// much where they were not.
    template <int Vectors>
    static OCTET_INLINE std::ptrdiff_t four_places(const std::int8_t* lhs, std::ptrdiff_t last,
                                                   const std::int8_t*& weights, __m512i (&acc)[Vectors]) noexcept {
        const std::ptrdiff_t quarter = last / 64 * 16, step = quarter / 4 * group_bytes;
        const std::int8_t* w[4] = {weights, weights + step, weights + 2 * step, weights + 3 * step};
        for (std::ptrdiff_t k = 0; k < quarter; k += 16) {
#pragma GCC unroll 4
            for (int q = 0; q < 4; ++q, w[q - 1] += 4 * group_bytes) four_groups(lhs + q * quarter + k, w[q], acc);
        }
        weights = w[3];
        return 4 * quarter;
    }

    /// `blocks` tiles of Rows rows, one below the other.
    template <int Rows, int Vectors>
    static void strip(const job& j, int blocks) noexcept {
        const Epilogue epilogue(j.args);
        const auto multipliers = epilogue.template load<Vectors>();
        const std::int8_t* const* rows = j.rows;
        auto* out = j.out;
        std::intptr_t next = j.next;
        for (; blocks > 0; --blocks, rows += Rows, out += Rows * j.out_stride) {
            __m512i acc[Rows][Vectors];
            multiply(rows, j, next, acc);
            if (epilogue.saturating)
                epilogue.template store<true>(acc, multipliers, j.columns, out, j.out_stride);
            else
                epilogue.template store<false>(acc, multipliers, j.columns, out, j.out_stride);
        }
    }

    /// acc = bias + the product of Rows rows with the panel. Asks for their share of what follows from `next` on.
    template <int Rows, int Vectors>
    static OCTET_INLINE void multiply(const std::int8_t* const* rows, const job& j, std::intptr_t& next,
                                      __m512i (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            const __m512i bias = _mm512_loadu_si512(j.bias + 16 * v);
#pragma GCC unroll 12
            for (int m = 0; m < Rows; ++m) acc[m][v] = bias;
        }
        const std::int8_t* weights = j.weights;
        std::ptrdiff_t offset = j.offset;
        for (int t = 0; t < j.runs; ++t, rows += j.table_step, offset += j.run_distance) {
            const std::int8_t* lhs[Rows];
#pragma GCC unroll 12
            for (int m = 0; m < Rows; ++m) lhs[m] = rows[m] + offset;
            std::ptrdiff_t k = 0;
            if constexpr (Rows == 1) k = four_places(lhs[0], j.last, weights, acc[0]);
            for (;; k = k + 4 < j.last ? k + 4 : j.last) {
                __m512i w[Vectors];
#pragma GCC unroll 4
                for (int v = 0; v < Vectors; ++v) w[v] = _mm512_loadu_si512(weights + 64 * v);
                if constexpr (Rows > 1) {
                    prefetch(next);
                    next += Rows * j.share;
                }
                weights += group_bytes;
#pragma GCC unroll 12
                for (int m = 0; m < Rows; ++m) {
                    const __m512i u = unsigned_group(lhs[m] + k);
#pragma GCC unroll 4
                    for (int v = 0; v < Vectors; ++v) dot(acc[m][v], u, w[v]);
                }
                if (k == j.last) break;
            }
        }
    }

    /// The tiles for a number of columns: strips[r] takes r + 1 rows, at most `height`.
    using strip_function = void (*)(const job&, int) noexcept;
    struct tile_kind {
        int height;
        strip_function strips[12];
    };
    static const tile_kind& kind(int columns) noexcept {
        static constexpr tile_kind kinds[] = {
            {12,
             {strip<1, 1>, strip<2, 1>, strip<3, 1>, strip<4, 1>, strip<5, 1>, strip<6, 1>, strip<7, 1>, strip<8, 1>,
              strip<9, 1>, strip<10, 1>, strip<11, 1>, strip<12, 1>}},
            {12,
             {strip<1, 2>, strip<2, 2>, strip<3, 2>, strip<4, 2>, strip<5, 2>, strip<6, 2>, strip<7, 2>, strip<8, 2>,
              strip<9, 2>, strip<10, 2>, strip<11, 2>, strip<12, 2>}},
            {6, {strip<1, 4>, strip<2, 4>, strip<3, 4>, strip<4, 4>, strip<5, 4>, strip<6, 4>}},
        };
        return kinds[columns <= 16 ? 0 : columns <= 32 ? 1 : 2];
    }
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
