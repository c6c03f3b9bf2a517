#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template class compiler<tflite>;
template class session<tflite>;
template gemm_entry<tflite> choose_gemm(isa, const cpu_features&) noexcept;
template winograd_entry<tflite> choose_winograd(isa) noexcept;
template depthwise_entry<tflite> choose_depthwise(isa) noexcept;
}  // namespace octet::inline OCTET_ABI
