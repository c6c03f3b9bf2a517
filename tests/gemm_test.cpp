// label: law
// Every int8 GEMM micro-kernel of the machine returns the reference's bytes, for every rounding policy to int8, in
// int32 and in float, reads nothing beyond its rows and writes nothing beyond its columns.
#include "octet/kernel/gemm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#if !defined(OCTET_AVX_VNNI_AS_AVX512)  // the library of kernels is compiled without it
#include "compiled_once.hpp"
#endif
#include "guarded.hpp"
#include "kernel_data.hpp"
#include "octet/kernel/gemm_reference.hpp"
#include "tested_isas.hpp"

namespace {

using octet::gemm_call;
using octet::gemm_entry;
using octet::isa;
using octet::zero_point;
using octet::test::guard;
using octet::test::guarded;

/// One product and everything that can vary about it.
struct problem {
    int rows = 1;
    int cols = 1;
    int taps = 1;
    int depth = 1;
    int lhs_zero = 0;
    int out_zero = 0;
    octet::clamp limits = {};
    int out_gap = 0;     ///< elements between the rows of the result
    int lhs_offset = 0;  ///< added to every pointer of the table
    int misalign = 0;    ///< bytes between the rows of the lhs: every alignment occurs
    int readable = 0;    ///< bytes behind every run that are no business of the result
    guard side = guard::end;
    int lhs_low = -128, lhs_high = 127;  ///< random data in these bounds
    int weight_low = -127, weight_high = 127;
    double multiplier = 0.0;  ///< 0: such that results spread over int8; otherwise this times a factor in [1, 2)
    std::uint32_t seed = 1;
};

std::string to_string(const problem& p) {
    return octet::text("rows ", p.rows, " cols ", p.cols, " taps ", p.taps, " depth ", p.depth, " lhs_zero ",
                       p.lhs_zero, " out_zero ", p.out_zero, " limits ", p.limits.low, "..", p.limits.high, " out_gap ",
                       p.out_gap, " lhs_offset ", p.lhs_offset, " misalign ", p.misalign, " readable ", p.readable,
                       " lhs ", p.lhs_low, "..", p.lhs_high, " weights ", p.weight_low, "..", p.weight_high, " m ",
                       p.multiplier, " seed ", p.seed);
}

std::int8_t between(std::mt19937& random, int low, int high) {
    return static_cast<std::int8_t>(low + static_cast<int>(random() % static_cast<std::uint32_t>(high - low + 1)));
}

template <class Result>
std::string name_of() {
    if constexpr (octet::stores_int8<Result>)
        return std::string(to_string(Result::policy));
    else
        return std::is_same_v<Result, octet::accumulators> ? "accumulators" : "dequantized";
}

template <class Result>
typename Result::multiplier multiplier(double m) {
    return Result::make(octet::scale(static_cast<float>(m)), octet::scale(1), octet::scale(1), "test");
}

/// One row against all columns.
template <class Result>
void run_row(const gemm_entry<Result>& kernel, const octet::packed_gemm<Result>& packed, const std::int8_t* const* lhs,
             zero_point out_zero, octet::clamp limits, typename Result::stored* out, std::byte* scratch) {
    kernel.run({.weights = &packed,
                .lhs = lhs,
                .count = 1,
                .end_panel = packed.panels(),
                .out = out,
                .out_stride = packed.cols,
                .out_zero = out_zero,
                .limits = limits,
                .scratch = scratch});
}

template <class Result>
class gemm_law {
  public:
    using stored = typename Result::stored;
    explicit gemm_law(isa which, const octet::cpu_features& on = octet::cpu())
        : kernel_(octet::choose_gemm<Result>(which, on)) {
        EXPECT_EQ(kernel_.target, which) << "the kernel of another instruction set would be tested";
        EXPECT_GE(kernel_.tile_rows, kernel_.register_rows);
        EXPECT_EQ(kernel_.tile_rows % kernel_.register_rows, 0) << "a full call would end in a partial block of rows";
    }

    const gemm_entry<Result>& kernel() const { return kernel_; }

    /// Runs `p` on the kernel and on the reference, and compares every byte of the buffer.
    void check(const problem& p) const {
        const auto whole = [](auto... n) { return (static_cast<std::size_t>(n) * ...); };
        std::mt19937 random(p.seed);
        std::vector<std::int8_t> weights(whole(p.cols, p.taps, p.depth));
        for (auto& w : weights) w = between(random, p.weight_low, p.weight_high);
        std::vector<std::int32_t> bias(whole(p.cols));
        for (auto& b : bias) b = static_cast<std::int32_t>(random() % 2001) - 1000;
        const double spread = 60.0 / (74.0 * 74.0 * std::sqrt(static_cast<double>(p.taps) * p.depth));
        std::vector<typename Result::multiplier> multipliers;
        for (int n = 0; n < p.cols; ++n) {
            const double m =
                (p.multiplier == 0.0 ? spread : p.multiplier) * (1.0 + static_cast<double>(random() % 1024) / 1024);
            multipliers.push_back(multiplier<Result>(m));
        }

        // The last byte that may be read (or the first) touches an unmapped page.
        const std::size_t step = whole(p.depth) + static_cast<std::size_t>(p.misalign);
        const std::size_t count = whole(p.rows, p.taps);
        const guarded<std::int8_t> lhs(step * (count - 1) + whole(p.depth + p.readable), p.side);
        for (auto& x : lhs) x = between(random, p.lhs_low, p.lhs_high);
        const auto row = [&](int m, int t) { return lhs.data() + step * (whole(m) * whole(p.taps) + whole(t)); };

        const auto packed = octet::pack_gemm<Result>(kernel_.layout, {weights.data(), p.cols, p.taps * p.depth, p.taps},
                                                     bias, multipliers, zero_point(p.lhs_zero), "test");
        const std::size_t out_stride = whole(p.cols) + static_cast<std::size_t>(p.out_gap);
        const guarded<stored> out(out_stride * (whole(p.rows) - 1) + whole(p.cols), p.side);
        std::fill(out.begin(), out.end(), stored{99});
        std::vector<stored> expected(out.begin(), out.end());

        const int most = std::min(kernel_.most_rows, p.rows);  // rows of a call
        const guarded<std::byte> scratch(kernel_.scratch_bytes(most, p.taps * p.depth), guard::end);
        for (auto& b : scratch) b = std::byte{0xee};  // a kernel may not rely on what it finds there
        std::vector<const std::int8_t*> table(whole(p.taps, most));
        for (int first = 0; first < p.rows; first += most) {
            const int rows = std::min(most, p.rows - first);
            std::fill(table.begin(), table.end(), nullptr);
            for (int t = 0; t < p.taps; ++t)
                for (int m = 0; m < rows; ++m)
                    table[whole(t) * whole(most) + whole(m)] = row(first + m, t) - p.lhs_offset;
            kernel_.run({.weights = &packed,
                         .lhs = table.data(),
                         .lhs_offset = p.lhs_offset,
                         .table_step = most,
                         .readable = p.readable,
                         .count = rows,
                         .end_panel = packed.panels(),
                         .out = out.data() + whole(first) * out_stride,
                         .out_stride = static_cast<std::ptrdiff_t>(out_stride),
                         .out_zero = zero_point(p.out_zero),
                         .limits = p.limits,
                         .scratch = scratch.data()});
        }

        for (int m = 0; m < p.rows; ++m) {
            std::vector<const std::int8_t*> taps;
            for (int t = 0; t < p.taps; ++t) taps.push_back(row(m, t));
            for (std::size_t n = 0; n < whole(p.cols); ++n) {
                const std::int32_t acc =
                    octet::accumulate_reference(taps.data(), 1, p.taps, p.depth, zero_point(p.lhs_zero),
                                                weights.data() + n * whole(p.taps, p.depth), bias[n]);
                expected[whole(m) * out_stride + n] =
                    octet::result_of<Result>(acc, multipliers[n], zero_point(p.out_zero), p.limits);
            }
        }
        if (std::memcmp(expected.data(), out.data(), sizeof(stored) * expected.size()) == 0) return;
        std::size_t at = 0;
        while (std::memcmp(&expected[at], &out[at], sizeof(stored)) == 0) ++at;
        ADD_FAILURE() << kernel_.name << ", " << name_of<Result>() << ": " << to_string(p) << ": row "
                      << at / out_stride << " col " << at % out_stride << " is " << +out[at] << ", not "
                      << +expected[at];
    }

  private:
    gemm_entry<Result> kernel_;
};

template <class Result>
class gemm : public testing::Test {
  public:
    /// body(law) for every instruction set of this machine, as is best on it and as is best on the others that have it.
    template <class Body>
    static void each(const Body& body) {
        for (const isa which : octet::test::tested_isas())
            for (const bool here : {true, false}) {
                octet::cpu_features on = octet::cpu();
                if (!here) on.intel = !on.intel;
                const gemm_law<Result> law(which, on);
                if (!here && law.kernel().run == gemm_law<Result>(which).kernel().run) continue;
                SCOPED_TRACE(octet::text(to_string(which), ", ", law.kernel().name, here ? "" : ", as elsewhere"));
                body(law);
                if (testing::Test::HasFailure()) return;
            }
    }
};
struct result_names {
    template <class Result>
    static std::string GetName(int) {
        return name_of<Result>();
    }
};
using results =
    testing::Types<octet::nearest_even, octet::tflite, octet::single, octet::accumulators, octet::dequantized>;
TYPED_TEST_SUITE(gemm, results, result_names);

const std::vector<int> depths{1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 256, 257};

TYPED_TEST(gemm, every_depth_tail_and_row_count) {
    this->each([](const auto& law) {
        std::uint32_t seed = 0;
        for (const int depth : depths)
            for (int rows = 1; rows <= law.kernel().register_rows + 1; ++rows)
                for (const int cols : {1, 17, 65})
                    law.check(
                        {.rows = rows, .cols = cols, .depth = depth, .lhs_zero = 3, .out_zero = -5, .seed = ++seed});
    });
}

TYPED_TEST(gemm, every_column_tail) {
    this->each([](const auto& law) {
        const int panel = law.kernel().layout.panel;
        for (int cols = 1; cols <= 2 * panel + 1; ++cols)
            for (const int depth : {1, 5, 64})
                law.check({.rows = cols % 7 + 1,
                           .cols = cols,
                           .depth = depth,
                           .lhs_zero = -7,
                           .out_zero = 11,
                           .out_gap = cols % 3,
                           .seed = static_cast<std::uint32_t>(cols)});
    });
}

TYPED_TEST(gemm, every_row_count_around_a_call) {
    this->each([](const auto& law) {
        const int tile = law.kernel().tile_rows, registers = law.kernel().register_rows;
        for (const int cols : {16, 18, 32})
            for (int rows = 1; rows <= 2 * tile + 1;
                 rows += rows % (2 * registers) == registers + 1 ? registers - 1 : 1)
                for (const int depth : {7, 8})  // 8: whole groups, which can be multiplied in place
                    law.check({.rows = rows,
                               .cols = cols,
                               .depth = depth,
                               .lhs_zero = 1,
                               .seed = static_cast<std::uint32_t>(rows)});
        const int most = law.kernel().most_rows;
        for (const int rows : {tile - 1, tile, tile + 1, 2 * tile, most - 1, most, most + 1})
            for (const int depth : {33, 36}) law.check({.rows = rows, .cols = 130, .depth = depth, .lhs_zero = -1});
    });
}

TYPED_TEST(gemm, taps_offsets_strides_and_alignments) {
    this->each([](const auto& law) {
        std::uint32_t seed = 100;
        for (const int taps : {1, 2, 3, 9})
            for (const int depth : {1, 2, 3, 4, 6, 16, 17, 64, 67})
                for (const int misalign : {0, 1, 5})
                    for (const guard side : {guard::end, guard::begin})
                        law.check({.rows = 8,
                                   .cols = 21,
                                   .taps = taps,
                                   .depth = depth,
                                   .lhs_zero = 9,
                                   .out_gap = misalign,
                                   .lhs_offset = 13 * misalign,
                                   .misalign = misalign,
                                   .side = side,
                                   .seed = ++seed});
    });
}

/// Kernels take rows in pieces (of 256 bytes, or 4096 of a single row): runs end before, at and behind their ends, and
/// are read in words of every size.
TYPED_TEST(gemm, runs_of_every_length_that_many_pieces_hold) {
    this->each([](const auto& law) {
        std::uint32_t seed = 300;
        for (const int depth : {1, 3, 4, 7, 9, 15, 17, 21, 31, 33, 51, 64, 65, 129, 260})
            for (const int readable : {0, 11, 32})
                for (const int rows : {1, 2, 13})
                    law.check({.rows = rows,
                               .cols = rows == 2 ? 33 : 5,
                               .taps = (rows == 1 ? 4200 : 530) / depth + 1,
                               .depth = depth,
                               .lhs_zero = 9,
                               .misalign = 3,
                               .readable = readable,
                               .seed = ++seed});
    });
}

/// Rows of a call that are more than a kernel keeps for panels behind the first.
TYPED_TEST(gemm, several_panels_of_many_deep_rows) {
    this->each([](const auto& law) {
        law.check({.rows = 120, .cols = 83, .taps = 9, .depth = 257, .lhs_zero = 5});
        law.check({.rows = 49, .cols = 83, .taps = 9, .depth = 257, .lhs_zero = 5});
        for (const int depth : {2312, 4092, 4096}) law.check({.rows = 30, .cols = 83, .depth = depth, .lhs_zero = 5});
    });
}

TYPED_TEST(gemm, random_problems) {
    this->each([](const auto& law) {
        std::mt19937 random(2024);
        const auto up_to = [&](int most) { return 1 + static_cast<int>(random() % static_cast<std::uint32_t>(most)); };
        for (int i = 0; i < 75; ++i) {
            const int low = -129 + up_to(200), high = low + up_to(127 - low);
            law.check({.rows = up_to(110),
                       .cols = up_to(150),
                       .taps = up_to(4),
                       .depth = up_to(90),
                       .lhs_zero = up_to(256) - 129,
                       .out_zero = up_to(256) - 129,
                       .limits = {low, high},
                       .out_gap = up_to(9) - 1,
                       .lhs_offset = up_to(64) - 1,
                       .misalign = up_to(9) - 1,
                       .readable = i % 3 == 0 ? up_to(70) : 0,
                       .side = i % 2 == 0 ? guard::end : guard::begin,
                       .weight_low = i % 5 == 0 ? -128 : -127,
                       .seed = static_cast<std::uint32_t>(i)});
        }
    });
}

TYPED_TEST(gemm, extreme_zero_points_and_clamps) {
    this->each([](const auto& law) {
        for (const int lhs_zero : {-128, -1, 0, 127})
            for (const int out_zero : {-128, -1, 0, 127})
                for (const octet::clamp limits :
                     {octet::clamp{-128, 127}, octet::clamp{out_zero, 127}, octet::clamp{-128, out_zero},
                      octet::clamp{-3, 40}, octet::clamp{5, 5}})
                    law.check({.rows = 7,
                               .cols = 33,
                               .depth = 19,
                               .lhs_zero = lhs_zero,
                               .out_zero = out_zero,
                               .limits = limits});
    });
}

TYPED_TEST(gemm, extreme_data) {
    this->each([](const auto& law) {
        for (const int lhs : {-128, 127})
            for (const int weight : {-128, -127, 127})
                for (const int zero : {-128, 0, 127})
                    for (const int depth : {1, 3, 64, 257, 4099})
                        for (const int rows : {1, 2})
                            law.check({.rows = rows,
                                       .cols = 18,
                                       .depth = depth,
                                       .lhs_zero = zero,
                                       .lhs_low = lhs,
                                       .lhs_high = lhs,
                                       .weight_low = weight,
                                       .weight_high = weight,
                                       .multiplier = 0.5 / (128.0 * depth)});
        law.check({.rows = 7, .cols = 65, .depth = 301, .weight_low = -128, .weight_high = -126});
        law.check({.rows = 7, .cols = 65, .depth = 301, .lhs_low = 126, .weight_low = 126});
        // 120 = 8 * 16 - 8: digits of a single row on AVX2 are no larger.
        law.check({.rows = 1, .cols = 18, .depth = 301, .lhs_low = 120, .lhs_high = 120, .weight_low = 127});
    });
}

TYPED_TEST(gemm, multipliers_of_1_and_above_and_tiny_ones) {
    this->each([](const auto& law) {
        for (const double m :
             {0x1p-62, 0x1p-40, 0x1p-33, 0x1p-32, 0x1p-31, 0x1p-24, 0x1p-10, 0.5, 1.0, 1.5, 2.0, 37.0, 0x1p20, 0x1p28})
            for (const int depth : {1, 64})
                law.check({.rows = 3, .cols = 67, .depth = depth, .lhs_zero = 4, .out_zero = -9, .multiplier = m});
    });
}

// Depth 1: 256 rows with every lhs byte against 256 columns with every weight; full calls, and calls of a single row.
TYPED_TEST(gemm, every_product_of_two_bytes) {
    std::vector<std::int8_t> lhs(256), weights(256);
    for (std::size_t i = 0; i < 256; ++i) lhs[i] = weights[i] = static_cast<std::int8_t>(static_cast<int>(i) - 128);
    const std::vector<std::int32_t> bias(256, 0);
    // 16,384 / 128 reaches both ends of int8, and smaller divisors see the lower bits of each product.
    this->each([&](const auto& law) {
        const auto& kernel = law.kernel();
        std::vector<const std::int8_t*> table(static_cast<std::size_t>(kernel.tile_rows));
        octet::buffer<std::byte> scratch(kernel.scratch_bytes(kernel.tile_rows, 1));
        for (const float m : {1.0F / 128, 1.0F / 13, 1.0F})
            for (const auto& [zero, most] : {std::pair{0, kernel.tile_rows}, {100, kernel.tile_rows}, {100, 1}}) {
                const std::vector<typename TypeParam::multiplier> multipliers(256, multiplier<TypeParam>(m));
                const auto packed = octet::pack_gemm<TypeParam>(kernel.layout, {weights.data(), 256, 1}, bias,
                                                                multipliers, zero_point(zero), "test");
                std::vector<typename TypeParam::stored> out(65536), expected(65536);
                for (int first = 0; first < 256; first += most) {
                    const int rows = std::min(most, 256 - first);
                    for (int r = 0; r < rows; ++r) table[static_cast<std::size_t>(r)] = lhs.data() + first + r;
                    kernel.run({.weights = &packed,
                                .lhs = table.data(),
                                .count = rows,
                                .end_panel = packed.panels(),
                                .out = out.data() + 256 * first,
                                .out_stride = 256,
                                .out_zero = zero_point(1),
                                .scratch = scratch.data()});
                }
                octet::gemm_reference<TypeParam>(256, 256, 1, lhs.data(), zero_point(zero), weights.data(), bias.data(),
                                                 multipliers.data(), zero_point(1), {}, expected.data());
                EXPECT_EQ(out, expected) << kernel.name << ", m " << m << ", zero point " << zero << ", calls of "
                                         << most;
            }
    });
}

// Accumulators are biases here: depth 1, lhs equal to its zero point, weight 0.
TYPED_TEST(gemm, requantizes_every_edge_of_the_accumulator) {
    std::vector<std::int32_t> edges;
    for (int bit = 0; bit <= 31; ++bit)
        for (std::int64_t near = -2; near <= 2; ++near)
            for (const std::int64_t sign : {-1, 1}) {
                const std::int64_t value = sign * ((std::int64_t{1} << bit) + near);
                if (std::abs(value) <= INT32_MAX) edges.push_back(static_cast<std::int32_t>(value));
            }
    std::mt19937 random(5);
    for (int i = 0; i < 500; ++i) edges.push_back(static_cast<std::int32_t>(random()) >> (random() % 31));
    std::replace(edges.begin(), edges.end(), INT32_MIN, -INT32_MAX);
    const int cols = static_cast<int>(edges.size());
    const std::vector<std::int8_t> weights(edges.size(), 0);
    const std::int8_t x = 0;

    std::vector<double> factors;
    for (int e = -36; e < 30; ++e)
        for (const double fraction : {1.0, 1.0 + 0x1p-23, 1.25, 1.5, 1.75, 2.0 - 0x1p-23})
            factors.push_back(std::ldexp(fraction, e));
    this->each([&](const auto& law) {
        const auto& kernel = law.kernel();
        const std::vector<const std::int8_t*> table{&x};
        octet::buffer<std::byte> scratch(kernel.scratch_bytes(1, 1));
        int turn = 0;
        for (const double m : factors) {
            const zero_point z(turn % 3 == 0 ? 0 : turn % 3 == 1 ? -128 : 127);
            const octet::clamp limits = turn++ % 2 == 0 ? octet::clamp{-128, 127} : octet::clamp{-100, 99};
            const std::vector<typename TypeParam::multiplier> multipliers(edges.size(), multiplier<TypeParam>(m));
            const auto packed = octet::pack_gemm<TypeParam>(kernel.layout, {weights.data(), cols, 1}, edges,
                                                            multipliers, zero_point(0), "test");
            std::vector<typename TypeParam::stored> out(edges.size());
            run_row(kernel, packed, table.data(), z, limits, out.data(), scratch.data());
            for (std::size_t n = 0; n < edges.size(); ++n)
                ASSERT_EQ(+out[n], +octet::result_of<TypeParam>(edges[n], multipliers[n], z, limits))
                    << kernel.name << ": accumulator " << edges[n] << " times " << m << ", zero point " << z.value;
        }
    });
}

// Ties stand where acc * m is a whole number and a half: m = 2^-k, acc = (2 i + 1) * 2^(k - 1).
TYPED_TEST(gemm, requantizes_ties) {
    constexpr int cols = 512;
    const std::vector<std::int8_t> weights(cols, 0);
    const std::int8_t x = 0;
    this->each([&](const auto& law) {
        const auto& kernel = law.kernel();
        const std::vector<const std::int8_t*> table{&x};
        octet::buffer<std::byte> scratch(kernel.scratch_bytes(1, 1));
        for (int k = 1; k <= 22; ++k) {
            std::vector<std::int32_t> bias;
            for (int i = -cols / 2; i < cols / 2; ++i) bias.push_back((2 * i + 1) * (1 << (k - 1)));
            const std::vector<typename TypeParam::multiplier> multipliers(cols,
                                                                          multiplier<TypeParam>(std::ldexp(1.0, -k)));
            const auto packed = octet::pack_gemm<TypeParam>(kernel.layout, {weights.data(), cols, 1}, bias, multipliers,
                                                            zero_point(0), "test");
            std::vector<typename TypeParam::stored> out(cols);
            run_row(kernel, packed, table.data(), zero_point(-3), {}, out.data(), scratch.data());
            for (std::size_t n = 0; n < out.size(); ++n)
                ASSERT_EQ(+out[n], +octet::result_of<TypeParam>(bias[n], multipliers[n], zero_point(-3), {}))
                    << kernel.name << ": accumulator " << bias[n] << " / 2^" << k;
        }
    });
}

// One channel of each kind beside the other: neighbours in a vector may not share a shift.
TYPED_TEST(gemm, multipliers_differ_from_column_to_column) {
    constexpr int cols = 131;
    std::mt19937 random(11);
    const std::vector<std::int8_t> weights(cols, 0);
    const std::int8_t x = 0;
    this->each([&](const auto& law) {
        const auto& kernel = law.kernel();
        const std::vector<const std::int8_t*> table{&x};
        octet::buffer<std::byte> scratch(kernel.scratch_bytes(1, 1));
        for (int round = 0; round < 60; ++round) {
            std::vector<std::int32_t> bias;
            std::vector<typename TypeParam::multiplier> multipliers;
            for (int n = 0; n < cols; ++n) {
                const int bits = static_cast<int>(random() % 31);
                bias.push_back(static_cast<std::int32_t>(random()) >> (31 - bits));
                const float fraction = 1.0F + static_cast<float>(random() % 4096) / 4096;
                multipliers.push_back(
                    multiplier<TypeParam>(std::ldexp(fraction, 6 - bits + static_cast<int>(random() % 3))));
            }
            const auto packed = octet::pack_gemm<TypeParam>(kernel.layout, {weights.data(), cols, 1}, bias, multipliers,
                                                            zero_point(0), "test");
            std::vector<typename TypeParam::stored> out(cols);
            run_row(kernel, packed, table.data(), zero_point(2), {}, out.data(), scratch.data());
            for (std::size_t n = 0; n < out.size(); ++n)
                ASSERT_EQ(+out[n], +octet::result_of<TypeParam>(bias[n], multipliers[n], zero_point(2), {}))
                    << kernel.name << ": accumulator " << bias[n] << ", column " << n;
        }
    });
}

/// 8 MB of weights, which the AVX512-VNNI kernel reads in four places at once, and a depth that they do not divide.
TEST(gemm, a_row_against_weights_that_no_cache_holds) {
    gemm<octet::nearest_even>::each(
        [](const auto& law) { law.check({.rows = 1, .cols = 2050, .depth = 4099, .lhs_zero = -7, .seed = 5}); });
}

// What sums of 2^24 and more, halves between floats and products beyond the floats become.
TEST(dequantized, rounds_the_sum_and_the_product_once_each) {
    const auto of = [](std::int32_t acc, float s) {
        return octet::result_of<octet::dequantized>(acc, {s}, zero_point(0), {});
    };
    EXPECT_EQ(of(0, 0.1F), 0.0F);
    EXPECT_EQ(of(-3, 0.25F), -0.75F);
    EXPECT_EQ(of((1 << 24) + 1, 1.0F), 0x1p24F);
    EXPECT_EQ(of((1 << 24) + 3, 1.0F), 0x1p24F + 4.0F);
    EXPECT_EQ(of(INT32_MAX, 0.5F), 0x1p30F);
    EXPECT_EQ(of(10, 0.1F), 1.0F);
    EXPECT_EQ(of(INT32_MAX, 0x1p127F), HUGE_VALF);
    EXPECT_EQ(octet::dequantized::make(octet::scale(3), octet::scale(0.1F), octet::scale(7), "a").value, 3 * 0.1F);
    EXPECT_THROW(octet::dequantized::make(octet::scale(1e-30F), octet::scale(1e-30F), {}, "a"), octet::error);
    EXPECT_THROW(octet::dequantized::make(octet::scale(1e30F), octet::scale(1e30F), {}, "a"), octet::error);
}

TEST(choose_gemm, gives_each_instruction_set_its_kernel) {
    for (const isa which : octet::test::tested_isas()) {
        const auto kernel = octet::choose_gemm<octet::nearest_even>(which);
        EXPECT_EQ(kernel.target, which);
        EXPECT_EQ(kernel.scratch_bytes(3, 15) % 64, 0U) << "workers' scratch stands end to end and is 64-byte aligned";
    }
}

/// Which of the two ways runs is seen by scratch: rows in place leave it as it was.
TEST(choose_gemm, multiplies_rows_in_place_on_other_processors_than_intels) {
    using octet::nearest_even;
    if (!octet::supported(isa::avx512_vnni)) GTEST_SKIP() << "no AVX512-VNNI here";
    const std::vector<std::int8_t> rows(12 * 64, 3), weights(64 * 64, 1);
    const std::vector<std::int32_t> bias(64);
    const std::vector<nearest_even::multiplier> multipliers(64);
    std::vector<const std::int8_t*> table;
    for (int m = 0; m < 12; ++m) table.push_back(rows.data() + 64 * m);
    for (const bool intel : {true, false}) {
        octet::cpu_features on = octet::cpu();
        on.intel = intel;
        const auto kernel = octet::choose_gemm<nearest_even>(isa::avx512_vnni, on);
        const auto packed = octet::pack_gemm<nearest_even>(kernel.layout, {weights.data(), 64, 64}, bias, multipliers,
                                                           zero_point(0), "test");
        const guarded<std::byte> scratch(kernel.scratch_bytes(12, 64), guard::end);
        for (auto& b : scratch) b = std::byte{0xee};
        std::vector<std::int8_t> out(12 * 64);
        kernel.run({.weights = &packed,
                    .lhs = table.data(),
                    .table_step = 12,
                    .count = 12,
                    .end_panel = 1,
                    .out = out.data(),
                    .out_stride = 64,
                    .scratch = scratch.data()});
        const auto untouched = std::count(scratch.begin(), scratch.end(), std::byte{0xee});
        EXPECT_EQ(static_cast<std::size_t>(untouched) == kernel.scratch_bytes(12, 64), !intel);
    }
}

TEST(pack_gemm, refuses_a_channel_that_can_leave_int32) {
    const std::vector<std::int8_t> weights{127, 127};
    const std::vector<octet::nearest_even::multiplier> m(1);
    const auto pack = [&](std::int32_t bias) {
        return octet::pack_gemm<octet::nearest_even>({}, {weights.data(), 1, 2}, std::vector<std::int32_t>{bias}, m,
                                                     zero_point(-128), "conv7");
    };
    constexpr std::int32_t room = INT32_MAX - 255 * 254;
    EXPECT_NO_THROW(pack(room));
    EXPECT_NO_THROW(pack(-room));
    EXPECT_THROW(pack(room + 1), octet::error);
    EXPECT_THROW(pack(-room - 1), octet::error);
    EXPECT_THROW(pack(INT32_MIN), octet::error);
}

TEST(pack_gemm, refuses_arrays_that_do_not_fit_the_columns) {
    const std::vector<std::int8_t> weights{1, 2};
    const std::vector<std::int32_t> bias{0};
    const std::vector<octet::nearest_even::multiplier> m(2);
    EXPECT_THROW(octet::pack_gemm<octet::nearest_even>({}, {weights.data(), 2, 1}, bias, m, zero_point(0), "a"),
                 octet::error);
}

}  // namespace
