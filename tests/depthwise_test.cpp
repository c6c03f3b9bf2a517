// label: law
// Depthwise convolution: every instruction set returns the reference's bytes, and touches no byte beyond its operands.
#include "octet/kernel/depthwise.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"
#include "octet/kernel/depthwise_reference.hpp"

namespace {

using namespace octet;
using namespace octet::test;

struct problem {
    int channels = 1;
    int taps = 1;
    int pixels = 1;
    int lhs_zero = 0;
    int out_zero = 0;
    clamp limits{};
    fill input = fill::random;
    fill weights = fill::random;
    double least = -14, most = -4;  ///< exponents of the multipliers
};

template <class Rounding>
void expect_reference_bytes(const problem& p, unsigned seed) {
    data_source data(seed);
    const auto size = [](std::ptrdiff_t n) { return static_cast<std::size_t>(n); };
    // One input array that ends, one that begins, at an unmapped page; taps lead to their edges and to odd addresses.
    const std::size_t room = size(3 * p.channels + 5);
    const guarded<std::int8_t> front(room, guard::begin), back(room, guard::end);
    data.bytes(front.all(), p.input);
    data.bytes(back.all(), p.input);
    std::vector<const std::int8_t*> lhs(size(p.pixels * p.taps));
    for (auto& tap : lhs) {
        const int offset = data.pick(0, 1) * data.pick(0, 2 * p.channels + 5);
        tap = data.pick(0, 1) == 0 ? front.data() + offset : back.end() - p.channels - offset;
    }
    std::vector<std::int8_t> weights(size(p.taps * p.channels));
    data.bytes(weights, p.weights);
    std::vector<std::int32_t> bias(size(p.channels));
    for (auto& b : bias) b = data.pick(-100000, 100000);
    const auto multipliers = data.multipliers<Rounding>(size(p.channels), p.least, p.most);

    const std::ptrdiff_t stride = p.channels + 3;
    const std::size_t out_bytes = size((p.pixels - 1) * stride + p.channels);
    std::vector<std::int8_t> expected(out_bytes, untouched);
    depthwise_reference<Rounding>(p.pixels, p.taps, p.channels, lhs.data(), zero_point(p.lhs_zero), weights.data(),
                                  bias.data(), multipliers.data(), zero_point(p.out_zero), p.limits, expected.data(),
                                  stride);
    for (const isa which : supported_isas()) {
        const auto kernel = choose_depthwise<Rounding>(which);
        ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512_vnni, isa::avx2}));
        const auto packed = pack_depthwise<Rounding>(kernel.layout, weights.data(), p.taps, p.channels, bias,
                                                     multipliers, zero_point(p.lhs_zero), "test");
        const guarded<std::int8_t> out(out_bytes, seed % 2 == 0 ? guard::end : guard::begin);
        std::fill(out.begin(), out.end(), untouched);
        kernel.run({&packed, lhs.data(), p.pixels, out.data(), stride, zero_point(p.out_zero), p.limits});
        ASSERT_EQ(std::vector(out.begin(), out.end()), expected)
            << to_string(which) << ": " << p.channels << " channels, " << p.taps << " taps, zero point " << p.lhs_zero;
    }
}

template <class Rounding>
struct depthwise : ::testing::Test {};
TYPED_TEST_SUITE(depthwise, octet::test::roundings, octet::test::rounding_name);

TYPED_TEST(depthwise, every_isa_returns_the_reference_bytes_around_every_edge) {
    unsigned seed = 1;
    for (const int channels : edge_sizes())
        for (const int taps : {1, 2, 3, 4, 9, 10, 25})
            expect_reference_bytes<TypeParam>({.channels = channels,
                                               .taps = taps,
                                               .pixels = 1 + static_cast<int>(seed % 4),
                                               .lhs_zero = static_cast<int>(seed * 37 % 256) - 128,
                                               .out_zero = static_cast<int>(seed * 91 % 256) - 128},
                                              seed),
                ++seed;
}

TYPED_TEST(depthwise, extreme_values_zero_points_and_limits) {
    unsigned seed = 1;
    for (const int zero : {-128, 0, 127})
        for (const fill input : {fill::lowest, fill::highest})
            for (const fill weights : {fill::lowest, fill::highest, fill::random})
                for (const int taps : {1, 2, 6, 9, 49})
                    for (const double least : {-31.0, -10.0, 0.0, 20.0})
                        expect_reference_bytes<TypeParam>({.channels = 83,
                                                           .taps = taps,
                                                           .pixels = 2,
                                                           .lhs_zero = zero,
                                                           .out_zero = -zero / 2,
                                                           .limits = {-100, 90},
                                                           .input = input,
                                                           .weights = weights,
                                                           .least = least,
                                                           .most = least + 3},
                                                          seed++);
}

TYPED_TEST(depthwise, a_channel_that_could_leave_int32_is_refused_by_name) {
    const std::vector<std::int8_t> weights(9 * 3, 127);
    const std::vector<std::int32_t> bias{0, 0, INT32_MAX - 9 * 127 * 255 + 1};  // one more than zero point 127 allows
    const auto multipliers = data_source(1).multipliers<TypeParam>(3, -8, -8);
    const auto pack = [&](int zero, std::span<const std::int32_t> biases) {
        return pack_depthwise<TypeParam>(choose_depthwise<TypeParam>(isa::scalar).layout, weights.data(), 9, 3, biases,
                                         multipliers, zero_point(zero), "layer 'a'");
    };
    EXPECT_NO_THROW(pack(126, bias));
    try {
        pack(127, bias);
        FAIL() << "not refused";
    } catch (const error& e) {
        EXPECT_NE(std::string(e.what()).find("layer 'a': output channel 2 can reach 2147483648"), std::string::npos)
            << e.what();
    }
    EXPECT_THROW(pack(0, std::span(bias).first(2)), error);
}

}  // namespace
