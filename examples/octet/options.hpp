// What the command line says, for every command, and the groups of options that commands are made of.
#pragma once

#include <cstddef>
#include <octet/octet.hpp>
#include <optional>
#include <string>
#include <vector>

#include "samples.hpp"

namespace CLI {
class App;
}

constexpr std::size_t most_samples = 1'000'000;

struct options {
    std::string model;
    std::string other;  ///< the model to compare with
    std::string samples;
    std::string calibration;  ///< empty: the samples
    std::string labels;       ///< empty: by folder
    std::string names;        ///< empty: classes have numbers only
    std::string output;
    std::string report;               ///< where the HTML page goes
    std::vector<std::string> states;  ///< calibrations to read and add up, instead of watching samples
    std::string save_state;           ///< where what was watched goes
    int float_worst = 0;              ///< leave so many layers in float, the worst of the ranking
    bool rank = false;                ///< rank the layers
    bool int8_activations = false;    ///< in the model that is written; otherwise uint8
    std::size_t count = most_samples;
    std::size_t calibration_count = 100;
    int class_offset = 0;
    int top = 5;
    sample_format format;
    octet::quantize_options how;
    std::string observer = "percentile:99.999";  ///< as it was given
    std::vector<std::string> for_float;          ///< the options given that say how to quantize a float network
    std::optional<octet::isa> target;
    int batch = 1;
    int threads = 1;
    octet::parallel hook{};  ///< of that many, lent while a command runs
    bool json = false;
    std::string shell;

    octet::session_options session() const { return {.batch = batch, .target = target, .threads = hook}; }
};

/// Throws octet::error where options were given that an int8 network leaves nothing to do.
void refuse_options_for_float(const options& asked);
/// Throws octet::error where a result could not be written, or would replace a file that is read.
void check_targets(const options& asked);

// Each adds a group of options to a command; what they hold is checked as they are parsed.
void add_model(CLI::App& command, options& to);
void add_other_model(CLI::App& command, options& to);
void add_samples(CLI::App& command, options& to);
void add_samples_or_noise(CLI::App& command, options& to);
void add_labels(CLI::App& command, options& to);
void add_calibration(CLI::App& command, options& to);
void add_quantization(CLI::App& command, options& to);
void add_products(CLI::App& command, options& to);
void add_running(CLI::App& command, options& to);
void add_batch(CLI::App& command, options& to);
void add_top(CLI::App& command, options& to);
void add_json(CLI::App& command, options& to);
void add_shell(CLI::App& command, options& to);
