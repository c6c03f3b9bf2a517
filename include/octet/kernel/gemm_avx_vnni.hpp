// The GEMM micro-kernel on AVX-VNNI: tiles of up to 3 rows x 32 columns, 12 accumulators of 8 columns in registers.
//
// vpdpbusd multiplies unsigned by signed bytes: lhs bytes get 128 added (as xor 0x80) while they are gathered, which
// packing has taken back out of the bias. A group of 4 depths costs a full tile 12 dot products, 3 broadcasts and 4
// loads of weights: 22 instructions in the 6 cycles that 2 dot products a cycle take.
//
// CPUs with AVX-VNNI need not have AVX-512, whose encoding of vpdpbusd is what assemblers prefer: the inline assembly
// asks for the other one. OCTET_AVX_VNNI_TARGET and OCTET_VEX (core/config.hpp) say for which machine this is compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/isa/x86.hpp"
#include "octet/kernel/epilogue_avx2.hpp"
#include "octet/kernel/gemm_gathered.hpp"

#if defined(__x86_64__)
namespace octet::inline OCTET_ABI {
OCTET_REGION(OCTET_AVX_VNNI_TARGET)

template <class Epilogue>
struct gemm_kernel<isa::avx_vnni, Epilogue> : gemm_gathered<gemm_kernel<isa::avx_vnni, Epilogue>> {
    using element = std::uint8_t;
    using strip_type = gemm_strip<element, Epilogue>;
    static constexpr const char* name = "gemm 3x32 vpdpbusd";
    static constexpr gemm_layout layout{.panel = 32, .group = 4, .lhs_shift = 128};
    static constexpr int register_rows = 3;
    static constexpr int tile_rows = 96;

  private:
    friend struct gemm_gathered<gemm_kernel>;

    /// The last elements are those of a whole register, which overlaps the one before.
    static void convert(const std::int8_t* from, int bytes, std::uint8_t* to) noexcept {
        if (bytes >= 32) {
            for (int k = 0; k < bytes - 32; k += 32) shift_32(from + k, to + k);
            shift_32(from + bytes - 32, to + bytes - 32);
        } else if (bytes >= 16) {
            shift_16(from, to);
            shift_16(from + bytes - 16, to + bytes - 16);
        } else if (bytes >= 8) {
            shift_8(from, to);
            shift_8(from + bytes - 8, to + bytes - 8);
        } else {
            for (int k = 0; k < bytes; ++k) to[k] = static_cast<std::uint8_t>(from[k] + 128);
        }
    }
    static OCTET_INLINE void shift_32(const std::int8_t* from, std::uint8_t* to) noexcept {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_xor_si256(load(from), _mm256_set1_epi8(-128)));
    }
    static OCTET_INLINE void shift_16(const std::int8_t* from, std::uint8_t* to) noexcept {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(x, _mm_set1_epi8(-128)));
    }
    static OCTET_INLINE void shift_8(const std::int8_t* from, std::uint8_t* to) noexcept {
        const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_xor_si128(x, _mm_set1_epi8(-128)));
    }

    /// `blocks` tiles of Rows rows x 8 * Vectors columns, one below the other.
    template <int Rows, int Vectors>
    static void strip(const strip_type& s, int blocks) noexcept {
        const Epilogue epilogue(s.args);
        const std::uint8_t* rows = s.rows;
        auto* out = s.out;
        for (; blocks > 0; --blocks, rows += Rows * s.row_stride) {
            __m256i acc[Rows][Vectors];
            multiply(rows, s, acc);
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m, out += s.out_stride) epilogue.store(acc[m], s.columns, out);
        }
    }

    /// acc = bias + the product of Rows rows with the panel.
    template <int Rows, int Vectors>
    static OCTET_INLINE void multiply(const std::uint8_t* rows, const strip_type& s,
                                      __m256i (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) acc[m][v] = load(s.bias + 8 * v);
        }
        const std::uint8_t* lhs[Rows];
#pragma GCC unroll 3
        for (int m = 0; m < Rows; ++m) lhs[m] = rows + m * s.row_stride;
        const std::int8_t* weights = s.weights;
        std::ptrdiff_t k = 0;
        if constexpr (Rows == 1) {  // memory sets the pace: weights are asked for a page ahead (10 % of 1000x2048)
            for (; k + 16 <= 4 * s.groups; k += 16, weights += 4 * 128) {
#pragma GCC unroll 16
                for (int i = 0; i < 4 * Vectors; ++i) {
                    if (i % 2 == 0) prefetch(address_of(weights) + 4096 + i / Vectors * 128 + i % Vectors * 32);
                    std::int32_t group;
                    __builtin_memcpy(&group, lhs[0] + k + i / Vectors * 4, 4);
                    dot(acc[0][i % Vectors], _mm256_set1_epi32(group), weights + i / Vectors * 128 + i % Vectors * 32);
                }
            }
        }
        for (; k < 4 * s.groups; k += 4, weights += 128) {
            constexpr int held = Vectors < 3 ? Vectors : 3;  // the fourth would need a 17th register
            __m256i w[held];
#pragma GCC unroll 3
            for (int v = 0; v < held; ++v) w[v] = load(weights + 32 * v);
#pragma GCC unroll 3
            for (int m = 0; m < Rows; ++m) {
                std::int32_t group;
                __builtin_memcpy(&group, lhs[m] + k, 4);
                const __m256i u = _mm256_set1_epi32(group);
#pragma GCC unroll 3
                for (int v = 0; v < held; ++v) dot(acc[m][v], u, w[v]);
                if constexpr (held < Vectors) dot(acc[m][held], u, weights + 32 * held);
            }
        }
    }

    /// acc += four products of u's unsigned bytes with w's signed ones, in every 32-bit lane. Not the intrinsic: GCC 12
    /// copies the accumulators that it is fed.
    static OCTET_INLINE void dot(__m256i& acc, __m256i u, __m256i w) noexcept {
        asm(OCTET_VEX "vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(acc) : "x"(u), "x"(w));
    }
    static OCTET_INLINE void dot(__m256i& acc, __m256i u, const std::int8_t* w) noexcept {
        asm(OCTET_VEX "vpdpbusd {%2, %1, %0|%0, %1, %2}"
            : "+x"(acc)
            : "x"(u), "m"(*reinterpret_cast<const __m256i*>(w)));
    }
    static OCTET_INLINE __m256i load(const void* p) noexcept {
        return _mm256_loadu_si256(static_cast<const __m256i*>(p));
    }

    static constexpr void (*strips[2][register_rows])(const strip_type&, int) noexcept = {
        {strip<1, 2>, strip<2, 2>, strip<3, 2>}, {strip<1, 4>, strip<2, 4>, strip<3, 4>}};
};

OCTET_REGION_END
}  // namespace octet::inline OCTET_ABI
#endif
