// The report of a quantized network as one HTML file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

/// A page that needs nothing beside itself, neither network nor script: warnings, summary, and for each layer its
/// signal-to-noise ratio, time, range and histogram, as charts and as tables. `report` is octet::to_json of a
/// quantization_report; three members more are shown where they are: "model", the name of the network, "calibration",
/// with what it was quantized, and "sensitivity", octet::to_json of a sensitivity_ranking. Throws
/// nlohmann::json::exception for any other JSON.
std::string html_report(const nlohmann::ordered_json& report);
