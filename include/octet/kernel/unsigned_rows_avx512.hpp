// Rows of a GEMM call on their way into vpdpbusd, which takes one factor unsigned: a tile at a time, run after run, 128
// is added to every byte (as xor 0x80) in scratch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/gemm_call.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl")

/// A position in the rows of a tile: run, and byte of the run. begin() goes to the next tile, next() copies on from
/// there. Inlined whole: a call would end in vzeroupper, and costs a tile of depth 27 a sixth of its time.
class unsigned_rows_avx512 {
  public:
    /// Before the tile whose first row is row `first` of `call`.
    template <class Result>
    OCTET_INLINE unsigned_rows_avx512(const gemm_call<Result>& call, int first) noexcept
        : tile_(call.lhs + first),
          table_step_(call.table_step),
          lhs_offset_(call.lhs_offset),
          run_distance_(call.run_distance),
          run_bytes_(call.run_bytes()),
          readable_(call.readable) {}

    /// On to the next Rows rows.
    template <int Rows>
    OCTET_INLINE void begin() noexcept {
        rows_ = tile_;
        run_ = 0;
        offset_ = lhs_offset_;
        at_ = 0;
        tile_ += Rows;
    }

    /// The next `bytes` of Rows rows: byte i of row m, plus 128, goes to to[m * Pitch + i]. The 16 bytes behind them
    /// may change.
    template <int Rows, int Pitch>
    OCTET_INLINE void next(int bytes, std::uint8_t* to) noexcept {
        for (int done = 0; done < bytes;) {
            const int left = run_bytes_ - at_, part = left < bytes - done ? left : bytes - done;
            copy<Rows, Pitch>(part, to + done);
            done += part;
            at_ += part;
            if (at_ == run_bytes_) {
                at_ = 0;
                run_ += table_step_;
                offset_ += run_distance_;
            }
        }
    }

  private:
    /// A part of a run: in one word that reaches beyond it, where memory does too, or in words of which the last two
    /// overlap.
    template <int Rows, int Pitch>
    OCTET_INLINE void copy(int bytes, std::uint8_t* to) const noexcept {
        const int readable = bytes + readable_;
        if (bytes <= 16 && readable >= 16)
            word<__m128i, Rows, Pitch>(to, 0);
        else if (bytes > 16 && bytes <= 32 && readable >= 32)
            word<__m256i, Rows, Pitch>(to, 0);
        else if (bytes >= 64)
            words<__m512i, Rows, Pitch>(to, bytes);
        else if (bytes >= 32)
            words<__m256i, Rows, Pitch>(to, bytes);
        else if (bytes >= 16)
            words<__m128i, Rows, Pitch>(to, bytes);
        else if (bytes >= 8)
            words<std::uint64_t, Rows, Pitch>(to, bytes);
        else if (bytes >= 4)
            words<std::uint32_t, Rows, Pitch>(to, bytes);
        else
            for (int k = 0; k < bytes; ++k) word<std::uint8_t, Rows, Pitch>(to + k, k);
    }
    template <class Word, int Rows, int Pitch>
    OCTET_INLINE void word(std::uint8_t* to, int from) const noexcept {
        const std::int8_t* const* const rows = rows_ + run_;  // once: the bytes stored below might be the members'
        const std::ptrdiff_t at = offset_ + at_ + from;
#pragma GCC unroll 2
        for (int m = 0; m < Rows; ++m) move(rows[m] + at, to + m * Pitch, Word{});
    }
    template <class Word, int Rows, int Pitch>
    OCTET_INLINE void words(std::uint8_t* to, int bytes) const noexcept {
        constexpr int size = sizeof(Word);
        const std::int8_t* const* const rows = rows_ + run_;
        const std::ptrdiff_t at = offset_ + at_, last = bytes - size;
#pragma GCC unroll 2
        for (int m = 0; m < Rows; ++m, to += Pitch) {
            const std::int8_t* from = rows[m] + at;
            if constexpr (size < 64)
                move(from, to, Word{});
            else
                for (std::ptrdiff_t k = 0; k < last; k += size) move(from + k, to + k, Word{});
            move(from + last, to + last, Word{});
        }
    }

    static OCTET_INLINE void move(const std::int8_t* from, std::uint8_t* to, __m512i) noexcept {
        _mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), _mm512_set1_epi8(-128)));
    }
    static OCTET_INLINE void move(const std::int8_t* from, std::uint8_t* to, __m256i) noexcept {
        const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_xor_si256(x, _mm256_set1_epi8(-128)));
    }
    static OCTET_INLINE void move(const std::int8_t* from, std::uint8_t* to, __m128i) noexcept {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(x, _mm_set1_epi8(-128)));
    }
    template <class Word>
    static OCTET_INLINE void move(const std::int8_t* from, std::uint8_t* to, Word word) noexcept {
        __builtin_memcpy(&word, from, sizeof(word));
        word ^= static_cast<Word>(0x8080808080808080);
        __builtin_memcpy(to, &word, sizeof(word));
    }

    const std::int8_t* const* tile_;  ///< the next one's
    std::ptrdiff_t table_step_, lhs_offset_, run_distance_;
    int run_bytes_, readable_;
    const std::int8_t* const* rows_ = nullptr;  ///< this tile's
    std::ptrdiff_t run_ = 0;                    ///< where this run's pointers stand from there
    std::ptrdiff_t offset_ = 0;
    int at_ = 0;  ///< byte of the run
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
