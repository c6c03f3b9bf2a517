// label: threads
// Selections that weigh errors, against straightforward double precision: mean squared error, Kullback-Leibler,
// automatic; the moving average, whose order shows; and observers of each channel.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "network_data.hpp"
#include "octet/calib/moving_average.hpp"
#include "octet/calib/observer.hpp"
#include "octet/calib/per_channel.hpp"

namespace {

using namespace octet;
using octet::test::expect_error;
using octet::test::reals;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr scheme schemes[] = {scheme::asymmetric, scheme::symmetric};

/// Sums of uniform values: bell-shaped, the same everywhere. The cube of one has long tails.
enum class form { bell, tails, positive_tails, negative, skewed };
constexpr form forms[] = {form::bell, form::tails, form::positive_tails, form::negative, form::skewed};
std::vector<float> data(form what, std::size_t count, unsigned seed) {
    std::vector<float> all = reals(count, seed);
    for (unsigned i = 1; i < 4; ++i) {
        const std::vector<float> more = reals(count, seed + 1000 * i);
        for (std::size_t k = 0; k < count; ++k) all[k] += more[k];
    }
    for (float& x : all) {
        if (what == form::tails) x = x * x * x;
        if (what == form::positive_tails) x = std::max(x * x * x, 0.0F);
        if (what == form::negative) x = -std::fabs(x) - 0.5F;
        if (what == form::skewed) x = x > 0 ? 5 * x * x * x : x;
    }
    return all;
}
histogram seen_of(std::span<const float> values) {
    histogram seen;
    seen.observe(values);
    return seen;
}
bool same_bits(range a, range b) {
    return std::bit_cast<std::uint32_t>(a.min) == std::bit_cast<std::uint32_t>(b.min) &&
           std::bit_cast<std::uint32_t>(a.max) == std::bit_cast<std::uint32_t>(b.max);
}
/// The squared error of quantizing the values themselves.
double true_error(std::span<const float> values, range within, scheme how) {
    const quant_params p = choose_params(within, how);
    double sum = 0.0;
    for (const float x : values) {
        const double e = x - dequantize_value(quantize_value(x, p, how == scheme::symmetric ? -127 : -128, 127), p);
        sum += e * e;
    }
    return sum;
}
const range_selection selections[] = {min_max{}, percentile{99.9}, mean_squared_error{}, kl_divergence{}, automatic{}};

TEST(pieces, hold_every_value_between_the_extremes) {
    for (const form what : forms) {
        const std::vector<float> values = data(what, 800, 1);
        const histogram seen = seen_of(values);
        double count = 0.0, last = -1e30;
        for (const detail::piece& one : detail::pieces_of(seen)) {
            EXPECT_LE(last, one.from);
            EXPECT_LE(one.from, one.to);
            EXPECT_GE(one.from, double{seen.extremes().min});
            EXPECT_LE(one.to, double{seen.extremes().max});
            std::size_t inside = 0;
            for (const float x : values)
                inside += histogram::bin_of(x) == histogram::bin_of(static_cast<float>((one.from + one.to) / 2));
            EXPECT_EQ(one.count, static_cast<double>(inside));
            count += one.count, last = one.to;
        }
        EXPECT_EQ(count, static_cast<double>(values.size()) - static_cast<double>(seen.counts()[histogram::middle]));
        double mean = 0.0, squares = 0.0;
        for (const float x : values) mean += x, squares += double{x} * x;
        mean /= 800, squares /= 800;
        const detail::moments found = detail::moments_of(seen);
        EXPECT_NEAR(found.mean, mean, 0.004 * std::sqrt(squares));
        EXPECT_NEAR(found.variance, squares - mean * mean, 0.008 * squares);
    }
    const detail::moments none = detail::moments_of(histogram{});
    EXPECT_EQ(none.mean, 0.0);
    EXPECT_EQ(none.variance, 0.0);
}

/// The closed integrals against sums over points of each bin.
TEST(mean_squared_error, expected_error_is_the_mean_over_each_bin) {
    for (const form what : forms)
        for (const scheme how : schemes)
            for (const float part : {1.0F, 0.7F, 0.2F}) {
                const std::vector<detail::piece> density = detail::pieces_of(seen_of(data(what, 60, 3)));
                const range ends{static_cast<float>(density.front().from), static_cast<float>(density.back().to)};
                const quant_params p = choose_params({ends.min * part, ends.max * part}, how);
                double sum = 0.0;
                constexpr int points = 500;
                for (const detail::piece& one : density)
                    for (int i = 0; i < points; ++i) {
                        const double x = one.from + (one.to - one.from) * (i + 0.5) / points;
                        const double z = p.zero_point.value, step = p.scale.value;
                        const double low = how == scheme::symmetric ? -127 : -128;
                        const double q = std::min(std::max(std::nearbyint(x / step) + z, low), 127.0);
                        sum += one.count / points * std::pow(x - step * (q - z), 2);
                    }
                EXPECT_NEAR(detail::expected_error(density, p, how), sum, 0.005 * sum + 1e-12);
            }
}

/// Of all pairs of ends on a grid, none does much better on the values themselves.
TEST(mean_squared_error, no_pair_of_ends_is_much_better) {
    for (const form what : forms)
        for (const scheme how : schemes) {
            const std::vector<float> values = data(what, 1500, 5);
            const histogram seen = seen_of(values);
            const double found = true_error(values, select(mean_squared_error{}, seen, how), how);
            double best = true_error(values, seen.extremes(), how);
            for (int low = 0; low <= 12; ++low)
                for (int high = 0; high <= 12; ++high)
                    best =
                        std::min(best, true_error(values,
                                                  {std::min(seen.extremes().min * static_cast<float>(low) / 12, 0.0F),
                                                   std::max(seen.extremes().max * static_cast<float>(high) / 12, 0.0F)},
                                                  how));
            EXPECT_LE(found, 1.05 * best) << static_cast<int>(what) << " " << static_cast<int>(how);
        }
}

/// n values within [0, 4] and one of 60: an upper end of c costs n (c / 255)^2 / 12 + (60 - c)^2, which is least at
/// c = 120 / (k + 2), k = 2 n / (255^2 * 12).
TEST(mean_squared_error, clips_an_outlier_as_far_as_the_crowd_is_large) {
    std::vector<float> values = data(form::bell, 20000, 7);
    for (float& x : values) x = std::fabs(x);
    for (const int times : {1, 15, 60}) {
        histogram seen;
        for (int i = 0; i < times; ++i) seen.observe(values);
        seen.observe(std::vector<float>{60.0F});
        const double k = 2.0 * times * 20000 / (255.0 * 255.0 * 12.0);
        EXPECT_NEAR(select(mean_squared_error{}, seen).max, 120 / (k + 2), 0.6);
    }
}

TEST(kl_divergence, even_bins_hold_all_magnitudes) {
    for (const form what : forms) {
        const std::vector<float> values = data(what, 20000, 9);
        const histogram seen = seen_of(values);
        const std::vector<detail::piece> density = detail::pieces_of(seen);
        const double most = double{std::max(-seen.extremes().min, seen.extremes().max)};
        const std::vector<double> bins = detail::even_bins(density, most, 64);
        double sum = 0.0, expected = 0.0;
        std::vector<double> direct(64);
        for (const float x : values)
            if (x != 0.0F) direct[std::min<std::size_t>(static_cast<std::size_t>(std::fabs(x) / most * 64), 63)] += 1;
        for (const detail::piece& one : density) expected += one.count;
        for (std::size_t i = 0; i < 64; ++i) {
            sum += bins[i];
            EXPECT_NEAR(bins[i], direct[i],
                        0.01 * static_cast<double>(i) * direct[i] + 60.0);  // a value's bin is 0.8 %
        }
        EXPECT_NEAR(sum, expected, 1e-6);
    }
}

/// The recipe as it is told, with vectors for P and Q and libm's logarithm.
double told_divergence(const std::vector<double>& bins, std::size_t kept, std::size_t levels) {
    std::vector<double> p(bins.begin(), bins.begin() + static_cast<std::ptrdiff_t>(kept)), q(kept);
    for (std::size_t i = kept; i < bins.size(); ++i) p.back() += bins[i];
    for (std::size_t level = 0; level < levels; ++level) {
        double merged = 0.0;
        int filled = 0;
        for (std::size_t i = level * kept / levels; i < (level + 1) * kept / levels; ++i)
            merged += bins[i], filled += bins[i] > 0.0;
        for (std::size_t i = level * kept / levels; i < (level + 1) * kept / levels; ++i)
            if (bins[i] > 0.0) q[i] = merged / filled;
    }
    double all_p = 0.0, all_q = 0.0, sum = 0.0;
    for (std::size_t i = 0; i < kept; ++i) all_p += p[i], all_q += q[i];
    for (std::size_t i = 0; i < kept; ++i)
        if (p[i] > 0.0) sum += p[i] / all_p * std::log(p[i] / all_p / (q[i] > 0.0 ? q[i] / all_q : 1.0 / all_p));
    return sum;
}

TEST(kl_divergence, is_the_threshold_of_the_least_divergence) {
    for (const form what : forms)
        for (const scheme how : schemes) {
            const std::vector<float> values = data(what, 2000, 11);
            const histogram seen = seen_of(values);
            const double most = double{std::max(-seen.extremes().min, seen.extremes().max)};
            const std::vector<double> bins = detail::even_bins(detail::pieces_of(seen), most, 2048);
            const bool one_sided = what == form::positive_tails || what == form::negative;
            const std::size_t levels = one_sided && how == scheme::asymmetric ? 256 : 128;
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t kept = levels; kept <= 2048; kept += 16) {
                const double told = told_divergence(bins, kept, levels);
                EXPECT_NEAR(detail::divergence(bins, kept, levels), told, 1e-9);
                least = std::min(least, told);
            }
            const range found = select(kl_divergence{}, seen, how);
            const double threshold = double{std::max(-found.min, found.max)};
            const auto kept = static_cast<std::size_t>(std::lround(threshold / most * 2048));
            EXPECT_EQ(kept % 16, 0U);
            EXPECT_NEAR(told_divergence(bins, kept, levels), least, 1e-9);
            EXPECT_GE(found.min, seen.extremes().min);
            EXPECT_LE(found.max, seen.extremes().max);
        }
}

/// On the values themselves, no other selection's range loses less.
TEST(automatic, loses_no_more_than_any_selection) {
    for (const form what : forms)
        for (const scheme how : schemes) {
            std::vector<float> values = data(what, 2000, 13);
            if (what == form::bell) values[0] = 80.0F;
            const histogram seen = seen_of(values);
            const double found = true_error(values, select(automatic{}, seen, how), how);
            for (const range_selection& other : selections)
                EXPECT_LE(found, 1.03 * true_error(values, select(other, seen, how), how)) << other.index();
            EXPECT_LE(found, 1.03 * true_error(values, select(percentile{99.99}, seen), how));
        }
}

TEST(selections, order_splits_merges_and_threads_cannot_show) {
    std::vector<float> values = data(form::skewed, 3000, 15);
    values[5] = nan, values[6] = -infinity, values[7] = 0.0F, values[8] = -0.0F;
    const histogram whole = seen_of(values);
    std::mt19937 random(3);
    std::shuffle(values.begin(), values.end(), random);
    for (const scheme how : schemes)
        for (const range_selection& one : selections) {
            std::vector<histogram_observer<range_selection>> parts(3, histogram_observer<range_selection>{one, how});
            std::vector<std::thread> threads;
            for (std::size_t w = 0; w < 3; ++w)
                threads.emplace_back([&, w] {
                    for (std::size_t i = w * 70; i < values.size(); i += 210)
                        parts[w].observe(std::span(values).subspan(i, std::min<std::size_t>(70, values.size() - i)));
                });
            for (std::thread& thread : threads) thread.join();
            parts[2].merge(parts[0]), parts[2].merge(parts[1]);
            EXPECT_TRUE(parts[2].seen() == whole);
            EXPECT_TRUE(same_bits(parts[2].result().range, select(one, whole, how)));
        }
}

TEST(selections, of_degenerate_data_are_finite_and_inside_the_extremes) {
    const float denormal = std::numeric_limits<float>::denorm_min(), largest = std::numeric_limits<float>::max();
    for (const std::vector<float>& values : std::vector<std::vector<float>>{
             {},
             {0.0F, -0.0F},
             {2.5F},
             {-4.0F, -4.0F},
             {nan, infinity},
             {1.0F, nan, -1.0F, infinity},
             {denormal, 3 * denormal},
             {largest, -largest},
             {largest, 0.0F, 1.0F},
             {-largest},
             {0x1p-24F, 1.0F},
             {1.0F, 0.5F, 0.7F, 1000.0F},
         })
        for (const scheme how : schemes)
            for (const range_selection& one : selections) {
                histogram_observer<range_selection> watch{one, how};
                watch.observe(values);
                const range found = watch.result().range, ends = watch.seen().extremes();
                EXPECT_TRUE(std::isfinite(found.min) && std::isfinite(found.max) && found.min <= found.max);
                const bool held = found.min >= std::min(ends.min, 0.0F) && found.max <= std::max(ends.max, 0.0F);
                EXPECT_TRUE(held) << found.min << " " << found.max << " of " << ends.min << " " << ends.max;
                EXPECT_TRUE(std::isnormal(choose_params(found, how).scale.value));
                const std::uint64_t odd = watch.seen().nans() + watch.seen().infinities();
                EXPECT_EQ(watch.result().warnings.empty(), values.size() > 1 && odd == 0 && ends.min != ends.max &&
                                                               ends.max > 1e-30F && ends.max < 500.0F);
            }
}

TEST(moving_average, follows_the_batches_in_order) {
    const std::vector<std::vector<float>> batches{{1, -1}, {3, 0}, {nan}, {2, -2, infinity}, {-5}};
    const std::vector<range> extremes{{-1, 1}, {0, 3}, {-2, 2}, {-5, -5}};
    for (const double momentum : {0.0, 0.5, 0.9}) {
        moving_average_observer watch{moving_average{momentum}}, backwards{moving_average{momentum}};
        double low = 0.0, high = 0.0;
        for (std::size_t i = 0; i < extremes.size(); ++i) {
            low = i == 0 ? extremes[i].min : momentum * low + (1 - momentum) * extremes[i].min;
            high = i == 0 ? extremes[i].max : momentum * high + (1 - momentum) * extremes[i].max;
        }
        for (std::size_t i = 0; i < batches.size(); ++i) {
            watch.observe(batches[i]);
            backwards.observe(batches[batches.size() - 1 - i]);
        }
        EXPECT_NEAR(watch.result().range.min, low, 1e-6);
        EXPECT_NEAR(watch.result().range.max, high, 1e-6);
        EXPECT_NE(watch.result().range, backwards.result().range);
        EXPECT_EQ(watch.result().warnings.size(), 2U);  // NaN and infinity
    }
    EXPECT_EQ(moving_average_observer{}.result().range, range{});
    EXPECT_NE(moving_average_observer{}.result().warnings[0].find("nothing was observed"), std::string::npos);
    for (const double wrong : {-0.1, 1.0, double{nan}})
        expect_error([&] { moving_average{wrong}; }, "momentum", "from 0 to less than 1");
}

TEST(moving_average, no_rounding_brings_its_ends_out_of_order) {
    // Half a last place of the first batch stands between the ends of the second.
    const float first = 0x1p100F, half = 0x1p46F;
    for (const double momentum : {0.1, 0.5, 0.9, 0.99, 1.0 - 0x1p-53}) {
        moving_average_observer watch{moving_average{momentum}};
        watch.observe(std::vector<float>{first});
        watch.observe(std::vector<float>{half * (1.0F - 0x1p-24F), half * (1.0F + 0x1p-23F)});
        watch.observe(std::vector<float>{1.0F});
        EXPECT_GE(watch.result().range.max, static_cast<float>(0.99 * momentum * momentum) * first) << momentum;
    }
}

TEST(per_channel_observer, watches_each_channel_as_an_observer_of_its_own) {
    for (const channel_layout layout : {channel_layout{5, 3, 1}, {1, 4, 6}, {2, 2, 3}}) {
        const auto count = static_cast<std::size_t>(layout.elements()), inner = static_cast<std::size_t>(layout.inner);
        const auto channels = static_cast<std::size_t>(layout.channels);
        const std::vector<float> values = reals(count, 19), more = reals(3 * count, 20);
        per_channel_observer watch{histogram_observer{percentile{90}}, layout}, other = watch;
        std::vector<histogram_observer<percentile>> each(channels, histogram_observer{percentile{90}});
        watch.observe(values), other.observe(more), watch.merge(other);
        for (const auto& all : {values, more})
            for (std::size_t i = 0; i < all.size(); ++i) each[i / inner % channels].observe({all.data() + i, 1});
        const std::vector<observed> found = watch.result();
        const std::vector<quant_params> params = watch.params(scheme::symmetric);
        ASSERT_EQ(found.size(), channels);
        for (std::size_t c = 0; c < channels; ++c) {
            EXPECT_TRUE(same_bits(found[c].range, each[c].result().range));
            EXPECT_EQ(params[c], choose_params(found[c].range, scheme::symmetric));
        }
        const quantizer<symmetric, per_channel> fits{params, layout};
        EXPECT_EQ(fits[0], params[0]);
    }
    per_channel_observer watch{histogram_observer{min_max{}}, {1, 4, 2}};
    expect_error([&] { watch.observe(reals(9, 1)); }, "9 values for 4 channels of 2");
    expect_error([&] { watch.merge(per_channel_observer{histogram_observer{min_max{}}, {1, 3, 2}}); }, "4 and 3");
    expect_error([&] { per_channel_observer{histogram_observer{min_max{}}, {1, 0, 2}}; }, "0 channels of 2");
    expect_error(
        [&] {
            per_channel_observer{histogram_observer{min_max{}}, {1, 2, std::int64_t{1} << 62}};
        },
        "2 channels of 4611686018427387904", "at most 2147483647");
}

}  // namespace
