#include "chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

std::string escaped(std::string_view words) {
    std::string safe;
    for (const char c : words) switch (c) {
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '&':
                safe += "&amp;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
                    safe += "\uFFFD";
                else
                    safe += c;
        }
    return safe;
}

std::string formatted(const char* form, double value) {
    char words[400];
    std::snprintf(words, sizeof words, form, value);
    return words;
}

std::string_view chart_style() {
    return R"(.chart { font: 11px system-ui, sans-serif; fill: #1f2328; }
.chart .head { font-size: 15px; font-weight: 600; }
.chart .axis { stroke: #59636e; }
.chart .clip { stroke: #d1242f; stroke-width: 1.5; stroke-dasharray: 4 3; }
.chart .kept { fill: #d1242f; fill-opacity: 0.08; }
.s0 { fill: #0072b2; } .s1 { fill: #d55e00; } .s2 { fill: #009e73; } .s3 { fill: #8250df; }
@media screen and (prefers-color-scheme: dark) {
    .chart { fill: #e6edf3; }
    .chart .axis { stroke: #9198a1; }
    .chart .clip { stroke: #ff7b72; }
    .chart .kept { fill: #ff7b72; fill-opacity: 0.12; }
    .s0 { fill: #56b4e9; } .s1 { fill: #e69f00; } .s2 { fill: #2fc89a; } .s3 { fill: #bc8cff; }
}
)";
}

namespace {

// Pixels along y, percentages along x.
constexpr double bar = 12, gap = 6, legend_height = 24, note_height = 24, figure_width = 22;
constexpr double plot_height = 120, axis_height = 20;

std::string text_at(double x, double dx, double y, const char* anchor, const std::string& words) {
    char head[160];
    std::snprintf(head, sizeof head, R"(<text x="%.2f%%" dx="%.0f" y="%.1f" text-anchor="%s">)", x, dx, y, anchor);
    return head + escaped(words) + "</text>\n";
}
std::string rectangle(const char* kind, double from, double y, double to, double height, const std::string& words) {
    char head[200];
    std::snprintf(head, sizeof head, R"(<rect class="%s" x="%.2f%%" y="%.1f" width="%.2f%%" height="%.1f">)", kind,
                  from, y, std::max(to - from, 0.1), height);
    return head + ("<title>" + escaped(words)) + "</title></rect>\n";
}
std::string line(const char* kind, double x, double from, double to) {
    char words[200];
    std::snprintf(words, sizeof words, R"(<line class="%s" x1="%.2f%%" x2="%.2f%%" y1="%.1f" y2="%.1f"/>)", kind, x, x,
                  from, to);
    return words + std::string("\n");
}
/// What lies outside of its width is cut off at the left: the end of a name tells the layers of a model apart.
std::string label_at(double y, double width, double height, const std::string& words) {
    char head[200];
    std::snprintf(head, sizeof head, R"(<svg x="0" y="%.1f" width="%.1f%%" height="%.1f"><title>)", y, width, height);
    return head + escaped(words) + "</title>" + text_at(100, -6, height / 2 + 3, "end", words) + "</svg>\n";
}
std::string titled(const std::string& title, const std::string& description, const std::string& body) {
    return "<title>" + escaped(title) + "</title>\n<desc>" + escaped(description) + "</desc>\n" + body;
}
/// As wide as its box.
std::string element(double height, const std::string& body) {
    return formatted(R"(<svg class="chart" role="img" width="100%%" height="%.0f">)", height) + '\n' + body +
           "</svg>\n";
}

/// Where values stand along x, in percent.
class axis {
  public:
    explicit axis(const bar_chart& chart) : along_(chart.along) {
        bool leftwards = false;
        std::size_t letters = 0;
        for (const bar_group& group : chart.groups) {
            letters = std::max(letters, group.label.size());
            for (const auto* values : {&group.values, &group.from})
                for (const double value : *values)
                    if (std::isfinite(value)) {
                        low_ = std::min(low_, along(value));
                        high_ = std::max(high_, along(value));
                    }
            for (const double value : group.values) leftwards |= group.from.empty() && value < origin();
        }
        // 6 pixels a letter on the narrowest page, of 360 pixels; a third of the width at most.
        labels_ = std::clamp(4 + 6.0 / 3.6 * static_cast<double>(letters), 10.0, 33.0);
        left_ = labels_ + (leftwards ? figure_width : 1);
        if (high_ == low_) high_ = low_ + 1;
    }
    double at(double value) const {
        return left_ + (100 - figure_width - left_) * (along(value) - low_) / (high_ - low_);
    }
    /// The width of the labels.
    double labels() const { return labels_; }
    double origin() const { return along_ == spacing::logarithmic ? 1.0 : 0.0; }

  private:
    double along(double value) const {
        switch (along_) {
            case spacing::logarithmic:
                return std::log2(std::max(value, 1e-3));
            case spacing::root:
                return std::copysign(std::sqrt(std::abs(value)), value);
            case spacing::linear:
                break;
        }
        return value;
    }

    spacing along_;
    double labels_ = 0, left_ = 0, low_ = 0, high_ = 0;
};

struct body {
    std::string svg;
    double height;
};

body draw(const bar_chart& chart, double top) {
    std::string legend, bars, words;
    double y = top;
    if (chart.series.size() > 1) {
        const double each = 100.0 / static_cast<double>(chart.series.size());
        for (std::size_t s = 0; s < chart.series.size(); ++s) {
            legend += formatted(R"(<svg x="%.2f%%" )", each * static_cast<double>(s)) +
                      formatted(R"(width="%.2f%%" )", each) + formatted(R"(y="%.1f" height="14">)", y);
            legend += formatted(R"(<rect class="s%.0f" width="11" height="11"/>)", static_cast<double>(s));
            legend += text_at(0, 16, 10, "start", chart.series[s]) + "</svg>\n";
        }
        y += legend_height;
    }
    const axis x(chart);
    const double begin = y - 2;
    for (const bar_group& group : chart.groups) {
        const double height = bar * static_cast<double>(group.values.size());
        words += label_at(y, x.labels(), height + 2, group.label);
        for (std::size_t s = 0; s < group.values.size(); ++s, y += bar) {
            const double value = group.values[s], start = group.from.empty() ? x.origin() : group.from[s];
            if (std::isnan(value)) continue;
            const std::string figure = chart.figure(start, value);
            const bool left = value < start, drawn = std::isfinite(value);
            const double at = drawn ? x.at(value) : x.at(start);
            const double low = left ? at : x.at(start), high = left ? x.at(start) : at;
            if (drawn)
                bars +=
                    rectangle(("s" + std::to_string(s)).c_str(), low, y, high, bar - 1, group.label + ": " + figure);
            words += text_at(left ? low : high, left ? -4 : 4, y + bar - 3, left ? "end" : "start", figure);
        }
        y += gap;
    }
    return {
        legend + "<g class=\"bars\">\n" + bars + "</g>\n" + words + line("axis", x.at(x.origin()), begin, y - gap + 2),
        y};
}

}  // namespace

std::string to_svg(const bar_chart& chart) {
    const body all = draw(chart, 4);
    return element(all.height, titled(chart.title, chart.note, all.svg));
}

std::string to_svg_file(const bar_chart& chart) {
    const body all = draw(chart, 34);
    std::string svg =
        formatted(R"(<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="-8 0 856 %.0f" role="img">)",
                  all.height + note_height);
    const std::string head = "<g class=\"head\">" + text_at(0, 0, 20, "start", chart.title) + "</g>\n";
    return svg + "\n<style>\n" + std::string(chart_style()) + "</style>\n" +
           titled(chart.title, chart.note, head + all.svg + text_at(0, 0, all.height + 12, "start", chart.note)) +
           "</svg>\n";
}

std::string to_svg(const histogram_chart& chart) {
    const double low = std::min(chart.low, chart.clip_low), high = std::max(chart.high, chart.clip_high);
    const double room = high > low ? high - low : 1;
    const auto at = [&](double value) { return 2 + 96 * (value - low) / room; };
    const double bottom = plot_height + 14, each = (chart.high - chart.low) / static_cast<double>(chart.counts.size());
    std::uint64_t most = 1;
    for (const std::uint64_t count : chart.counts) most = std::max(most, count);

    std::string svg = rectangle("kept", at(chart.clip_low), 14, at(chart.clip_high), plot_height, "kept by the clip");
    svg += "<g class=\"bars\">\n";
    for (std::size_t i = 0; i < chart.counts.size(); ++i) {
        if (chart.counts[i] == 0) continue;
        const double from = chart.low + each * static_cast<double>(i), count = static_cast<double>(chart.counts[i]);
        const double height = std::max(plot_height * std::log1p(count) / std::log1p(static_cast<double>(most)), 1.0);
        svg += rectangle(
            "s0", at(from), bottom - height, at(from + each), height,
            formatted("%.4g", from) + " to " + formatted("%.4g", from + each) + ": " + std::to_string(chart.counts[i]));
    }
    svg += "</g>\n<line class=\"axis\" x1=\"0\" x2=\"100%\"" + formatted(R"( y1="%.0f")", bottom) +
           formatted(R"( y2="%.0f"/>)", bottom) + '\n';
    svg += line("clip", at(chart.clip_low), 14, bottom) + line("clip", at(chart.clip_high), 14, bottom);
    const std::string clip = formatted("clip %.4g", chart.clip_low) + formatted(" to %.4g", chart.clip_high);
    svg += text_at(2, 4, 10, "start", clip) + text_at(2, 0, bottom + 14, "start", formatted("%.4g", low)) +
           text_at(98, 0, bottom + 14, "end", formatted("%.4g", high));
    return element(bottom + axis_height,
                   titled(chart.title,
                          formatted("values from %.4g", chart.low) + formatted(" to %.4g, ", chart.high) + clip +
                              "; bars are as high as the logarithm of their counts",
                          svg));
}
