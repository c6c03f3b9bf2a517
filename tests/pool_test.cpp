// label: law
// Pooling: the averages are the stated formulas, and every instruction set returns the reference's bytes and touches no
// byte beyond its operands.
#include "octet/kernel/pool.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"

namespace {

using namespace octet;
using namespace octet::test;

std::size_t size(std::ptrdiff_t n) { return static_cast<std::size_t>(n); }

/// Runs `run(call)` for a row of pixels whose lines stand anywhere in two arrays that touch unmapped pages, and expects
/// what byte(tap, channel) says. step: how many taps stand between neighbouring pixels.
template <class Run, class Byte>
void expect_bytes(int channels, int rows, int cols, int step, fill how, unsigned seed, const Run& run,
                  const Byte& byte) {
    data_source data(seed);
    constexpr int pixels = 3;
    const std::ptrdiff_t out_stride = channels + 2, tap_stride = channels + static_cast<int>(seed % 4);
    const std::ptrdiff_t line = ((pixels - 1) * step + cols - 1) * tap_stride + channels;
    const guarded<std::int8_t> front(size(line + 5), guard::begin), back(front.size(), guard::end);
    data.bytes(front.all(), how);
    data.bytes(back.all(), how);
    std::vector<const std::int8_t*> lines(size(rows));
    for (auto& first : lines) {
        const int offset = data.pick(0, 1) * data.pick(0, 5);
        first = data.pick(0, 1) == 0 ? front.data() + offset : back.end() - line - offset;
    }
    const std::size_t out_bytes = size((pixels - 1) * out_stride + channels);
    const guarded<std::int8_t> out(out_bytes, seed % 2 == 0 ? guard::end : guard::begin);
    std::fill(out.begin(), out.end(), untouched);
    std::vector<std::int8_t> expected(out_bytes, untouched);
    for (int i = 0; i < pixels; ++i)
        for (int c = 0; c < channels; ++c)
            expected[size(i * out_stride + c)] =
                byte([&](int t) { return lines[size(t / cols)] + (i * step + t % cols) * tap_stride; }, c);
    run(pool_call{.lines = lines.data(),
                  .rows = rows,
                  .cols = cols,
                  .tap_stride = tap_stride,
                  .pixel_stride = step * tap_stride,
                  .pixels = pixels,
                  .channels = channels,
                  .out = out.data(),
                  .out_stride = out_stride});
    ASSERT_EQ(std::vector(out.begin(), out.end()), expected)
        << channels << " channels, " << rows << 'x' << cols << " taps, step " << step;
}

struct tap_counts {
    int rows, cols, step;
};
/// Windows that share no column with their neighbour, one, or more; 2 and 3 rows, fewer and more.
constexpr tap_counts windows[] = {{1, 1, 1}, {2, 2, 2}, {3, 3, 2}, {3, 3, 1}, {5, 5, 1}, {4, 2, 1}, {1, 5, 3}};

TEST(max_pool, every_isa_returns_the_reference_bytes) {
    unsigned seed = 1;
    for (const isa which : supported_isas()) {
        const auto kernel = choose_max_pool(which);
        ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512bw, isa::avx2, isa::sse41}));
        for (const int channels : edge_sizes())
            for (const auto [rows, cols, step] : windows)
                for (const clamp limits : {clamp{}, clamp{-60, 40}}) {
                    SCOPED_TRACE(to_string(which));
                    const int taps = rows * cols;
                    expect_bytes(
                        channels, rows, cols, step, channels == 17 ? fill::lowest : fill::random, seed++,
                        [&](const pool_call& call) { kernel.run(call, limits); },
                        [&](const auto& tap, int c) {
                            int most = -128;
                            for (int t = 0; t < taps; ++t) most = std::max<int>(most, tap(t)[c]);
                            return static_cast<std::int8_t>(std::clamp(most, limits.low, limits.high));
                        });
                }
    }
}

template <class Rounding>
struct average_pool : ::testing::Test {
    static constexpr bool scales = std::is_same_v<Rounding, nearest_even>;
    static quant_params input(int zero) { return {scale(0.05F), zero_point(zero)}; }
    static quant_params output(int zero) { return scales ? quant_params{scale(0.033F), zero_point(7)} : input(zero); }
    static auto params(int zero, int divisor, clamp limits) {
        return average_params<Rounding>::make(input(zero), output(zero), limits, divisor, "test");
    }
};
TYPED_TEST_SUITE(average_pool, octet::test::roundings, octet::test::rounding_name);

TYPED_TEST(average_pool, is_the_stated_formula) {
    for (const int zero : {-128, -3, 0, 127})
        for (const int divisor : {1, 2, 3, 4, 9, 49, 256, 1000})
            for (int taps = std::max(1, divisor - 2); taps <= divisor; ++taps)
                for (int step = 0; step <= 600; ++step) {
                    const auto p = this->params(zero, divisor, {-128, 127});
                    const int sum = -128 * taps + static_cast<int>(255LL * taps * step / 600);
                    int expected;
                    if (this->scales) {
                        const float m = this->input(zero).scale.value /
                                        (this->output(zero).scale.value * static_cast<float>(divisor));
                        expected = static_cast<int>(std::nearbyint(static_cast<float>(sum - taps * zero) * m)) + 7;
                    } else {  // std::round: ties away from 0
                        expected =
                            static_cast<int>(std::round(static_cast<double>(sum + (divisor - taps) * zero) / divisor));
                    }
                    ASSERT_EQ(p(sum, taps), std::clamp(expected, -128, 127)) << sum << " / " << divisor;
                }
}

TYPED_TEST(average_pool, every_isa_returns_the_reference_bytes) {
    unsigned seed = 1;
    for (const isa which : supported_isas()) {
        SCOPED_TRACE(to_string(which));
        const auto kernel = choose_average_pool<TypeParam>(which);
        ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512bw, isa::avx2, isa::sse41}));
        const auto check = [&](int channels, tap_counts w, int divisor, int zero, fill how, clamp limits) {
            const int taps = w.rows * w.cols;
            const auto params = this->params(zero, divisor, limits);
            expect_bytes(
                channels, w.rows, w.cols, w.step, how, seed++, [&](const pool_call& call) { kernel.run(call, params); },
                [&](const auto& tap, int c) {
                    int sum = 0;
                    for (int t = 0; t < taps; ++t) sum += tap(t)[c];
                    return params(sum, taps);
                });
        };
        for (const int channels : edge_sizes())
            for (const tap_counts w : windows)
                check(channels, w, w.rows * w.cols + channels % 3, channels % 256 - 128, fill::random, {});
        constexpr tap_counts around_the_widening_of_int16[] = {{1, 253, 1}, {1, 254, 1}, {1, 255, 1},  {1, 256, 1},
                                                               {2, 127, 1}, {3, 85, 2},  {85, 3, 1},   {254, 1, 1},
                                                               {1, 509, 1}, {255, 2, 1}, {10, 100, 3}, {1, 511, 1}};
        for (const tap_counts w : around_the_widening_of_int16)
            for (const fill how : {fill::lowest, fill::highest, fill::random})
                for (const int zero : {-128, 0, 127}) check(83, w, w.rows * w.cols, zero, how, {-100, 90});
    }
}

TYPED_TEST(average_pool, every_isa_averages_the_largest_windows) {
    constexpr int taps = 40000;  // one row of 20 channels, read again and again
    for (const isa which : supported_isas()) {
        data_source data(5);
        for (const fill how : {fill::lowest, fill::highest, fill::random}) {
            const guarded<std::int8_t> row(20);
            data.bytes(row.all(), how);
            for (const int divisor : {taps, max_average_divisor}) {
                const auto params = this->params(-100, divisor, {-128, 127});
                std::vector<std::int8_t> out(20), expected(20);
                for (std::size_t c = 0; c < 20; ++c) expected[c] = params(taps * row[c], taps);
                const std::int8_t* line[] = {row.data()};
                choose_average_pool<TypeParam>(which).run({line, 1, taps, 0, 0, 1, 20, out.data(), 20}, params);
                ASSERT_EQ(out, expected) << to_string(which) << ", divisor " << divisor;
            }
        }
    }
}

TYPED_TEST(average_pool, what_cannot_be_averaged_is_refused) {
    const auto make = [&](quant_params out, int divisor) {
        return average_params<TypeParam>::make(this->input(3), out, {}, divisor, "pool 'p'");
    };
    EXPECT_THROW(make(this->output(3), 0), error);
    EXPECT_THROW(make(this->output(3), max_average_divisor + 1), error);
    EXPECT_NO_THROW(make(this->output(3), max_average_divisor));
    if (this->scales)
        EXPECT_NO_THROW(make(this->input(4), 9));
    else
        EXPECT_THROW(make(this->input(4), 9), error);
}

}  // namespace
