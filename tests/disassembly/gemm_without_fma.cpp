// The int8 GEMM kernels round products and sums apart: their requantization holds no fused multiply-add.
// functions: gemm_kernel<.*::(strip|run|gather)
// never: vfn?m(add|sub)
#include <octet/kernel/gemm.hpp>

template octet::gemm_entry<octet::nearest_even> octet::choose_gemm(octet::isa, bool) noexcept;
template octet::gemm_entry<octet::tflite> octet::choose_gemm(octet::isa, bool) noexcept;
template octet::gemm_entry<octet::single> octet::choose_gemm(octet::isa, bool) noexcept;
