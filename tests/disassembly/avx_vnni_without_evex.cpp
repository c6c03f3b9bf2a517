// CPUs with AVX-VNNI need not have AVX-512: its kernels hold no EVEX encoding, which begins with the byte 62.
// functions: gemm_kernel<\(octet::isa\)4,|vpdpwssd_avx_vnni
// never: ^ *[0-9a-f]+:[ \t]+62[ ]
// only: x86_64
#include <octet/kernel/gemm.hpp>
#include <octet/kernel/winograd.hpp>

namespace octet::inline OCTET_ABI {

static_assert(static_cast<int>(isa::avx_vnni) == 4, "the number by which the line above finds the kernels");
template gemm_entry<nearest_even> choose_gemm<nearest_even>(isa, const cpu_features&) noexcept;
template gemm_entry<tflite> choose_gemm<tflite>(isa, const cpu_features&) noexcept;
template gemm_entry<single> choose_gemm<single>(isa, const cpu_features&) noexcept;
template winograd_entry<nearest_even> choose_winograd<nearest_even>(isa, const cpu_features&) noexcept;

}  // namespace octet::inline OCTET_ABI
