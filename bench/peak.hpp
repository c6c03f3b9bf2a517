// What the machine can do: register loops of the instructions that a kernel lives on, and loops that move as many bytes
// as it does. measure.hpp holds a kernel's speed against them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>

#include "octet/core/buffer.hpp"
#include "octet/core/config.hpp"
#include "octet/isa/isa.hpp"
#include "octet/isa/x86.hpp"
#include "timing.hpp"

namespace octet::bench {

/// One sample of the most that the machine does: operations or bytes a second; empty where no loop is known.
struct limit {
    std::function<double()> rate{};
    bool of_bytes = false;
};

/// A moving loop: load(x, from) reads a register, `each` of them for every one that is written; with 0 writes all are
/// only read.
template <class Register, class Load>
OCTET_INLINE void move_registers(const std::byte* from, std::size_t each, std::byte* to, std::size_t writes,
                                 const Load& load) noexcept {
    Register x{};
    for (std::size_t w = 0; w < writes || w == 0; ++w, from += sizeof x * each) {
#pragma GCC unroll 8
        for (std::size_t i = 0; i < each; ++i) load(x, from + sizeof x * i);
        if (writes != 0) std::memcpy(to + sizeof x * w, &x, sizeof x);
    }
}

#if defined(__x86_64__)
// Register loops: 12 chains hide a latency of 4 cycles at up to 3 instructions a cycle. Of dot products 12 reach 94 %
// of what 14 do on Intel, though 5 cycles on two ports ask for 10; 14 and a factor are what 16 registers hold. The
// statements are volatile, so that no turn is found to be the same as the one before.
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
inline void dot_product_avx512(std::int64_t turns) noexcept {
    __m512i acc[14], x = _mm512_set1_epi8(3);
#pragma GCC unroll 14
    for (int i = 0; i < 14; ++i) acc[i] = _mm512_setzero_si512();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 14
        for (int i = 0; i < 14; ++i) asm volatile("vpdpbusd {%1, %1, %0|%0, %1, %1}" : "+v"(acc[i]) : "v"(x));
    }
}
inline void multiply_add_avx512(std::int64_t turns) noexcept {
    __m512i acc[12], x = _mm512_set1_epi16(3);
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm512_setzero_si512();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) {
            __m512i both;
            asm volatile("vpmaddwd {%1, %1, %0|%0, %1, %1}" : "=v"(both) : "v"(x));
            asm volatile("vpaddd {%1, %0, %0|%0, %0, %1}" : "+v"(acc[i]) : "v"(both));
        }
    }
}
inline void fma_avx512(std::int64_t turns) noexcept {
    __m512 acc[12], x = _mm512_set1_ps(0.5F);
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm512_setzero_ps();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) asm volatile("vfmadd231ps {%1, %1, %0|%0, %1, %1}" : "+v"(acc[i]) : "v"(x));
    }
}
inline void move_avx512(const std::byte* from, std::size_t each, std::byte* to, std::size_t writes) noexcept {
    move_registers<__m512i>(from, each, to, writes, [](__m512i& x, const std::byte* at) noexcept {
        asm volatile("vmovdqu64 {(%1), %0|%0, [%1]}" : "=v"(x) : "r"(at) : "memory");
    });
}
OCTET_REGION_END

OCTET_REGION("avx2,fma")
/// VEX-encoded, as a CPU with AVX-VNNI and without AVX-512 needs it.
inline void dot_product_avx_vnni(std::int64_t turns) noexcept {
    __m256i acc[14], x = _mm256_set1_epi8(3);
#pragma GCC unroll 14
    for (int i = 0; i < 14; ++i) acc[i] = _mm256_setzero_si256();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 14
        for (int i = 0; i < 14; ++i) asm volatile("%{vex%} vpdpbusd {%1, %1, %0|%0, %1, %1}" : "+x"(acc[i]) : "x"(x));
    }
}
inline void multiply_add_avx2(std::int64_t turns) noexcept {
    __m256i acc[12], x = _mm256_set1_epi16(3);
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm256_setzero_si256();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) {
            __m256i both;
            asm volatile("vpmaddwd {%1, %1, %0|%0, %1, %1}" : "=x"(both) : "x"(x));
            asm volatile("vpaddd {%1, %0, %0|%0, %0, %1}" : "+x"(acc[i]) : "x"(both));
        }
    }
}
inline void fma_avx2(std::int64_t turns) noexcept {
    __m256 acc[12], x = _mm256_set1_ps(0.5F);
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm256_setzero_ps();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) asm volatile("vfmadd231ps {%1, %1, %0|%0, %1, %1}" : "+x"(acc[i]) : "x"(x));
    }
}
inline void move_avx2(const std::byte* from, std::size_t each, std::byte* to, std::size_t writes) noexcept {
    move_registers<__m256i>(from, each, to, writes, [](__m256i& x, const std::byte* at) noexcept {
        asm volatile("vmovdqu {(%1), %0|%0, [%1]}" : "=x"(x) : "r"(at) : "memory");
    });
}
OCTET_REGION_END

inline void multiply_add_sse41(std::int64_t turns) noexcept {
    __m128i acc[12], x = _mm_set1_epi16(3);
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm_setzero_si128();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) {
            __m128i both = x;
            asm volatile("pmaddwd {%1, %0|%0, %1}" : "+x"(both) : "x"(x));
            asm volatile("paddd {%1, %0|%0, %1}" : "+x"(acc[i]) : "x"(both));
        }
    }
}
inline void move_sse41(const std::byte* from, std::size_t each, std::byte* to, std::size_t writes) noexcept {
    move_registers<__m128i>(from, each, to, writes, [](__m128i& x, const std::byte* at) noexcept {
        asm volatile("movdqu {(%1), %0|%0, [%1]}" : "=x"(x) : "r"(at) : "memory");
    });
}
#elif defined(__aarch64__)
// NEON, which every such CPU has. The exact product of int8 is smull and sadalp: 8 products to int16, then to 4 sums.
using neon_register [[gnu::vector_size(16)]] = std::int32_t;
inline void multiply_add_neon(std::int64_t turns) noexcept {
    neon_register acc[12]{}, x{3, 3, 3, 3};
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) {
            neon_register both;
            asm volatile("smull %0.8h, %1.8b, %1.8b" : "=w"(both) : "w"(x));
            asm volatile("sadalp %0.4s, %1.8h" : "+w"(acc[i]) : "w"(both));
        }
    }
}
inline void fma_neon(std::int64_t turns) noexcept {
    neon_register acc[12]{}, x{};
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) asm volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(acc[i]) : "w"(x));
    }
}
inline void move_neon(const std::byte* from, std::size_t each, std::byte* to, std::size_t writes) noexcept {
    move_registers<neon_register>(from, each, to, writes, [](neon_register& x, const std::byte* at) noexcept {
        asm volatile("ldr %q0, [%1]" : "=w"(x) : "r"(at) : "memory");
    });
}
#endif

inline void move_words(const std::byte* from, std::size_t each, std::byte* to, std::size_t writes) noexcept {
    move_registers<std::uint64_t>(from, each, to, writes, [](std::uint64_t& x, const std::byte* at) noexcept {
        std::memcpy(&x, at, sizeof x);
        asm volatile("" : "+r"(x));
    });
}

/// A register loop of about 30 us; `operations` is 2 for each multiply-add of a turn.
inline limit register_loop(void (*run)(std::int64_t turns) noexcept, double operations) {
    constexpr std::int64_t turns = 10000;
    return {[=] { return static_cast<double>(turns) * operations / seconds_of([&] { run(turns); }); }};
}

/// vpdpbusd; without it the exact form, vpmaddwd and vpaddd, or smull and sadalp.
inline limit int8_limit([[maybe_unused]] isa which) {
#if defined(__x86_64__)
    if (which == isa::avx512_vnni) return register_loop(dot_product_avx512, 14 * 64 * 2);
    if (which == isa::avx_vnni) return register_loop(dot_product_avx_vnni, 14 * 32 * 2);
    if (which == isa::avx512bw) return register_loop(multiply_add_avx512, 12 * 32 * 2);
    if (which == isa::avx2) return register_loop(multiply_add_avx2, 12 * 16 * 2);
    if (which == isa::sse41) return register_loop(multiply_add_sse41, 12 * 8 * 2);
#elif defined(__aarch64__)
    return register_loop(multiply_add_neon, 12 * 8 * 2);
#endif
    return {};
}
inline limit float_limit([[maybe_unused]] isa which) {
#if defined(__x86_64__)
    if (which == isa::avx512_vnni || which == isa::avx512bw) return register_loop(fma_avx512, 12 * 16 * 2);
    if (which == isa::avx2 || which == isa::avx_vnni) return register_loop(fma_avx2, 12 * 8 * 2);
#elif defined(__aarch64__)
    return register_loop(fma_neon, 12 * 4 * 2);
#endif
    return {};
}

/// A loop that reads and writes so many bytes, of buffers of its own: whole vectors, a whole number of them read for
/// each that is written.
inline limit traffic_limit([[maybe_unused]] isa which, std::size_t reads, std::size_t writes) {
    std::size_t width = 8;
    auto* move = move_words;
#if defined(__x86_64__)
    if (which == isa::avx512_vnni || which == isa::avx512bw) width = 64, move = move_avx512;
    if (which == isa::avx2 || which == isa::avx_vnni) width = 32, move = move_avx2;
    if (which == isa::sse41) width = 16, move = move_sse41;
#elif defined(__aarch64__)
    width = 16, move = move_neon;
#endif
    struct memory {
        buffer<std::byte> from, to;
    };
    const std::size_t out = writes / width, each = out == 0 ? reads / width : (reads / width + out - 1) / out;
    const std::size_t moved = (each * (out == 0 ? 1 : out) + out) * width;
    const auto own = std::make_shared<memory>(memory{buffer<std::byte>(moved), buffer<std::byte>(writes)});
    const contender loop(repeated([=] { move(own->from.data(), each, own->to.data(), out); }));
    return {[=] { return static_cast<double>(moved) / loop.sample(); }, true};
}

}  // namespace octet::bench
