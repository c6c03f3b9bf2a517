// label: law
// Softmax: within the stated bound of the exact one, and the same bytes on every machine.
#include "octet/kernel/softmax.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"

namespace {

using namespace octet;
using namespace octet::test;

const quant_params usual{scale(1.0F / 256), zero_point(-128)};

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
