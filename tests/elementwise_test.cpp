// label: law
// Add and mul: the reference is the stated formula, and every instruction set returns its bytes.
#include "octet/kernel/elementwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"

namespace {

using namespace octet;
using namespace octet::test;

struct problem {
    quant_params a, b, out;
    clamp limits{};
};
quant_params stored(double step, int zero) { return {scale(static_cast<float>(step)), zero_point(zero)}; }

const problem ordinary{stored(0.037, -12), stored(0.021, 100), stored(0.041, 5)};
const problem ties{stored(0.5, 3), stored(0.25, -7), stored(1, 11)};
/// A alone makes halves; B makes one more with it, which goes to even as all of this add do.
const problem mixed{stored(129.0 / 256, -128), stored(129.0 / 32768, -128), stored(1, -128)};
/// Eight pairs whose sums are halves by the rounding of both weights, half of them below an odd value.
const problem chance{stored(14.03125 / 255, -128), stored(12.0625 / 255, 3), stored(12.6875 / 255, -40)};

/// Ratios that tie often (powers of two), need no shift or the largest one, differ much, clamp nearly everything.
std::vector<problem> problems() {
    return {
        {stored(0.1, 0), stored(0.1, 0), stored(0.1, 0)},
        ties,
        chance,
        mixed,
        {stored(1.5, -128), stored(1, -128), stored(1, -128), {-128, 40}},
        {stored(127, -128), stored(127, -128), stored(128, -128)},  // the largest weights of a dyadic_add
        {stored(127, 127), stored(127, 127), stored(128, 127)},
        {stored(31.75, -128), stored(31.75, 127), stored(1, -1)},
        {stored(127, 5), stored(126, 5), stored(256, -5)},      // one bit of the shift more than it has
        {stored(32, -128), stored(32, -128), stored(1, -128)},  // and of the weights: 128, both, or either
        {stored(64, 3), stored(1, -5), stored(1, 0)},
        {stored(1, 3), stored(64, -5), stored(1, 0)},
        {stored(1, 3), stored(0.7, -5), stored(1, 0)},  // a multiple of a power of two, and one that is not
        {stored(0.7, -5), stored(1, 3), stored(1, 0)},
        {stored(0.037, -128), stored(0.0021, 127), stored(0.041, 5)},
        {stored(0.0021, 127), stored(0.037, -128), stored(0.019, -128), {-128, 20}},
        {stored(1.7, 127), stored(1.9, 127), stored(1.1, 127), {-20, 127}},
        {stored(1.99 * 0x1p20, -128), stored(0x1p20, -128), stored(1, 0)},
        {stored(3, 1), stored(3 * 0x1p-20, -1), stored(0.01, 40), {-3, 50}},
        {stored(0x1p-20, -128), stored(0x1p-22, 127), stored(1, -128)},
        {stored(0x1p-9, -128), stored(0x1p-9, -128), stored(1, 0)},
        ordinary,
        {stored(0.013, -128), stored(0.024, -128), stored(0.023, -128), {-128, 70}},
    };
}

std::int8_t clamped(double rounded, const problem& p) {
    return static_cast<std::int8_t>(std::clamp(rounded + p.out.zero_point.value, static_cast<double>(p.limits.low),
                                               static_cast<double>(p.limits.high)));
}

/// As p, but for a product: no multiplier of 2^30 and above.
problem for_mul(problem p) {
    const double product = double{p.a.scale.value} * p.b.scale.value;
    p.out.scale = scale(static_cast<float>(std::max(double{p.out.scale.value}, product * 0x1p-28)));
    return p;
}

/// gemmlowp's two roundings as its papers state them, in floating point that holds every value exactly.
double doubling_high(double a, double b) { return std::floor(a * b / 0x1p31 + 0.5); }
double divide_by_power(double x, int bits) { return std::round(std::ldexp(x, -bits)); }
struct fraction {
    double value;
    int shift;
    explicit fraction(double real) : value(std::round(std::frexp(real, &shift) * 0x1p31)) {}
    double times(double x, bool twice_rounded) const {
        if (!twice_rounded)
            return static_cast<double>(std::floor(std::ldexp(static_cast<long double>(x) * value, shift - 31) + 0.5L));
        const double raised = shift > 0 ? std::clamp(std::ldexp(x, shift), -0x1p31, 0x1p31 - 1) : x;
        return shift > 0 ? doubling_high(raised, value) : divide_by_power(doubling_high(raised, value), -shift);
    }
};

/// Whether some multiple of it is a half of 2^shift, of those that a difference of bytes can make. Found by trial,
/// once.
bool makes_halves(double weight, int shift) {
    static std::map<std::pair<double, int>, bool> known;
    const auto [at, is_new] = known.try_emplace({weight, shift}, false);
    for (int n = 1; is_new && n < 256 && !at->second; ++n)
        at->second = std::fabs(std::remainder(n * weight, std::exp2(shift))) == std::exp2(shift - 1);
    return at->second;
}

std::int8_t add_oracle(const problem& p, int x, int y, nearest_even) {
    const double ra = double{p.a.scale.value} / p.out.scale.value, rb = double{p.b.scale.value} / p.out.scale.value;
    int shift = 0;
    while (shift < 30 && std::max(ra, rb) * std::exp2(shift) < 0x1p20) ++shift;
    const double a = std::nearbyint(ra * std::exp2(shift)), b = std::nearbyint(rb * std::exp2(shift));
    const double sum = ((x - p.a.zero_point.value) * a + (y - p.b.zero_point.value) * b) / std::exp2(shift);
    return clamped(makes_halves(a, shift) || makes_halves(b, shift) ? std::nearbyint(sum) : std::floor(sum + 0.5), p);
}
std::int8_t add_oracle(const problem& p, int x, int y, bool twice_rounded) {
    const double sa = p.a.scale.value, sb = p.b.scale.value, both = 2 * std::max(sa, sb);
    const double u = fraction(sa / both).times((x - p.a.zero_point.value) * 0x1p20, twice_rounded);
    const double v = fraction(sb / both).times((y - p.b.zero_point.value) * 0x1p20, twice_rounded);
    return clamped(fraction(both / (0x1p20 * p.out.scale.value)).times(u + v, twice_rounded), p);
}
std::int8_t add_oracle(const problem& p, int x, int y, tflite) { return add_oracle(p, x, y, true); }
std::int8_t add_oracle(const problem& p, int x, int y, single) { return add_oracle(p, x, y, false); }

template <class Rounding>
struct elementwise : ::testing::Test {};
TYPED_TEST_SUITE(elementwise, octet::test::roundings, octet::test::rounding_name);

TYPED_TEST(elementwise, add_is_the_stated_formula) {
    for (const problem& p : problems()) {
        const auto params = add_params<TypeParam>::make(p.a, p.b, p.out, p.limits, "test");
        for (int x = -128; x < 128; ++x)
            for (int y = -128; y < 128; ++y)
                ASSERT_EQ(params(static_cast<std::int8_t>(x), static_cast<std::int8_t>(y)),
                          add_oracle(p, x, y, TypeParam()))
                    << x << " + " << y << ", scales " << p.a.scale.value << ' ' << p.b.scale.value;
    }
}

/// What kernels run where it is said to be exact: for scales as calibration finds them, whatever the policy.
TYPED_TEST(elementwise, a_linear_add_returns_the_bytes_of_its_formula) {
    int exact = 0;
    for (const problem& p : problems()) {
        const auto params = add_params<TypeParam>::make(p.a, p.b, p.out, p.limits, "test");
        const linear_add& sum = params.linear;
        exact += sum.exact;
        for (int x = -128; sum.exact && x < 128; ++x)
            for (int y = -128; y < 128; ++y) {
                const int floor = (x * sum.a + y * sum.b + sum.offset) >> sum.shift;
                ASSERT_EQ(params(static_cast<std::int8_t>(x), static_cast<std::int8_t>(y)),
                          std::clamp(floor, p.limits.low, p.limits.high))
                    << x << " + " << y << ", scales " << p.a.scale.value << ' ' << p.b.scale.value;
            }
    }
    EXPECT_GE(exact, 2);
    const problem& p = ordinary;
    EXPECT_TRUE(add_params<TypeParam>::make(p.a, p.b, p.out, p.limits, "test").linear.exact);
}
/// 1/2 * a + 1/4 * b has a tie in every fourth pair, half of which round down: no offset returns both.
TEST(elementwise_setup, a_linear_add_never_stands_for_ties_to_even) {
    const auto params = add_params<nearest_even>::make(ties.a, ties.b, ties.out, ties.limits, "test");
    EXPECT_FALSE(linear_add(params.weights, ties.limits, params).exact);
    EXPECT_TRUE(params.dyadic.exact);
}
/// Halves that neither weight makes alone go up, so that a linear_add can stand for them.
TEST(elementwise_setup, halves_by_chance_go_up) {
    const auto params = add_params<nearest_even>::make(chance.a, chance.b, chance.out, chance.limits, "test");
    const add_weights& w = params.weights;
    EXPECT_FALSE(w.ties);
    EXPECT_TRUE(params.linear.exact);
    int odd = 0;
    for (int x = -128; x < 128; ++x)
        for (int y = -128; y < 128; ++y) {
            const int sum = (x + 128) * w.a + (y - 3) * w.b, half = 1 << (w.shift - 1);
            const int up = (sum + half) >> w.shift, q = up + chance.out.zero_point.value;
            if ((sum & (2 * half - 1)) != half || q < -127 || q > 127) continue;
            EXPECT_EQ(params(static_cast<std::int8_t>(x), static_cast<std::int8_t>(y)), q) << x << " + " << y;
            odd += up % 2 != 0;
        }
    EXPECT_GT(odd, 0);
    EXPECT_TRUE(add_params<nearest_even>::make(mixed.a, mixed.b, mixed.out, mixed.limits, "test").weights.ties);
    EXPECT_TRUE(add_weights(1.5, 0.2137).ties);
    EXPECT_TRUE(add_weights(0.2137, 1.5).ties);
    EXPECT_FALSE(add_weights(1.5 + 0x1p-19, 0.2137).ties);
}
/// What kernels run where it is said to be exact, in the 16 bits that they have.
TEST(elementwise_setup, a_dyadic_add_returns_the_bytes_of_its_formula) {
    int exact = 0;
    for (const problem& p : problems()) {
        const auto params = add_params<nearest_even>::make(p.a, p.b, p.out, p.limits, "test");
        const dyadic_add& sum = params.dyadic;
        EXPECT_FALSE(sum.exact && params.linear.exact);
        exact += sum.exact;
        for (int x = -128; sum.exact && x < 128; ++x)
            for (int y = -128; y < 128; ++y) {
                const int products = x * (sum.weights & 255) + y * (sum.weights >> 8);
                ASSERT_LE(std::abs(products), 32767);
                const int raised = std::clamp(products + sum.offset, -32768, 32767), up = raised * sum.times() >> 16;
                const int rounded = (raised & sum.mask()) == 0 ? up & ~1 : up;
                ASSERT_EQ(params(static_cast<std::int8_t>(x), static_cast<std::int8_t>(y)),
                          std::clamp(rounded + p.out.zero_point.value, p.limits.low, p.limits.high))
                    << x << " + " << y << ", scales " << p.a.scale.value << ' ' << p.b.scale.value;
            }
    }
    EXPECT_EQ(exact, 6);
    EXPECT_FALSE(add_params<nearest_even>::make(ordinary.a, ordinary.b, ordinary.out, {}, "test").dyadic.exact);
}

TYPED_TEST(elementwise, mul_is_the_requantized_product) {
    for (const problem& each : problems()) {
        const problem p = for_mul(each);
        const auto params = mul_params<TypeParam>::make(p.a, p.b, p.out, p.limits, "test");
        const auto m = TypeParam::make(p.a.scale, p.b.scale, p.out.scale, "test");
        for (int x = -128; x < 128; ++x)
            for (int y = -128; y < 128; ++y)
                ASSERT_EQ(params(static_cast<std::int8_t>(x), static_cast<std::int8_t>(y)),
                          requantize<TypeParam>((x - p.a.zero_point.value) * (y - p.b.zero_point.value), m,
                                                p.out.zero_point, p.limits));
    }
}

/// All 65,536 pairs: rows of all 256 values against one, as a vector and as a broadcast.
template <class Params>
void expect_all_pairs(const Params& params) {
    std::vector<std::int8_t> all(256), same(256), out(256), expected(256);
    std::iota(all.begin(), all.end(), std::int8_t{-128});
    for (const isa which : supported_isas()) {
        const auto kernel = choose_binary<Params>(which);
        ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512_vnni, isa::avx512bw, isa::avx2, isa::sse41}));
        for (int y = -128; y < 128; ++y) {
            const auto value = static_cast<std::int8_t>(y);
            std::fill(same.begin(), same.end(), value);
            for (std::size_t i = 0; i < 256; ++i) expected[i] = params(all[i], value);
            kernel.run(params, all.data(), 1, same.data(), 1, out.data(), 256);
            ASSERT_EQ(out, expected) << to_string(which) << ", b " << y;
            kernel.run(params, all.data(), 1, &value, 0, out.data(), 256);
            ASSERT_EQ(out, expected) << to_string(which) << ", broadcast b " << y;
            for (std::size_t i = 0; i < 256; ++i) expected[i] = params(value, all[i]);
            kernel.run(params, &value, 0, all.data(), 1, out.data(), 256);
            ASSERT_EQ(out, expected) << to_string(which) << ", broadcast a " << y;
        }
    }
}

TYPED_TEST(elementwise, every_isa_returns_the_reference_bytes_of_all_pairs) {
    for (const problem& p : problems()) {
        expect_all_pairs(add_params<TypeParam>::make(p.a, p.b, p.out, p.limits, "test"));
        const problem product = for_mul(p);
        expect_all_pairs(mul_params<TypeParam>::make(product.a, product.b, product.out, p.limits, "test"));
    }
}

/// Every length around the vectors' edges, operands that end at an unmapped page, in place or not.
template <class Params>
void expect_edges(const Params& params) {
    data_source data(3);
    std::vector<int> lengths = edge_sizes();
    lengths.push_back(0);
    for (const isa which : supported_isas()) {
        const auto kernel = choose_binary<Params>(which);
        for (const int length : lengths) {
            const auto n = static_cast<std::size_t>(length);
            const guard side = length % 2 == 0 ? guard::end : guard::begin;
            guarded<std::int8_t> a(n, side), b(n, side), out(n, side), one(1);
            data.bytes(a.all(), fill::random);
            data.bytes(b.all(), fill::random);
            data.bytes(one.all(), fill::random);
            std::vector<std::int8_t> both(n), scalar_a(n), scalar_b(n), scalars(n, params(one[0], one[0]));
            for (std::size_t i = 0; i < n; ++i) {
                both[i] = params(a[i], b[i]);
                scalar_a[i] = params(one[0], b[i]);
                scalar_b[i] = params(a[i], one[0]);
            }
            const auto bytes = [](const guarded<std::int8_t>& from) { return std::vector(from.begin(), from.end()); };
            kernel.run(params, a.data(), 1, b.data(), 1, out.data(), n);
            ASSERT_EQ(bytes(out), both) << to_string(which) << ", length " << n;
            kernel.run(params, one.data(), 0, b.data(), 1, out.data(), n);
            ASSERT_EQ(bytes(out), scalar_a) << to_string(which) << ", length " << n;
            kernel.run(params, a.data(), 1, one.data(), 0, out.data(), n);
            ASSERT_EQ(bytes(out), scalar_b) << to_string(which) << ", length " << n;
            kernel.run(params, one.data(), 0, one.data(), 0, out.data(), n);
            ASSERT_EQ(bytes(out), scalars) << to_string(which) << ", length " << n;
            std::copy(a.begin(), a.end(), out.begin());
            kernel.run(params, out.data(), 1, b.data(), 1, out.data(), n);
            ASSERT_EQ(bytes(out), both) << to_string(which) << ", in place of a, length " << n;
            std::copy(b.begin(), b.end(), out.begin());
            kernel.run(params, a.data(), 1, out.data(), 1, out.data(), n);
            ASSERT_EQ(bytes(out), both) << to_string(which) << ", in place of b, length " << n;

            std::vector<std::int8_t> wide(n + 80, untouched);  // bytes before and after the row stay
            kernel.run(params, a.data(), 1, b.data(), 1, wide.data() + 7, n);
            std::vector<std::int8_t> expected(n + 80, untouched);
            std::copy(both.begin(), both.end(), expected.begin() + 7);
            ASSERT_EQ(wide, expected) << to_string(which) << ", length " << n;
        }
    }
}

TYPED_TEST(elementwise, rows_of_every_length_in_place_too) {
    const problem& p = ordinary;
    expect_edges(add_params<TypeParam>::make(p.a, p.b, p.out, p.limits, "test"));
    expect_edges(add_params<TypeParam>::make(ties.a, ties.b, ties.out, ties.limits, "test"));
    expect_edges(mul_params<TypeParam>::make(p.a, p.b, {scale(0.1F), zero_point(-3)}, p.limits, "test"));
}

TEST(elementwise_setup, scales_that_do_not_fit_together_are_refused) {
    const auto add = [](double a, double b, double out) {
        return add_params<nearest_even>::make(stored(a, 0), stored(b, 0), stored(out, 0), {}, "add 'x'");
    };
    EXPECT_NO_THROW(add(1, 0x1.fffffep20, 1));
    EXPECT_NO_THROW(add(1e-38, 1e-38, 1e38));
    try {
        add(1, 0x1p21, 1);
        FAIL() << "not refused";
    } catch (const error& e) {
        EXPECT_NE(std::string(e.what()).find("add 'x'"), std::string::npos) << e.what();
    }
    EXPECT_THROW(add_params<tflite>::make(stored(1e30, 0), stored(1, 0), stored(1, 0), {}, "x"), error);
    EXPECT_THROW(add_params<single>::make(stored(1e30, 0), stored(1, 0), stored(1, 0), {}, "x"), error);
    EXPECT_THROW(mul_params<nearest_even>::make(stored(1e30, 0), stored(1e30, 0), stored(1, 0), {}, "x"), error);
}

}  // namespace
