// A kernel that nobody wrote is an error here, and not at run time.
// expect: gemm_kernel<
#include <octet/kernel/gemm_call.hpp>

const char* name = octet::gemm_kernel<octet::isa::avx2, int>::name;
