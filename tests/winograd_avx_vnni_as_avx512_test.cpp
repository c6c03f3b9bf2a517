// The AVX-VNNI kernels once more, compiled for AVX512-VNNI: most machines have but one of the two.
#define OCTET_AVX_VNNI_AS_AVX512
#include "winograd_test.cpp"

TEST(avx_vnni_as_avx512, runs_on_this_machine) {
    if (octet::test::tested_isas().empty()) GTEST_SKIP() << "no AVX512-VNNI here: the tests above went through nothing";
}
