// What the tool knows of a network before it runs, and how it comes to one that runs in int8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <octet/octet.hpp>
#include <string>

#include "options.hpp"
#include "output.hpp"

/// The network of a file, which has one input. Throws octet::error naming the file.
octet::graph load_model(const std::string& path);

/// The same, ready to run: folded, and in the form that the file has.
octet::quantized_graph load_form(const std::string& path);

/// The samples of --samples, and what is said of them.
sample_set load_samples(const options& asked, const octet::graph& model);

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
    std::size_t calibrated = 0;
};
/// Reads the samples, calibrates and quantizes, and says how.
work prepare(const options& asked, output& says);
octet::quantized_graph calibrate(const options& asked, const octet::graph& model, const octet::samples& data);

/// The report of a quantized network, on the first 100 samples: enough for a tenth of a dB.
octet::quantization_report report_of(const options& asked, const work& with);
void say_report(output& says, const octet::quantization_report& all);

/// Facts: the model with its input, the instruction set.
void say_model(output& says, const std::string& path, const octet::graph& model);
void say_isa(output& says, const options& asked);
