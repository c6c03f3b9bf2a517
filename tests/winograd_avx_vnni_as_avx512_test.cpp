// The AVX-VNNI kernels once more, compiled for AVX512-VNNI: most machines have but one of the two.
#define OCTET_AVX_VNNI_AS_AVX512
#include "winograd_test.cpp"
