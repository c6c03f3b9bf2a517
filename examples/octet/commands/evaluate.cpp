// octet evaluate: the accuracy, size and latency of a network: a float one and what quantize makes of it side by side,
// or an int8 one alone.
#include <cinttypes>

#include "commands.hpp"
#include "engine.hpp"
#include "files.hpp"
#include "labels.hpp"
#include "measure.hpp"
#include "network.hpp"
#include "progress.hpp"

namespace {

/// One form of the network over all samples.
struct measured {
    outcome what;
    latency took;
    std::size_t arena = 0;
    bool int8_outputs = false;
};

measured measure(const char* form, const octet::quantized_graph& net, const options& asked, const octet::samples& data,
                 const std::vector<int>& labels) {
    const auto run = make_runner(net, asked.session());
    progress_bar bar(octet::text("evaluating ", form));
    measured all{.what = judge(*run, data, labels, bar.hook()), .took = {}, .arena = 0, .int8_outputs = false};
    all.took = median_latency(*run);
    all.arena = run->plan().total_bytes();
    all.int8_outputs = run->output_is_int8(0);
    return all;
}

using row = std::vector<cell>;

row accuracy_row(const char* what, std::size_t outcome::*right, std::size_t count, const std::vector<measured>& forms) {
    const auto percent = [&](const measured& of) {
        return 100.0 * static_cast<double>(of.what.*right) / static_cast<double>(count);
    };
    row cells{what};
    for (const measured& one : forms) cells.push_back(cell::real("%.2f %%", percent(one)));
    cells.push_back(forms.size() == 2 ? octet::format::number("%+.2f points", percent(forms[1]) - percent(forms[0]))
                                      : "");
    return cells;
}

std::vector<row> rows_of(const options& asked, std::size_t count, const std::vector<measured>& forms) {
    std::vector<row> rows{accuracy_row("top-1", &outcome::first, count, forms),
                          accuracy_row("top-5", &outcome::first_5, count, forms)};
    row arena{"arena"}, took{"latency"};
    std::string runs;
    for (const measured& one : forms) {
        arena.push_back(cell::count(one.arena));
        took.push_back(cell::real("%.3f ms", one.took.milliseconds));
        runs += octet::text(runs.empty() ? "" : " and ", one.took.runs);
    }
    arena.push_back(octet::text("bytes, at batch ", asked.batch));
    std::string ratio;
    if (forms.size() == 2) {
        std::size_t agree = 0;
        for (std::size_t i = 0; i < count; ++i) agree += forms[0].what.classes[i] == forms[1].what.classes[i] ? 1U : 0U;
        rows.push_back(
            {"same class", "", cell::count(agree), octet::text("of ", octet::format::grouped(count), " samples")});
        ratio = octet::format::number("%.2f times as fast; ", forms[0].took.milliseconds / forms[1].took.milliseconds);
    }
    took.push_back(octet::text(ratio, "medians of ", runs, " runs, batch ", asked.batch, ", ", asked.threads,
                               asked.threads == 1 ? " thread" : " threads"));
    rows.push_back(std::move(arena));
    rows.push_back(std::move(took));
    return rows;
}

std::vector<int> labels_of(const options& asked, const octet::graph& model, const sample_set& data) {
    const octet::shape& scores = model.at(model.outputs()[0]).dims;
    return load_labels(asked.labels, data, static_cast<int>(scores.elements()), asked.class_offset);
}

void say_samples(output& says, const options& asked, std::size_t count) {
    says.fact("samples", octet::text(count, " of ", name_of(asked.samples)));
}
void say_hash(output& says, const measured& of) {
    char hash[24];
    std::snprintf(hash, sizeof hash, "%016" PRIx64, of.what.hash.value());
    says.fact(of.int8_outputs ? "int8 outputs" : "outputs",
              {octet::text("fnv1a ", hash, " over ", octet::format::grouped(of.what.hash.bytes()), " bytes"), hash});
}

void evaluate_int8(const options& asked, output& says, const octet::quantized_graph& form) {
    refuse_options_for_float(asked);
    const sample_set data = load_samples(asked, form.net);
    const std::vector<int> labels = labels_of(asked, form.net, data);
    const std::vector<measured> forms{measure("int8", form, asked, data.values, labels)};
    say_model(says, asked.model, form.net);
    says.fact("int8",
              octet::text(form.quantized_layers(), " of ", form.layers.size(), " layers, as the file has them"));
    say_isa(says, asked);
    say_samples(says, asked, data.values.count);
    says.table("comparison", "", {{"what", ""}, {"int8", "int8"}, {"note", ""}},
               rows_of(asked, data.values.count, forms));
    say_hash(says, forms[0]);
}

}  // namespace

void evaluate(const options& asked, output& says) {
    if (const octet::quantized_graph form = load_form(asked.model); form.quantized_layers() != 0)
        return evaluate_int8(asked, says, form);
    const work with = prepare(asked, says);
    const std::vector<int> labels = labels_of(asked, with.model, with.data);
    const octet::quantization_report report = report_of(asked, with);
    const octet::samples& data = with.data.values;
    const std::vector<measured> forms{measure("float", octet::as_float(with.int8.net), asked, data, labels),
                                      measure("int8", with.int8, asked, data, labels)};
    std::vector<row> rows = rows_of(asked, data.count, forms);
    rows.push_back({"weights", cell::count(report.float_weight_bytes), cell::count(report.int8_weight_bytes),
                    "bytes, with biases and scales"});
    say_samples(says, asked, data.count);
    says.table("comparison", "", {{"what", ""}, {"float", "float"}, {"int8", "int8"}, {"note", ""}}, std::move(rows));
    say_hash(says, forms[1]);
    say_report(says, report);
}
