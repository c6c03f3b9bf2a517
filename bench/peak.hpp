// What the machine can do: register loops of the instruction that a kernel lives on, against which its speed is held.
// Clocks drift, so a ratio is taken in one run: samples of the kernel and of the loop alternate, and medians are
// divided.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <vector>

#include "octet/core/config.hpp"
#include "octet/isa/isa.hpp"
#include "octet/isa/x86.hpp"

namespace octet::bench {

/// A loop of `turns` turns and the operations (2 for a multiply-add) of each turn; no loop where run is null.
struct peak_loop {
    void (*run)(std::int64_t turns) noexcept = nullptr;
    double operations = 0.0;
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

// A turn reads `Reads` vectors that stand `apart` bytes from each other and writes `Writes` after one another: what a
// kernel that computes nothing would take for its bytes.
#if defined(__x86_64__)
OCTET_REGION("avx512f,avx512bw")
template <int Reads, int Writes>
void move_avx512(const std::int8_t* in, std::ptrdiff_t apart, std::int8_t* out, std::int64_t turns) noexcept {
    const std::ptrdiff_t advance = apart == 64 ? 64 * Reads : 64;
    for (; turns > 0; --turns, in += advance, out += 64 * Writes) {
        __m512i x = _mm512_loadu_si512(in);
#pragma GCC unroll 4
        for (int i = 1; i < Reads; ++i) x = _mm512_max_epi8(x, _mm512_loadu_si512(in + i * apart));
        asm volatile("" : : "v"(x));  // used, also where nothing is written
#pragma GCC unroll 4
        for (int i = 0; i < Writes; ++i) _mm512_storeu_si512(out + 64 * i, x);
    }
}
OCTET_REGION_END
OCTET_REGION("avx2")
template <int Reads, int Writes>
void move_avx2(const std::int8_t* in, std::ptrdiff_t apart, std::int8_t* out, std::int64_t turns) noexcept {
    const std::ptrdiff_t advance = apart == 32 ? 32 * Reads : 32;
    for (; turns > 0; --turns, in += advance, out += 32 * Writes) {
        __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
#pragma GCC unroll 4
        for (int i = 1; i < Reads; ++i)
            x = _mm256_max_epi8(x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i * apart)));
        asm volatile("" : : "x"(x));
#pragma GCC unroll 4
        for (int i = 0; i < Writes; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * i), x);
    }
}
OCTET_REGION_END
#endif
template <int Reads, int Writes>
void move_bytes(const std::int8_t* in, std::ptrdiff_t apart, std::int8_t* out, std::int64_t turns) noexcept {
    const std::ptrdiff_t advance = apart == 16 ? 16 * Reads : 16;
    for (; turns > 0; --turns, in += advance, out += 16 * Writes) {
        std::int8_t x[16];
        std::memcpy(x, in, 16);
        for (int i = 1; i < Reads; ++i)
            for (int b = 0; b < 16; ++b) x[b] = std::max(x[b], in[i * apart + b]);
        for (int i = 0; i < Writes; ++i) std::memcpy(out + 16 * i, x, 16);
        asm volatile("" : : "m"(x));
    }
}

/// A loop that moves the bytes of a row kernel: run(in, apart, out, turns) reads turns * Reads * vector bytes, and
/// writes turns * Writes * vector. apart: `vector` for one stream, more for `Reads` streams that far from each other.
struct move_loop {
    int vector = 16;
    void (*run)(const std::int8_t* in, std::ptrdiff_t apart, std::int8_t* out, std::int64_t turns) noexcept = nullptr;
};
template <int Reads, int Writes>
move_loop moves([[maybe_unused]] isa which) noexcept {
#if defined(__x86_64__)
    if (which == isa::avx512_vnni) return {64, move_avx512<Reads, Writes>};
    if (which == isa::avx2) return {32, move_avx2<Reads, Writes>};
#endif
    return {16, move_bytes<Reads, Writes>};
}

/// vpdpbusd; for AVX2 vpmaddwd and vpaddd, the exact form.
inline peak_loop int8_peak([[maybe_unused]] isa which) noexcept {
#if defined(__x86_64__)
    if (which == isa::avx512_vnni) return {dot_product_avx512, 12 * 64 * 2};
    if (which == isa::avx2) return {multiply_add_avx2, 12 * 16 * 2};
#endif
    return {};
}
inline peak_loop float_peak([[maybe_unused]] isa which) noexcept {
#if defined(__x86_64__)
    if (which == isa::avx512_vnni) return {fma_avx512, 12 * 16 * 2};
    if (which == isa::avx2) return {fma_avx2, 12 * 8 * 2};
#endif
    return {};
}

/// Seconds that this thread ran: what other processes take from a long sample would be missing from a short one.
inline double thread_seconds() noexcept {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Body>
double seconds_of(const Body& body) {
    const double start = thread_seconds();
    body();
    return thread_seconds() - start;
}

inline double median(std::vector<double> samples) {
    const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
    std::nth_element(samples.begin(), middle, samples.end());
    return *middle;
}

/// Operations a second of one sample of the loop, about 30 microseconds long.
inline double sample(const peak_loop& peak) {
    constexpr std::int64_t turns = 10000;
    return static_cast<double>(turns) * peak.operations / seconds_of([&] { peak.run(turns); });
}

}  // namespace octet::bench
