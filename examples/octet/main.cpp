// octet: quantizes ONNX models and says what that costs. The list of commands; each is a file of commands/.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <octet/core/error.hpp>
#include <octet/eigen.hpp>
#include <string>
#include <vector>

#include "commands.hpp"
#include "completion.hpp"
#include "interrupt.hpp"

namespace {

struct command {
    const char* name;
    const char* what;
    std::vector<void (*)(CLI::App&, options&)> groups;
    const char* examples;
    void (*run)(const options& asked, output& says);
};

const std::vector<command> commands{
    {"inspect",
     "What a model holds: layers, shapes, parameters, multiply-adds, the plan of its memory",
     {add_model, add_batch, add_running, add_json},
     "  octet inspect model.onnx\n"
     "  octet inspect model.onnx --json | jq '.layers[].macs'\n",
     inspect},
    {"run",
     "Run a model on samples: print the largest outputs, write all",
     {add_model, add_top, add_samples, add_batch, add_running, add_json},
     "  octet run model.onnx --samples cat.jpg --resize 256 --crop 224 --mean 127.5 --scale 1/127.5 --names "
     "classes.txt\n"
     "  octet run model.onnx --samples images.npy --output scores.npy --top 0\n",
     run},
    {"evaluate",
     "Quantize, and compare float and int8: accuracy, sizes, latency, each layer",
     {add_model, add_samples, add_labels, add_calibration, add_quantization, add_batch, add_running, add_json},
     "  octet evaluate model.onnx --samples validation/ --calibration training/ --calibration-count 200\n"
     "  octet evaluate mnist.onnx --samples t10k-images-idx3-ubyte --labels t10k-labels-idx1-ubyte\n",
     evaluate},
    {"bench",
     "How fast a model runs in float and in int8, and where the time goes",
     {add_model, add_samples_or_noise, add_calibration, add_quantization, add_batch, add_running, add_json},
     "  octet bench model.onnx\n"
     "  octet bench model.onnx --batch 8 --threads 4 --isa avx2\n",
     bench},
    {"compare",
     "Compare a model with another, layer by layer",
     {add_model, add_other_model, add_samples, add_running, add_json},
     "  octet compare model.onnx retrained.onnx --samples images.npy --mean 128 --scale 1/64\n",
     compare},
    {"sensitivity",
     "Rank the layers of a model by what each costs in int8",
     {add_model, add_samples, add_labels, add_quantization, add_running, add_json},
     "  octet sensitivity model.onnx --samples images/ --count 50 --mean 127.5 --scale 1/127.5\n",
     sensitivity},
    {"quantize",
     "Calibrate, quantize, print what each layer lost, write the int8 model and a report",
     {add_model, add_samples, add_calibration, add_quantization, add_products, add_running, add_json},
     "  octet quantize model.onnx --samples images/ --resize 256 --crop 224 --mean 127.5 --scale 1/127.5 \\\n"
     "      --observer automatic --output model.int8.onnx --report report.html\n"
     "  octet quantize model.onnx --samples samples.bin --type f32 --float-worst 2 --output model.int8.onnx\n",
     quantize},
};

/// One line, whatever the text holds.
int complain(std::string message) {
    std::replace_if(
        message.begin(), message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    std::fprintf(stderr, "octet: %s\n", message.c_str());
    return 2;
}

int run_command(int count, char** words) {
    CLI::App app{"Quantizes convolutional networks to int8 and says what that costs.", "octet"};
    app.require_subcommand(1);
    app.footer("octet COMMAND --help lists the options of one, with examples.");
    app.set_version_flag("--version",
                         octet::text(OCTET_VERSION_MAJOR, ".", OCTET_VERSION_MINOR, ".", OCTET_VERSION_PATCH));
    options asked;
    for (const command& one : commands) {
        CLI::App& added = *app.add_subcommand(one.name, one.what);
        for (const auto add : one.groups) add(added, asked);
        added.footer(std::string("Examples:\n") + one.examples);
    }
    CLI::App& completion =
        *app.add_subcommand("completion", "Print the script that completes this command line in a shell");
    add_shell(completion, asked);
    completion.footer("Examples:\n  source <(octet completion bash)\n");
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& problem) {
        if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
        if (const auto parsed = app.get_subcommands(); !parsed.empty())
            return complain(
                octet::text(problem.what(), " (octet ", parsed[0]->get_name(), " --help lists what there is)"));
        return complain(octet::text(count < 2 ? "no command" : octet::text("there is no command '", words[1], "'"),
                                    ": octet --help lists them"));
    }
    output says;
    if (completion.parsed()) says.remark(completion_script(app, asked.shell));
    check_targets(asked);
    octet::eigen_threads threads(asked.threads);
    asked.hook = threads.hook();
    for (const command& one : commands)
        if (app.got_subcommand(one.name)) one.run(asked, says);
    says.print(asked.json);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    end_on_signals();
    try {
        return run_command(count, words);
    } catch (const std::bad_alloc&) {
        return complain("out of memory: take fewer samples by --count");
    } catch (const std::exception& problem) {
        return complain(problem.what());
    }
}
