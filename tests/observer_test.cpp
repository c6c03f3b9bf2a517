// label: law, threads
// Observers: bins that depend on the value alone, so that order, splits and merges cannot show; percentiles against
// sorted data; and a defined range with a sentence for every degenerate kind of data.
#include "octet/calib/observer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "octet/quant/quantizer.hpp"

namespace {

using octet::histogram;
using octet::histogram_observer;
using octet::min_max;
using octet::observed;
using octet::percentile;
using octet::range;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

/// Values of every kind: normal, skewed, zeros of both signs, denormals, huge, NaN, infinite.
std::vector<float> mixed(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.3F, 2.0F);
    std::uniform_int_distribution<int> kind(0, 99);
    std::vector<float> all(count);
    for (float& x : all) {
        x = normal(random);
        const int k = kind(random);
        if (k < 30) x = std::max(x, 0.0F);
        if (k == 30) x = -0.0F;
        if (k == 31) x *= 1e-30F;
        if (k == 32) x *= 1e9F;
        if (k == 33) x = nan;
        if (k == 34) x = x > 0 ? infinity : -infinity;
        if (k == 35) x = std::numeric_limits<float>::denorm_min();
    }
    return all;
}

template <class Selection>
observed watch(Selection how, std::span<const float> values) {
    histogram_observer one{how};
    one.observe(values);
    return one.result();
}

bool same_bits(range a, range b) {
    return std::bit_cast<std::uint32_t>(a.min) == std::bit_cast<std::uint32_t>(b.min) &&
           std::bit_cast<std::uint32_t>(a.max) == std::bit_cast<std::uint32_t>(b.max);
}

bool mentions(const std::vector<std::string>& warnings, std::string_view part) {
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const std::string& one) { return one.find(part) != std::string::npos; });
}

/// Whatever was seen, every quantizer takes the range and gives a scale that is neither 0 nor infinite.
void expect_usable(const observed& seen) {
    EXPECT_TRUE(std::isfinite(seen.range.min) && std::isfinite(seen.range.max));
    for (const octet::quant_params p :
         {octet::quantizer<octet::asymmetric, octet::per_tensor>::choose_params(seen.range),
          octet::quantizer<octet::symmetric, octet::per_tensor>::choose_params(seen.range)}) {
        EXPECT_TRUE(std::isnormal(p.scale.value));
        EXPECT_GT(p.scale.value, 0.0F);
        EXPECT_EQ(octet::dequantize_value(octet::quantize_value(0.0F, p, -128, 127), p), 0.0F);
    }
}

TEST(histogram, bins_stand_in_the_order_of_their_values) {
    EXPECT_EQ(histogram::bin_of(0.0F), histogram::middle);
    EXPECT_EQ(histogram::bin_of(-0.0F), histogram::middle);
    EXPECT_EQ(histogram::bin_of(largest), histogram::bins - 1);
    EXPECT_EQ(histogram::bin_of(-largest), 0);
    EXPECT_EQ(histogram::bin_of(0x1p-24F), histogram::middle + 1);
    EXPECT_EQ(histogram::bin_of(std::nextafter(0x1p-24F, 0.0F)), histogram::middle);
    EXPECT_EQ(histogram::bin_of(std::nextafter(0x1p24F, 0.0F)), histogram::bins - 1);
    EXPECT_EQ(histogram::edge(1), 0x1p-24F);
    for (int step = 1; step <= histogram::middle; ++step) {
        const float from = histogram::edge(step);
        EXPECT_EQ(histogram::bin_of(from), histogram::middle + step);
        EXPECT_EQ(histogram::bin_of(-from), histogram::middle - step);
        EXPECT_EQ(histogram::bin_of(std::nextafter(from, 0.0F)), histogram::middle + step - 1);
        EXPECT_LE(histogram::edge(step + 1) / from, 1.0F + 0x1p-7F);
    }
}

TEST(histogram, counts_every_value_once) {
    const std::vector<float> values = mixed(20000, 1);
    histogram seen;
    seen.observe(values);
    std::uint64_t nans = 0, infinities = 0, zeros = 0, finite = 0, counted = 0;
    float least = infinity, most = -infinity;
    for (const float x : values) {
        nans += std::isnan(x) ? 1U : 0U, infinities += std::isinf(x) ? 1U : 0U, zeros += x == 0.0F ? 1U : 0U;
        if (!std::isfinite(x)) continue;
        ++finite, least = std::min(least, x), most = std::max(most, x);
    }
    for (const std::uint64_t count : seen.counts()) counted += count;
    EXPECT_GT(nans, 0U);
    EXPECT_GT(infinities, 0U);
    EXPECT_EQ(seen.nans(), nans);
    EXPECT_EQ(seen.infinities(), infinities);
    EXPECT_EQ(seen.zeros(), zeros);
    EXPECT_EQ(seen.finite(), finite);
    EXPECT_EQ(counted, finite);
    EXPECT_EQ(seen.extremes(), (range{least, most}));
}

TEST(histogram, order_splits_and_merges_cannot_show) {
    std::vector<float> values = mixed(5000, 2);
    histogram whole;
    whole.observe(values);
    std::mt19937 random(3);
    for (int round = 0; round < 10; ++round) {
        std::shuffle(values.begin(), values.end(), random);
        std::vector<histogram> parts(5);
        for (std::size_t first = 0; first < values.size();) {
            const std::size_t count = std::min<std::size_t>(values.size() - first, random() % 700);
            parts[random() % parts.size()].observe(std::span(values).subspan(first, count));
            first += count;
        }
        histogram left, right = parts[4];
        for (const histogram& part : parts) left.merge(part);  // ((((0 1) 2) 3) 4)
        for (int i = 3; i >= 0; --i) {                         // (0 (1 (2 (3 4))))
            histogram sum = parts[static_cast<std::size_t>(i)];
            sum.merge(right);
            right = sum;
        }
        EXPECT_TRUE(left == whole);
        EXPECT_TRUE(right == whole);
        for (const double keep : {50.0, 90.0, 99.0, 99.99, 100.0})
            EXPECT_TRUE(same_bits(select(percentile{keep}, left), select(percentile{keep}, whole)));
    }
}

TEST(histogram, which_zero_came_first_cannot_show) {
    EXPECT_TRUE(same_bits(watch(min_max{}, std::vector<float>{0.0F, -0.0F}).range, range{}));
    EXPECT_TRUE(same_bits(watch(min_max{}, std::vector<float>{-0.0F, 0.0F}).range, range{}));
    EXPECT_TRUE(same_bits(watch(min_max{}, std::vector<float>{-0.0F, 3.0F}).range, range{0.0F, 3.0F}));
    EXPECT_TRUE(same_bits(watch(percentile{}, std::vector<float>{-0.0F, -3.0F}).range, range{-3.0F, 0.0F}));
}

TEST(histogram, threads_cannot_show) {
    const std::vector<float> values = mixed(40000, 4);
    const observed alone = watch(percentile{99.9}, values);
    for (const std::size_t workers : {2U, 3U, 7U}) {
        std::vector<histogram_observer<percentile>> each(workers, histogram_observer{percentile{99.9}});
        std::vector<std::thread> threads;
        for (std::size_t w = 0; w < workers; ++w)
            threads.emplace_back([&, w] {
                for (std::size_t i = w * 100; i < values.size(); i += workers * 100)
                    each[w].observe(std::span(values).subspan(i, std::min<std::size_t>(100, values.size() - i)));
            });
        for (std::thread& thread : threads) thread.join();
        for (std::size_t w = 1; w < workers; ++w) each[0].merge(each[w]);
        EXPECT_TRUE(same_bits(each[0].result().range, alone.range));
        EXPECT_EQ(each[0].result().warnings, alone.warnings);
    }
}

TEST(min_max, is_exact) {
    const std::vector<float> values{0.1F, -7.3F, 5.55F, 1e-30F};
    EXPECT_EQ(watch(min_max{}, values).range, (range{-7.3F, 5.55F}));
    EXPECT_TRUE(watch(min_max{}, values).warnings.empty());
    EXPECT_EQ(watch(octet::range_selection{}, values).range, (range{-7.3F, 5.55F}));
}

TEST(percentile, cut_is_integer_arithmetic) {
    EXPECT_EQ(percentile{100}.cut(1U << 30), 0U);
    EXPECT_EQ(percentile{99.99}.cut(19999), 0U);
    EXPECT_EQ(percentile{99.99}.cut(20000), 1U);
    EXPECT_EQ(percentile{99.99}.cut(39999), 1U);
    EXPECT_EQ(percentile{99.999}.cut(200000), 1U);
    EXPECT_EQ(percentile{50}.cut(4), 1U);
    EXPECT_EQ(percentile{99.0}.cut(std::uint64_t{1} << 60), (std::uint64_t{1} << 60) / 200);
}

/// Each end against the order statistic of the sorted values: not inside it, and outside by less than a bin.
TEST(percentile, ends_lie_within_a_bin_outside_the_order_statistics) {
    for (unsigned seed = 0; seed < 6; ++seed) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal(static_cast<float>(seed) - 2.0F, 1.5F);
        std::vector<float> values(3000 + 977 * seed);
        for (float& x : values) x = seed % 2 == 0 ? normal(random) : std::exp(2.0F * normal(random));
        std::vector<float> sorted = values;
        std::sort(sorted.begin(), sorted.end());
        for (const double keep : {50.0, 80.0, 99.0, 99.9, 99.99, 100.0}) {
            const auto cut = static_cast<std::size_t>(percentile{keep}.cut(values.size()));
            const float low = sorted[cut], high = sorted[sorted.size() - 1 - cut];
            const range found = watch(percentile{keep}, values).range;
            const auto bin = [](float x) { return std::fabs(x) * 0x1p-7F + 0x1p-24F; };
            EXPECT_LE(found.min, low);
            EXPECT_GE(found.max, high);
            EXPECT_GE(found.min, low - bin(found.min));
            EXPECT_LE(found.max, high + bin(found.max));
            EXPECT_GE(found.min, sorted.front());
            EXPECT_LE(found.max, sorted.back());
        }
        EXPECT_TRUE(same_bits(watch(percentile{100}, values).range, watch(min_max{}, values).range));
    }
}

TEST(percentile, clips_an_outlier_that_min_max_keeps_and_warns_of) {
    std::vector<float> values(40000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000) / 1000.0F;
    values[77] = 1e6F;
    const observed all = watch(min_max{}, values);
    EXPECT_EQ(all.range.max, 1e6F);
    EXPECT_TRUE(mentions(all.warnings, "percentile"));
    expect_usable(all);
    const observed most = watch(percentile{99.99}, values);
    EXPECT_LE(most.range.max, 1.0F);
    EXPECT_GE(most.range.max, 0.999F);
    EXPECT_TRUE(most.warnings.empty());
    const observed chosen_at_run_time = watch(octet::range_selection{percentile{99.99}}, values);
    EXPECT_TRUE(same_bits(chosen_at_run_time.range, most.range));
}

/// A rare value among zeros is the signal, not an outlier.
TEST(percentile, never_clips_a_sparse_tensor_to_nothing) {
    std::vector<float> values(100000);
    values[5] = 3.0F, values[6] = 2.0F, values[7] = 2.5F;
    const observed seen = watch(percentile{99.9}, values);
    EXPECT_EQ(seen.range, (range{0.0F, 3.0F}));
    EXPECT_TRUE(seen.warnings.empty());
}

TEST(percentile, refuses_what_is_no_percentage) {
    for (const double keep : {0.9999, 0.0, -1.0, 100.5, static_cast<double>(nan)}) {
        try {
            const percentile wrong{keep};
            ADD_FAILURE() << keep << " was accepted";
        } catch (const octet::error& e) {
            EXPECT_NE(std::string(e.what()).find("from 50 to 100"), std::string::npos) << e.what();
        }
    }
}

struct degenerate {
    const char* what;
    std::vector<float> values;
    range expected;
    const char* warning;  ///< a part of the sentence, or "" where the data is sound
};

TEST(observer, degenerate_data_gives_a_defined_range_and_a_warning) {
    const float denormal = std::numeric_limits<float>::denorm_min();
    const std::vector<degenerate> cases{
        {"nothing", {}, {}, "nothing was observed"},
        {"all zero", {0.0F, -0.0F, 0.0F}, {}, "are 0"},
        {"one value", {2.5F, 2.5F, 2.5F}, {2.5F, 2.5F}, "all 3 values are 2.5"},
        {"one sample", {-4.0F}, {-4.0F, -4.0F}, "one value alone"},
        {"one zero", {0.0F}, {}, "are 0"},
        {"some NaN", {1.0F, nan, -1.0F}, {-1.0F, 1.0F}, "1 of 3 values are NaN"},
        {"only NaN", {nan, nan}, {}, "no finite value"},
        {"some infinity", {1.0F, infinity, -infinity, 0.5F}, {0.5F, 1.0F}, "2 of 4 values are infinite"},
        {"only infinity", {infinity}, {}, "no finite value"},
        {"denormals", {denormal, 3 * denormal}, {denormal, 3 * denormal}, "finer than the smallest scale"},
        {"both limits", {largest, -largest}, {-largest, largest}, "wider than the largest scale"},
        {"one limit", {largest, 0.0F, 1.0F}, {0.0F, largest}, "wider than the largest scale"},
        {"one outlier", {1.0F, 0.5F, 0.7F, 1000.0F}, {0.5F, 1000.0F}, "less than 1/16 of the levels"},
        {"sound", {1.0F, -0.5F, 0.7F, 1.1F}, {-0.5F, 1.1F}, ""},
    };
    for (const degenerate& one : cases) {
        SCOPED_TRACE(one.what);
        for (const octet::range_selection& how :
             {octet::range_selection{min_max{}}, octet::range_selection{percentile{}}}) {
            const observed seen = watch(how, one.values);
            EXPECT_TRUE(same_bits(seen.range, one.expected)) << seen.range.min << " " << seen.range.max;
            if (*one.warning == '\0') {
                EXPECT_TRUE(seen.warnings.empty());
            } else {
                EXPECT_TRUE(mentions(seen.warnings, one.warning));
            }
            expect_usable(seen);
        }
    }
}

TEST(observer, memory_does_not_grow) {
    EXPECT_LE(histogram::bins * sizeof(std::uint64_t), 100U * 1024U);
    histogram seen;
    const auto* before = seen.counts().data();
    for (unsigned seed = 0; seed < 20; ++seed) seen.observe(mixed(1000, seed));
    EXPECT_EQ(seen.counts().data(), before);
    EXPECT_EQ(seen.counts().size(), static_cast<std::size_t>(histogram::bins));
}

/// The bits that every machine must find, of bell-shaped values and of long tails. (selection_test weighs the
/// selections.)
TEST(selections, are_the_same_on_every_machine) {
    using octet::scheme;
    std::uint64_t hash = 0xcbf29ce484222325U;
    std::vector<float> values(500);
    for (const int power : {1, 3}) {
        std::mt19937 random(17);
        for (float& x : values) {
            float sum = 0.0F;
            for (int i = 0; i < 4; ++i) sum += static_cast<float>(static_cast<int>(random() % 2048) - 1000);
            x = power == 1 ? sum / 256 : sum / 256 * (sum / 256) * (sum / 256);
        }
        histogram seen;
        seen.observe(values);
        for (const scheme how : {scheme::asymmetric, scheme::symmetric})
            for (const octet::range_selection& one :
                 {octet::range_selection{min_max{}}, octet::range_selection{percentile{99.9}},
                  octet::range_selection{octet::mean_squared_error{}}, octet::range_selection{octet::kl_divergence{}},
                  octet::range_selection{octet::automatic{}}}) {
                const range found = octet::select(one, seen, how);
                for (const float end : {found.min, found.max})
                    hash = (hash ^ std::bit_cast<std::uint32_t>(end)) * 0x100000001b3U;
            }
    }
    EXPECT_EQ(hash, 7193601030682322149U);
}

}  // namespace
