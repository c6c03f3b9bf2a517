// Reports and rankings as JSON: what they hold under the same names, and valid whatever numbers and names a model has.
#include <gtest/gtest.h>

#include <limits>
#include <octet/json.hpp>
#include <string>

namespace {

using json = nlohmann::ordered_json;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// As a reader sees it.
json read(const json& value) { return json::parse(value.dump()); }

octet::quantization_report report() {
    octet::quantization_report all;
    all.warnings = {"conv2d '\xc3(': a name that is no UTF-8"};
    all.samples = 7, all.model_nodes = 5, all.quantized_layers = 1, all.conversions = 2;
    all.rounding = octet::rounding_policy::tflite;
    all.float_weight_bytes = 400, all.int8_weight_bytes = 100, all.float_arena_bytes = 64, all.int8_arena_bytes = 16;
    all.timed_runs = 11, all.conversion_microseconds = 0.5;
    all.inputs.push_back({.name = "image", .operation = "input", .is_int8 = true, .signal_to_noise = infinity});
    all.layers.push_back({.name = "quoted \"\\\n",
                          .operation = "conv2d",
                          .is_int8 = true,
                          .target = octet::isa::avx2,
                          .kernel = "gemm",
                          .observed = {-1.5F, 0.1F},
                          .params = {octet::scale(0.1F), octet::zero_point(-3)},
                          .seen = {{-2.0F, 0.1F}, {3, 0, 4}},
                          .signal_to_noise = 31.25,
                          .saturated = 0.125,
                          .float_weight_bytes = 400,
                          .int8_weight_bytes = 100,
                          .float_microseconds = 9.5,
                          .int8_microseconds = 2.25});
    all.layers.push_back({.name = "left", .operation = "softmax", .reason = "as asked", .signal_to_noise = -infinity});
    return all;
}

TEST(json, a_report_has_every_member_under_its_name) {
    const json all = read(octet::to_json(report()));
    EXPECT_EQ(all["summary"], json::parse(R"({"samples": 7, "model_nodes": 5, "layers": 2, "quantized_layers": 1,
        "conversions": 2, "rounding": "tflite", "weight_bytes": {"float": 400, "int8": 100},
        "arena_bytes": {"float": 64, "int8": 16}, "timed_runs": 11, "conversion_microseconds": 0.5})"));
    EXPECT_EQ(all["layers"][0], json::parse(R"({"name": "quoted \"\\\n", "operation": "conv2d", "int8": true,
        "kernel": "gemm", "isa": "avx2", "range": [-1.5, 0.1], "scale": 0.1, "zero_point": -3, "signal_to_noise": 31.25,
        "saturated": 0.125, "weight_bytes": {"float": 400, "int8": 100}, "microseconds": {"float": 9.5, "int8": 2.25},
        "histogram": {"range": [-2, 0.1], "counts": [3, 0, 4]}})"));
    EXPECT_EQ(all["layers"][1]["reason"], "as asked");
    EXPECT_FALSE(all["layers"][1].contains("isa"));
    EXPECT_EQ(all["inputs"].size(), 1U);
    EXPECT_EQ(all.begin().key(), "warnings") << "warnings first";
}

TEST(json, numbers_that_json_has_not_are_strings) {
    octet::quantization_report odd = report();
    odd.layers[0].signal_to_noise = std::numeric_limits<double>::quiet_NaN();
    odd.layers[0].observed.max = std::numeric_limits<float>::infinity();
    const json all = read(octet::to_json(odd));
    EXPECT_EQ(all["inputs"][0]["signal_to_noise"], "Infinity");
    EXPECT_EQ(all["layers"][1]["signal_to_noise"], "-Infinity");
    EXPECT_EQ(all["layers"][0]["signal_to_noise"], "NaN");
    EXPECT_EQ(all["layers"][0]["range"][1], "Infinity");
}

TEST(json, bytes_that_are_no_utf8_are_replaced) {
    EXPECT_EQ(read(octet::to_json(report()))["warnings"][0], "conv2d '\uFFFD(': a name that is no UTF-8");
    octet::quantization_report umlaut = report();
    umlaut.layers[0].name = "Größe";
    EXPECT_EQ(read(octet::to_json(umlaut))["layers"][0]["name"], "Größe");
}

TEST(json, times_stand_in_it_only_where_they_were_measured) {
    octet::quantization_report untimed = report();
    untimed.timed_runs = 0;
    const json all = read(octet::to_json(untimed));
    EXPECT_FALSE(all["layers"][0].contains("microseconds"));
    EXPECT_FALSE(all["summary"].contains("conversion_microseconds"));
}

TEST(json, a_ranking_keeps_its_order_and_names_accuracy_where_there_is_one) {
    octet::sensitivity_ranking ranking{
        .samples = 3,
        .all_float = {infinity, {}},
        .all_int8 = {20.5, {}},
        .layers = {{"z", "conv2d", {22.5, {}}, {30.25, {}}}, {"a", "add", {40, {}}, {21, {}}}}};
    EXPECT_EQ(read(octet::to_json(ranking)), json::parse(R"({"samples": 3, "float": {"signal_to_noise": "Infinity"},
        "int8": {"signal_to_noise": 20.5}, "layers": [
        {"name": "z", "operation": "conv2d", "alone": {"signal_to_noise": 22.5}, "without": {"signal_to_noise": 30.25}},
        {"name": "a", "operation": "add", "alone": {"signal_to_noise": 40.0}, "without": {"signal_to_noise": 21.0}}]})"));
    ranking.all_int8.accuracy = 0.5;
    EXPECT_EQ(read(octet::to_json(ranking))["int8"]["accuracy"], 0.5);
}

}  // namespace
