#include "commands.hpp"

#include <cinttypes>
#include <cstdio>
#include <octet/io/onnx.hpp>
#include <span>

#include "files.hpp"
#include "measure.hpp"

namespace {

using octet::detail::grouped;

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

/// A model with its samples, quantized.
struct work {
    octet::graph model;
    octet::samples data;
    octet::quantized_graph int8;
    std::size_t calibrated = 0;
};

/// The report is measured on so many samples at most: enough for a tenth of a dB.
constexpr std::size_t most_reported = 100;

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
    all.int8 = octet::quantize(all.model, calibration, how);
    return all;
}

void print_head(const arguments& asked, const work& with) {
    const octet::tensor& input = with.model.at(with.model.inputs()[0]);
    std::printf("model        %s, input '%s' %s\n", name_of(asked.model).c_str(), input.name.c_str(),
                octet::to_string(input.dims).c_str());
    const std::string& from = asked.calibration.empty() ? asked.samples : asked.calibration;
    std::printf("calibration  %zu samples of %s, %s\n", with.calibrated, name_of(from).c_str(), asked.observer.c_str());
    std::printf("weights      %s, activations %s\n",
                asked.how.weight_granularity == octet::granularity::per_channel ? "per channel" : "per tensor",
                asked.how.activation_scheme == octet::scheme::asymmetric ? "asymmetric" : "symmetric");
    const octet::isa target = asked.target.value_or(octet::best_isa());
    std::printf("ISA          %s\n", std::string(octet::to_string(target)).c_str());
}

template <class Rounding>
void print_report(const arguments& asked, const work& with) {
    const auto all = octet::report<Rounding>(with.model, with.int8, with.data,
                                             {.most_samples = most_reported, .target = asked.target});
    std::printf("%s\nsignal-to-noise ratio and share cut off by the range, over %zu samples:\n%s",
                octet::summary_text(all).c_str(), all.samples, octet::table_text(all).c_str());
}

/// One line of the comparison of float and int8.
void print_row(const char* what, const std::string& real, const std::string& quantized, const std::string& note) {
    std::printf("%-13s%14s%14s   %s\n", what, real.c_str(), quantized.c_str(), note.c_str());
}

void print_accuracy(const char* what, std::size_t real, std::size_t quantized, std::size_t count) {
    const auto percent = [&](double right) { return 100.0 * right / static_cast<double>(count); };
    const auto form = [&](double value) { return octet::detail::formatted("%.2f %%", value); };
    const double before = percent(static_cast<double>(real)), after = percent(static_cast<double>(quantized));
    print_row(what, form(before), form(after), octet::detail::formatted("%+.2f points", after - before));
}

template <class Rounding>
void compare(const arguments& asked, const work& with, const std::vector<int>& labels) {
    const octet::session_options options{.batch = asked.batch, .target = asked.target};
    octet::session<> real(octet::as_float(with.int8.net), options);
    octet::session<Rounding> quantized(with.int8, options);
    const outcome before = run_all(real, with.data, labels), after = run_all(quantized, with.data, labels);
    const latency slow = median_latency(real), fast = median_latency(quantized);

    std::size_t agree = 0;
    for (std::size_t i = 0; i < before.classes.size(); ++i) agree += before.classes[i] == after.classes[i] ? 1U : 0U;
    const std::size_t count = with.data.count;
    std::printf("samples      %zu of %s\n\n", count, name_of(asked.samples).c_str());
    print_row("", "float", "int8", "");
    print_accuracy("top-1", before.first, after.first, count);
    print_accuracy("top-5", before.first_5, after.first_5, count);
    print_row("same class", "", octet::text(grouped(agree)), octet::text("of ", grouped(count), " samples"));
    print_row("weights", grouped(octet::detail::weight_bytes(octet::as_float(with.int8.net))),
              grouped(octet::detail::weight_bytes(with.int8)), "bytes, with biases and scales");
    print_row("arena", grouped(real.plan().total_bytes()), grouped(quantized.plan().total_bytes()),
              octet::text("bytes, at batch ", asked.batch));
    print_row(
        "latency", octet::detail::formatted("%.3f ms", slow.milliseconds),
        octet::detail::formatted("%.3f ms", fast.milliseconds),
        octet::detail::formatted("%.2f times as fast; ", slow.milliseconds / fast.milliseconds) +
            octet::text("medians of ", slow.runs, " and ", fast.runs, " runs, batch ", asked.batch, ", 1 thread"));
    std::printf("int8 outputs fnv1a %016" PRIx64 " over %s bytes\n\n", after.hash.value(),
                grouped(after.hash.bytes()).c_str());
}

}  // namespace

void quantize(const arguments& asked) {
    const work with = prepare(asked);
    print_head(asked, with);
    with_rounding(asked.how.rounding, [&]<class Rounding>() { print_report<Rounding>(asked, with); });
}

void evaluate(const arguments& asked) {
    const work with = prepare(asked);
    const octet::shape& scores = with.model.at(with.model.outputs()[0]).dims;
    const std::vector<int> labels =
        load_labels(asked.labels, with.data.count, static_cast<int>(scores.elements()), asked.class_offset);
    print_head(asked, with);
    with_rounding(asked.how.rounding, [&]<class Rounding>() {
        compare<Rounding>(asked, with, labels);
        print_report<Rounding>(asked, with);
    });
}
