// What sessions, quantization and reports instantiate, and the kernels, are compiled once, in the .cpp files beside
// this: half of the time that a file which uses them takes to compile. The tool and the tests share it; a program of
// several files may do the same.
#pragma once

#include "octet/graph/quantize.hpp"
#include "octet/kernel/depthwise.hpp"
#include "octet/kernel/gemm.hpp"
#include "octet/kernel/winograd.hpp"
#include "octet/report/report.hpp"

namespace octet::inline OCTET_ABI {
extern template class compiler<nearest_even>;
extern template class session<nearest_even>;
extern template gemm_entry<nearest_even> choose_gemm<nearest_even>(isa, const cpu_features&) noexcept;
extern template winograd_entry<nearest_even> choose_winograd<nearest_even>(isa, const cpu_features&) noexcept;
extern template depthwise_entry<nearest_even> choose_depthwise<nearest_even>(isa) noexcept;
extern template class compiler<tflite>;
extern template class session<tflite>;
extern template gemm_entry<tflite> choose_gemm<tflite>(isa, const cpu_features&) noexcept;
extern template winograd_entry<tflite> choose_winograd<tflite>(isa, const cpu_features&) noexcept;
extern template depthwise_entry<tflite> choose_depthwise<tflite>(isa) noexcept;
extern template class compiler<single>;
extern template class session<single>;
extern template gemm_entry<single> choose_gemm<single>(isa, const cpu_features&) noexcept;
extern template winograd_entry<single> choose_winograd<single>(isa, const cpu_features&) noexcept;
extern template depthwise_entry<single> choose_depthwise<single>(isa) noexcept;
extern template gemm_entry<accumulators> choose_gemm<accumulators>(isa, const cpu_features&) noexcept;
extern template gemm_entry<dequantized> choose_gemm<dequantized>(isa, const cpu_features&) noexcept;
extern template calibration calibrate<session<>>(graph, const samples&, const calibrate_options&);
extern template quantized_graph quantize<session<>>(graph, const samples&, const quantize_options&);
extern template quantization_report report<nearest_even>(const graph&, const quantized_graph&, const samples&,
                                                         const report_options&);
}  // namespace octet::inline OCTET_ABI
