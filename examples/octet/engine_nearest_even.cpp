#include "engine_of.hpp"

template struct engine_of<octet::nearest_even>;

// Calibration runs in float, where no policy matters: here, where the sessions of one are compiled anyway.
octet::calibration calibrate_model(const octet::graph& model, const octet::samples& data,
                                   const octet::calibrate_options& options) {
    return octet::calibrate(model, data, options);
}
octet::quantized_graph quantize_model(const octet::graph& model, const octet::calibration& seen,
                                      const octet::quantize_options& options) {
    return octet::quantize(model, seen, options);
}
