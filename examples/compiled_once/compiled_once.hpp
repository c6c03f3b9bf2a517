// What sessions, quantization and reports instantiate is compiled once, in the .cpp files beside this: half of the time
// that a file which uses them takes to compile. The tool and the tests share it; a program of several files may do the
// same.
#pragma once

#include "octet/graph/quantize.hpp"
#include "octet/report/report.hpp"

namespace octet::inline OCTET_ABI {
extern template class compiler<nearest_even>;
extern template class session<nearest_even>;
extern template class compiler<tflite>;
extern template class session<tflite>;
extern template class compiler<single>;
extern template class session<single>;
extern template calibration calibrate<session<>>(graph, const samples&, const calibrate_options&);
extern template quantized_graph quantize<session<>>(graph, const samples&, const quantize_options&);
extern template quantization_report report<nearest_even>(const graph&, const quantized_graph&, const samples&,
                                                         const report_options&);
}  // namespace octet::inline OCTET_ABI
