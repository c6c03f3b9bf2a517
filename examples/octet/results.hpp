// What the tool prints of a quantized network. Each rounding policy is compiled in a file of its own.
#pragma once

#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <octet/octet.hpp>
#include <string>
#include <vector>

#include "commands.hpp"
#include "files.hpp"
#include "measure.hpp"

/// A model with its samples, quantized.
struct work {
    octet::graph model;
    octet::samples data;
    octet::quantized_graph int8;
    std::size_t calibrated = 0;
};

/// The report is measured on so many samples at most: enough for a tenth of a dB.
inline constexpr std::size_t most_reported = 100;

template <class Rounding>
octet::quantization_report make_report(const arguments& asked, const work& with) {
    return octet::report<Rounding>(with.model, with.int8, with.data,
                                   {.most_samples = most_reported, .target = asked.target, .threads = asked.hook});
}

/// The report of each layer.
inline void print_report(const octet::quantization_report& all) {
    std::printf("%s\nsignal-to-noise ratio and share cut off by the range, over %zu samples:\n%s",
                octet::summary_text(all).c_str(), all.samples, octet::table_text(all).c_str());
}

/// A number as printf writes it; "1,234,567".
inline std::string formatted(const char* form, double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, form, value);
    return digits;
}
inline std::string grouped(std::size_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

/// One line of the comparison of float and int8.
inline void print_row(const char* what, const std::string& real, const std::string& quantized,
                      const std::string& note) {
    std::printf("%-13s%14s%14s   %s\n", what, real.c_str(), quantized.c_str(), note.c_str());
}

inline void print_accuracy(const char* what, std::size_t real, std::size_t quantized, std::size_t count) {
    const auto percent = [&](double right) { return 100.0 * right / static_cast<double>(count); };
    const auto form = [&](double value) { return formatted("%.2f %%", value); };
    const double before = percent(static_cast<double>(real)), after = percent(static_cast<double>(quantized));
    print_row(what, form(before), form(after), formatted("%+.2f points", after - before));
}

/// Accuracy, sizes and latency of the float and the int8 network, and the hash of the int8 outputs.
template <class Rounding>
void print_comparison(const arguments& asked, const work& with, const std::vector<int>& labels,
                      const octet::quantization_report& report) {
    const octet::session_options options{.batch = asked.batch, .target = asked.target, .threads = asked.hook};
    octet::session<> real(octet::as_float(with.int8.net), options);
    octet::session<Rounding> quantized(with.int8, options);
    const outcome before = run_all(real, with.data, labels), after = run_all(quantized, with.data, labels);
    const latency slow = median_latency(real), fast = median_latency(quantized);

    std::size_t agree = 0;
    for (std::size_t i = 0; i < before.classes.size(); ++i) agree += before.classes[i] == after.classes[i] ? 1U : 0U;
    const std::size_t count = with.data.count;
    std::printf("samples      %zu of %s\n\n", count, name_of(asked.samples).c_str());
    std::printf("%27s%14s\n", "float", "int8");
    print_accuracy("top-1", before.first, after.first, count);
    print_accuracy("top-5", before.first_5, after.first_5, count);
    print_row("same class", "", octet::text(grouped(agree)), octet::text("of ", grouped(count), " samples"));
    print_row("weights", grouped(report.float_weight_bytes), grouped(report.int8_weight_bytes),
              "bytes, with biases and scales");
    print_row("arena", grouped(real.plan().total_bytes()), grouped(quantized.plan().total_bytes()),
              octet::text("bytes, at batch ", asked.batch));
    print_row("latency", formatted("%.3f ms", slow.milliseconds), formatted("%.3f ms", fast.milliseconds),
              formatted("%.2f times as fast; ", slow.milliseconds / fast.milliseconds) +
                  octet::text("medians of ", slow.runs, " and ", fast.runs, " runs, batch ", asked.batch, ", ",
                              asked.threads, asked.threads == 1 ? " thread" : " threads"));
    std::printf("%-13sfnv1a %016" PRIx64 " over %s bytes\n\n", quantized.output_is_int8(0) ? "int8 outputs" : "outputs",
                after.hash.value(), grouped(after.hash.bytes()).c_str());
}

extern template octet::quantization_report make_report<octet::nearest_even>(const arguments&, const work&);
extern template octet::quantization_report make_report<octet::tflite>(const arguments&, const work&);
extern template octet::quantization_report make_report<octet::single>(const arguments&, const work&);
extern template void print_comparison<octet::nearest_even>(const arguments&, const work&, const std::vector<int>&,
                                                           const octet::quantization_report&);
extern template void print_comparison<octet::tflite>(const arguments&, const work&, const std::vector<int>&,
                                                     const octet::quantization_report&);
extern template void print_comparison<octet::single>(const arguments&, const work&, const std::vector<int>&,
                                                     const octet::quantization_report&);
