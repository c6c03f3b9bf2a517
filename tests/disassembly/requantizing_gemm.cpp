// The int8 GEMM kernels of every instruction set, with the rounding of every policy: no product is fused with a sum.
// functions: gemm_kernel<|gemm_reference|requantize
// never: \t(vfn?m(add|sub)|fn?m(add|sub)|fml[as])
#include <octet/kernel/gemm.hpp>

namespace octet::inline OCTET_ABI {

template gemm_entry<nearest_even> choose_gemm<nearest_even>(isa, bool) noexcept;
template gemm_entry<tflite> choose_gemm<tflite>(isa, bool) noexcept;
template gemm_entry<single> choose_gemm<single>(isa, bool) noexcept;

}  // namespace octet::inline OCTET_ABI
