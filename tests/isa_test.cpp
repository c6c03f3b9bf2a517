// label: law
// Instruction sets: names go round, unknown ones are refused, and our CPUID reader agrees with the compiler's.
#include "octet/isa/isa.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "octet/isa/detect.hpp"
#include "octet/isa/select.hpp"

namespace {

using octet::isa;

TEST(isa, names_go_round) {
    for (const isa which : octet::supported_isas()) EXPECT_EQ(octet::parse_isa(to_string(which)), which);
    EXPECT_EQ(to_string(isa::scalar), "scalar");
    EXPECT_EQ(to_string(isa::sse41), "sse41");
    EXPECT_EQ(to_string(isa::avx2), "avx2");
    EXPECT_EQ(to_string(isa::avx512bw), "avx512bw");
    EXPECT_EQ(to_string(isa::avx_vnni), "avx_vnni");
    EXPECT_EQ(to_string(isa::avx512_vnni), "avx512_vnni");
    EXPECT_EQ(to_string(static_cast<isa>(200)), "unknown");
}

TEST(isa, refuses_unknown_names) {
    for (const char* name : {"", "avx", "AVX2", "avx2 ", "neon"}) {
        try {
            (void)octet::parse_isa(name);
            ADD_FAILURE() << name << " was accepted";
        } catch (const octet::error& e) {
            const std::string message = e.what();
            EXPECT_NE(message.find("'" + std::string(name) + "'"), std::string::npos) << message;
            EXPECT_NE(message.find("scalar"), std::string::npos) << message;
        }
    }
}

TEST(isa, refuses_what_this_machine_does_not_run) {
    for (const isa which : octet::preference) {
        if (octet::supported(which)) continue;
        try {
            (void)octet::parse_isa(to_string(which));
            ADD_FAILURE() << to_string(which) << " was accepted";
        } catch (const octet::error& e) {
            EXPECT_NE(std::string(e.what()).find(to_string(which)), std::string::npos) << e.what();
        }
    }
}

TEST(isa, scalar_runs_everywhere_and_comes_last) {
    const auto all = octet::supported_isas();
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back(), isa::scalar);
    EXPECT_EQ(all.front(), octet::best_isa());
    EXPECT_TRUE(octet::supported(isa::scalar));
    for (const isa which : octet::preference)
        EXPECT_EQ(octet::supported(which), std::count(all.begin(), all.end(), which) == 1);
}

#if defined(__x86_64__)
// A kernel of a smaller set may stand in for a missing one.
TEST(isa, a_set_comes_with_the_smaller_ones_that_stand_in_for_it) {
    const auto holds = [](isa larger, isa smaller) { return !octet::supported(larger) || octet::supported(smaller); };
    EXPECT_TRUE(holds(isa::avx512_vnni, isa::avx512bw));
    EXPECT_TRUE(holds(isa::avx512bw, isa::avx2));
    EXPECT_TRUE(holds(isa::avx_vnni, isa::avx2));
    EXPECT_TRUE(holds(isa::avx2, isa::sse41));
}

TEST(isa, detection_agrees_with_the_compiler) {
    __builtin_cpu_init();
    const octet::cpu_features has = octet::detect_cpu();
    EXPECT_EQ(has.ssse3, __builtin_cpu_supports("ssse3") != 0);
    EXPECT_EQ(has.sse41, __builtin_cpu_supports("sse4.1") != 0);
    EXPECT_EQ(has.avx2, __builtin_cpu_supports("avx2") != 0);
    EXPECT_EQ(has.fma, __builtin_cpu_supports("fma") != 0);
    EXPECT_EQ(has.avx512f, __builtin_cpu_supports("avx512f") != 0);
    EXPECT_EQ(has.avx512bw, __builtin_cpu_supports("avx512bw") != 0);
    EXPECT_EQ(has.avx512dq, __builtin_cpu_supports("avx512dq") != 0);
    EXPECT_EQ(has.avx512vl, __builtin_cpu_supports("avx512vl") != 0);
    EXPECT_EQ(has.avx512_vnni, __builtin_cpu_supports("avx512vnni") != 0);
    EXPECT_EQ(has.intel, __builtin_cpu_is("intel") != 0);
    EXPECT_EQ(has.zen_4, __builtin_cpu_is("amdfam19h") != 0 && __builtin_cpu_supports("avx512f") != 0);
#if !defined(__clang__)  // Clang 14 does not know the name
    EXPECT_EQ(has.avx_vnni, __builtin_cpu_supports("avxvnni") != 0);
#endif
}
#endif

}  // namespace
