// The int8 GEMM and Winograd kernels round every product of every result before anything is added to it.
// functions: gemm_kernel<|winograd_|gemm_reference|requantize|result_of
// never: \t(vfn?m(add|sub)|fn?m(add|sub)|fml[as])
#include <octet/kernel/gemm.hpp>
#include <octet/kernel/winograd.hpp>

namespace octet::inline OCTET_ABI {

template gemm_entry<nearest_even> choose_gemm<nearest_even>(isa, const cpu_features&) noexcept;
template gemm_entry<tflite> choose_gemm<tflite>(isa, const cpu_features&) noexcept;
template gemm_entry<single> choose_gemm<single>(isa, const cpu_features&) noexcept;
template gemm_entry<accumulators> choose_gemm<accumulators>(isa, const cpu_features&) noexcept;
template gemm_entry<dequantized> choose_gemm<dequantized>(isa, const cpu_features&) noexcept;
template winograd_entry<nearest_even> choose_winograd<nearest_even>(isa, const cpu_features&) noexcept;
template winograd_entry<tflite> choose_winograd<tflite>(isa, const cpu_features&) noexcept;
template winograd_entry<single> choose_winograd<single>(isa, const cpu_features&) noexcept;

}  // namespace octet::inline OCTET_ABI
