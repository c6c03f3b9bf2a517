#include "engine_of.hpp"

template std::unique_ptr<runner> make_runner_of<octet::nearest_even>(const octet::quantized_graph&,
                                                                     const octet::session_options&);
template octet::quantization_report make_report_of<octet::nearest_even>(const octet::graph&,
                                                                        const octet::quantized_graph&,
                                                                        const octet::samples&,
                                                                        const octet::report_options&);
template octet::sensitivity_ranking rank_layers_of<octet::nearest_even>(const octet::graph&, const octet::samples&,
                                                                        const octet::sensitivity_options&);

// Calibration runs in float, where no policy matters: here, where the sessions of one are compiled anyway.
octet::calibration calibrate_model(const octet::graph& model, const octet::samples& data,
                                   const octet::calibrate_options& options) {
    return octet::calibrate(model, data, options);
}
octet::quantized_graph quantize_model(const octet::graph& model, const octet::calibration& seen,
                                      const octet::quantize_options& options) {
    return octet::quantize(model, seen, options);
}
