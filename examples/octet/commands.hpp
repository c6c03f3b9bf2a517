// What the tool does once its command line is read.
#pragma once

#include <cstddef>
#include <octet/octet.hpp>
#include <optional>
#include <string>

#include "samples.hpp"

struct arguments {
    std::string model;
    std::string samples;
    std::string calibration;  ///< empty: the first calibration_count of the samples
    std::string labels;
    std::size_t count = 1'000'000;
    std::size_t calibration_count = 100;
    int class_offset = 0;
    sample_format format;
    octet::quantize_options how;
    std::string observer;  ///< as it was given
    std::optional<octet::isa> target;
    int batch = 1;
    int threads = 1;
    octet::parallel hook{};  ///< of that many, lent while a command runs
};

/// Calibrates, quantizes and prints the report.
void quantize(const arguments& options);

/// Quantizes, then prints accuracy, sizes, latency and the report.
void evaluate(const arguments& options);
