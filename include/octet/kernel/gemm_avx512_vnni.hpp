// The GEMM micro-kernel on AVX512-VNNI: tiles of up to 6 rows x 64 columns, 12 x 32 or 12 x 16, in up to 24
// accumulators of 16 columns.
//
// vpdpbusd multiplies unsigned by signed bytes: lhs bytes get 128 added, which packing has taken back out of the bias,
// on their way into scratch (kernel/unsigned_rows_avx512.hpp) or as they are broadcast. A group of 4 depths costs a
// full tile 24 dot products, 6 loads that broadcast, and 4 of weights (256 bytes, 21 bytes a cycle at 2 dot products a
// cycle).
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx512.hpp"
#include "octet/kernel/gemm_call.hpp"
#include "octet/kernel/unsigned_rows_avx512.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

template <class Epilogue>
struct gemm_kernel<isa::avx512_vnni, Epilogue> {
    using result = typename Epilogue::result;
    static constexpr const char* name = "gemm 6x64 vpdpbusd";
    static constexpr gemm_layout layout{.panel = 64, .group = 4, .lhs_shift = 128};
    static constexpr int register_rows = 6;
    static constexpr int tile_rows = 120;
    static constexpr int most_rows = 4 * tile_rows;

    static std::size_t scratch_bytes(int rows, int depth) noexcept {
        const std::size_t all = kept_bytes(rows, depth), least = row_piece + pitch - piece;
        return all > most_kept ? most_kept : all < least ? least : all;
    }

    /// By rows made unsigned in scratch, so that to broadcast a group is a load and no more: where 512-bit arithmetic
    /// has two ports (Intel), an xor for each takes one from the dot products, and 6 beside 24 are 20 % of a tile.
    static void run(const gemm_call<result>& call) noexcept { run_panels(call, false); }
    /// By rows as they stand, with that xor: where it finds a port free (AMD's four; measured on Zen 4), copies cost
    /// one panel 4 % at depth 256 and 10 % of 32 columns at depth 144, and 0 to 4 % where several panels share them.
    /// Rows of several runs or of parts of groups, and a call of one row, are copied nevertheless; so are rows of 4096
    /// bytes and more: where 12 of them stand in one set of the first cache level, 16 columns take a third longer in
    /// place.
    static void run_in_place(const gemm_call<result>& call) noexcept {
        const packed_gemm<result>& w = *call.weights;
        run_panels(call, call.count > 1 && w.runs == 1 && w.depth % layout.group == 0 && w.depth < 4096);
    }

  private:
    /// Panels outside, blocks of rows inside: a panel comes from far memory once for all rows of the call. Where rows
    /// are kept, the first panel makes them unsigned for those behind it.
    static void run_panels(const gemm_call<result>& call, bool in_place) noexcept {
        const packed_gemm<result>& w = *call.weights;
        const bool one = call.count == 1, several_panels = call.end_panel - call.first_panel > 1;
        const bool kept =
            one ? w.depth <= row_piece : !in_place && several_panels && kept_bytes(call.count, w.depth) <= most_kept;
        for (int p = call.first_panel; p < call.end_panel; ++p) {
            const int first = p * layout.panel;
            const int columns = w.cols - first < layout.panel ? w.cols - first : layout.panel;
            // As many blocks as full ones would need, all of nearly one size: 49 rows are 4 x 6 and 5 x 5, not 8 x 6
            // and 1.
            const auto& [height, strips] = kind(columns);
            const int blocks = (call.count + height - 1) / height;
            const int rows = call.count / blocks, larger = call.count % blocks;
            job j{call,
                  in_place,
                  0,
                  reinterpret_cast<std::uint8_t*>(call.scratch),
                  kept ? pitch : 0,
                  kept ? call.count * pitch : 0,
                  kept && p != call.first_panel,
                  reinterpret_cast<const std::int8_t*>(w.panel(p)),
                  w.bias.data() + first,
                  {w.multipliers.data() + first, call.out_zero, call.limits, w.fits_int32},
                  columns,
                  call.out + first,
                  address_of(w.panel(p)) + static_cast<std::ptrdiff_t>(w.panel_bytes()),
                  (group_bytes + call.count - 1) / call.count};
            if (larger != 0) strips[rows](j, larger);
            j.first_row = larger * (rows + 1);
            j.lhs += j.first_row * j.row_step;
            j.out += j.first_row * call.out_stride;
            j.next += j.first_row * j.share * static_cast<std::ptrdiff_t>(w.panel_bytes() / group_bytes);
            strips[rows - 1](j, blocks - larger);
        }
    }

    /// Rows of a call against one panel, and where results go.
    struct job {
        const gemm_call<result>& call;
        bool in_place;  ///< rows are read where they stand, and nothing of scratch
        int first_row;
        std::uint8_t* lhs;                    ///< its unsigned rows
        std::ptrdiff_t row_step, piece_step;  ///< from row to row and from piece to piece; 0 where they are not kept
        bool ready;                           ///< the first panel left them there
        const std::int8_t* weights;
        const std::int32_t* bias;
        typename Epilogue::args args;
        int columns;
        typename result::stored* out;
        std::intptr_t next;    ///< several ask for the panel behind this one, so that memory works all the time:
        std::ptrdiff_t share;  ///< each for so many bytes with every group
    };

    static constexpr int group_bytes = layout.panel * layout.group;

    /// Rows are made unsigned in pieces: 256 bytes of a tile's rows, or 4096 of a single one, whose weights are read in
    /// four places far from each other. Scratch holds one piece of one tile; or the rows of a call of several panels,
    /// [piece][row][pitch], if these take at most 352 KiB (120 rows of 3x3x256: a third of the second cache level of
    /// the smallest servers); or the only piece of a single row. The pitch of 5 cache lines spreads rows over the
    /// cache's sets and leaves room for what is written behind a row.
    static constexpr int piece = 256, row_piece = 4096, pitch = piece + 64;
    static constexpr std::size_t most_kept = 352 << 10;
    static_assert(12 * pitch <= row_piece + pitch - piece, "a piece of a tile fits in the least scratch");
    static std::size_t kept_bytes(int rows, int depth) noexcept {
        return static_cast<std::size_t>((depth + piece - 1) / piece * pitch) * static_cast<std::size_t>(rows);
    }

    /// `blocks` tiles of Rows rows, one below the other. Blocks are of nearly one size: a tile of one row is a call of
    /// one.
    template <int Rows, int Vectors>
    static void strip(const job& j, int blocks) noexcept {
        const Epilogue epilogue(j.args);
        const auto multipliers = epilogue.template load<Vectors>();
        constexpr int most = Rows == 1 ? row_piece : piece;
        const int depth = j.call.weights->depth;
        std::uint8_t* tile = j.lhs;
        unsigned_rows_avx512 rows(j.call, j.first_row);
        int row = j.first_row;
        auto* out = j.out;
        std::intptr_t next = j.next;
        for (; blocks > 0; --blocks, row += Rows, tile += Rows * j.row_step, out += Rows * j.call.out_stride) {
            __m512i acc[Rows][Vectors];
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) {
                const __m512i bias = _mm512_loadu_si512(j.bias + 16 * v);
#pragma GCC unroll 12
                for (int m = 0; m < Rows; ++m) acc[m][v] = bias;
            }
            const std::int8_t* weights = j.weights;
            const bool in_place = Rows > 1 && j.in_place;
            if constexpr (Rows > 1)
                if (in_place) multiply(signed_rows<Rows>(j.call, row), depth / 4, weights, next, Rows * j.share, acc);
            if (!in_place) {
                rows.template begin<Rows>();
                std::uint8_t* lhs = tile;
                for (int left = depth; left > 0; left -= most, lhs += j.piece_step) {
                    // The last group's bytes beyond the depth are whatever scratch holds: their weights are 0.
                    const int bytes = left < most ? left : most, groups = (bytes + 3) / 4;
                    if (!j.ready) rows.template next<Rows, pitch>(bytes, lhs);
                    if constexpr (Rows == 1)
                        multiply_row(lhs, groups, weights, acc[0]);
                    else
                        multiply(unsigned_rows{lhs}, groups, weights, next, Rows * j.share, acc);
                }
            }
            if (epilogue.saturating)
                epilogue.template store<true>(acc, multipliers, j.columns, out, j.call.out_stride);
            else
                epilogue.template store<false>(acc, multipliers, j.columns, out, j.call.out_stride);
        }
    }

    /// The rows of a tile: group(m) is that of row m which comes next, unsigned, in every lane.
    struct unsigned_rows {
        const std::uint8_t* at;
        OCTET_INLINE __m512i group(int m) const noexcept { return broadcast(at + m * pitch); }
        OCTET_INLINE void advance() noexcept { at += 4; }
    };
    template <int Rows>
    struct signed_rows {
        const std::int8_t* at[Rows];
        std::ptrdiff_t k = 0;
        __m512i by_128 = _mm512_set1_epi8(-128);

        OCTET_INLINE signed_rows(const gemm_call<result>& call, int first) noexcept {
#pragma GCC unroll 12
            for (int m = 0; m < Rows; ++m) at[m] = call.run(0, first + m);
        }
        OCTET_INLINE __m512i group(int m) const noexcept { return _mm512_xor_si512(broadcast(at[m] + k), by_128); }
        OCTET_INLINE void advance() noexcept { k += 4; }
    };

    /// acc += `groups` of Rows rows times the weights, which then stand behind them. Each group asks for `share` bytes
    /// of what follows, from `next` on.
    template <class Lhs, int Rows, int Vectors>
    static OCTET_INLINE void multiply(Lhs lhs, int groups, const std::int8_t*& weights, std::intptr_t& next,
                                      std::ptrdiff_t share, __m512i (&acc)[Rows][Vectors]) noexcept {
        for (; groups > 0; --groups, lhs.advance(), weights += group_bytes) {
            __m512i w[Vectors];
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) w[v] = _mm512_loadu_si512(weights + 64 * v);
            prefetch(next);
            next += share;
#pragma GCC unroll 12
            for (int m = 0; m < Rows; ++m) {
                const __m512i u = lhs.group(m);
#pragma GCC unroll 4
                for (int v = 0; v < Vectors; ++v) dot(acc[m][v], u, w[v]);
            }
        }
    }

    /// The same for one row, four quarters of its groups side by side. The core reads ahead in each place: on Zen 5
    /// 1000x2048 weights come at 96 % of a read loop's speed for 90 in one place, and 4096x4096, the second time, at
    /// 116 for 99. Prefetches gain as much where the weights were just read, and lose as much where they were not.
    template <int Vectors>
    static OCTET_INLINE void multiply_row(const std::uint8_t* lhs, int groups, const std::int8_t*& weights,
                                          __m512i (&acc)[Vectors]) noexcept {
        const std::ptrdiff_t quarter = groups / 16 * 4, step = quarter * group_bytes;
        const std::int8_t* w[4] = {weights, weights + step, weights + 2 * step, weights + 3 * step};
        for (std::ptrdiff_t k = 0; k < quarter; k += 4) {
#pragma GCC unroll 4
            for (int q = 0; q < 4; ++q) {
#pragma GCC unroll 4
                for (int g = 0; g < 4; ++g, w[q] += group_bytes)
                    multiply_group(lhs + 4 * (q * quarter + k + g), w[q], acc);
            }
        }
        weights = w[3];
        for (std::ptrdiff_t k = 4 * quarter; k < groups; ++k, weights += group_bytes)
            multiply_group(lhs + 4 * k, weights, acc);
    }
    template <int Vectors>
    static OCTET_INLINE void multiply_group(const std::uint8_t* lhs, const std::int8_t* weights,
                                            __m512i (&acc)[Vectors]) noexcept {
        const __m512i u = broadcast(lhs);
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) dot(acc[v], u, weights + 64 * v);
    }

    /// acc += four products of u's unsigned bytes with w's signed ones, in every 32-bit lane. Not the intrinsic: GCC 12
    /// copies the accumulators that it is fed, which halves the speed.
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, __m512i w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "v"(w));
    }
    static OCTET_INLINE void dot(__m512i& acc, __m512i u, const std::int8_t* w) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(u), "m"(*reinterpret_cast<const __m512i*>(w)));
    }
    static OCTET_INLINE __m512i broadcast(const void* group) noexcept {
        std::int32_t lane;
        __builtin_memcpy(&lane, group, 4);
        return _mm512_set1_epi32(lane);
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
