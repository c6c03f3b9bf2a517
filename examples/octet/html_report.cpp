#include "html_report.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <octet/core/config.hpp>
#include <octet/core/error.hpp>
#include <octet/report/text.hpp>
#include <utility>
#include <vector>

#include "chart.hpp"

namespace {

using json = nlohmann::ordered_json;
using octet::text;
using octet::format::decibels, octet::format::grouped, octet::format::microseconds, octet::format::share;

constexpr const char* style = R"(:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --soft: #59636e;
    --line: #d1d9e0; --box: #f6f8fa; --alarm: #9a6700; --alarm-box: #fff8c5; --link: #0969da; }
@media screen and (prefers-color-scheme: dark) {
    :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1; --line: #3d444d; --box: #151b23; --alarm: #d29922;
        --alarm-box: #272115; --link: #4493f8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
    background: var(--paper); overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.25rem; }
p { margin: .4rem 0; } .soft, figcaption, caption { color: var(--soft); font-size: .875rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .8rem 0; } a { color: var(--link); }
.warnings { margin: 0; padding: .8rem 1rem .8rem 2rem; border-left: 4px solid var(--alarm); background: var(--alarm-box); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .6rem; margin: 0 0 1rem; }
.facts div { padding: .5rem .8rem; border: 1px solid var(--line); border-radius: 6px; background: var(--box); }
.facts dt { color: var(--soft); font-size: .8125rem; } .facts dd { margin: 0; font-weight: 600; }
figure { margin: .6rem 0 1rem; } figcaption { margin-bottom: .4rem; } .chart { display: block; max-width: 100%; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .8125rem; font-variant-numeric: tabular-nums; }
caption { padding: .4rem .6rem; text-align: left; }
caption span { display: inline-block; position: sticky; left: .6rem; max-width: calc(100vw - 4rem); }
th, td { padding: .25rem .6rem; border-top: 1px solid var(--line); text-align: left; white-space: nowrap; }
thead th { background: var(--box); } .number { text-align: right; }
tbody th { position: sticky; left: 0; min-width: 6rem; max-width: 45vw; white-space: normal; font-weight: 600;
    background: var(--paper); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } details details { border: 0; padding: 0; }
@media print {
    :root { font-size: 11px; } body { max-width: none; padding: 0; font-size: 1rem; } nav { display: none; } h2 { break-after: avoid; }
    .scroll { overflow: visible; border: 0; } table { font-size: 9px; } th, td { padding: .1rem .3rem; white-space: normal; }
    thead { display: table-header-group; } figure, tr, .facts div, li { break-inside: avoid; }
    .tensor::details-content { content-visibility: visible; block-size: auto; } .tensor .counts { display: none; }
}
)";

// ---- JSON to words

double real(const json& value) {
    if (!value.is_string()) return value.get<double>();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return value == "Infinity" ? infinity : value == "-Infinity" ? -infinity : std::numeric_limits<double>::quiet_NaN();
}
std::string word(const json& from, const char* key) { return from.value(key, std::string()); }

std::string short_number(double value) { return formatted("%.4g", value); }
std::string ratio(const json& bytes) {
    const double before = bytes.at("float").get<double>(), after = bytes.at("int8").get<double>();
    return after == 0 ? "-" : formatted("%.2f", before / after) + " x";
}

// ---- HTML

/// Columns whose name begins with '#' hold numbers.
std::string table(const std::string& caption, const std::vector<std::string>& columns,
                  const std::vector<std::vector<std::string>>& rows) {
    const auto is_number = [&](std::size_t c) { return columns[c][0] == '#'; };
    std::string all = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + escaped(caption) +
                      "\"><table><caption><span>" + escaped(caption) + "</span></caption>\n<thead><tr>";
    for (std::size_t c = 0; c < columns.size(); ++c)
        all += text("<th scope=\"col\"", is_number(c) ? " class=\"number\"" : "", ">",
                    escaped(columns[c].substr(is_number(c) ? 1 : 0)), "</th>");
    all += "</tr></thead>\n<tbody>\n";
    for (const auto& row : rows) {
        all += "<tr><th scope=\"row\">" + escaped(row[0]) + "</th>";
        for (std::size_t c = 1; c < row.size(); ++c)
            all += text(is_number(c) ? "<td class=\"number\">" : "<td>", escaped(row[c]), "</td>");
        all += "</tr>\n";
    }
    return all + "</tbody></table></div>\n";
}

template <class Chart>
std::string figure(const std::string& caption, const Chart& chart) {
    return "<figure>" + (caption.empty() ? "" : "<figcaption>" + escaped(caption) + "</figcaption>") + '\n' +
           to_svg(chart) + "</figure>\n";
}

std::string section(const char* id, const std::string& title, const std::string& body) {
    return text("<section id=\"", id, "\"><h2>", escaped(title), "</h2>\n", body, "</section>\n");
}

// ---- the sections

std::string warnings(const json& report) {
    std::string list;
    for (const json& warning : report.at("warnings")) list += "<li>" + escaped(warning.get<std::string>()) + "</li>\n";
    return list.empty() ? "<p>None.</p>\n" : "<ul class=\"warnings\">\n" + list + "</ul>\n";
}

std::string summary(const json& report) {
    const json& from = report.at("summary");
    const json &weights = from.at("weight_bytes"), &arena = from.at("arena_bytes");
    std::string facts;
    const auto fact = [&](const char* what, const std::string& value) {
        facts += text("<div><dt>", what, "</dt><dd>", escaped(value), "</dd></div>\n");
    };
    fact("layers in int8", grouped(from.at("quantized_layers")) + " of " + grouped(from.at("layers")));
    fact("weights, float / int8", ratio(weights));
    fact("arena, float / int8", ratio(arena));
    fact("rounding", from.at("rounding"));
    fact("conversions", grouped(from.at("conversions")));
    if (report.contains("calibration")) fact("calibration", report.at("calibration"));
    fact("samples measured", grouped(from.at("samples")));
    const json& layers = report.at("layers");
    if (!layers.empty()) fact("SNR of the last layer", decibels(real(layers.back().at("signal_to_noise"))) + " dB");

    std::string left;
    for (const json& layer : layers)
        if (!layer.at("int8").get<bool>())
            left += "<li>" +
                    escaped(text(word(layer, "operation"), " '", word(layer, "name"), "': ", word(layer, "reason"))) +
                    "</li>\n";
    bar_chart sizes{.title = "Bytes of float and of int8",
                    .note = "weights with scales and biases; the arena of a session of batch 1",
                    .series = {"float", "int8"},
                    .groups = {}};
    sizes.figure = [](double, double to) { return grouped(static_cast<std::uint64_t>(to)); };
    std::vector<std::vector<std::string>> rows;
    for (const auto& [what, bytes] : {std::pair{"weights", weights}, std::pair{"arena", arena}}) {
        sizes.groups.push_back({what, {bytes.at("float").get<double>(), bytes.at("int8").get<double>()}});
        rows.push_back({what, grouped(bytes.at("float")), grouped(bytes.at("int8")), ratio(bytes)});
    }
    return "<dl class=\"facts\">\n" + facts + "</dl>\n" +
           (left.empty() ? "" : "<p>Left in float:</p>\n<ul>\n" + left + "</ul>\n") +
           figure("Bytes of weights, with scales and biases, and of the arena of a session of batch 1", sizes) +
           table("Sizes", {"", "#float bytes", "#int8 bytes", "#float / int8"}, rows);
}

std::string signal_to_noise(const json& report) {
    bar_chart chart{.title = "Signal-to-noise ratio of each layer", .note = "in dB", .series = {"dB"}, .groups = {}};
    chart.figure = [](double, double to) { return decibels(to); };
    std::vector<std::vector<std::string>> rows;
    const auto add = [&](const json& layer) {
        const double value = real(layer.at("signal_to_noise"));
        chart.groups.push_back({word(layer, "name"), {value}});
        rows.push_back(
            {word(layer, "name"), word(layer, "operation"), decibels(value), share(real(layer.at("saturated")))});
    };
    for (const json& input : report.at("inputs")) add(input);
    for (const json& layer : report.at("layers")) add(layer);
    return figure(
               "10 log10(signal / noise) in dB of each output beside the float network's: all loss from the input to "
               "here. 20 dB: a tenth of the signal is noise; 40 dB: a hundredth.",
               chart) +
           table("What each layer lost, and the share of its values that the range cut off",
                 {"layer", "operation", "#SNR dB", "#cut off"}, rows);
}

std::string times(const json& report) {
    bar_chart chart{
        .title = "Time of each layer", .note = "in microseconds", .series = {"float", "int8"}, .groups = {}};
    chart.figure = [](double, double to) { return microseconds(to); };
    std::vector<std::vector<std::string>> rows;
    double before = 0, after = 0;
    const auto add = [&](const std::string& name, const json& layer, double slow, double fast) {
        before += slow, after += fast;
        if (slow != 0 || fast != 0) chart.groups.push_back({name, {slow, fast}});
        rows.push_back({name, word(layer, "kernel"), word(layer, "isa"), microseconds(slow), microseconds(fast),
                        slow == 0 || fast == 0 ? "-" : formatted("%.2f", slow / fast) + " x"});
    };
    for (const json& layer : report.at("layers"))
        add(word(layer, "name"), layer, real(layer.at("microseconds").at("float")),
            real(layer.at("microseconds").at("int8")));
    add("conversions", json::object(), 0, real(report.at("summary").at("conversion_microseconds")));
    rows.push_back({"all", "", "", microseconds(before), microseconds(after),
                    after == 0 ? "-" : formatted("%.2f", before / after) + " x"});
    return figure(text("Microseconds, medians of ", grouped(report.at("summary").at("timed_runs")),
                       " runs on this machine. What has none runs inside another layer, or is a view."),
                  chart) +
           table("Time of each layer in microseconds",
                 {"layer", "int8 kernel", "ISA", "#float", "#int8", "#float / int8"}, rows);
}

std::string ranges(const json& report) {
    bar_chart chart{.title = "Range of each layer's output",
                    .note = "the axis is spaced by the root of values",
                    .series = {"range"},
                    .groups = {},
                    .along = spacing::root};
    chart.figure = [](double from, double to) { return formatted("%.3g", from) + " to " + formatted("%.3g", to); };
    std::vector<std::vector<std::string>> rows;
    const auto add = [&](const json& layer) {
        const json &chosen = layer.at("range"), &seen = layer.at("histogram").at("range");
        const bool is_int8 = layer.at("int8").get<bool>();
        chart.groups.push_back({word(layer, "name"), {real(chosen.at(1))}, {real(chosen.at(0))}});
        rows.push_back({word(layer, "name"), short_number(real(chosen.at(0))), short_number(real(chosen.at(1))),
                        short_number(real(seen.at(0))), short_number(real(seen.at(1))),
                        is_int8 ? short_number(real(layer.at("scale"))) : "float",
                        is_int8 ? std::to_string(layer.at("zero_point").get<int>()) : "-"});
    };
    for (const json& input : report.at("inputs")) add(input);
    for (const json& layer : report.at("layers")) add(layer);
    return figure(
               "The range that calibration chose for each output; the axis is spaced by the root of values, so that "
               "narrow ranges remain visible",
               chart) +
           table("Ranges: what calibration chose, what the measured samples reached, scale and zero point",
                 {"layer", "#min", "#max", "#least seen", "#most seen", "#scale", "#zero point"}, rows);
}

std::string histograms(const json& report) {
    std::string all =
        "<p class=\"soft\">Values of the float network over the measured samples; bars are as high as the "
        "logarithm of their counts, and what lies beyond the dashed lines is clipped.</p>\n";
    const auto add = [&](const json& layer) {
        const json &bars = layer.at("histogram"), &clip = layer.at("range");
        histogram_chart chart{.title = "Values of " + word(layer, "name"),
                              .low = real(bars.at("range").at(0)),
                              .high = real(bars.at("range").at(1)),
                              .counts = bars.at("counts").get<std::vector<std::uint64_t>>(),
                              .clip_low = real(clip.at(0)),
                              .clip_high = real(clip.at(1))};
        const std::string words =
            text(word(layer, "name"), " (", word(layer, "operation"), "): ", short_number(chart.low), " to ",
                 short_number(chart.high), ", clipped to ", short_number(chart.clip_low), " to ",
                 short_number(chart.clip_high));
        all += "<details class=\"tensor\"><summary>" + escaped(words) + "</summary>\n";
        if (chart.counts.empty()) {
            all += "<p>No finite value was seen.</p></details>\n";
            return;
        }
        std::vector<std::vector<std::string>> rows;
        const double each = (chart.high - chart.low) / static_cast<double>(chart.counts.size());
        for (std::size_t i = 0; i < chart.counts.size(); ++i) {
            const double from = chart.low + each * static_cast<double>(i);
            rows.push_back({short_number(from), short_number(from + each), grouped(chart.counts[i])});
        }
        all += figure("", chart) + "<details class=\"counts\"><summary>counts</summary>\n" +
               table("Counts of " + word(layer, "name"), {"#from", "#to", "#count"}, rows) + "</details></details>\n";
    };
    for (const json& input : report.at("inputs")) add(input);
    for (const json& layer : report.at("layers")) add(layer);
    return all;
}

std::string sensitivity(const json& from) {
    bar_chart chart{.title = "Sensitivity of each layer",
                    .note = "signal-to-noise ratio of the network's output in dB",
                    .series = {"alone in int8", "all but this one in int8"},
                    .groups = {}};
    chart.figure = [](double, double to) { return decibels(to); };
    const bool labelled = from.at("int8").contains("accuracy");
    const auto accuracy = [](const json& of) { return formatted("%.2f %%", 100 * of.at("accuracy").get<double>()); };
    std::vector<std::string> columns{"layer", "operation", "#alone dB", "#all but this dB"};
    if (labelled) columns.insert(columns.end(), {"#accuracy alone", "#accuracy all but this"});
    std::vector<std::vector<std::string>> rows;
    for (const json& layer : from.at("layers")) {
        const json &alone = layer.at("alone"), &without = layer.at("without");
        const double one = real(alone.at("signal_to_noise")), rest = real(without.at("signal_to_noise"));
        chart.groups.push_back({word(layer, "name"), {one, rest}});
        rows.push_back({word(layer, "name"), word(layer, "operation"), decibels(one), decibels(rest)});
        if (labelled) rows.back().push_back(accuracy(alone)), rows.back().push_back(accuracy(without));
    }
    const json& int8 = from.at("int8");
    std::string head = text("All layers in int8: ", decibels(real(int8.at("signal_to_noise"))), " dB");
    if (labelled) head += text(", accuracy ", accuracy(int8), " (float ", accuracy(from.at("float")), ")");
    return "<p>" + escaped(text(head, ", over ", grouped(from.at("samples")), " samples. Worst first.")) + "</p>\n" +
           figure(
               "Signal-to-noise ratio of the network's output, in dB, when one layer alone is quantized and when all "
               "but this one are",
               chart) +
           table("Sensitivity ranking, the layer that costs most first", columns, rows);
}

std::string layers(const json& report) {
    std::vector<std::vector<std::string>> rows;
    for (const json& layer : report.at("layers")) {
        const json& bytes = layer.at("weight_bytes");
        const bool weighs = bytes.at("float") != 0;
        rows.push_back({word(layer, "name"), word(layer, "operation"), layer.at("int8").get<bool>() ? "int8" : "float",
                        word(layer, "kernel"), word(layer, "isa"), weighs ? grouped(bytes.at("float")) : "-",
                        weighs ? grouped(bytes.at("int8")) : "-"});
    }
    return table("Every layer after folding: how it runs, and the bytes of its weights before and after",
                 {"layer", "operation", "form", "kernel", "ISA", "#float bytes", "#int8 bytes"}, rows);
}

}  // namespace

std::string html_report(const json& report) {
    struct part {
        const char *id, *title;
        std::string body;
    };
    std::vector<part> parts{{"warnings", "Warnings", warnings(report)},
                            {"summary", "Summary", summary(report)},
                            {"snr", "Signal-to-noise ratio", signal_to_noise(report)}};
    if (report.at("summary").at("timed_runs") != 0) parts.push_back({"time", "Time", times(report)});
    if (report.contains("sensitivity"))
        parts.push_back({"sensitivity", "Sensitivity", sensitivity(report.at("sensitivity"))});
    parts.push_back({"ranges", "Ranges", ranges(report)});
    parts.push_back({"histograms", "Histograms", histograms(report)});
    parts.push_back({"layers", "Layers", layers(report)});

    const std::string model = word(report, "model");
    const std::string title = model.empty() ? "Quantization report" : "Quantization of " + model;
    std::string links, body;
    for (const part& one : parts) {
        links += text("<a href=\"#", one.id, "\">", one.title, "</a>\n");
        body += section(one.id, one.title, one.body);
    }
    // The policy lets a browser load and run nothing: the page is what it says, whatever the names in it hold.
    return text(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
        "<title>", escaped(title), "</title>\n<style>\n", style, chart_style(), "</style>\n</head>\n<body>\n",
        "<header><h1>", escaped(title), "</h1>\n<p class=\"soft\">by Octet ", OCTET_VERSION_MAJOR, ".",
        OCTET_VERSION_MINOR, ".", OCTET_VERSION_PATCH, "</p>\n<nav aria-label=\"Sections\">\n", links,
        "</nav></header>\n<main>\n", body, "</main>\n</body>\n</html>\n");
}
