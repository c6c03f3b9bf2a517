// label: law
// The rows on xsimd's batches return the bytes of quant/quantizer.hpp, and xsimd's detection agrees with ours.
#include "octet/xsimd.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "octet/isa/detect.hpp"

namespace {

using octet::clamp;
using octet::quant_params;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float largest = std::numeric_limits<float>::max();

/// Ties, values beside them, values far outside, NaN of both signs, infinities, denormals, both zeros.
std::vector<float> reals(std::size_t count, float scale, unsigned seed) {
    const float special[] = {0.0F,
                             -0.0F,
                             infinity,
                             -infinity,
                             largest,
                             -largest,
                             std::numeric_limits<float>::quiet_NaN(),
                             -std::numeric_limits<float>::quiet_NaN(),
                             std::numeric_limits<float>::denorm_min(),
                             3e9F,
                             -3e9F};
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> half_steps(-600, 600), kind(0, 9);
    std::vector<float> all(count);
    for (float& x : all) {
        x = scale * 0.5F * static_cast<float>(half_steps(random));
        const int k = kind(random);
        if (k == 0) x = special[random() % std::size(special)];
        if (k == 1) x = std::nextafter(x, infinity);
        if (k == 2) x = std::nextafter(x, -infinity);
        if (k == 3) x *= 1.2345F;
    }
    return all;
}

template <class Storage>
void compare(clamp limits) {
    for (const quant_params p : {quant_params{octet::scale(0.25F), octet::zero_point(0)},
                                 quant_params{octet::scale(0.1F), octet::zero_point(limits.low)},
                                 quant_params{octet::scale(0x1p-60F), octet::zero_point(limits.high)},
                                 quant_params{octet::scale(7.77F), octet::zero_point(17)}})
        for (std::size_t count = 0; count < 200; count += count < 70 ? 1 : 13)
            for (const std::size_t offset : {0U, 1U, 3U}) {
                const std::vector<float> in = reals(count + offset, p.scale.value, static_cast<unsigned>(count));
                std::vector<Storage> out(count + offset + 1, Storage{55});
                octet::batched::quantize<Storage>(std::span(in).subspan(offset), std::span(out).subspan(offset, count),
                                                  p, limits);
                std::vector<float> back(count + offset + 1, 55.0F);
                octet::batched::dequantize<Storage>(std::span<const Storage>(out).subspan(offset, count),
                                                    std::span(back).subspan(offset, count), p);
                for (std::size_t i = offset; i < count + offset; ++i) {
                    ASSERT_EQ(out[i], octet::quantize_value(in[i], p, limits.low, limits.high)) << in[i] << " at " << i;
                    ASSERT_EQ(std::bit_cast<std::uint32_t>(back[i]),
                              std::bit_cast<std::uint32_t>(octet::dequantize_value(out[i], p)));
                }
                ASSERT_EQ(out[count + offset], 55) << "written past the end";
                ASSERT_EQ(back[count + offset], 55.0F) << "written past the end";
            }
}

TEST(xsimd, rows_have_the_bytes_of_the_quantizer) {
    compare<std::int8_t>({-128, 127});
    compare<std::int8_t>({-127, 127});
    compare<std::int8_t>({0, 6});
    compare<std::uint8_t>({0, 255});
    compare<std::uint8_t>({1, 255});
}

TEST(xsimd, limits_are_those_of_the_storage_unless_given) {
    const quant_params p{octet::scale(1.0F), octet::zero_point(0)};
    const std::vector<float> in{-1000.0F, 1000.0F};
    std::vector<std::int8_t> bytes(2);
    octet::batched::quantize<std::int8_t>(in, bytes, p);
    EXPECT_EQ(bytes, (std::vector<std::int8_t>{-128, 127}));
    std::vector<std::uint8_t> unsigned_bytes(2);
    octet::batched::quantize<std::uint8_t>(in, unsigned_bytes, p);
    EXPECT_EQ(unsigned_bytes, (std::vector<std::uint8_t>{0, 255}));
}

#if defined(__x86_64__)
/// xsimd reads CPUID without asking whether the operating system saves the registers, which the compiler's functions
/// do.
TEST(xsimd, detection_agrees) {
    __builtin_cpu_init();
    const octet::cpu_features ours = octet::detect_cpu();
    const auto theirs = xsimd::available_architectures();
    const bool saves_ymm = __builtin_cpu_supports("avx") != 0, saves_zmm = __builtin_cpu_supports("avx512f") != 0;
    EXPECT_EQ(ours.ssse3, theirs.ssse3 != 0);
    EXPECT_EQ(ours.sse41, theirs.sse4_1 != 0);
    EXPECT_EQ(ours.avx2, theirs.avx2 != 0 && saves_ymm);
    EXPECT_EQ(ours.fma, theirs.fma3_sse != 0 && saves_ymm);
    EXPECT_EQ(ours.avx512f, theirs.avx512f != 0 && saves_zmm);
    EXPECT_EQ(ours.avx512bw, theirs.avx512bw != 0 && saves_zmm);
    EXPECT_EQ(ours.avx512dq, theirs.avx512dq != 0 && saves_zmm);
}
#endif

}  // namespace
