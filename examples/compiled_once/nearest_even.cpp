#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template class compiler<nearest_even>;
template class session<nearest_even>;
template gemm_entry<nearest_even> choose_gemm<nearest_even>(isa, const cpu_features&) noexcept;
template winograd_entry<nearest_even> choose_winograd<nearest_even>(isa, const cpu_features&) noexcept;
template depthwise_entry<nearest_even> choose_depthwise<nearest_even>(isa) noexcept;
template calibration calibrate<session<>>(graph, const samples&, const calibrate_options&);
template quantized_graph quantize<session<>>(graph, const samples&, const quantize_options&);
template quantization_report report<nearest_even>(const graph&, const quantized_graph&, const samples&,
                                                  const report_options&);
}  // namespace octet::inline OCTET_ABI
