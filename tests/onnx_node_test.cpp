// ONNX's own node tests, run through the importer and the float session: all of those for operators that Octet reads,
// with their weights, which the tests give at run time, turned into initializers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "compiled_once.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/session.hpp"
#include "octet/io/onnx.hpp"
#include "shared_data.hpp"

namespace octet::test {
namespace {

std::string_view view(const std::vector<unsigned char>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Row-major values with the channels of an image moved last (or back, `nchw`); other ranks stay.
std::vector<float> moved(const std::vector<float>& values, const onnx::sizes& dims, bool nchw) {
    if (dims.size() != 4) return values;
    const onnx::sizes stored{dims[0], dims[2], dims[3], dims[1]};
    return nchw ? onnx::permute_elements(values, stored, {0, 3, 1, 2})
                : onnx::permute_elements(values, dims, {0, 2, 3, 1});
}

/// Node tests that Octet must refuse, by name (* stands for any end), and a part of the reason.
const std::vector<std::pair<std::string, std::string>> refused = {
    // Axis 0 is the batch: it stays first, is not joined along, moved, merged or split.
    {"test_concat_2d_axis_0", "along the batch"},
    {"test_concat_2d_axis_negative_2", "along the batch"},
    {"test_concat_3d_axis_negative_3", "along the batch"},
    {"test_flatten_axis2", "the batch"},
    {"test_flatten_axis3", "the batch"},
    {"test_flatten_negative_axis1", "the batch"},
    {"test_reshape_negative_extended_dims", "the batch"},
    {"test_reshape_one_dim", "the batch"},
    {"test_reshape_reordered_all_dims", "the batch"},
    {"test_transpose_all_permutations_2", "moves the batch"},
    {"test_transpose_default", "moves the batch"},
    {"test_gemm_all_attributes", "transA"},
    // Windows slide in two dimensions.
    {"test_averagepool_1d_default", "N x C x H x W"},
    {"test_averagepool_3d*", "N x C x H x W"},
    {"test_maxpool_3d*", "N x C x H x W"},
    {"test_reduce_mean*", "the height and the width"},
    // Products of two computed values, and quotients by one.
    {"test_matmul_1d_1d", "one matrix"},
    {"test_matmul_4d", "one matrix"},
    {"test_matmul_bcast", "one matrix"},
    {"test_div", "divides by a computed value"},
    {"test_div_example", "divides by a computed value"},
};

/// Whether input i has a batch of its own, as the second operand of a sum has: it stays an input then.
bool has_batch(const onnx::proto::model& model, std::size_t i) {
    const std::string_view kind = model.nodes[0].kind;
    const auto &first = model.inputs[0].dims, &dims = model.inputs[i].dims;
    return (kind == "Add" || kind == "Sub" || kind == "Mul" || kind == "Div" || kind == "Concat") &&
           dims.size() == first.size() && dims[0].size == first[0].size;
}

TEST(onnx_node_tests, every_supported_operator_agrees) {
    const std::string root = shared_data("onnx_node/float");
    if (!std::filesystem::is_directory(root)) GTEST_SKIP() << root << " is missing";
    int agreed = 0, refusals = 0, other = 0;
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
        const std::string name = entry.path().filename();
        SCOPED_TRACE(name);
        const auto bytes = read_file(entry.path() / "model.onnx");
        onnx::proto::model model = onnx::proto::read_model(view(bytes));
        const bool known = std::all_of(model.nodes.begin(), model.nodes.end(), [](const onnx::proto::node& node) {
            return std::any_of(std::begin(onnx::known_operators), std::end(onnx::known_operators),
                               [&](const onnx::known_operator& each) { return each.name == node.kind; });
        });
        if (!known || model.inputs.empty() || model.inputs[0].type != onnx::proto::float32) {
            ++other;
            continue;
        }
        // Opsets 22 to 25 changed these operators only in the element types that they allow.
        for (onnx::proto::opset& each : model.opsets) each.version = std::min<std::int64_t>(each.version, 21);
        const auto data = entry.path() / "test_data_set_0";
        std::vector<std::vector<unsigned char>> files;  // which the tensors view
        for (std::size_t i = 0; i < model.inputs.size(); ++i) {
            files.push_back(read_file(data / ("input_" + std::to_string(i) + ".pb")));
            if (i == 0 || has_batch(model, i)) continue;
            model.initializers.push_back(onnx::proto::read_tensor(view(files[i])));
            model.initializers.back().name = model.inputs[i].name;
        }
        model.outputs.resize(1);
        const onnx::proto::tensor in = onnx::proto::read_tensor(view(files[0]));
        const auto result = read_file(data / "output_0.pb");
        const onnx::proto::tensor want = onnx::proto::read_tensor(view(result));
        const auto reason = std::find_if(refused.begin(), refused.end(), [&](const auto& each) {
            const std::string& pattern = each.first;
            return pattern == name ||
                   (pattern.back() == '*' && name.starts_with(pattern.substr(0, pattern.size() - 1)));
        });
        try {
            const graph net = onnx::import_model(model, 1 << 20);
            session<> run{as_float(net), {.batch = static_cast<int>(in.dims[0])}};
            std::vector<float> out(static_cast<std::size_t>(run.output_shape(0).elements()));
            for (std::size_t i = 0, next = 0; next < run.inputs(); ++i) {
                if (i != 0 && !has_batch(model, i)) continue;
                const onnx::proto::tensor given = onnx::proto::read_tensor(view(files[i]));
                run.set_input(next++, moved(onnx::decode("input", given).reals, given.dims, false));
            }
            run.run();
            run.get_output(0, out);
            const std::vector<float> expected = moved(onnx::decode("output", want).reals, want.dims, false);
            ASSERT_EQ(out.size(), expected.size());
            float largest = 0;
            for (const float each : expected) largest = std::max(largest, std::fabs(each));
            for (std::size_t i = 0; i < out.size(); ++i)
                ASSERT_NEAR(out[i], expected[i], 1e-5F * std::max(largest, 0.1F)) << "element " << i;
            EXPECT_EQ(reason, refused.end()) << "is refused no longer";
            ++agreed;
        } catch (const error& wrong) {
            if (reason == refused.end())
                ADD_FAILURE() << wrong.what();
            else
                EXPECT_NE(std::string(wrong.what()).find(reason->second), std::string::npos) << wrong.what();
            ++refusals;
        }
    }
    EXPECT_GE(agreed, 80);
    std::printf("| ONNX node tests: %d agree, %d are refused as they should be, %d are of other operators or types\n",
                agreed, refusals, other);
}

}  // namespace
}  // namespace octet::test
