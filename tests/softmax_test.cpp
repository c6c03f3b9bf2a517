// label: law
// Softmax: within the stated bound of the exact one, and the same bytes on every machine.
#include "octet/kernel/softmax.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"
#include "octet/kernel/lookup.hpp"

namespace {

using namespace octet;
using namespace octet::test;

const quant_params usual{scale(1.0F / 256), zero_point(-128)};

void softmax_row(const softmax_params& params, const std::int8_t* in, std::size_t n, std::int8_t* out) {
    octet::softmax_row(params, in, n, out, choose_lookup(best_isa()));
}

TEST(softmax, stays_within_the_stated_error) {
    data_source data(1);
    const quant_params outputs[] = {usual,
                                    {scale(0.0037F), zero_point(-128)},
                                    {scale(1.0F), zero_point(0)},
                                    {scale(0x1p-16F), zero_point(-128)},
                                    {scale(0.9F), zero_point(-1)}};
    for (const quant_params& out : outputs)
        for (const double in_scale : {1e-6, 0.01, 0.1, 0.5, 1.0, 7.0, 1e6})
            for (const int n : {1, 2, 3, 10, 255, 1000}) {
                const auto params = make_softmax(scale(static_cast<float>(in_scale)), out, {}, n, "test");
                const guarded<std::int8_t> in(static_cast<std::size_t>(n)), result(in.size());
                data.bytes(in.all(), fill::random);
                if (n == 3) data.bytes(in.all(), fill::lowest);
                softmax_row(params, in.data(), in.size(), result.data());
                long double sum = 0;
                const int most = *std::max_element(in.begin(), in.end());
                const auto e = [&](int q) {
                    return std::exp(static_cast<long double>(static_cast<float>(in_scale)) * (q - most));
                };
                for (const std::int8_t q : in) sum += e(q);
                const double step = out.scale.value;
                for (std::size_t i = 0; i < in.size(); ++i) {
                    const double p = static_cast<double>(e(in[i]) / sum);
                    const double bound =
                        0.5 + p * std::fabs(256 / step - std::round(256 / step)) / 256 + (n + 1) / (0x1p31 * step);
                    const double exact = p / step + out.zero_point.value;
                    ASSERT_LE(std::fabs(result[i] - std::clamp(exact, -128.0, 127.0)), bound + 1e-9)
                        << "scale " << in_scale << " to " << step << ", " << n << " values, q " << int{in[i]};
                }
            }
}

TEST(softmax, returns_these_bytes_on_every_machine) {
    const std::vector<std::int8_t> in{-128, -100, -40, -3, 0, 1, 2, 17, 60, 61, 90, 100, 100, 112, 127};
    const std::vector<std::int8_t> expected{-128, -128, -128, -128, -128, -128, -128, -127,
                                            -123, -123, -109, -97,  -97,  -74,  -18};
    std::vector<std::int8_t> out(in.size());
    softmax_row(make_softmax(scale(0.047F), usual, {}, 15, "test"), in.data(), in.size(), out.data());
    EXPECT_EQ(out, expected);
    out = in;
    softmax_row(make_softmax(scale(0.047F), usual, {}, 15, "test"), out.data(), out.size(), out.data());
    EXPECT_EQ(out, expected) << "in place";
}

/// The definition, in integers throughout.
std::vector<std::int8_t> defined(const softmax_params& p, const guarded<std::int8_t>& in) {
    const int most = *std::max_element(in.begin(), in.end());
    const auto e = [&](int q) { return std::uint64_t{p.exponentials[static_cast<std::size_t>(most - q)]}; };
    std::uint64_t sum = 0;
    for (const std::int8_t q : in) sum += e(q);
    std::vector<std::int8_t> all;
    for (const std::int8_t q : in) {
        const auto rounded = static_cast<std::int64_t>((e(q) * p.steps + 128 * sum) / (256 * sum));
        all.push_back(static_cast<std::int8_t>(
            std::clamp<std::int64_t>(rounded + p.out_zero.value, p.limits.low, p.limits.high)));
    }
    return all;
}

TEST(softmax, every_isa_returns_the_defined_bytes) {
    data_source data(4);
    std::vector<int> lengths = edge_sizes();
    lengths.insert(lengths.end(), {130, 200, 255, 256, 257, 1000});
    const quant_params outputs[] = {usual, {scale(0x1p-16F), zero_point(-128)}, {scale(0.37F), zero_point(5)}};
    for (const quant_params& out : outputs)
        for (const float in_scale : {1e-6F, 0.004F, 0.08F, 3.0F})
            for (const int n : lengths) {
                const auto params = make_softmax(scale(in_scale), out, {-120, 100}, n, "test");
                const guard side = n % 2 == 0 ? guard::end : guard::begin;
                const guarded<std::int8_t> in(static_cast<std::size_t>(n), side), result(in.size(), side);
                const int low = data.pick(-128, 127), high = data.pick(low, 127);
                for (std::int8_t& q : in) q = static_cast<std::int8_t>(data.pick(low, high));
                const auto expected = defined(params, in);
                for (const isa which : supported_isas()) {
                    const auto lookup = choose_lookup(which);
                    octet::softmax_row(params, in.data(), in.size(), result.data(), lookup);
                    ASSERT_EQ(std::vector(result.begin(), result.end()), expected)
                        << to_string(which) << ", scale " << in_scale << ", " << n << " values";
                    std::copy(in.begin(), in.end(), result.begin());
                    octet::softmax_row(params, result.data(), in.size(), result.data(), lookup);
                    ASSERT_EQ(std::vector(result.begin(), result.end()), expected) << "in place, " << n << " values";
                }
            }
}

TEST(softmax, equal_values_share_and_limits_hold) {
    for (const int n : {1, 2, 4, 256}) {
        std::vector<std::int8_t> row(static_cast<std::size_t>(n), -128);
        softmax_row(make_softmax(scale(0.3F), usual, {}, n, "test"), row.data(), row.size(), row.data());
        EXPECT_EQ(row, std::vector<std::int8_t>(row.size(), static_cast<std::int8_t>(std::min(127, 256 / n - 128))));
    }
    std::vector<std::int8_t> row{127, -128};
    softmax_row(make_softmax(scale(1.0F), usual, {-100, 50}, 2, "test"), row.data(), 2, row.data());
    EXPECT_EQ(row, (std::vector<std::int8_t>{50, -100}));
}

TEST(softmax, what_does_not_fit_is_refused) {
    const auto make = [](float step, std::int64_t cols) {
        return make_softmax(scale(0.1F), {scale(step), zero_point(0)}, {}, cols, "softmax 's'");
    };
    EXPECT_THROW(make(1.5F, 10), error);
    EXPECT_THROW(make(0x1p-17F, 10), error);
    EXPECT_THROW(make(0.1F, 0), error);
    EXPECT_THROW(make(0.1F, max_softmax_cols + 1), error);
    EXPECT_NO_THROW(make(0.1F, max_softmax_cols));
}

}  // namespace
