// label: law
// Units with different flags in one program: each keeps its own loops, data types pass between them, the bytes agree.
#include <gtest/gtest.h>

#include "linking/unit.hpp"

namespace {

bool wide_unit_can_run() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return true;
#endif
}

std::vector<float> reals() {
    std::vector<float> all(1000);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(i * 37 % 1000) / 300.0F - 1.0F;
    return all;
}

void expect_same(const unit_report& a, const unit_report& b) {
    EXPECT_EQ(a.params, b.params);
    EXPECT_EQ(a.bytes, b.bytes);
}

TEST(linking, a_unit_without_exceptions_has_its_own_loops_and_agrees) {
    const unit_report baseline = baseline_unit(reals()), other = no_exceptions_unit(reals());
    EXPECT_NE(baseline.loop, other.loop);
    expect_same(baseline, other);
}

TEST(linking, a_unit_with_a_larger_baseline_agrees) {
    if (!wide_unit_can_run()) GTEST_SKIP() << "this CPU lacks AVX2, with which wide.cpp is compiled";
    expect_same(baseline_unit(reals()), wide_unit(reals()));
}

TEST(linking, errors_are_thrown_beside_a_unit_that_cannot_throw) {
    EXPECT_THROW(octet::shape{0}, octet::error);
    EXPECT_THROW(octet::scale(0.0F), octet::error);
    EXPECT_THROW(octet::window{}.outputs("w", 0, 0), octet::error);
    EXPECT_THROW(octet::percentile(3.0), octet::error);
}

#if defined(__x86_64__)  // on other machines the baseline has one name
TEST(linking, a_unit_with_a_larger_baseline_has_its_own_loops) {
    if (!wide_unit_can_run()) GTEST_SKIP() << "this CPU lacks AVX2, with which wide.cpp is compiled";
    EXPECT_NE(baseline_unit(reals()).loop, wide_unit(reals()).loop);
}
#endif

}  // namespace
