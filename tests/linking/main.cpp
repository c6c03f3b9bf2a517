#include <gtest/gtest.h>

#include <array>

#include "linking/unit.hpp"

namespace {

bool wide_unit_can_run() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return true;
#endif
}

std::array<std::int8_t, 1000> every_value() {
    std::array<std::int8_t, 1000> values{};
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int8_t>(i * 37 % 256 - 128);
    return values;
}

TEST(linking, units_with_other_flags_keep_their_own_loops) {
    const auto values = every_value();
    const auto baseline = baseline_unit(values);
    const auto without = no_exceptions_unit(values);
    EXPECT_NE(baseline.loop, without.loop);
    EXPECT_EQ(baseline.result, without.result);
}

TEST(linking, a_unit_with_a_larger_baseline_agrees) {
    if (!wide_unit_can_run()) GTEST_SKIP() << "this CPU lacks AVX2, with which wide.cpp is compiled";
    const auto values = every_value();
    const auto baseline = baseline_unit(values);
    const auto wide = wide_unit(values);
#if defined(__x86_64__)
    EXPECT_NE(baseline.loop, wide.loop);
#endif
    EXPECT_EQ(baseline.result, wide.result);
}

}  // namespace
