// The HTML report: every figure of its charts stands in a table, and it holds whatever a model calls its layers. Writes
// report.html, which check_page.sh shows to a browser.
#include "html_report.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <limits>
#include <octet/json.hpp>
#include <octet/octet.hpp>
#include <string>
#include <vector>

#include "compiled_once.hpp"

namespace {

std::vector<float> wave(std::size_t count, unsigned step, float size) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = size * (static_cast<float>(i * step % 101) / 50.0F - 1.0F);
    return values;
}

constexpr const char* hostile = "<script>document.title = 'owned'</script><img src=x onerror=\"alert('&')\">\x01\xff";

/// Three convolutions, a residual add, and names that are HTML.
octet::graph network() {
    const auto conv = [](int outputs, int inputs, unsigned step) {
        return octet::op::conv2d{{outputs, wave(static_cast<std::size_t>(outputs * inputs * 9), step, 0.3F),
                                  wave(static_cast<std::size_t>(outputs), 7, 0.1F)},
                                 {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}};
    };
    octet::graph net;
    octet::tensor_id x = net.input("image", {1, 8, 8, 3});
    x = net.add("first", conv(8, 3, 37), {x}, {.low = 0});
    const octet::tensor_id y = net.add(hostile, conv(8, 8, 29), {x});
    x = net.add("sum", octet::op::add{}, {x, y}, {.low = 0});
    x = net.add("last", conv(4, 8, 41), {x});
    x = net.add("average", octet::op::global_average_pool{}, {x});
    net.output(net.add("flat", octet::op::reshape{{1, 4}}, {x}));
    return net;
}

octet::quantization_report report(std::size_t timed_runs) {
    const octet::graph net = network();
    const octet::samples data(12, wave(std::size_t{12} * 8 * 8 * 3, 17, 1.0F));
    octet::quantization_report all =
        octet::report(net, octet::quantize(net, data, {.leave_in_float = {"last"}}), data, {.timed_runs = timed_runs});
    all.warnings.push_back(std::string("conv2d '") + hostile + "': a warning");
    return all;
}

nlohmann::ordered_json whole_report() {
    nlohmann::ordered_json all = octet::to_json(report(3));
    all["model"] = "a & b.onnx";
    all["calibration"] = "12 samples of <waves>, automatic";
    all["sensitivity"] =
        octet::to_json(octet::sensitivity_ranking{.samples = 12,
                                                  .all_float = {std::numeric_limits<double>::infinity(), 0.75},
                                                  .all_int8 = {31.25, 0.5},
                                                  .layers = {{"first", "conv2d", {33.5, 0.625}, {36.75, 0.6875}},
                                                             {hostile, "conv2d", {41.5, 0.75}, {32.5, 0.5}}}});
    return all;
}

std::size_t count(const std::string& in, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++found;
    return found;
}

/// What stands between the tags of one section.
std::string section(const std::string& page, const std::string& id) {
    const std::size_t from = page.find("<section id=\"" + id + "\">");
    if (from == std::string::npos) return {};
    return page.substr(from, page.find("</section>", from) - from);
}

TEST(html_report, holds_every_section_with_its_chart_and_its_table) {
    const std::string page = html_report(whole_report());
    std::ofstream("report.html") << page;
    for (const char* id : {"warnings", "summary", "snr", "time", "sensitivity", "ranges", "histograms", "layers"})
        EXPECT_EQ(count(page, "<section id=\"" + std::string(id) + "\">"), 1U) << id;
    for (const char* id : {"summary", "snr", "time", "sensitivity", "ranges"}) {
        EXPECT_EQ(count(section(page, id), "<svg class=\"chart\" role=\"img\""), 1U) << id;
        EXPECT_EQ(count(section(page, id), "<table>"), 1U) << id;
    }
    EXPECT_LT(page.find("id=\"warnings\""), page.find("id=\"summary\""));
    EXPECT_EQ(count(section(page, "histograms"), "<svg class=\"chart\" role=\"img\""), 7U) << "an input, six layers";
    EXPECT_EQ(count(section(page, "histograms"), "<table>"), 7U);
    EXPECT_EQ(count(page, "<svg class=\"chart\" role=\"img\""), count(page, "<desc>"));
    EXPECT_EQ(count(page, "<table>"), count(page, "<caption>"));
    EXPECT_EQ(count(section(page, "summary"), "<dd>12 samples of &lt;waves&gt;, automatic</dd>"), 1U);
    EXPECT_NE(page.find("<h1>Quantization of a &amp; b.onnx</h1>"), std::string::npos);
}

TEST(html_report, every_figure_of_a_chart_stands_in_its_table) {
    const std::string page = html_report(whole_report());
    for (const char* id : {"summary", "snr", "time", "sensitivity"}) {
        const std::string own = section(page, id), table = own.substr(own.find("<table>"));
        std::size_t figures = 0;
        for (std::size_t at = own.find("<text"); at != std::string::npos; at = own.find("<text", at + 1)) {
            const std::size_t from = own.find('>', at) + 1;
            const std::string words = own.substr(from, own.find("</text>", from) - from);
            if (words.find_first_not_of("0123456789.,") != std::string::npos) continue;
            EXPECT_NE(table.find("<td class=\"number\">" + words + "</td>"), std::string::npos) << id << ": " << words;
            ++figures;
        }
        EXPECT_GE(figures, 4U) << id;
    }
    EXPECT_EQ(count(section(page, "sensitivity"), ">62.50 %<"), 1U);
    EXPECT_NE(section(page, "sensitivity").find("All layers in int8: 31.2 dB, accuracy 50.00 % (float 75.00 %)"),
              std::string::npos);
}

TEST(html_report, names_are_text_and_nothing_else) {
    const std::string page = html_report(whole_report());
    for (const char* markup : {"<script", "<img", "onerror=\"", "http:", "https:", "url(", "@import", "\x01", "\xff"})
        EXPECT_EQ(count(page, markup), 0U) << markup;
    EXPECT_GE(count(page, "&lt;script&gt;document.title = &#39;owned&#39;&lt;/script&gt;"), 8U);
    EXPECT_EQ(count(page, "default-src 'none'"), 1U);
}

TEST(html_report, leaves_out_what_was_not_measured) {
    const std::string page = html_report(octet::to_json(report(0)));
    EXPECT_EQ(section(page, "time"), "");
    EXPECT_EQ(section(page, "sensitivity"), "");
    EXPECT_NE(page.find("<h1>Quantization report</h1>"), std::string::npos);
    nlohmann::ordered_json silent = octet::to_json(report(0));
    silent["warnings"].clear();
    EXPECT_NE(section(html_report(silent), "warnings").find("None."), std::string::npos);
    EXPECT_THROW(html_report({{"layers", 1}}), nlohmann::json::exception);
}

}  // namespace
