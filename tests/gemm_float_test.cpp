// label: law
// Every float GEMM micro-kernel returns the bits of one fused multiply-add chain an output, whatever the block of rows
// and columns, reads nothing beyond its rows and writes nothing beyond its columns.
#include "octet/kernel/gemm_float.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"

namespace {

using octet::isa;
using octet::test::guard;
using octet::test::guarded;

constexpr float infinity = std::numeric_limits<float>::infinity();

struct problem {
    int rows = 1;
    int cols = 1;
    int taps = 1;
    int depth = 1;
    int out_gap = 0;
    int lhs_offset = 0;
    int lhs_gap = 0;
    guard side = guard::end;
    float low = -infinity, high = infinity;
    int exponents = 4;      ///< magnitudes from 2^-exponents to 2^exponents
    bool specials = false;  ///< infinities, NaN, denormals and signed zeros among the data
    std::uint32_t seed = 1;
};

std::string to_string(const problem& p) {
    return octet::text("rows ", p.rows, " cols ", p.cols, " taps ", p.taps, " depth ", p.depth, " out_gap ", p.out_gap,
                       " lhs_gap ", p.lhs_gap, " clamp ", p.low, "..", p.high, " seed ", p.seed);
}

float random_real(std::mt19937& random, const problem& p) {
    if (p.specials && random() % 16 == 0) {
        constexpr float odd[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 0.0F, -0.0F,
                                 1e-45F,   -3e-39F,   std::numeric_limits<float>::max()};
        return odd[random() % std::size(odd)];
    }
    const float fraction = 1.0F + static_cast<float>(random() % (1U << 23)) * 0x1p-23F;
    const int exponent = static_cast<int>(random() % static_cast<std::uint32_t>(2 * p.exponents + 1)) - p.exponents;
    return std::ldexp(random() % 2 == 0 ? fraction : -fraction, exponent);
}

/// Bits, with one pattern for every NaN: which of two NaN operands survives is the encoding's business.
std::uint32_t bits(float x) { return std::isnan(x) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(x); }

void check(const octet::float_gemm_entry& kernel, const problem& p) {
    const auto whole = [](auto... n) { return (static_cast<std::size_t>(n) * ...); };
    std::mt19937 random(p.seed);
    std::vector<float> weights(whole(p.cols, p.taps, p.depth)), bias(whole(p.cols));
    for (float& w : weights) w = random_real(random, p);
    for (float& b : bias) b = random_real(random, p);
    const std::size_t step = whole(p.depth) + static_cast<std::size_t>(p.lhs_gap);
    const guarded<float> lhs(step * (whole(p.rows, p.taps) - 1) + whole(p.depth), p.side);
    for (float& x : lhs) x = random_real(random, p);
    const auto row = [&](int m, int t) { return lhs.data() + step * (whole(m) * whole(p.taps) + whole(t)); };

    const auto packed = octet::pack_float_gemm(kernel.panel, weights.data(), p.cols, p.taps, p.depth, bias);
    const std::size_t out_stride = whole(p.cols) + static_cast<std::size_t>(p.out_gap);
    const guarded<float> out(out_stride * (whole(p.rows) - 1) + whole(p.cols), p.side);
    std::fill(out.begin(), out.end(), -77.0F);
    std::vector<float> expected(out.begin(), out.end());
    std::vector<const float*> table(whole(p.taps, kernel.tile_rows));
    for (int first = 0; first < p.rows; first += kernel.tile_rows) {
        const int rows = std::min(kernel.tile_rows, p.rows - first);
        std::fill(table.begin(), table.end(), nullptr);
        for (int t = 0; t < p.taps; ++t)
            for (int m = 0; m < rows; ++m)
                table[whole(t) * whole(kernel.tile_rows) + whole(m)] = row(first + m, t) - p.lhs_offset;
        kernel.run({&packed, table.data(), p.lhs_offset, rows, out.data() + whole(first) * out_stride,
                    static_cast<std::ptrdiff_t>(out_stride), p.low, p.high});
    }

    for (int m = 0; m < p.rows; ++m)
        for (int n = 0; n < p.cols; ++n) {
            const float* column = weights.data() + whole(n) * whole(p.taps, p.depth);
            float acc = bias[whole(n)];
            for (int t = 0; t < p.taps; ++t)
                for (int k = 0; k < p.depth; ++k) acc = std::fma(row(m, t)[k], column[t * p.depth + k], acc);
            acc = acc < p.low ? p.low : acc;
            expected[whole(m) * out_stride + whole(n)] = acc > p.high ? p.high : acc;
        }
    for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(bits(out[i]), bits(expected[i])) << to_string(p) << ": row " << i / out_stride << " col "
                                                   << i % out_stride << " is " << out[i] << ", not " << expected[i];
}

template <class Body>
void each(const Body& body) {
    for (const isa which : octet::supported_isas()) {
        const octet::float_gemm_entry kernel = octet::choose_float_gemm(which);
        ASSERT_EQ(kernel.target, octet::test::expected_target(which, {isa::avx512bw, isa::avx2}))
            << "the kernel of another instruction set would be tested";
        ASSERT_EQ(kernel.tile_rows % kernel.register_rows, 0);
        SCOPED_TRACE(octet::text(to_string(which), ", ", kernel.name));
        body(kernel);
        if (testing::Test::HasFailure()) return;
    }
}

TEST(gemm_float, every_column_tail_and_row_count) {
    each([](const auto& kernel) {
        for (int cols = 1; cols <= 2 * kernel.panel + 1; ++cols)
            for (const int rows : {1, 2, 3, 4, 5, 6, 7})
                check(kernel, {.rows = rows,
                               .cols = cols,
                               .depth = 1 + (cols + rows) % 11,
                               .out_gap = cols % 3,
                               .seed = static_cast<std::uint32_t>(cols)});
    });
}

TEST(gemm_float, every_row_count_around_a_call) {
    each([](const auto& kernel) {
        for (const int rows : {kernel.tile_rows - 1, kernel.tile_rows, kernel.tile_rows + 1, 2 * kernel.tile_rows + 1})
            check(kernel, {.rows = rows, .cols = 70, .taps = 2, .depth = 9});
    });
}

TEST(gemm_float, depths_taps_offsets_and_guards) {
    each([](const auto& kernel) {
        std::uint32_t seed = 0;
        for (const int taps : {1, 3, 9})
            for (const int depth : {1, 2, 3, 8, 17, 64, 255})
                for (const int gap : {0, 3})
                    for (const guard side : {guard::end, guard::begin})
                        check(kernel, {.rows = 7,
                                       .cols = 19,
                                       .taps = taps,
                                       .depth = depth,
                                       .lhs_offset = 5 * gap,
                                       .lhs_gap = gap,
                                       .side = side,
                                       .seed = ++seed});
    });
}

TEST(gemm_float, clamps) {
    each([](const auto& kernel) {
        for (const auto& [low, high] :
             {std::pair{0.0F, infinity}, std::pair{0.0F, 6.0F}, std::pair{-1.0F, 1.0F}, std::pair{-infinity, -0.0F}})
            check(kernel, {.rows = 6, .cols = 37, .depth = 12, .low = low, .high = high});
    });
}

TEST(gemm_float, cancellation_and_wide_exponents) {
    each([](const auto& kernel) {
        for (std::uint32_t seed = 1; seed <= 20; ++seed)
            check(kernel, {.rows = 5, .cols = 33, .depth = 40, .exponents = static_cast<int>(seed) * 3, .seed = seed});
    });
}

TEST(gemm_float, infinities_nan_denormals_and_signed_zeros) {
    each([](const auto& kernel) {
        for (std::uint32_t seed = 1; seed <= 20; ++seed) {
            check(kernel, {.rows = 5, .cols = 33, .depth = 3, .specials = true, .seed = seed});
            check(kernel,
                  {.rows = 5, .cols = 33, .depth = 3, .low = 0.0F, .high = 6.0F, .specials = true, .seed = seed});
        }
    });
}

// fused_multiply_add stands in for the instruction where there is none: the same bits as std::fma everywhere.
TEST(fused_multiply_add, is_fma) {
    std::mt19937 random(9);
    const auto any = [&] { return std::bit_cast<float>(static_cast<std::uint32_t>(random())); };
    for (int i = 0; i < 200000; ++i) {
        float a = any(), b = any(), c = any();
        if (i % 2 == 0) {  // a sum whose parts overlap, so that rounding is at stake
            a = std::ldexp(1.0F + static_cast<float>(random() % 4096) / 4096, static_cast<int>(random() % 8) - 4);
            b = std::ldexp(1.0F + static_cast<float>(random() % 4096) / 4096, static_cast<int>(random() % 8) - 4);
            c = std::ldexp(random() % 2 == 0 ? 1.0F : -1.0F, static_cast<int>(random() % 60) - 30);
        }
        ASSERT_EQ(bits(octet::fused_multiply_add(a, b, c)), bits(std::fma(a, b, c))) << a << " * " << b << " + " << c;
    }
}

}  // namespace
