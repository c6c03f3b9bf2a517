// Compiled for AVX-512, the AVX-VNNI kernels hold EVEX encodings, and the check must see them: ctest turns the result
// of this one around.
// functions: gemm_kernel<\(octet::isa\)4,
// never: ^ *[0-9a-f]+:[ \t]+62[ ]
// only: x86_64
#define OCTET_AVX_VNNI_AS_AVX512
#include <octet/kernel/gemm.hpp>

namespace octet::inline OCTET_ABI {

template gemm_entry<nearest_even> choose_gemm<nearest_even>(isa, const cpu_features&) noexcept;

}  // namespace octet::inline OCTET_ABI
