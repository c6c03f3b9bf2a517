// Charts as SVG: readable on light and dark pages and at any width, every bar with its figure as text, no script, no
// fonts of their own. Lengths along x are percentages, so that a chart fills its page and its letters keep their size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Text that may stand in an SVG or HTML element or attribute: the five special characters as entities; control
/// characters, which neither may hold, as U+FFFD.
std::string escaped(std::string_view words);
/// A number as printf writes it.
std::string formatted(const char* form, double value);

/// Bars that share a label, one for each series. A value that is not finite has no bar, and where it is not NaN a
/// figure.
struct bar_group {
    std::string label;
    std::vector<double> values;
    std::vector<double> from{};  ///< where bars begin; empty: all at the axis
};

/// Where values stand along x: as they are; by their logarithm from 1, so that a ratio and its inverse are equally
/// long; by their root, with the sign, so that small ones remain visible beside large ones.
enum class spacing { linear, logarithmic, root };

struct bar_chart {
    std::string title;
    std::string note;                 ///< what was measured, when, on what: the description; in a file, a line below
    std::vector<std::string> series;  ///< up to four; one alone needs no legend
    std::vector<bar_group> groups;
    spacing along = spacing::linear;
    /// The figure of the bar between two values; `from` is where the axis stands unless the group says otherwise.
    std::string (*figure)(double from, double to) = [](double, double to) { return formatted("%.2f", to); };
};

/// Counts in equal bars over [low, high], as high as their logarithm, and what a clip to [clip_low, clip_high] keeps.
struct histogram_chart {
    std::string title;
    double low = 0, high = 0;
    std::vector<std::uint64_t> counts;
    double clip_low = 0, clip_high = 0;
};

/// An element of a page whose style is chart_style(): as wide as its box.
std::string to_svg(const bar_chart& chart);
std::string to_svg(const histogram_chart& chart);
/// A file of its own, 840 pixels wide, with the title written into it.
std::string to_svg_file(const bar_chart& chart);

/// CSS rules, for light and dark.
std::string_view chart_style();
