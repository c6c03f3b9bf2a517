// octet: quantizes ONNX models and says what that costs. The command line; commands.cpp does the work.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <octet/core/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"

namespace {

/// Options as they are typed, before they are understood.
struct typed {
    std::string shape, type, order = "rgb", layout = "nhwc", observer = "percentile:99.999";
    std::string scheme = "asymmetric", granularity = "per_channel", rounding = "nearest_even", isa;
    std::vector<std::string> mean, scale;
};

octet::activation_observer parse_observer(std::string_view words) {
    const auto number_after = [&](std::string_view name) {
        return parse_number(octet::text("--observer ", name), words.substr(name.size() + 1));
    };
    if (words == "minmax") return octet::min_max{};
    if (words == "percentile") return octet::percentile{};
    if (words.starts_with("percentile:")) return octet::percentile{number_after("percentile")};
    if (words == "kl") return octet::kl_divergence{};
    if (words == "mse") return octet::mean_squared_error{};
    if (words == "automatic") return octet::automatic{};
    if (words == "moving_average") return octet::moving_average{};
    if (words.starts_with("moving_average:")) return octet::moving_average{number_after("moving_average")};
    octet::fail("--observer: '", words,
                "' is none: write minmax, percentile:99.99, mse, kl, automatic or moving_average:0.9, ",
                "and global: before it for one range over the network");
}

void understand(const typed& words, arguments& to) {
    if (!words.shape.empty()) to.format.dims = parse_dims(words.shape);
    if (!words.type.empty())
        to.format.type = words.type == "u8" ? element::u8 : words.type == "i8" ? element::i8 : element::f32;
    for (const std::string& one : words.mean) to.format.mean.push_back(static_cast<float>(parse_number("--mean", one)));
    for (const std::string& one : words.scale) to.format.scale.push_back(parse_fraction("--scale", one));
    to.format.bgr = words.order == "bgr";
    to.format.nchw = words.layout == "nchw";
    to.how.global = words.observer.starts_with("global:");
    to.how.activations = parse_observer(std::string_view(words.observer).substr(to.how.global ? 7 : 0));
    to.observer = words.observer;
    to.how.activation_scheme = words.scheme == "symmetric" ? octet::scheme::symmetric : octet::scheme::asymmetric;
    to.how.weight_granularity =
        words.granularity == "per_tensor" ? octet::granularity::per_tensor : octet::granularity::per_channel;
    to.how.rounding = words.rounding == "tflite"   ? octet::rounding_policy::tflite
                      : words.rounding == "single" ? octet::rounding_policy::single
                                                   : octet::rounding_policy::nearest_even;
    if (!words.isa.empty()) to.target = octet::parse_isa(words.isa);
}

void add_options(CLI::App& command, arguments& to, typed& words) {
    command.add_option("model", to.model, "float network, an .onnx file")->required();

    const char* group = "Samples";
    command
        .add_option("--samples", to.samples,
                    "a directory of .png files (taken by name), a .png, a .npy or a raw .bin file")
        ->required()
        ->group(group);
    command.add_option("--count", to.count, "take the first N samples at most")
        ->check(CLI::PositiveNumber)
        ->group(group);
    command.add_option("--calibration", to.calibration, "samples to calibrate with, in the same form")->group(group);
    command
        .add_option("--calibration-count", to.calibration_count,
                    "without --calibration: calibrate with the first N of the samples (default 100)")
        ->check(CLI::PositiveNumber)
        ->group(group);
    command
        .add_option("--shape", words.shape,
                    "of one sample in a .bin file, such as 224x224x3; default and only choice: the network's")
        ->group(group);
    command.add_option("--type", words.type, "of the values in a .bin file: u8 (default), i8, f32")
        ->check(CLI::IsMember({"u8", "i8", "f32"}))
        ->group(group);
    command.add_option("--layout", words.layout, "of .npy and .bin samples: nhwc (default), nchw")
        ->check(CLI::IsMember({"nhwc", "nchw"}))
        ->group(group);
    command
        .add_option("--channel-order", words.order, "rgb (default: as stored), bgr: swap the first and third channel")
        ->check(CLI::IsMember({"rgb", "bgr"}))
        ->group(group);
    command
        .add_option("--mean", words.mean,
                    "the network takes (value - mean) * scale; one number, or one for each channel: 123.7,116.3,103.5")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->group(group);
    command
        .add_option("--scale", words.scale, "a number or a fraction, one or one for each channel: 1/58.4,1/57.1,1/57.4")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->group(group);

    group = "Quantization";
    command
        .add_option(
            "--observer", words.observer,
            "percentile:99.999 (default) or any other, minmax, mse, kl, automatic (chooses the scales of weights "
            "too), moving_average:0.9; global:percentile:99.999: one range over the network")
        ->group(group);
    command.add_option("--scheme", words.scheme, "of activations: asymmetric (default), symmetric")
        ->check(CLI::IsMember({"asymmetric", "symmetric"}))
        ->group(group);
    command.add_option("--granularity", words.granularity, "of weights: per_channel (default), per_tensor")
        ->check(CLI::IsMember({"per_channel", "per_tensor"}))
        ->group(group);
    command.add_option("--rounding", words.rounding, "nearest_even (default), tflite, single")
        ->check(CLI::IsMember({"nearest_even", "tflite", "single"}))
        ->group(group);
    command.add_option("--float", to.how.leave_in_float, "leave the layer of this name in float; may be repeated")
        ->allow_extra_args(false)
        ->group(group);

    group = "Running";
    command.add_option("--threads", to.threads, "threads of a run (default 1)")
        ->check(CLI::Range(1, 1024))
        ->group(group);
    command
        .add_option("--isa", words.isa,
                    "instruction set: avx512_vnni, avx_vnni, avx512bw, avx2, sse41, scalar; default: the best of this "
                    "machine")
        ->group(group);
}

/// One line, whatever the text holds.
int complain(std::string message) {
    std::replace_if(
        message.begin(), message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    std::fprintf(stderr, "octet: %s\n", message.c_str());
    return 2;
}

int run(int count, char** words) {
    CLI::App app{"Quantizes convolutional networks to int8 and says what that costs.", "octet"};
    app.require_subcommand(1);
    app.set_version_flag("--version",
                         octet::text(OCTET_VERSION_MAJOR, ".", OCTET_VERSION_MINOR, ".", OCTET_VERSION_PATCH));
    arguments asked;
    typed as_typed;
    CLI::App& quantizes = *app.add_subcommand("quantize", "Calibrate, quantize, and print what each layer lost");
    CLI::App& evaluates =
        *app.add_subcommand("evaluate", "Quantize, and compare float and int8: accuracy, sizes, latency, each layer");
    add_options(quantizes, asked, as_typed);
    add_options(evaluates, asked, as_typed);
    evaluates
        .add_option("--labels", asked.labels, "the class of each sample: .npy, raw bytes .bin, or text, one a line")
        ->required()
        ->group("Samples");
    evaluates.add_option("--class-offset", asked.class_offset, "class c is output c + K (default 0)")->group("Samples");
    evaluates.add_option("--batch", asked.batch, "samples a run (default 1)")
        ->check(CLI::Range(1, 1024))
        ->group("Running");
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& problem) {
        if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
        return complain(octet::text(problem.what(), " (octet --help and octet quantize --help list what there is)"));
    }
    understand(as_typed, asked);
    if (quantizes.parsed()) quantize(asked);
    if (evaluates.parsed()) evaluate(asked);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    try {
        return run(count, words);
    } catch (const std::bad_alloc&) {
        return complain("out of memory: take fewer samples by --count");
    } catch (const std::exception& problem) {
        return complain(problem.what());
    }
}
