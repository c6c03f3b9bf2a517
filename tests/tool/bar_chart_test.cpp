// The charts of the tool and of the benchmarks: every value stands in them as a figure, and what they are called does
// not break the file.
#include "bar_chart.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace {

std::size_t count(const std::string& in, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++found;
    return found;
}
/// The width of each bar, in the order of groups and series.
std::vector<double> widths(const std::string& svg) {
    std::vector<double> found;
    for (std::size_t at = svg.find("<g class=\"bars\">"); (at = svg.find(" width=\"", at)) != std::string::npos; ++at)
        found.push_back(std::stod(svg.substr(at + 8)));
    return found;
}

TEST(bar_chart, every_value_is_a_bar_with_a_figure) {
    constexpr double missing = std::numeric_limits<double>::quiet_NaN();
    const std::string svg = to_svg({.title = "t",
                                    .note = "n",
                                    .series = {"one", "two"},
                                    .groups = {{"first", {1.25, 3.5}}, {"second", {missing, 0.75}}}});
    for (const char* figure : {">1.25<", ">3.50<", ">0.75<", ">one<", ">two<", ">first<", ">second<", ">n<"})
        EXPECT_EQ(count(svg, figure), 1U) << figure;
    const std::vector<double> bars = widths(svg);
    ASSERT_EQ(bars.size(), 3U);
    EXPECT_NEAR(bars[0] / bars[1], 1.25 / 3.5, 0.01);
    EXPECT_NEAR(bars[2] / bars[1], 0.75 / 3.5, 0.01);
}

TEST(bar_chart, a_ratio_and_its_inverse_are_equally_long) {
    const std::vector<double> bars = widths(
        to_svg({.title = "", .note = "", .series = {"s"}, .groups = {{"a", {4.0}}, {"b", {0.25}}}, .ratios = true}));
    ASSERT_EQ(bars.size(), 2U);
    EXPECT_NEAR(bars[0], bars[1], 0.2);
    EXPECT_GT(bars[0], 100.0);
}

TEST(bar_chart, names_are_escaped) {
    const std::string svg = to_svg({.title = "a<b & c>d", .note = "", .series = {"<s>"}, .groups = {{"<g>", {1.0}}}});
    EXPECT_EQ(count(svg, "a&lt;b &amp; c&gt;d"), 2U);  // the title and its text
    EXPECT_EQ(count(svg, "&lt;s&gt;"), 1U);
    EXPECT_EQ(count(svg, "&lt;g&gt;"), 1U);
    EXPECT_EQ(count(svg, "<g>"), 0U);
}

}  // namespace
