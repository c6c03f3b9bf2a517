// octet evaluate: a float network and the int8 network made of it, side by side.
#include <cinttypes>

#include "commands.hpp"
#include "engine.hpp"
#include "files.hpp"
#include "labels.hpp"
#include "measure.hpp"
#include "network.hpp"
#include "progress.hpp"

namespace {

using octet::detail::formatted;
using rows_of = std::vector<std::vector<cell>>;

void add_accuracy(rows_of& rows, const char* what, std::size_t real, std::size_t quantized, std::size_t count) {
    const auto percent = [&](std::size_t right) {
        return 100.0 * static_cast<double>(right) / static_cast<double>(count);
    };
    rows.push_back({what, cell::real("%.2f %%", percent(real)), cell::real("%.2f %%", percent(quantized)),
                    formatted("%+.2f points", percent(quantized) - percent(real))});
}

outcome judge_with_progress(const char* what, runner& run, const work& with, const std::vector<int>& labels) {
    progress_bar bar(what);
    return judge(run, with.data.values, labels, bar.hook());
}

}  // namespace

void evaluate(const options& asked, output& says) {
    const work with = prepare(asked, says);
    const octet::shape& scores = with.model.at(with.model.outputs()[0]).dims;
    const std::vector<int> labels =
        load_labels(asked.labels, with.data, static_cast<int>(scores.elements()), asked.class_offset);
    const octet::quantization_report report = report_of(asked, with);
    const auto real = make_runner(octet::as_float(with.int8.net), asked.session());
    const auto quantized = make_runner(with.int8, asked.session());
    const outcome before = judge_with_progress("evaluating float", *real, with, labels);
    const outcome after = judge_with_progress("evaluating int8", *quantized, with, labels);
    const latency slow = median_latency(*real), fast = median_latency(*quantized);

    const std::size_t count = with.data.values.count;
    std::size_t agree = 0;
    for (std::size_t i = 0; i < count; ++i) agree += before.classes[i] == after.classes[i] ? 1U : 0U;
    rows_of rows;
    add_accuracy(rows, "top-1", before.first, after.first, count);
    add_accuracy(rows, "top-5", before.first_5, after.first_5, count);
    rows.push_back(
        {"same class", "", cell::count(agree), octet::text("of ", octet::detail::grouped(count), " samples")});
    rows.push_back({"weights", cell::count(report.float_weight_bytes), cell::count(report.int8_weight_bytes),
                    "bytes, with biases and scales"});
    rows.push_back({"arena", cell::count(real->plan().total_bytes()), cell::count(quantized->plan().total_bytes()),
                    octet::text("bytes, at batch ", asked.batch)});
    rows.push_back({"latency", cell::real("%.3f ms", slow.milliseconds), cell::real("%.3f ms", fast.milliseconds),
                    formatted("%.2f times as fast; ", slow.milliseconds / fast.milliseconds) +
                        octet::text("medians of ", slow.runs, " and ", fast.runs, " runs, batch ", asked.batch, ", ",
                                    asked.threads, asked.threads == 1 ? " thread" : " threads")});

    says.fact("samples", octet::text(count, " of ", name_of(asked.samples)));
    says.table("comparison", "", {{"what", ""}, {"float", "float"}, {"int8", "int8"}, {"note", ""}}, std::move(rows));
    char hash[24];
    std::snprintf(hash, sizeof hash, "%016" PRIx64, after.hash.value());
    says.fact(quantized->output_is_int8(0) ? "int8 outputs" : "outputs",
              {octet::text("fnv1a ", hash, " over ", octet::detail::grouped(after.hash.bytes()), " bytes"), hash});
    say_report(says, report);
}
