#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template gemm_entry<accumulators> choose_gemm(isa) noexcept;
template gemm_entry<dequantized> choose_gemm(isa) noexcept;
}  // namespace octet::inline OCTET_ABI
