#include "bar_chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace {

// Pixels.
constexpr double width = 840, label_width = 250, figure_width = 56, bar = 11, gap = 7, head = 62, foot = 30;
constexpr double room = width - label_width - 2 * figure_width;

template <class... Values>
std::string formatted(const char* form, Values... values) {
    char words[400];
    std::snprintf(words, sizeof words, form, values...);
    return words;
}

std::string escaped(const std::string& words) {
    std::string safe;
    for (const char c : words) safe += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
    return safe;
}

std::string text_at(double x, double y, const char* anchor, const std::string& words) {
    return formatted(R"(<text x="%.1f" y="%.1f" text-anchor="%s">)", x, y, anchor) + escaped(words) + "</text>\n";
}

/// Where values stand along the x axis.
class axis {
  public:
    explicit axis(const bar_chart& chart) : ratios_(chart.ratios) {
        for (const bar_group& group : chart.groups)
            for (const double value : group.values)
                if (std::isfinite(value)) low_ = std::min(low_, along(value)), high_ = std::max(high_, along(value));
        if (high_ == low_) high_ = low_ + 1;
    }
    double at(double value) const { return label_width + figure_width + room * (along(value) - low_) / (high_ - low_); }
    double start() const { return at(ratios_ ? 1.0 : 0.0); }

  private:
    double along(double value) const { return ratios_ ? std::log2(std::max(value, 1e-3)) : value; }

    bool ratios_;
    double low_ = 0, high_ = 0;
};

}  // namespace

std::string to_svg(const bar_chart& chart) {
    const double each = bar * static_cast<double>(chart.series.size()) + gap;
    const double bottom = head + each * static_cast<double>(chart.groups.size()), height = bottom + foot;
    std::string svg =
        formatted(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img">)", width, height);
    svg += "\n<title>" + escaped(chart.title) + "</title>\n" + R"(<style>
svg { font: 11px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.axis { stroke: #1f2328; }
.s0 { fill: #0072b2; } .s1 { fill: #d55e00; } .s2 { fill: #009e73; } .s3 { fill: #8250df; }
@media (prefers-color-scheme: dark) {
    svg { fill: #e6edf3; }
    .axis { stroke: #e6edf3; }
    .s0 { fill: #56b4e9; } .s1 { fill: #e69f00; } .s2 { fill: #2fc89a; } .s3 { fill: #bc8cff; }
}
</style>
)";
    svg += R"(<g class="title">)" + text_at(8, 20, "start", chart.title) + "</g>\n";
    for (std::size_t s = 0; s < chart.series.size(); ++s) {
        const double x = 8 + 200 * static_cast<double>(s);
        svg += formatted(R"(<rect class="s%zu" x="%.1f" y="34" width="11" height="11"/>)", s, x) + "\n";
        svg += text_at(x + 16, 44, "start", chart.series[s]);
    }
    const axis x(chart);
    std::string bars, words;
    for (std::size_t g = 0; g < chart.groups.size(); ++g) {
        const bar_group& group = chart.groups[g];
        const double top = head + each * static_cast<double>(g);
        words += text_at(8, top + (each - gap) / 2 + 4, "start", group.label);
        for (std::size_t s = 0; s < group.values.size(); ++s) {
            const double value = group.values[s], y = top + bar * static_cast<double>(s);
            if (!std::isfinite(value)) continue;
            const double from = std::min(x.start(), x.at(value)), to = std::max(x.start(), x.at(value));
            const bool left = x.at(value) < x.start();
            bars += formatted(R"(<rect class="s%zu" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>)", s, from, y,
                              std::max(to - from, 0.5), bar - 1);
            bars += '\n';
            words +=
                text_at(left ? from - 4 : to + 4, y + bar - 2, left ? "end" : "start", formatted(chart.format, value));
        }
    }
    svg += "<g class=\"bars\">\n" + bars + "</g>\n" + words;
    svg += formatted(R"(<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>)", x.start(), head - 6, x.start(),
                     bottom);
    return svg + '\n' + text_at(8, height - 10, "start", chart.note) + "</svg>\n";
}
