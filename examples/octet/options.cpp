#include "options.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <utility>
#include <vector>

#include "files.hpp"

namespace {

constexpr const char* samples_group = "Samples";
constexpr const char* calibration_group = "Calibration";
constexpr const char* quantization_group = "Quantization";
constexpr const char* running_group = "Running";

constexpr const char* observers = "minmax, percentile:99.99, mse, kl, automatic, moving_average:0.9";

octet::activation_observer parse_observer(const std::string& words) {
    const auto parameter = [&](std::string_view name) -> std::optional<double> {
        if (!words.starts_with(name) || words[name.size()] != ':') return {};
        return parse_number(octet::text("--observer ", name), std::string_view(words).substr(name.size() + 1));
    };
    if (words == "minmax") return octet::min_max{};
    if (words == "mse") return octet::mean_squared_error{};
    if (words == "kl") return octet::kl_divergence{};
    if (words == "automatic") return octet::automatic{};
    if (words == "percentile") return octet::percentile{};
    if (words == "moving_average") return octet::moving_average{};
    if (const auto share = parameter("percentile")) return octet::percentile{*share};
    if (const auto momentum = parameter("moving_average")) return octet::moving_average{*momentum};
    octet::fail("--observer: there is no '", words, "': write one of ", observers,
                "; global: before it takes one range over the network");
}

/// An option whose word `parse` understands.
template <class Parse>
CLI::Option& add_parsed(CLI::App& command, const char* group, const std::string& name, const std::string& what,
                        const Parse& parse) {
    return *command.add_option_function<std::string>(name, parse, what)->group(group);
}

/// An option that is one of a few words, each for a value.
template <class T>
void add_choice(CLI::App& command, const char* group, const std::string& name, const std::string& what, T& to,
                std::vector<std::pair<const char*, T>> choices) {
    std::vector<std::string> words;
    for (const auto& choice : choices) words.emplace_back(choice.first);
    add_parsed(command, group, name, what, [&to, choices = std::move(choices)](const std::string& word) {
        for (const auto& [known, value] : choices)
            if (word == known) to = value;
    }).check(CLI::IsMember(words));
}

/// An option of several numbers, split at commas, each understood alone.
template <class T, class Parse>
void add_list(CLI::App& command, const char* group, const std::string& name, const std::string& what,
              std::vector<T>& to, const Parse& parse) {
    command
        .add_option_function<std::vector<std::string>>(
            name,
            [&to, parse](const std::vector<std::string>& words) {
                for (const std::string& word : words) to.push_back(parse(word));
            },
            what)
        ->type_name("NUMBER")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->group(group);
}

void add_sample_source(CLI::App& command, options& to, bool required, const std::string& what) {
    const char* group = samples_group;
    command.add_option("--samples", to.samples, what)->type_name("PATH")->required(required)->group(group);
    command.add_option("--count", to.count, "take the first N samples at most")
        ->check(CLI::Range(std::size_t{1}, most_samples))
        ->group(group);
    const auto sides = [](const char* name, std::vector<int>& held) {
        return [name, &held](const std::string& word) { held = parse_sides(name, word); };
    };
    add_parsed(command, group, "--resize",
               "images: to this shorter side (256), or to this height and width (256x320); bilinear, smoothed",
               sides("--resize", to.format.resize))
        .type_name("SIZE");
    add_parsed(command, group, "--crop", "images, after --resize: to the middle 224, or 224x192 (height x width)",
               sides("--crop", to.format.crop))
        .type_name("SIZE");
    add_choice<std::optional<element>>(command, group, "--type", "of the values in a .bin file: u8 (default), i8, f32",
                                       to.format.type,
                                       {{"u8", element::u8}, {"i8", element::i8}, {"f32", element::f32}});
    add_choice(command, group, "--layout", "of .npy, IDX and .bin samples: nhwc (default), nchw", to.format.nchw,
               {{"nhwc", false}, {"nchw", true}});
    add_choice(command, group, "--channel-order", "rgb (default: as stored), bgr: swap the first and third channel",
               to.format.bgr, {{"rgb", false}, {"bgr", true}});
    add_list(command, group, "--mean",
             "the network takes (value - mean) * scale; one number, or one for each channel: 123.7,116.3,103.5",
             to.format.mean, [](const std::string& word) { return static_cast<float>(parse_number("--mean", word)); });
    add_list(command, group, "--scale", "a number or a fraction, one or one for each channel: 1/58.4,1/57.1,1/57.4",
             to.format.scale, [](const std::string& word) { return parse_fraction("--scale", word); });
}

constexpr const char* sources =
    "a directory of .png and .jpg files (by name; or in folders, one for each class), one such file, a .npy, an IDX "
    "(train-images-idx3-ubyte) or a raw .bin file";

}  // namespace

void refuse_options_for_float(const options& asked) {
    if (asked.for_float.empty()) return;
    std::string all;
    for (const std::string& name : asked.for_float) all += (all.empty() ? "" : ", ") + name;
    octet::fail(asked.model, ": this network is quantized already, and ", all,
                " would quantize a float one: leave out what the file has settled, or give the float network");
}

void check_targets(const options& asked) {
    std::vector<std::string> others{asked.model,       asked.other,  asked.samples,
                                    asked.calibration, asked.labels, asked.names};
    others.insert(others.end(), asked.states.begin(), asked.states.end());
    for (const auto& [option, path] : {std::pair{"--save-calibration-state", asked.save_state},
                                       std::pair{"--report", asked.report}, std::pair{"--output", asked.output}}) {
        if (path.empty()) continue;
        check_target(option, path, others);
        others.push_back(path);
    }
}

void add_model(CLI::App& command, options& to) {
    command.add_option("model", to.model, "network, an .onnx file")->type_name("FILE")->required();
}

void add_other_model(CLI::App& command, options& to) {
    command.add_option("other", to.other, "network to compare it with, an .onnx file")->type_name("FILE")->required();
}

void add_samples(CLI::App& command, options& to) { add_sample_source(command, to, true, sources); }
void add_samples_or_noise(CLI::App& command, options& to) {
    add_sample_source(command, to, false,
                      std::string("default: noise, which is good enough for latency; else ") + sources);
}

void add_labels(CLI::App& command, options& to) {
    command
        .add_option("--labels", to.labels,
                    "the class of each sample: .npy, IDX, raw bytes .bin, .csv of lines file,label, or text, one a "
                    "line; default: the index of its folder")
        ->type_name("FILE")
        ->group(samples_group);
    command.add_option("--class-offset", to.class_offset, "class c is output c + K (default 0)")->group(samples_group);
}

void add_calibration(CLI::App& command, options& to) {
    const char* group = calibration_group;
    command.add_option("--calibration", to.calibration, "samples to calibrate with, in the same form")
        ->type_name("PATH")
        ->group(group);
    command
        .add_option("--calibration-count", to.calibration_count,
                    "calibrate with the first N of --calibration, or else of --samples (default 100)")
        ->check(CLI::Range(std::size_t{1}, most_samples))
        ->group(group);
    command
        .add_option("--calibration-state", to.states,
                    "take this calibration, which --save-calibration-state wrote; several are added up")
        ->type_name("FILE")
        ->allow_extra_args(false)
        ->group(group);
    command
        .add_option("--save-calibration-state", to.save_state, "write what calibration saw, to quantize with it later")
        ->type_name("FILE")
        ->group(group);
}

void add_quantization(CLI::App& command, options& to) {
    const char* group = quantization_group;
    command.parse_complete_callback([&command, &to] {
        for (const CLI::Option* one : command.get_options())
            if (one->count() != 0 && (one->get_group() == calibration_group || one->get_group() == quantization_group))
                to.for_float.push_back(one->get_name());
    });
    add_parsed(command, group, "--observer",
               octet::text("of ranges: ", observers,
                           "; global:percentile:99.9: one range over the network; default: ", to.observer),
               [&to](const std::string& word) {
                   constexpr std::string_view global = "global:";
                   to.observer = word;
                   to.how.global = word.starts_with(global);
                   to.how.activations = parse_observer(to.how.global ? word.substr(global.size()) : word);
               })
        .type_name("NAME");
    add_choice(command, group, "--scheme", "of activations: asymmetric (default), symmetric", to.how.activation_scheme,
               {{"asymmetric", octet::scheme::asymmetric}, {"symmetric", octet::scheme::symmetric}});
    add_choice(command, group, "--granularity", "of weights: per_channel (default), per_tensor",
               to.how.weight_granularity,
               {{"per_channel", octet::granularity::per_channel}, {"per_tensor", octet::granularity::per_tensor}});
    add_choice(command, group, "--rounding", "nearest_even (default), tflite, single", to.how.rounding,
               {{"nearest_even", octet::rounding_policy::nearest_even},
                {"tflite", octet::rounding_policy::tflite},
                {"single", octet::rounding_policy::single}});
    add_choice<std::optional<octet::weight_scales>>(
        command, group, "--weights",
        "scales of weights: largest, least_error; default: largest, and least_error with --observer automatic",
        to.how.weights,
        {{"largest", octet::weight_scales::largest}, {"least_error", octet::weight_scales::least_error}});
    command.add_option("--float", to.how.leave_in_float, "leave the layer of this name in float; may be repeated")
        ->type_name("LAYER")
        ->allow_extra_args(false)
        ->group(group);
}

void add_products(CLI::App& command, options& to) {
    const char* group = "Results";
    command.add_option("--output", to.output, "write the int8 network, a QDQ .onnx file")
        ->type_name("FILE")
        ->group(group);
    add_choice(command, group, "--activations", "of that file: u8 (default; fast in ONNX Runtime), i8",
               to.int8_activations, {{"u8", false}, {"i8", true}});
    command.add_option("--report", to.report, "write the report as one HTML page")->type_name("FILE")->group(group);
    command.add_flag("--sensitivity", to.rank, "rank the layers by what each costs; takes a while")->group(group);
    command.add_option("--float-worst", to.float_worst, "leave the K worst layers of that ranking in float")
        ->check(CLI::Range(0, 100000))
        ->group(group);
}

void add_running(CLI::App& command, options& to) {
    command.add_option("--threads", to.threads, "threads of a run (default 1)")
        ->check(CLI::Range(1, 1024))
        ->group(running_group);
    std::vector<std::string> known;
    for (const octet::isa which : octet::preference) known.emplace_back(octet::to_string(which));
    add_parsed(command, running_group, "--isa", "instruction set; default: the best of this machine",
               [&to](const std::string& word) { to.target = octet::parse_isa(word); })
        .check(CLI::IsMember(known));
}

void add_batch(CLI::App& command, options& to) {
    command.add_option("--batch", to.batch, "samples a run (default 1)")
        ->check(CLI::Range(1, 1024))
        ->group(running_group);
}

void add_top(CLI::App& command, options& to) {
    command.add_option("--top", to.top, "print the K largest outputs of each sample (default 5, 0: none)")
        ->check(CLI::Range(0, 1000));
    command.add_option("--names", to.names, "names of the outputs, text with one a line")->type_name("FILE");
    command
        .add_option("--output", to.output,
                    "write the outputs of all samples, laid out as the model has them: .npy (of a network with one "
                    "output) or .json")
        ->type_name("FILE");
}

void add_json(CLI::App& command, options& to) {
    command.add_flag("--json", to.json, "print JSON, and nothing else, on stdout");
}

void add_shell(CLI::App& command, options& to) {
    command.add_option("shell", to.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}
