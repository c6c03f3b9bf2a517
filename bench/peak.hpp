// What the machine can do: register loops of the instruction that a kernel lives on, and loops that move as many bytes
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

#if defined(__x86_64__)
// 12 chains hide a latency of 4 cycles at up to 3 instructions a cycle. The statements are volatile, so that no turn is
// found to be the same as the one before.
OCTET_REGION("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
inline void dot_product_avx512(std::int64_t turns) noexcept {
    __m512i acc[12], u = _mm512_set1_epi8(3), w = _mm512_set1_epi8(5);
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm512_setzero_si512();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) asm volatile("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc[i]) : "v"(u), "v"(w));
    }
}
/// Reads `reads` vectors for each of the `writes` that it writes; `writes` may be 0: then it reads `reads` in all.
inline void move_avx512(const std::byte* from, std::size_t reads, std::byte* to, std::size_t writes) noexcept {
    const std::size_t each = writes == 0 ? reads : reads / writes;
    for (std::size_t w = 0; w < (writes == 0 ? 1 : writes); ++w, from += 64 * each) {
        __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
        std::size_t i = 0;
        for (; i + 4 <= each; i += 4) {
            a = _mm512_or_si512(a, _mm512_loadu_si512(from + 64 * i));
            b = _mm512_or_si512(b, _mm512_loadu_si512(from + 64 * i + 64));
            c = _mm512_or_si512(c, _mm512_loadu_si512(from + 64 * i + 128));
            d = _mm512_or_si512(d, _mm512_loadu_si512(from + 64 * i + 192));
        }
        for (; i < each; ++i) a = _mm512_or_si512(a, _mm512_loadu_si512(from + 64 * i));
        a = _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d));
        if (writes != 0) _mm512_storeu_si512(to + 64 * w, a);
        asm volatile("" : : "v"(a) : "memory");
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
OCTET_REGION_END

OCTET_REGION("sse4.1")
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
OCTET_REGION_END

OCTET_REGION("avx2,avxvnni")
inline void dot_product_avx_vnni(std::int64_t turns) noexcept {
    __m256i acc[12], u = _mm256_set1_epi8(3), w = _mm256_set1_epi8(5);
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) acc[i] = _mm256_setzero_si256();
    for (std::int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i)
            asm volatile("%{vex%} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(acc[i]) : "x"(u), "x"(w));
    }
}
OCTET_REGION_END

OCTET_REGION("avx2,fma")
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
/// As move_avx512, vectors of 32 bytes.
inline void move_avx2(const std::byte* from, std::size_t reads, std::byte* to, std::size_t writes) noexcept {
    const std::size_t each = writes == 0 ? reads : reads / writes;
    for (std::size_t w = 0; w < (writes == 0 ? 1 : writes); ++w, from += 32 * each) {
        __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
        std::size_t i = 0;
        for (; i + 4 <= each; i += 4) {
            a = _mm256_or_si256(a, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i)));
            b = _mm256_or_si256(b, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i + 32)));
            c = _mm256_or_si256(c, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i + 64)));
            d = _mm256_or_si256(d, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i + 96)));
        }
        for (; i < each; ++i)
            a = _mm256_or_si256(a, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i)));
        a = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
        if (writes != 0) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 32 * w), a);
        asm volatile("" : : "x"(a) : "memory");
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
OCTET_REGION_END
#endif

/// As move_avx512, words of 8 bytes.
inline void move_words(const std::byte* from, std::size_t reads, std::byte* to, std::size_t writes) noexcept {
    const std::size_t each = writes == 0 ? reads : reads / writes;
    for (std::size_t w = 0; w < (writes == 0 ? 1 : writes); ++w, from += 8 * each) {
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < each; ++i) {
            std::uint64_t word = 0;
            std::memcpy(&word, from + 8 * i, 8);
            all |= word;
        }
        if (writes != 0) std::memcpy(to + 8 * w, &all, 8);
        asm volatile("" : : "r"(all) : "memory");
    }
}

/// A register loop of about 30 us; `operations` is 2 for each multiply-add of a turn.
inline limit register_loop(void (*run)(std::int64_t turns) noexcept, double operations) {
    constexpr std::int64_t turns = 10000;
    return {[=] { return static_cast<double>(turns) * operations / seconds_of([&] { run(turns); }); }};
}

/// vpdpbusd; without VNNI vpmaddwd and vpaddd, the exact form.
inline limit int8_limit([[maybe_unused]] isa which) {
#if defined(__x86_64__)
    if (which == isa::avx512_vnni) return register_loop(dot_product_avx512, 12 * 64 * 2);
    if (which == isa::avx_vnni) return register_loop(dot_product_avx_vnni, 12 * 32 * 2);
    if (which == isa::avx512bw) return register_loop(multiply_add_avx512, 12 * 32 * 2);
    if (which == isa::avx2) return register_loop(multiply_add_avx2, 12 * 16 * 2);
    if (which == isa::sse41) return register_loop(multiply_add_sse41, 12 * 8 * 2);
#endif
    return {};
}
inline limit float_limit([[maybe_unused]] isa which) {
#if defined(__x86_64__)
    if (which == isa::avx512_vnni || which == isa::avx512bw) return register_loop(fma_avx512, 12 * 16 * 2);
    if (which == isa::avx2 || which == isa::avx_vnni) return register_loop(fma_avx2, 12 * 8 * 2);
#endif
    return {};
}

/// A loop that reads and writes so many bytes, of buffers of its own.
inline limit traffic_limit([[maybe_unused]] isa which, std::size_t reads, std::size_t writes) {
    std::size_t width = 8;
    auto* move = move_words;
#if defined(__x86_64__)
    if (which == isa::avx512_vnni || which == isa::avx512bw) width = 64, move = move_avx512;
    if (which == isa::avx2 || which == isa::avx_vnni) width = 32, move = move_avx2;
#endif
    struct memory {
        buffer<std::byte> from, to;
    };
    auto own = std::make_shared<memory>(memory{buffer<std::byte>(reads + 64), buffer<std::byte>(writes + 64)});
    const std::size_t in = reads / width, out = writes / width;
    const contender loop(repeated([=] { move(own->from.data(), in, own->to.data(), out); }));
    return {[=] { return static_cast<double>(reads + writes) / loop.sample(); }, true};
}

}  // namespace octet::bench
