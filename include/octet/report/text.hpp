// A quantization_report as text: warnings, a summary, then one line a layer, at most 140 columns wide, 160 with times.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/ieee.hpp"
#include "octet/core/printable.hpp"
#include "octet/report/report.hpp"

namespace octet::inline OCTET_ABI {

/// How numbers and names stand in a table.
namespace format {

/// One number in the form that printf takes: "%.4g".
inline std::string number(const char* form, double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, form, value);
    return digits;
}

/// "1,234,567"
inline std::string grouped(std::size_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
}

/// At most `width` characters; of a longer text the end, which tells the layers of a model apart.
inline std::string tail(const std::string& words, std::size_t width) {
    return printable(words.size() <= width ? words : ".." + words.substr(words.size() - width + 2), std::string::npos);
}

/// "31.4"; "exact" where there is no noise.
inline std::string decibels(double value) {
    if (ieee::is_nan(value)) return "nan";
    if (!ieee::is_finite(value)) return value > 0 ? "exact" : "-inf";
    return number("%.1f", value);
}

/// A share as a percentage; "-" for exactly none, and never "0" for a few.
inline std::string share(double part) {
    if (part == 0.0) return "-";
    return part < 0.00005 ? "<0.01 %" : number("%.2f %%", 100.0 * part);
}

/// Microseconds; "-" where nothing was measured.
inline std::string microseconds(double value) { return value == 0.0 ? "-" : number("%.1f", value); }

/// Rows of cells in columns two spaces apart; the first `left` columns are aligned at the left, the others at the
/// right.
template <class Rows>
std::string aligned(const Rows& rows, std::size_t left) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows)
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    std::string all;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            const std::string fill(widths[c] - row[c].size(), ' ');
            line += (c == 0 ? "" : "  ") + (c < left ? row[c] + fill : fill + row[c]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        all += line + '\n';
    }
    return all;
}

}  // namespace format

// Templates, so that only units that print a report compile them.

/// The warnings, "17 of 18 layers in int8" and the reason of each that is not, sizes; one a line.
std::string summary_text(const std::same_as<quantization_report> auto& from) {
    using format::grouped;
    const auto ratio = [](std::size_t before, std::size_t after) {
        return format::number("%.2f", static_cast<double>(before) / static_cast<double>(after));
    };
    std::string all;
    for (const std::string& warning : from.warnings) all += "warning: " + printable(warning, std::string::npos) + '\n';
    all += text(from.quantized_layers, " of ", from.layers.size(), " layers in int8 (", from.model_nodes,
                " nodes before folding), rounding ", to_string(from.rounding), ", ", from.conversions,
                " conversions between float and int8\n");
    for (const layer_report& layer : from.layers)
        if (!layer.is_int8)
            all += "  in float: " +
                   printable(text(layer.operation, " '", layer.name, "': ", layer.reason), std::string::npos) + '\n';
    all += text("weights ", grouped(from.float_weight_bytes), " -> ", grouped(from.int8_weight_bytes), " bytes (",
                ratio(from.float_weight_bytes, from.int8_weight_bytes), " x smaller), arena ",
                grouped(from.float_arena_bytes), " -> ", grouped(from.int8_arena_bytes), " bytes (",
                ratio(from.float_arena_bytes, from.int8_arena_bytes), " x)\n");
    return all;
}

/// The table: a line for each layer. Range, scale and zero point are the output's; "SNR" is the signal-to-noise ratio
/// in dB over the measured samples, "cut" the saturated share; see layer_report. Where times were measured,
/// microseconds of the float and of the int8 layer.
std::string table_text(const std::same_as<quantization_report> auto& from) {
    using format::number;
    std::vector<std::vector<std::string>> rows{
        {"layer", "operation", "ISA", "kernel", "min", "max", "scale", "zero", "SNR dB", "cut"}};
    const auto add_times = [&](const std::string& real, const std::string& int8) {
        if (from.timed_runs != 0) rows.back().push_back(real), rows.back().push_back(int8);
    };
    add_times("float us", "int8 us");
    for (const layer_report& layer : from.layers) {
        rows.push_back({format::tail(layer.name, 24), layer.operation,
                        layer.target ? std::string(to_string(*layer.target)) : "-", format::tail(layer.kernel, 24),
                        number("%.3g", layer.observed.min), number("%.3g", layer.observed.max),
                        layer.is_int8 ? number("%.4g", layer.params.scale.value) : "float",
                        layer.is_int8 ? std::to_string(layer.params.zero_point.value) : "-",
                        format::decibels(layer.signal_to_noise), format::share(layer.saturated)});
        add_times(format::microseconds(layer.float_microseconds), format::microseconds(layer.int8_microseconds));
    }
    return format::aligned(rows, 4);
}

/// summary_text, an empty line, table_text.
std::string to_text(const std::same_as<quantization_report> auto& from) {
    return summary_text(from) + "\n" + table_text(from);
}

/// std::cout << report(model, int8, samples)
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& to, const quantization_report& from) {
    const std::string all = to_text(from);
    return to.write(all.data(), static_cast<std::ptrdiff_t>(all.size()));
}

}  // namespace octet::inline OCTET_ABI
