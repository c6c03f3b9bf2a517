#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template class compiler<tflite>;
template class session<tflite>;
template gemm_entry<tflite> choose_gemm<tflite>(isa, const cpu_features&) noexcept;
template winograd_entry<tflite> choose_winograd<tflite>(isa, const cpu_features&) noexcept;
template depthwise_entry<tflite> choose_depthwise<tflite>(isa) noexcept;
}  // namespace octet::inline OCTET_ABI
