#include "commands.hpp"

#include <cstdio>
#include <octet/eigen.hpp>
#include <octet/io/onnx.hpp>

#include "files.hpp"
#include "progress.hpp"
#include "results.hpp"

namespace {

/// Calls body.operator()<Rounding>() for the policy of that name.
template <class Body>
void with_rounding(octet::rounding_policy policy, const Body& body) {
    switch (policy) {
        case octet::rounding_policy::nearest_even:
            return body.template operator()<octet::nearest_even>();
        case octet::rounding_policy::tflite:
            return body.template operator()<octet::tflite>();
        case octet::rounding_policy::single:
            return body.template operator()<octet::single>();
    }
}

octet::graph load_model(const std::string& path) {
    octet::graph model = octet::onnx::load(path);
    if (model.inputs().size() != 1)
        octet::fail(path, ": the network has ", model.inputs().size(),
                    " inputs, and this tool feeds networks with one: use the library for others");
    return model;
}

work prepare(const arguments& asked) {
    work all{.model = load_model(asked.model), .data = {}, .int8 = {}};
    const octet::tensor& input = all.model.at(all.model.inputs()[0]);
    all.data = load_samples(asked.samples, input, asked.format, asked.count);
    const octet::samples calibration = asked.calibration.empty()
                                           ? first_samples(all.data, asked.calibration_count)
                                           : load_samples(asked.calibration, input, asked.format, asked.count);
    all.calibrated = calibration.count;
    octet::quantize_options how = asked.how;
    how.calibration.target = asked.target;
    how.calibration.threads = asked.hook;
    progress_bar bar("calibrating");
    how.calibration.progress = bar.hook();
    all.int8 = octet::quantize(all.model, calibration, how);
    return all;
}

void print_head(const arguments& asked, const work& with) {
    const octet::tensor& input = with.model.at(with.model.inputs()[0]);
    std::printf("model        %s, input '%s' %s\n", name_of(asked.model).c_str(), input.name.c_str(),
                octet::to_string(input.dims).c_str());
    const std::string& from = asked.calibration.empty() ? asked.samples : asked.calibration;
    std::printf("calibration  %zu samples of %s, %s\n", with.calibrated, name_of(from).c_str(), asked.observer.c_str());
    std::printf("int8         weights %s, activations %s, rounding %s\n",
                asked.how.weight_granularity == octet::granularity::per_channel ? "per channel" : "per tensor",
                asked.how.activation_scheme == octet::scheme::asymmetric ? "asymmetric" : "symmetric",
                std::string(to_string(asked.how.rounding)).c_str());
    const octet::isa target = asked.target.value_or(octet::best_isa());
    std::printf("ISA          %s\n", std::string(octet::to_string(target)).c_str());
}

}  // namespace

void quantize(const arguments& options) {
    octet::eigen_threads threads(options.threads);
    arguments asked = options;
    asked.hook = threads.hook();
    const work with = prepare(asked);
    print_head(asked, with);
    with_rounding(asked.how.rounding, [&]<class Rounding>() { print_report(make_report<Rounding>(asked, with)); });
}

void evaluate(const arguments& options) {
    octet::eigen_threads threads(options.threads);
    arguments asked = options;
    asked.hook = threads.hook();
    const work with = prepare(asked);
    const octet::shape& scores = with.model.at(with.model.outputs()[0]).dims;
    const std::vector<int> labels =
        load_labels(asked.labels, with.data.count, static_cast<int>(scores.elements()), asked.class_offset);
    print_head(asked, with);
    with_rounding(asked.how.rounding, [&]<class Rounding>() {
        const octet::quantization_report report = make_report<Rounding>(asked, with);
        print_comparison<Rounding>(asked, with, labels, report);
        print_report(report);
    });
}
