// The seeds of the ONNX fuzzer, in fuzz/corpus/onnx: small models of every operator, written by the tests' own writer.
// OCTET_WRITE_SEEDS=1 writes them anew.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "compiled_once.hpp"
#include "onnx_writer.hpp"
#include "operator_networks.hpp"
#include "shared_data.hpp"

namespace octet::test {
namespace {

std::map<std::string, std::string> seeds() {
    std::map<std::string, std::string> all;
    onnx_writer network(13);
    network.input("x", {-1, 3, 8, 8}).weights("w", {4, 3, 3, 3}).weights("b", {4}, 2);
    network.node("Conv", {"x", "w", "b"}, {"c"}, {attr("auto_pad", "SAME_UPPER"), attr("strides", integers{2, 2})},
                 "conv");
    network.floats("s", {4}, {1, 2, 3, 4}).floats("m", {4}, {0, 1, 0, 1});
    network.node("BatchNormalization", {"c", "s", "m", "m", "s"}, {"n"}, {attr("epsilon", 0.001F)}, "norm");
    network.floats("six", {}, {6}).node("Clip", {"n", "", "six"}, {"r"});
    network.node("MaxPool", {"r"}, {"p"}, {attr("kernel_shape", integers{2, 2}), attr("ceil_mode", 1)});
    network.node("Flatten", {"p"}, {"f"}).weights("g", {36, 5}).weights("h", {5});
    network.node("Gemm", {"f", "g", "h"}, {"l"}, {attr("alpha", 0.5F), attr("transB", 0)})
        .node("Softmax", {"l"}, {"y"});
    all["network"] = network.output("y").bytes();

    onnx_writer early(8);
    early.input("x", {1, 2, 6, 6}).input("w", {2, 1, 3, 3}).weights("w", {2, 1, 3, 3});
    early.node("Conv", {"x", "w"}, {"c"},
               {attr("group", 2), attr("pads", integers{1, 0, 1, 0}), attr("dilations", integers{1, 2})});
    early.node("Clip", {"c"}, {"k"}, {attr("min", 0.0F), attr("max", 6.0F)})
        .node("LeakyRelu", {"k"}, {"e"}, {attr("alpha", 0.2F)});
    early.node("AveragePool", {"e"}, {"a"}, {attr("kernel_shape", integers{2, 2}), attr("count_include_pad", 1)});
    early.node("Pad", {"a"}, {"p"}, {attr("pads", integers{0, 0, 1, 1, 0, 0, 1, 1}), attr("mode", "constant")});
    early.node("Dropout", {"p"}, {"d"}, {attr("ratio", 0.5F)}).node("GlobalAveragePool", {"d"}, {"g"});
    early.node("Squeeze", {"g"}, {"q"}, {attr("axes", integers{2, 3})})
        .node("Softmax", {"q"}, {"y"}, {attr("axis", 1)});
    all["opset8"] = early.output("y").bytes();

    onnx_writer views(18);
    views.input("x", {-1, 4, 4, 6}).node("Transpose", {"x"}, {"t"}, {attr("perm", integers{0, 3, 1, 2})});
    views.ints("s", {0, 2, 3, -1})
        .node("Reshape", {"t", "s"}, {"r"})
        .ints("a", {1})
        .node("Unsqueeze", {"r", "a"}, {"u"});
    views.node("Squeeze", {"u", "a"}, {"z"}).weights("w", {16, 3}).node("MatMul", {"z", "w"}, {"m"});
    views.node("Concat", {"m", "m"}, {"c"}, {attr("axis", -1)}).ints("axes", {2, 3});
    views.node("ReduceMean", {"c", "axes"}, {"y"}, {attr("keepdims", 0)});
    all["views"] = views.output("y").bytes();

    onnx_writer folds(14);
    folds.input("x", {1, 2, 3, 2}).node("Constant", {}, {"one"}, {attr("value_float", 1.0F)});
    folds.node("Constant", {}, {"c"}, {attr_tensor("value", tensor_bytes("", {2, 1, 1}, 1, std::vector<float>{2, 3}))});
    folds.node("Constant", {}, {"i"}, {attr("value_ints", integers{0, -1})})
        .node("Cast", {"i"}, {"j"}, {attr("to", 1)});
    folds.node("Sub", {"c", "one"}, {"d"})
        .node("Div", {"d", "one"}, {"e"})
        .node("Mul", {"x", "e"}, {"f"})
        .node("Add", {"f", "x"}, {"g"});
    folds.node("HardSwish", {"g"}, {"h"})
        .node("HardSigmoid", {"h"}, {"k"}, {attr("alpha", 0.3F)})
        .node("Sigmoid", {"k"}, {"l"});
    folds.node("Tanh", {"l"}, {"m"})
        .node("Identity", {"m"}, {"n"})
        .node("Reshape", {"n", "i"}, {"y"}, {attr("allowzero", 0)});
    all["folds"] = folds.output("y").bytes();
    all["quantized"] = compiled_once::serialize(quantize(operator_networks().at("concat"), operator_samples(3)));
    return all;
}

TEST(onnx_seeds, are_models_and_what_the_fuzzer_begins_with) {
    const std::string here = __FILE__;
    const std::string folder = here.substr(0, here.rfind('/') + 1) + "fuzz/corpus/onnx/";
    std::size_t bytes = 0;
    for (const auto& [name, model] : seeds()) {
        if (name == "quantized")
            EXPECT_GT(compiled_once::parse_quantized(std::as_bytes(std::span(model)), name).quantized_layers(), 0);
        else
            EXPECT_EQ(refusal(model), "") << name;
        bytes += model.size();
        if (std::getenv("OCTET_WRITE_SEEDS") != nullptr) {
            std::FILE* file = std::fopen((folder + name).c_str(), "wb");
            ASSERT_NE(file, nullptr) << folder;
            EXPECT_EQ(std::fwrite(model.data(), 1, model.size(), file), model.size());
            std::fclose(file);
        }
        const auto stored = read_file(folder + name);
        EXPECT_EQ(std::string(stored.begin(), stored.end()), model) << "run once with OCTET_WRITE_SEEDS=1";
    }
    EXPECT_LT(bytes, 20000U);
}

}  // namespace
}  // namespace octet::test
