// Bad ONNX models: each is refused with octet::error, whose message names the model, the node or value, and the remedy.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "onnx_compiled_once.hpp"
#include "onnx_writer.hpp"

namespace octet::test {
namespace {

void expect_refusal(const std::string& message, const std::vector<std::string>& parts) {
    EXPECT_EQ(message.find("ONNX model 'test.onnx': "), 0U) << message;
    for (const std::string& part : parts)
        EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
    for (const char each : message) EXPECT_TRUE(static_cast<unsigned char>(each) >= 0x20) << message;
    EXPECT_LT(message.size(), 2500U) << message;
}
void expect_refusal(const onnx_writer& model, const std::vector<std::string>& parts) {
    expect_refusal(refusal(model), parts);
}

onnx_writer relu(std::int64_t opset = 13) {
    onnx_writer model(opset);
    return model.input("x", {1, 4}).node("Relu", {"x"}, {"y"}, {}, "r").output("y");
}
onnx_writer one(std::int64_t opset, const integers& dims, const char* kind, const std::vector<std::string>& more = {},
                const std::vector<attribute>& attributes = {}) {
    std::vector<std::string> inputs{"x"};
    inputs.insert(inputs.end(), more.begin(), more.end());
    onnx_writer model(opset);
    return model.input("x", dims).node(kind, inputs, {"y"}, attributes, "the_node").output("y");
}
onnx_writer with_weights(const std::string& tensor) { return one(13, {1, 2}, "MatMul", {"w"}).initializer(tensor); }

TEST(onnx_errors, every_truncation_of_a_model) {
    onnx_writer model(13);
    model.input("x", {1, 2, 4, 4})
        .weights("w", {3, 2, 3, 3})
        .node("Conv", {"x", "w"}, {"c"}, {attr("pads", integers{1, 1, 1, 1})});
    const std::string bytes = model.node("Relu", {"c"}, {"y"}).output("y").bytes();
    ASSERT_EQ(refusal(bytes), "");
    std::size_t refused = 0;
    for (std::size_t length = 0; length < bytes.size(); ++length)
        refused += refusal(bytes.substr(0, length)).empty() ? 0 : 1;
    EXPECT_EQ(refused, bytes.size()) << "the opset is written last, so that no proper prefix is a model";
    expect_refusal(refusal(bytes.substr(0, bytes.size() / 2)), {"truncated or damaged"});
    expect_refusal(refusal(""), {"holds no graph"});
}

TEST(onnx_errors, files_of_other_formats_are_told) {
    using namespace std::string_literals;
    expect_refusal(refusal("\x1c\0\0\0TFL3\x14\0\x20\0"s), {"seems to be a TensorFlow Lite model", "tf2onnx"});
    expect_refusal(refusal("\x89HDF\r\n\x1a\n"s), {"HDF5", "tf2onnx"});
    expect_refusal(refusal("PK\3\4\0\0"s), {"zip archive", "torch.onnx.export"});
    expect_refusal(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"s), {"Git LFS", "git lfs pull"});
    expect_refusal(refusal("<!DOCTYPE html>\n<html>"s), {"HTML", "download the model itself"});
    expect_refusal(refusal("404: not found\n"s), {"not an ONNX model but text"});
    expect_refusal(refusal("\1\2\3"s), {"truncated or damaged"});
}

TEST(onnx_errors, every_flipped_bit_of_a_model_is_a_model_or_an_error) {
    onnx_writer model(13);
    model.input("x", {-1, 2, 4, 4})
        .weights("w", {3, 2, 3, 3})
        .node("Conv", {"x", "w"}, {"c"}, {attr("strides", integers{2, 2})});
    model.node("Flatten", {"c"}, {"f"})
        .weights("g", {3, 5})
        .node("Gemm", {"f", "g"}, {"y"}, {attr("alpha", 2.0F)})
        .output("y");
    const std::string bytes = model.bytes();
    int refused = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            std::string damaged = bytes;
            damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
            refused += refusal(damaged).empty() ? 0 : 1;  // anything but octet::error ends the test
        }
    EXPECT_GT(refused, 500);
}

TEST(onnx_errors, opsets) {
    expect_refusal(relu(6), {"opset 6", "7 to 21"});
    expect_refusal(relu(22), {"opset 22", "7 to 21"});
    expect_refusal(relu(-1), {"opset -1"});
    expect_refusal(onnx_writer::bare().input("x", {1, 4}).node("Relu", {"x"}, {"y"}).output("y"), {"opset 0"});
    expect_refusal(relu(13).import_opset("ai.onnx", 12), {"opsets 13 and 12"});
    EXPECT_EQ(refusal(relu(7)), "");
    EXPECT_EQ(refusal(relu(21).import_opset("com.example", 1)), "");
}

TEST(onnx_errors, operators) {
    expect_refusal(one(13, {1, 4}, "LSTM"), {"LSTM 'the_node' (node 0)", "does not read this operator", "Conv"});
    onnx_writer other(13);
    other.input("x", {1, 4}).node("Relu", {"x"}, {"y"}, {}, "r", "com.example").output("y");
    expect_refusal(other, {"Relu 'r'", "domain 'com.example'"});
    for (const char* kind : {"QLinearConv", "QLinearMatMul", "ConvInteger", "DynamicQuantizeLinear"})
        expect_refusal(one(13, {1, 4}, kind), {kind, "QOperator", "QuantFormat.QDQ", "octet::quantize"});
    expect_refusal(one(13, {1, 4}, ""), {"node 0 'the_node' names no operator"});
    expect_refusal(one(13, {1, 4}, "Relu", {"x"}), {"2 inputs", "at most 1"});
    expect_refusal(one(13, {1, 2, 4, 4}, "Conv"), {"input 1 is missing"});
    onnx_writer mute(13);
    expect_refusal(mute.input("x", {1, 4}).node("Relu", {"x"}, {}, {}, "r"), {"node 0 'r' (Relu) has no output"});
    onnx_writer surplus(13);
    expect_refusal(surplus.input("x", {1, 4}).node("Relu", {"x"}, {"y", "z"}).output("y"),
                   {"output 'z'", "no such output"});
}

TEST(onnx_errors, names) {
    expect_refusal(relu().node("Relu", {"ghost"}, {"z"}, {}, "late"),
                   {"Relu 'late' (node 1)", "'ghost'", "nothing defines"});
    expect_refusal(relu().node("Relu", {"x"}, {"y"}, {}, "again"), {"Relu 'again'", "'y' a second time"});
    expect_refusal(relu().node("Relu", {"y"}, {"x"}), {"'x' a second time"});
    expect_refusal(relu().weights("w", {2}).weights("w", {2}), {"initializer 'w' is defined twice"});
    expect_refusal(relu().input("x", {1, 4}), {"input 'x' is listed twice"});
    expect_refusal(relu().output("y"), {"output 'y' is listed twice"});
    expect_refusal(relu().output("nowhere"), {"output 'nowhere'", "not made by any node"});
    expect_refusal(relu().weights("w", {2}).output("w"), {"output 'w' is a constant"});
    onnx_writer none(13);
    expect_refusal(none.input("x", {1, 4}).node("Relu", {"x"}, {"y"}), {"no output"});
    onnx_writer closed(13);
    expect_refusal(closed.weights("x", {1, 4}).node("Identity", {"x"}, {"y"}).output("y"), {"no input"});
    expect_refusal(relu().initializer(tensor_bytes<float>("", {1}, 1, {1})), {"initializer 0 has no name"});
    onnx_writer blank(13);
    expect_refusal(blank.input("", {1, 4}), {"has no name"});
    onnx_writer rubbish(13);
    rubbish.input("x", {1, 4})
        .node("Relu", {std::string("\n\x01\xff") + std::string(100000, 'z')}, {"y"}, {}, "\r\n")
        .output("y");
    expect_refusal(rubbish, {"zzzz...'", "Relu '"});
}

TEST(onnx_errors, cycles) {
    onnx_writer model(13);
    model.input("x", {1, 4})
        .node("Add", {"x", "b"}, {"a"}, {}, "first")
        .node("Relu", {"a"}, {"b"}, {}, "second")
        .output("b");
    expect_refusal(model, {"Add 'first' (node 0)", "'b'", "Relu 'second' (node 1)", "cycle"});
    onnx_writer self(13);
    expect_refusal(self.input("x", {1, 4}).node("Add", {"x", "y"}, {"y"}, {}, "self").output("y"),
                   {"Add 'self'", "cycle"});
}

TEST(onnx_errors, inputs) {
    const auto input = [](const integers& dims, int type = 1) {
        onnx_writer model(13);
        return model.input("image", dims, type).node("Relu", {"image"}, {"y"}).output("y");
    };
    expect_refusal(input({1, 3, -1, 4}), {"input 'image'", "axis 2 is dynamic ('N')", "fix its size"});
    expect_refusal(input({1, 0}), {"axis 1 has size 0"});
    expect_refusal(input({-5, 4}), {"axis 0 has size -5"});
    expect_refusal(input({1, std::numeric_limits<std::int64_t>::max()}),
                   {"input 'image'", "more than 2147483647 elements"});
    expect_refusal(input({1, 1 << 20, 1 << 20, 1 << 20}), {"more than 2147483647 elements"});
    expect_refusal(input({1, 2, 3, 4, 5, 6, 7}), {"rank 7"});
    expect_refusal(input({1, 4}, 3), {"input 'image' is int8", "load_quantized"});
    expect_refusal(input({1, 4}, 2), {"input 'image' is uint8", "load_quantized"});
    expect_refusal(input({1, 4}, 7), {"input 'image' has data type 7", "float32"});
    expect_refusal(input({}), {"input 'image' has no shape"});
    onnx_writer shapeless(13);
    expect_refusal(shapeless.input_without_shape("x").node("Relu", {"x"}, {"y"}).output("y"), {"'x' has no shape"});
    onnx_writer batches(13);
    expect_refusal(batches.input("a", {2, 4}).input("b", {3, 4}).node("Add", {"a", "b"}, {"y"}).output("y"),
                   {"'b' has a batch of 3"});
}

TEST(onnx_errors, tensors) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    expect_refusal(with_weights(tensor_bytes("w", {2, 2}, 1, std::vector<float>{1, 2, nan, 4})),
                   {"MatMul 'the_node'", "'w': value 2 is", "finite"});
    expect_refusal(with_weights(tensor_bytes("w", {2, 1}, 1, std::vector<float>{1, 1e30F * 1e30F})),
                   {"'w': value 1 is inf"});
    expect_refusal(with_weights(tensor_bytes("w", {2, 1}, 11, std::vector<double>{1, 1e300})), {"'w': value 1 is inf"});
    expect_refusal(with_weights(tensor_bytes("w", {2, 3}, 1, std::vector<float>{1, 2})),
                   {"initializer 'w' of shape [2, 3] holds 8 bytes where 24"});
    expect_refusal(with_weights(tensor_bytes("w", {2, 1}, 1, std::vector<float>{})), {"0 values where 2"});
    expect_refusal(with_weights(tensor_bytes("w", {1 << 20, 1 << 20}, 1, std::vector<float>{1})),
                   {"initializer 'w'", "2147483647"});
    expect_refusal(
        with_weights(tensor_bytes("w", {std::numeric_limits<std::int64_t>::max(), 2}, 1, std::vector<float>{1})),
        {"2147483647"});
    expect_refusal(with_weights(tensor_bytes("w", {-1, 2}, 1, std::vector<float>{1, 2})), {"[-1, 2]", "negative"});
    expect_refusal(with_weights(tensor_bytes("w", {0, 2}, 1, std::vector<float>{})), {"MatMul 'the_node'"});
    expect_refusal(with_weights(tensor_bytes("w", {2, 1}, 7, integers{1, 2})), {"'w' has the wrong data type 7"});
    expect_refusal(with_weights(tensor_bytes("w", {2, 1}, 16, std::vector<std::uint16_t>{1, 2})),
                   {"'w' has data type 16", "float32"});
    expect_refusal(with_weights(tensor_bytes("w", integers(40, 1), 1, std::vector<float>{1})), {"rank 40"});
    std::string external;
    protozero::pbf_writer out(external);
    out.add_int64(1, 2), out.add_int32(2, 1), out.add_string(8, "w"), out.add_int32(14, 1);
    expect_refusal(with_weights(external), {"initializer 'w'", "another file", "embedded"});
    expect_refusal(relu().graph_field(15, "\x08\x01"), {"sparse"});
}

TEST(onnx_errors, attributes) {
    const integers image{1, 1, 8, 8};
    const auto pool = [&](const std::vector<attribute>& attributes) {
        return one(13, image, "MaxPool", {}, attributes);
    };
    expect_refusal(pool({}), {"MaxPool 'the_node'", "kernel_shape"});
    expect_refusal(pool({attr("kernel_shape", 3)}), {"'kernel_shape' has type 2", "list of integers"});
    expect_refusal(pool({attr("kernel_shape", integers{3})}), {"kernel_shape [3]", "2 numbers"});
    expect_refusal(pool({attr("kernel_shape", integers{3, -3})}), {"kernel_shape [3, -3]"});
    expect_refusal(pool({attr("kernel_shape", integers{3, std::numeric_limits<std::int64_t>::max()})}),
                   {"kernel_shape"});
    expect_refusal(pool({attr("kernel_shape", integers{9, 9})}), {"max_pool2d 'the_node'", "does not fit"});
    expect_refusal(pool({attr("kernel_shape", integers{2, 2}), attr("kernel_shape", integers{2, 2})}), {"given twice"});
    expect_refusal(pool({attr("kernel_shape", integers{2, 2}), attr("strides", integers{0, 1})}), {"strides [0, 1]"});
    expect_refusal(pool({attr("kernel_shape", integers{2, 2}), attr("pads", integers{0, 0, -1, 0})}),
                   {"pads [0, 0, -1, 0]"});
    expect_refusal(pool({attr("kernel_shape", integers{2, 2}), attr("pads", integers{2, 0, 0, 0})}), {"padding"});
    expect_refusal(pool({attr("kernel_shape", integers{2, 2}), attr("auto_pad", "SAME")}), {"auto_pad 'SAME'"});
    expect_refusal(pool({attr("kernel_shape", integers{2, 2}), attr("surprise", 1)}),
                   {"'surprise' does not belong to MaxPool"});
    expect_refusal(one(13, {1, 8, 8}, "MaxPool", {}, {attr("kernel_shape", integers{2})}), {"1, 8, 8", "height of 1"});
    expect_refusal(one(13, {1, 4}, "Softmax", {}, {attr("axis", 2)}), {"axis 2 is outside [-2, 1]"});
    expect_refusal(one(13, {1, 4}, "Softmax", {}, {attr("axis", std::numeric_limits<std::int64_t>::min())}),
                   {"is outside [-2, 1]"});
    expect_refusal(one(13, {1, 4, 5}, "Transpose", {}, {attr("perm", integers{0, 1, 1})}), {"axis 1 in perm"});
    expect_refusal(one(13, {1, 4, 5}, "Transpose", {}, {attr("perm", integers{0, 1})}), {"perm lists 2 axes"});
    expect_refusal(one(13, {1, 4, 5}, "Transpose"), {"moves the batch"});
}

TEST(onnx_errors, layers) {
    const auto conv = [](const integers& dims, const std::vector<attribute>& attributes = {}) {
        return one(13, {1, 4, 8, 8}, "Conv", {"w"}, attributes).weights("w", dims);
    };
    expect_refusal(conv({2, 3, 3, 3}), {"Conv 'the_node'", "[2, 3, 3, 3]", "[1, 4, 8, 8]"});
    expect_refusal(conv({2, 2, 3, 3}, {attr("group", 3)}), {"3 groups"});
    expect_refusal(conv({2, 4, 3, 3}, {attr("group", -1)}), {"-1 groups"});
    expect_refusal(conv({2, 4, 3, 3}, {attr("kernel_shape", integers{5, 5})}), {"kernel_shape [5, 5] contradicts"});
    expect_refusal(conv({2, 4, 3}), {"[2, 4, 3]", "height of 1"});
    onnx_writer computed(13);
    computed.input("x", {1, 4, 8, 8}).input("w", {1, 4, 3, 3}).node("Conv", {"x", "w"}, {"y"}, {}, "c").output("y");
    expect_refusal(computed, {"Conv 'c'", "'w' is computed", "initializer"});
    onnx_writer constant(13);
    constant.input("x", {4, 2}).weights("a", {3, 4}).node("MatMul", {"a", "x"}, {"y"}, {}, "m").output("y");
    expect_refusal(constant, {"MatMul 'm'", "'a' is a constant"});
    expect_refusal(one(13, {1, 4}, "Gemm", {"w"}, {attr("transA", 1)}).weights("w", {4, 2}), {"transA"});
    expect_refusal(one(13, {1, 4, 4}, "Gemm", {"w"}).weights("w", {4, 2}), {"flatten first"});
    const auto norm = [](std::int64_t opset, const std::vector<attribute>& attributes, float variance) {
        return one(opset, {1, 1, 4, 4}, "BatchNormalization", {"s", "b", "m", "v"}, attributes)
            .floats("s", {1}, {1})
            .floats("b", {1}, {1})
            .floats("m", {1}, {1})
            .floats("v", {1}, {variance});
    };
    expect_refusal(norm(15, {attr("training_mode", 1)}, 1), {"training mode"});
    expect_refusal(norm(8, {attr("spatial", 0)}, 1), {"spatial"});
    expect_refusal(norm(15, {}, -1), {"var + epsilon of channel 0"});
    expect_refusal(one(13, {1, 2, 4}, "Add", {"c"}).weights("c", {1, 1, 1, 4}), {"'c' has shape", "higher rank"});
    expect_refusal(one(13, {1, 2, 4}, "Add", {"c"}).weights("c", {3}),
                   {"Add 'the_node'", "'c' of shape [3] does not broadcast to [1, 2, 4]"});
    expect_refusal(one(13, {2, 4}, "Add", {"c"}).weights("c", {2, 4}), {"batch"});
    expect_refusal(one(13, {1, 4}, "Cast", {}, {attr("to", 7)}), {"data type 7"});
}

TEST(onnx_errors, constants_may_not_explode) {
    onnx_writer outer(13);
    outer.input("x", {1, 4})
        .weights("a", {3000, 1})
        .weights("b", {1, 3000})
        .node("Add", {"a", "b"}, {"c"}, {}, "outer")
        .output("c");
    expect_refusal(outer, {"Add 'outer'", "expand each other"});
    onnx_writer many(13);  // 4 MiB of transposes from every 60 bytes of file
    many.input("x", {1, 4}).weights("w0", {1024, 1024});
    for (int i = 0; i < 100; ++i) many.node("Transpose", {"w" + std::to_string(i)}, {"w" + std::to_string(i + 1)});
    expect_refusal(many.output("w1"), {"16 times the file's size"});
    onnx_writer shared(13);
    shared.input("v0", {1, 300}).weights("w", {300, 300});
    for (int i = 0; i < 200; ++i) shared.node("MatMul", {"v" + std::to_string(i), "w"}, {"v" + std::to_string(i + 1)});
    expect_refusal(shared.output("v200"), {"16 times the file's size"});
    onnx_writer views(13);  // views of a constant copy nothing
    views.input("x", {1, 4}).weights("w0", {4, 50000});
    for (int i = 0; i < 1000; ++i) views.node("Identity", {"w" + std::to_string(i)}, {"w" + std::to_string(i + 1)});
    EXPECT_EQ(refusal(views.node("MatMul", {"x", "w1000"}, {"y"}).output("y")), "");
    onnx_writer overflow(13);
    overflow.input("x", {1, 4})
        .ints("i", {std::numeric_limits<std::int64_t>::max()})
        .node("Add", {"i", "i"}, {"j"})
        .output("j");
    expect_refusal(overflow, {"no result in 64 bits"});
    onnx_writer zero(13);
    zero.input("x", {1, 4}).ints("i", {1}).ints("z", {0}).node("Div", {"i", "z"}, {"j"}).output("j");
    expect_refusal(zero, {"1 and 0 have no result"});
}

TEST(onnx_errors, padding_cannot_explode) {
    const integers most{0, 1 << 20, 1 << 20, 1 << 20, 0, 0, 0, 0};
    expect_refusal(one(13, {1, 1, 1, 1}, "Pad", {"p"}).ints("p", most), {"elements"});
    expect_refusal(one(13, {1, 1, 4, 4}, "Pad", {"p"}).ints("p", {0, 0, 1, 1}), {"pads [0, 0, 1, 1]"});
    expect_refusal(one(13, {1, 4}, "Pad", {"p"}).ints("p", {0, 1, 0, std::numeric_limits<std::int64_t>::max()}),
                   {"pads"});
}

TEST(onnx_errors, wrong_wire_types) {
    // Every field of every message, written as a varint, a fixed32 and bytes: some are models still, none is a crash.
    const std::string good = relu().bytes();
    for (std::uint32_t field = 1; field < 30; ++field)
        for (int form = 0; form < 4; ++form) {
            std::string part;
            protozero::pbf_writer out(part);
            if (form == 0) out.add_int64(field, -1);
            if (form == 1) out.add_float(field, 1.0F);
            if (form == 2) out.add_double(field, 1.0);
            if (form == 3) out.add_string(field, "\xff\xff\xff");
            refusal(good + part);
            for (const std::uint32_t parent : {1U, 5U, 11U, 12U}) refusal(relu().graph_field(parent, part));
        }
    std::string part;
    protozero::pbf_writer(part).add_int64(1, 5);
    expect_refusal(relu().graph_field(1, part), {"field 1 should hold bytes"});
}

TEST(onnx_errors, files) {
    const auto message = [](const char* path) -> std::string {
        try {
            compiled_once::load(path);
        } catch (const error& wrong) {
            return wrong.what();
        }
        return "";
    };
    EXPECT_NE(message("/nowhere/at/all.onnx").find("'/nowhere/at/all.onnx' cannot be opened"), std::string::npos);
    EXPECT_NE(message("/").find("'/' cannot be read"), std::string::npos);
    EXPECT_NE(message("/dev/null").find("holds no graph"), std::string::npos);
}

}  // namespace
}  // namespace octet::test
