#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template class compiler<single>;
template class session<single>;
template gemm_entry<single> choose_gemm<single>(isa, const cpu_features&) noexcept;
template winograd_entry<single> choose_winograd<single>(isa, const cpu_features&) noexcept;
template depthwise_entry<single> choose_depthwise<single>(isa) noexcept;
}  // namespace octet::inline OCTET_ABI
