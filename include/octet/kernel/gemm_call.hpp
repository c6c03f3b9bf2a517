// The contract between a layer and the GEMM micro-kernels: one call computes a block of rows against panels of columns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/isa.hpp"
#include "octet/kernel/epilogue_scalar.hpp"
#include "octet/kernel/packed_gemm.hpp"

namespace octet::inline OCTET_ABI {

/// `count` rows of the product, at least 1 and at most the rows that scratch_bytes was asked for, against the columns
/// of panels [first_panel, end_panel), which are not empty. A row stands in memory as weights->runs runs of run_bytes()
/// bytes; run t of row m begins at run(t, m), and no byte is read beyond the `readable` ones behind a run. Column n of
/// row m goes to out[m * out_stride + n], in elements, and nothing else is written. out may not overlap the lhs. A
/// plain matrix is one run with a pointer for each row; a convolution has a pointer for each tap and output pixel
/// (padding points at a row of zero points), or one for each pixel where rows of taps stand at one distance, so that
/// all are one kernel and no im2col buffer of an image exists: kernels copy the rows of one call at most.
template <class Result>
struct gemm_call {
    const packed_gemm<Result>* weights = nullptr;
    const std::int8_t* const* lhs = nullptr;
    std::ptrdiff_t lhs_offset = 0;
    std::ptrdiff_t table_step = 0;    ///< from run to run in the table
    std::ptrdiff_t run_distance = 0;  ///< bytes from run to run besides
    int readable = 0;                 ///< bytes behind every run that may be read, whatever they hold
    int count = 0;
    int first_panel = 0;
    int end_panel = 0;
    typename Result::stored* out = nullptr;
    std::ptrdiff_t out_stride = 0;
    zero_point out_zero{};  ///< this and limits: of int8 results
    clamp limits{};
    std::byte* scratch = nullptr;  ///< scratch_bytes(rows, depth) of the kernel, 64-byte aligned, for this call alone

    const std::int8_t* run(int t, int m) const noexcept {
        return lhs[t * table_step + m] + (lhs_offset + t * run_distance);
    }
    int run_bytes() const noexcept { return weights->depth / weights->runs; }
};

/// A micro-kernel as the layers see it: what it wants, how many rows a call had better take, and the function.
/// tile_rows is several blocks of register_rows: weights stream from far memory once per call, so the more rows the
/// better (a full call needs 3 bytes of weights a cycle where a block of 6 rows would need 21). Who splits rows over
/// threads cuts at multiples of register_rows.
template <class Result>
struct gemm_entry {
    isa target = isa::scalar;
    const char* name = "";
    gemm_layout layout;
    int tile_rows = 1;  ///< rows that a call had better take
    int most_rows = 1;  ///< the same where rows are short and have one pointer each: a call costs as much as 100 cycles
    int register_rows = 1;  ///< rows computed at once
    void (*run)(const gemm_call<Result>&) noexcept = nullptr;
    /// For calls of at most `rows` rows of `depth` bytes, against any number of columns.
    std::size_t (*scratch_bytes)(int rows, int depth) noexcept = [](int, int) noexcept { return std::size_t{0}; };
};

/// The kernel of one instruction set: static constexpr gemm_layout layout; static constexpr int tile_rows,
/// register_rows; static constexpr const char* name; static void run(const gemm_call<Result>&) noexcept; most_rows
/// where short rows go more at a time, scratch_bytes where it needs scratch, and run_in_place where there are two ways
/// to the same bytes. A missing specialization is a compile error.
template <isa Which, class Epilogue>
struct gemm_kernel;

}  // namespace octet::inline OCTET_ABI
