// Bar charts as SVG: readable on light and dark pages, every bar with its figure as text, no script, no fonts of its
// own.
#pragma once

#include <string>
#include <vector>

/// Bars that share a label, one for each series; a value that is not finite leaves its place empty.
struct bar_group {
    std::string label;
    std::vector<double> values;
};

struct bar_chart {
    std::string title;
    std::string note;                 ///< a line below: what was measured, when, on what
    std::vector<std::string> series;  ///< up to four
    std::vector<bar_group> groups;
    /// Bars begin at 1 and grow by the logarithm: for ratios, whose inverse is then as long, to the left. Otherwise
    /// they begin at 0, and values are at least 0.
    bool ratios = false;
    const char* format = "%.2f";  ///< of a figure, as printf takes it
};

std::string to_svg(const bar_chart& chart);
