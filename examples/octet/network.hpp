// From a file to a network that runs, in float or in int8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <octet/octet.hpp>
#include <octet/ptq/sensitivity.hpp>
#include <optional>
#include <string>

#include "options.hpp"
#include "output.hpp"

/// The float network of a file, which has one input. Throws octet::error naming the file.
octet::graph load_model(const std::string& path);
/// The network of a file, ready to run: a float one is folded, a QDQ one runs in int8.
octet::quantized_graph load_form(const std::string& path);

/// The samples of --samples, and the first --calibration-count of --calibration or else of those.
sample_set load_samples(const options& asked, const octet::graph& model);
octet::samples calibration_samples(const options& asked, const octet::graph& model, const octet::samples& data);

/// Multiply-adds of one sample: of convolutions and linear layers; other operations count none.
std::int64_t multiply_adds(const octet::graph& net, const octet::node& of);
std::int64_t multiply_adds(const octet::graph& net);
/// Weights and biases, factors and shifts, and the constants that a node reads.
std::size_t parameters(const octet::graph& net, const octet::node& of);

/// A model with its samples, quantized.
struct work {
    octet::graph model;
    sample_set data;
    octet::quantized_graph int8;
    std::string calibration;  ///< "51 samples of images.npy, automatic"
    std::optional<octet::sensitivity_ranking> ranking;
};
/// Reads the samples, calibrates and quantizes, and says how.
work prepare(const options& asked, output& says);
/// Watches the samples, or takes the calibrations that --calibration-state names; writes --save-calibration-state.
octet::calibration calibrate(const options& asked, const octet::graph& model, const octet::samples& shown);
octet::sensitivity_ranking rank_with_progress(const options& asked, const octet::graph& model,
                                              const octet::samples& data, std::vector<int> labels = {});
void say_ranking(output& says, const octet::sensitivity_ranking& ranking);

/// The report of a quantized network, on the first 100 samples: enough for a tenth of a dB. `timed_runs` as
/// octet::report has it.
octet::quantization_report report_of(const options& asked, const work& with, std::size_t timed_runs = 0);
void say_report(output& says, const octet::quantization_report& all);

/// The shape of an input or output as the file has it: "1x3x224x224 (NCHW)".
std::string file_shape(const octet::tensor& of);
/// Facts: the model with its input, the instruction set.
void say_model(output& says, const std::string& path, const octet::graph& model);
void say_isa(output& says, const options& asked);
