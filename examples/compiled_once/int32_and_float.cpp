#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template gemm_entry<accumulators> choose_gemm<accumulators>(isa, const cpu_features&) noexcept;
template gemm_entry<dequantized> choose_gemm<dequantized>(isa, const cpu_features&) noexcept;
}  // namespace octet::inline OCTET_ABI
