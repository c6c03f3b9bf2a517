// label: law
// The quantizer, all eight of its kinds, against the formula computed another way; degenerate ranges, ties, NaN,
// limits.
#include "octet/quant/quantizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using octet::asymmetric;
using octet::channel_layout;
using octet::per_channel;
using octet::per_tensor;
using octet::quant_params;
using octet::quantizer;
using octet::range;
using octet::symmetric;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

/// Half to even without lrint: through floor and the exact remainder.
double round_half_even(double x) {
    const double below = std::floor(x), rest = x - below;
    if (rest != 0.5) return rest < 0.5 ? below : below + 1.0;
    return std::fmod(below, 2.0) == 0.0 ? below : below + 1.0;
}

/// The formula from its definition. The quotient of two floats rounded to double and then to float is the float
/// quotient, because 53 >= 2 * 24 + 2.
int formula(float x, quant_params p, int low, int high) {
    if (std::isnan(x)) return low;
    const double steps = static_cast<float>(static_cast<double>(x) / static_cast<double>(p.scale.value));
    if (steps <= low - p.zero_point.value) return low;
    if (steps >= high - p.zero_point.value) return high;
    return static_cast<int>(round_half_even(steps)) + p.zero_point.value;
}

template <class Scheme, class Granularity, class Storage>
struct kind {
    using scheme = Scheme;
    using granularity = Granularity;
    using storage = Storage;
    using type = quantizer<Scheme, Granularity, Storage>;
    static constexpr bool is_symmetric = std::is_same_v<Scheme, symmetric>;
    static constexpr bool is_per_channel = std::is_same_v<Granularity, per_channel>;
};

/// Data, its layout ([3, 5, 14], so that outer > 1) and the quantizer of its kind.
template <class Kind>
struct sample {
    channel_layout layout{3, 5, 14};
    std::vector<float> reals = std::vector<float>(static_cast<std::size_t>(layout.elements()));
    std::vector<typename Kind::storage> bytes = std::vector<typename Kind::storage>(reals.size());

    explicit sample(unsigned seed) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal(0.4F, 1.0F);
        for (std::size_t i = 0; i < reals.size(); ++i)
            reals[i] = normal(random) * static_cast<float>(1 + channel(i) * 10);
    }
    std::size_t channel(std::size_t i) const { return i / 14 % 5; }
    std::size_t parameter(std::size_t i) const { return Kind::is_per_channel ? channel(i) : 0; }
    auto make() const {
        if constexpr (Kind::is_per_channel)
            return typename Kind::type(std::span<const float>(reals), layout);
        else
            return typename Kind::type(std::span<const float>(reals));
    }
};

template <class Kind>
class quantizer_kinds : public testing::Test {};
using kinds = testing::Types<kind<symmetric, per_tensor, std::int8_t>, kind<symmetric, per_tensor, std::uint8_t>,
                             kind<symmetric, per_channel, std::int8_t>, kind<symmetric, per_channel, std::uint8_t>,
                             kind<asymmetric, per_tensor, std::int8_t>, kind<asymmetric, per_tensor, std::uint8_t>,
                             kind<asymmetric, per_channel, std::int8_t>, kind<asymmetric, per_channel, std::uint8_t>>;
TYPED_TEST_SUITE(quantizer_kinds, kinds);

TYPED_TEST(quantizer_kinds, storage_limits_follow_scheme_and_type) {
    using type = typename TypeParam::type;
    constexpr bool is_signed = std::is_signed_v<typename TypeParam::storage>;
    EXPECT_EQ(type::low, (is_signed ? -128 : 0) + (TypeParam::is_symmetric ? 1 : 0));
    EXPECT_EQ(type::high, is_signed ? 127 : 255);
}

TYPED_TEST(quantizer_kinds, parameters_follow_the_formula) {
    using type = typename TypeParam::type;
    std::mt19937 random(11);
    std::uniform_real_distribution<float> bound(-50.0F, 50.0F);
    for (int i = 0; i < 500; ++i) {
        const float a = bound(random), b = bound(random);
        const range seen{std::min(a, b), std::max(a, b)};
        const quant_params p = type::choose_params(seen);
        const double least = std::min(0.0, static_cast<double>(seen.min));
        const double most = std::max(0.0, static_cast<double>(seen.max));
        if (TypeParam::is_symmetric) {
            EXPECT_EQ(p.scale.value, static_cast<float>(std::max(-least, most) / 127.0));
            EXPECT_EQ(p.zero_point.value, std::is_signed_v<typename TypeParam::storage> ? 0 : 128);
        } else {
            const double z = type::low - least / static_cast<double>(p.scale.value);
            EXPECT_EQ(p.scale.value, static_cast<float>((most - least) / 255.0));
            EXPECT_EQ(p.zero_point.value, static_cast<int>(round_half_even(z)));
        }
    }
}

TYPED_TEST(quantizer_kinds, bytes_follow_the_formula) {
    using type = typename TypeParam::type;
    for (unsigned seed = 0; seed < 4; ++seed) {
        sample<TypeParam> data(seed);
        const auto q = data.make();
        ASSERT_EQ(q.params().size(), TypeParam::is_per_channel ? 5U : 1U);
        for (std::size_t i = 0; i < data.reals.size(); i += 7) data.reals[i] *= 3.0F;  // now partly out of range
        data.reals[1] = nan, data.reals[2] = infinity, data.reals[3] = -infinity;
        data.reals[4] = largest, data.reals[5] = -largest, data.reals[6] = std::numeric_limits<float>::denorm_min();
        q.quantize(data.reals, data.bytes);
        for (std::size_t i = 0; i < data.reals.size(); ++i)
            EXPECT_EQ(data.bytes[i], formula(data.reals[i], q[data.parameter(i)], type::low, type::high))
                << data.reals[i];
    }
}

TYPED_TEST(quantizer_kinds, values_inside_the_range_come_back_within_half_a_step) {
    for (unsigned seed = 10; seed < 14; ++seed) {
        sample<TypeParam> data(seed);
        const auto q = data.make();
        q.quantize(data.reals, data.bytes);
        std::vector<float> back(data.reals.size());
        q.dequantize(data.bytes, back);
        for (std::size_t i = 0; i < back.size(); ++i) {
            const quant_params& p = q[data.parameter(i)];
            // The quotient and the product are floats: 255 steps are known to 255 * 2^-24 = 1.5e-5 steps each.
            EXPECT_LE(std::fabs(back[i] - data.reals[i]), p.scale.value * (0.5F + 4e-5F));
            EXPECT_EQ(back[i],
                      p.scale.value * static_cast<float>(static_cast<int>(data.bytes[i]) - p.zero_point.value));
        }
    }
}

TYPED_TEST(quantizer_kinds, every_byte_comes_back_as_itself) {
    using type = typename TypeParam::type;
    for (const range seen : {range{-1.0F, 3.0F}, range{-1e-9F, 1e-9F}, range{0.0F, 1e9F}, range{-7.0F, 0.0F}}) {
        const quant_params p = type::choose_params(seen);
        for (int q = type::low; q <= type::high; ++q)
            EXPECT_EQ(octet::quantize_value(octet::dequantize_value(q, p), p, type::low, type::high), q);
        EXPECT_EQ(octet::dequantize_value(octet::quantize_value(0.0F, p, type::low, type::high), p), 0.0F);
    }
}

TYPED_TEST(quantizer_kinds, ties_go_to_even) {
    using type = typename TypeParam::type;
    const int z = (type::low + type::high + 1) / 2;
    const quant_params p{octet::scale(0.25F), octet::zero_point(z)};
    for (int steps = -100; steps < 100; ++steps) {
        const int even = steps % 2 == 0 ? steps : steps + 1;
        const float tie = 0.25F * (static_cast<float>(steps) + 0.5F);
        EXPECT_EQ(octet::quantize_value(tie, p, type::low, type::high), even + z);
        EXPECT_EQ(octet::quantize_value(std::nextafter(tie, infinity), p, type::low, type::high), steps + 1 + z);
        EXPECT_EQ(octet::quantize_value(std::nextafter(tie, -infinity), p, type::low, type::high), steps + z);
    }
}

TYPED_TEST(quantizer_kinds, degenerate_ranges_have_a_usable_scale) {
    using type = typename TypeParam::type;
    const float denormal = std::numeric_limits<float>::denorm_min();
    EXPECT_EQ(type::choose_params(range{}).scale.value, 1.0F);
    EXPECT_EQ(type::choose_params(range{-0.0F, 0.0F}).scale.value, 1.0F);
    EXPECT_EQ(type::choose_params(range{0.0F, denormal}).scale.value, 0x1p-60F);
    EXPECT_EQ(type::choose_params(range{-largest, largest}).scale.value, 0x1p60F);
    for (const range seen :
         {range{}, range{0.0F, denormal}, range{-denormal, 0.0F}, range{-largest, largest}, range{2.0F, 2.0F},
          range{-2.0F, -2.0F}, range{0.0F, largest}, range{-largest, 0.0F}, range{3.0F, 4.0F}, range{-4.0F, -3.0F}}) {
        const quant_params p = type::choose_params(seen);
        EXPECT_TRUE(std::isnormal(p.scale.value));
        EXPECT_GE(p.zero_point.value, type::low);
        EXPECT_LE(p.zero_point.value, type::high);
        EXPECT_EQ(octet::quantize_value(0.0F, p, type::low, type::high), p.zero_point.value);
    }
    const quant_params positive = type::choose_params(range{3.0F, 4.0F});  // widened to [0, 4]
    EXPECT_NEAR(octet::dequantize_value(type::high, positive), 4.0F, 1e-6F);
    const quant_params negative = type::choose_params(range{-4.0F, -3.0F});
    EXPECT_NEAR(octet::dequantize_value(type::low, negative), -4.0F, 1e-6F);
}

template <class Call>
void expect_error(Call call, std::initializer_list<const char*> parts) {
    try {
        call();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const octet::error& e) {
        for (const char* part : parts) EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
}

TYPED_TEST(quantizer_kinds, refuses_ranges_that_are_none) {
    using type = typename TypeParam::type;
    expect_error([] { type::choose_params(range{nan, 1.0F}); }, {"nan", "finite"});
    expect_error([] { type::choose_params(range{0.0F, infinity}); }, {"inf", "finite"});
    expect_error([] { type::choose_params(range{2.0F, 1.0F}); }, {"[2, 1]", "ordered"});
}

TYPED_TEST(quantizer_kinds, refuses_data_that_is_not_finite_and_arrays_of_another_size) {
    sample<TypeParam> data(20);
    const auto q = data.make();
    std::vector<typename TypeParam::storage> fewer(data.bytes.size() - 1);
    std::vector<float> few(fewer.size());
    expect_error([&] { q.quantize(data.reals, fewer); }, {"210", "209", "same size"});
    expect_error([&] { q.dequantize(data.bytes, few); }, {"210", "209", "same size"});
    if (TypeParam::is_per_channel) expect_error([&] { q.quantize(few, fewer); }, {"209", "[3, 5, 14]", "210"});
    data.reals[17] = nan;
    expect_error([&] { (void)data.make(); }, {"element 17", "nan", "finite"});
    data.reals[17] = -infinity;
    expect_error([&] { (void)data.make(); }, {"element 17", "-inf"});
}

TEST(quantizer, per_channel_takes_given_parameters_in_any_layout) {
    using type = quantizer<asymmetric, per_channel>;
    const std::vector<quant_params> params{{octet::scale(1.0F), octet::zero_point(0)},
                                           {octet::scale(0.5F), octet::zero_point(10)},
                                           {octet::scale(2.0F), octet::zero_point(-10)}};
    for (const channel_layout layout : {channel_layout{1, 3, 4}, channel_layout{4, 3, 1}, channel_layout{2, 3, 2}}) {
        const type q{params, layout};
        const std::vector<float> reals(12, 6.0F);
        std::vector<std::int8_t> bytes(12);
        q.quantize(reals, bytes);
        std::size_t i = 0;
        for (std::int64_t o = 0; o < layout.outer; ++o)
            for (const int expected : {6, 22, -7})
                for (std::int64_t n = 0; n < layout.inner; ++n) EXPECT_EQ(bytes[i++], expected);
    }
    expect_error([&] { (void)type(params, channel_layout{1, 4, 3}); }, {"3 parameters", "4"});
}

TEST(quantizer, refuses_layouts_without_elements) {
    using type = quantizer<symmetric, per_channel>;
    const std::vector<float> none;
    expect_error([&] { (void)type(none, channel_layout{1, 4, 0}); }, {"[1, 4, 0]"});
    expect_error([&] { (void)type(none, channel_layout{0, 4, 1}); }, {"[0, 4, 1]"});
    expect_error([&] { (void)type(none, channel_layout{1, -1, 1}); }, {"[1, -1, 1]"});
    expect_error([&] { (void)type(none, channel_layout{1LL << 40, 1LL << 40, 1}); }, {"1099511627776"});
    expect_error([&] { (void)type(std::vector<quant_params>(4), channel_layout{1, 4, 0}); }, {"[1, 4, 0]"});
}

TEST(quantizer, an_empty_tensor_has_scale_one) {
    const quantizer<asymmetric, per_tensor> q{std::span<const float>{}};
    EXPECT_EQ(q[0].scale.value, 1.0F);
    q.quantize({}, {});
}

TEST(scale, is_finite_and_positive) {
    for (const float wrong : {0.0F, -1.0F, infinity, nan, -0.0F})
        expect_error([&] { (void)octet::scale(wrong); }, {"a scale of", "greater than 0"});
    EXPECT_EQ(octet::scale(std::numeric_limits<float>::denorm_min()).value, std::numeric_limits<float>::denorm_min());
    EXPECT_EQ(octet::scale(largest).value, largest);
}

}  // namespace
