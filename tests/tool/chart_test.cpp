// The charts of the tool and of the benchmarks: every value stands in them as a figure, and what they are called does
// not break the file.
#include "chart.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t count(const std::string& in, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++found;
    return found;
}
/// An attribute of each bar, in the order of groups and series: its place and length in percent, its height in pixels.
std::vector<double> bars(const std::string& svg, const std::string& attribute) {
    std::vector<double> found;
    const std::size_t from = svg.find("<g class=\"bars\">"), end = svg.find("</g>", from);
    for (std::size_t at = svg.find(" " + attribute + "=\"", from); at < end;
         at = svg.find(" " + attribute + "=\"", at + 1))
        found.push_back(std::stod(svg.substr(at + attribute.size() + 3)));
    return found;
}

TEST(chart, every_value_is_a_bar_with_a_figure) {
    const bar_chart chart{.title = "t",
                          .note = "n",
                          .series = {"one", "two"},
                          .groups = {{"first", {1.25, 3.5}}, {"second", {missing, 0.75}}}};
    for (const std::string& svg : {to_svg(chart), to_svg_file(chart)}) {
        for (const char* figure : {">1.25</text>", ">3.50</text>", ">0.75</text>", ">one</text>", ">two</text>",
                                   ">first</text>", ">second</text>", ">n</desc>"})
            EXPECT_EQ(count(svg, figure), 1U) << figure;
        EXPECT_EQ(count(svg, "<title>second: 0.75</title>"), 1U);
        const std::vector<double> widths = bars(svg, "width");
        ASSERT_EQ(widths.size(), 3U);
        EXPECT_NEAR(widths[0] / widths[1], 1.25 / 3.5, 0.01);
        EXPECT_NEAR(widths[2] / widths[1], 0.75 / 3.5, 0.01);
    }
    EXPECT_EQ(count(to_svg_file(chart), ">t</text>"), 1U) << "a file shows its title and its note";
    EXPECT_EQ(count(to_svg_file(chart), ">n</text>"), 1U);
}

TEST(chart, a_ratio_and_its_inverse_are_equally_long) {
    const std::string svg = to_svg({.title = "",
                                    .note = "",
                                    .series = {"s"},
                                    .groups = {{"a", {4.0}}, {"b", {0.25}}},
                                    .along = spacing::logarithmic});
    const std::vector<double> widths = bars(svg, "width"), places = bars(svg, "x");
    ASSERT_EQ(widths.size(), 2U);
    EXPECT_NEAR(widths[0], widths[1], 0.02);
    EXPECT_GT(widths[0], 10.0);
    EXPECT_NEAR(places[1] + widths[1], places[0], 0.02) << "one to the right of 1, one to the left";
}

TEST(chart, what_is_infinite_has_a_figure_and_no_bar) {
    const std::string svg =
        to_svg({.title = "", .note = "", .series = {"s"}, .groups = {{"a", {infinity}}, {"b", {2.0}}}});
    EXPECT_EQ(bars(svg, "width").size(), 1U);
    EXPECT_EQ(count(svg, ">inf</text>"), 1U);
    EXPECT_EQ(bars(to_svg({.title = "", .note = "", .series = {"s"}, .groups = {}}), "width").size(), 0U);
}

TEST(chart, bars_begin_where_their_group_says) {
    const std::string svg = to_svg({.title = "",
                                    .note = "",
                                    .series = {"s"},
                                    .groups = {{"wide", {16.0}, {-4.0}}, {"narrow", {0.01}, {0.0}}},
                                    .along = spacing::root});
    const std::vector<double> widths = bars(svg, "width"), places = bars(svg, "x");
    ASSERT_EQ(widths.size(), 2U);
    EXPECT_NEAR(widths[1] / widths[0], 0.1 / 6.0, 0.001) << "roots: 0.1 of 4 + 2";
    EXPECT_NEAR((places[1] - places[0]) / widths[0], 2.0 / 6.0, 0.001);
}

TEST(chart, a_histogram_shows_its_counts_and_its_clip) {
    const std::string svg = to_svg(histogram_chart{
        .title = "h", .low = -1, .high = 3, .counts = {7, 0, 63, 1}, .clip_low = -0.5, .clip_high = 2.5});
    const std::vector<double> heights = bars(svg, "height"), places = bars(svg, "x");
    ASSERT_EQ(heights.size(), 3U) << "none for no value";
    EXPECT_NEAR(heights[0] / heights[1], 0.5, 0.01) << "log 8 / log 64";
    EXPECT_NEAR((places[1] - places[0]) / (places[2] - places[0]), 2.0 / 3.0, 0.01);
    EXPECT_EQ(count(svg, "<title>1 to 2: 63</title>"), 1U);
    EXPECT_EQ(count(svg, "class=\"clip\""), 2U);
    for (const char* words : {">clip -0.5 to 2.5<", ">-1<", ">3<"}) EXPECT_EQ(count(svg, words), 1U) << words;

    // One value alone: bars have no width of their own, and nothing is divided by 0.
    std::vector<std::uint64_t> one(64);
    one[0] = 5;
    const std::string point =
        to_svg(histogram_chart{.title = "", .low = 2, .high = 2, .counts = one, .clip_low = 2, .clip_high = 2});
    EXPECT_EQ(count(point, "nan"), 0U);
    EXPECT_EQ(bars(point, "height").size(), 1U);
}

TEST(chart, names_are_escaped) {
    const bar_chart chart{.title = "a<b & c>d", .note = "\"", .series = {"<s>", "'"}, .groups = {{"<g>", {1.0, 2.0}}}};
    for (const std::string& svg : {to_svg(chart), to_svg_file(chart)}) {
        EXPECT_GE(count(svg, "a&lt;b &amp; c&gt;d"), 1U);
        EXPECT_EQ(count(svg, "&lt;s&gt;"), 1U);
        EXPECT_EQ(count(svg, "&lt;g&gt;"), 4U) << "its label, the label's title, and the title of each bar";
        EXPECT_EQ(count(svg, "<g>") + count(svg, "<s>"), 0U);
    }
    EXPECT_EQ(escaped("<a href=\"x\">'&'\x01\n</a>"),
              "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\uFFFD\uFFFD&lt;/a&gt;");
}

}  // namespace
