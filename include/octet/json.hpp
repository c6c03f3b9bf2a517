// Opt-in: what Octet measured as JSON, by nlohmann-json (CMake: octet::json). UTF-8 and RFC 8259 whatever a model's
// names and figures hold: bytes that are no UTF-8 become U+FFFD, and numbers that JSON has not become the strings
// "Infinity", "-Infinity" and "NaN", as in the JSON mapping of Protocol Buffers.
//   std::ofstream("report.json") << octet::to_json(report(model, int8, samples)).dump(1);
#pragma once

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "octet/core/config.hpp"
#include "octet/core/ieee.hpp"
#include "octet/ptq/sensitivity.hpp"
#include "octet/report/report.hpp"

namespace octet::inline OCTET_ABI {

/// A number; what JSON has not is a string.
inline nlohmann::ordered_json to_json(double value) {
    if (ieee::is_nan(value)) return "NaN";
    if (!ieee::is_finite(value)) return value > 0 ? "Infinity" : "-Infinity";
    return value;
}
/// The fewest digits that give the float again: 0.1, not 0.10000000149011612.
inline nlohmann::ordered_json to_json(float value) {
    if (!ieee::is_finite(value)) return to_json(double{value});
    char digits[32];
    return nlohmann::ordered_json::parse(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}
/// A text, whose bytes need not be UTF-8.
inline nlohmann::ordered_json to_json(std::string_view words) {
    using json = nlohmann::ordered_json;
    return json::parse(json(words).dump(-1, ' ', false, json::error_handler_t::replace));
}

namespace detail {

inline nlohmann::ordered_json ends(range r) { return nlohmann::ordered_json::array({to_json(r.min), to_json(r.max)}); }

inline nlohmann::ordered_json layer_json(const layer_report& from, bool timed) {
    nlohmann::ordered_json to;
    to["name"] = to_json(from.name);
    to["operation"] = from.operation;
    to["int8"] = from.is_int8;
    if (!from.reason.empty()) to["reason"] = to_json(from.reason);
    if (!from.kernel.empty()) to["kernel"] = to_json(from.kernel);
    if (from.target) to["isa"] = to_string(*from.target);
    to["range"] = ends(from.observed);
    to["scale"] = to_json(from.params.scale.value);
    to["zero_point"] = from.params.zero_point.value;
    to["signal_to_noise"] = to_json(from.signal_to_noise);
    to["saturated"] = to_json(from.saturated);
    to["weight_bytes"] = {{"float", from.float_weight_bytes}, {"int8", from.int8_weight_bytes}};
    if (timed)
        to["microseconds"] = {{"float", to_json(from.float_microseconds)}, {"int8", to_json(from.int8_microseconds)}};
    to["histogram"] = {{"range", ends(from.seen.all)}, {"counts", from.seen.bars}};
    return to;
}

}  // namespace detail

/// {"warnings": [...], "summary": {...}, "inputs": [...], "layers": [...]}: every member of the report under its name.
/// Scale and zero point are the output's, and so are "range" (the chosen one, which clips) and "histogram" (of the
/// float network's values: as many equal bars over "range" as there are counts).
inline nlohmann::ordered_json to_json(const quantization_report& from) {
    nlohmann::ordered_json all, layers = nlohmann::ordered_json::array(), inputs = layers, warnings = layers;
    for (const std::string& warning : from.warnings) warnings.push_back(to_json(warning));
    for (const layer_report& input : from.inputs) inputs.push_back(detail::layer_json(input, false));
    for (const layer_report& layer : from.layers) layers.push_back(detail::layer_json(layer, from.timed_runs != 0));
    all["warnings"] = std::move(warnings);
    nlohmann::ordered_json& summary = all["summary"];
    summary["samples"] = from.samples;
    summary["model_nodes"] = from.model_nodes;
    summary["layers"] = from.layers.size();
    summary["quantized_layers"] = from.quantized_layers;
    summary["conversions"] = from.conversions;
    summary["rounding"] = to_string(from.rounding);
    summary["weight_bytes"] = {{"float", from.float_weight_bytes}, {"int8", from.int8_weight_bytes}};
    summary["arena_bytes"] = {{"float", from.float_arena_bytes}, {"int8", from.int8_arena_bytes}};
    summary["timed_runs"] = from.timed_runs;
    if (from.timed_runs != 0) summary["conversion_microseconds"] = to_json(from.conversion_microseconds);
    all["inputs"] = std::move(inputs);
    all["layers"] = std::move(layers);
    return all;
}

/// {"samples": 200, "float": quality, "int8": quality, "layers": [{"name", "operation", "alone": quality, "without":
/// quality}, ...]}, worst first, where a quality is {"signal_to_noise": dB, "accuracy": share, where labels were
/// given}.
inline nlohmann::ordered_json to_json(const sensitivity_ranking& from) {
    const auto quality = [&](const output_quality& of) {
        nlohmann::ordered_json to{{"signal_to_noise", to_json(of.signal_to_noise)}};
        if (of.accuracy) to["accuracy"] = *of.accuracy;
        return to;
    };
    nlohmann::ordered_json layers = nlohmann::ordered_json::array();
    for (const layer_sensitivity& layer : from.layers)
        layers.push_back({{"name", to_json(layer.name)},
                          {"operation", layer.operation},
                          {"alone", quality(layer.alone)},
                          {"without", quality(layer.without)}});
    return {{"samples", from.samples},
            {"float", quality(from.all_float)},
            {"int8", quality(from.all_int8)},
            {"layers", std::move(layers)}};
}

}  // namespace octet::inline OCTET_ABI
