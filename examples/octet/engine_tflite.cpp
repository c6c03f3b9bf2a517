#include "engine_of.hpp"

template std::unique_ptr<runner> make_runner_of<octet::tflite>(const octet::quantized_graph&,
                                                               const octet::session_options&);
template octet::quantization_report make_report_of<octet::tflite>(const octet::graph&, const octet::quantized_graph&,
                                                                  const octet::samples&, const octet::report_options&);
template octet::sensitivity_ranking rank_layers_of<octet::tflite>(const octet::graph&, const octet::samples&,
                                                                  const octet::sensitivity_options&);
