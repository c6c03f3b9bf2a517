// The operators that Octet reads, by name. To add one: a function that takes a node_reader, and a line here.
#pragma once

#include <string>
#include <string_view>

#include "octet/io/onnx/elementwise.hpp"
#include "octet/io/onnx/layers.hpp"
#include "octet/io/onnx/quantization.hpp"
#include "octet/io/onnx/views.hpp"
#include "octet/io/onnx/windows.hpp"

namespace octet::onnx::inline OCTET_ABI {

struct known_operator {
    std::string_view name;
    void (*import)(node_reader&);
    int since = 7;  // the opset that introduced it
};

inline constexpr known_operator known_operators[] = {
    {"Add", import_add},
    {"AveragePool", import_average_pool},
    {"BatchNormalization", import_batch_normalization},
    {"Cast", import_cast},
    {"Clip", import_clip},
    {"Concat", import_concat},
    {"Constant", fold_constant},
    {"Conv", import_conv},
    {"DequantizeLinear", import_dequantize, 10},
    {"Div", import_div},
    {"Dropout", import_dropout},
    {"Flatten", import_flatten},
    {"Gemm", import_gemm},
    {"GlobalAveragePool", import_global_average_pool},
    {"HardSigmoid", import_hard_sigmoid},
    {"HardSwish", import_hard_swish, 14},
    {"Identity", import_identity},
    {"LeakyRelu", import_leaky_relu},
    {"MatMul", import_mat_mul},
    {"MaxPool", import_max_pool},
    {"Mul", import_mul},
    {"Pad", import_pad},
    {"QuantizeLinear", import_quantize, 10},
    {"ReduceMean", import_reduce_mean},
    {"Relu", import_relu},
    {"Reshape", import_reshape},
    {"Sigmoid", import_sigmoid},
    {"Softmax", import_softmax},
    {"Squeeze", import_squeeze},
    {"Sub", import_sub},
    {"Tanh", import_tanh},
    {"Transpose", import_transpose},
    {"Unsqueeze", import_unsqueeze},
};

/// "Add, AveragePool, ..."
inline std::string operator_names() {
    std::string all;
    for (const known_operator& each : known_operators) all += (all.empty() ? "" : ", ") + std::string(each.name);
    return all;
}

/// Operators on integers, as models of the form QOperator have them.
inline bool computes_in_integers(std::string_view kind) {
    return kind.starts_with("QLinear") || kind.starts_with("QGemm") || kind == "ConvInteger" ||
           kind == "MatMulInteger" || kind == "DynamicQuantizeLinear";
}

/// Imports one node, whose inputs are known.
inline void import_node(node_reader& at) {
    const proto::node& node = at.source;
    if (computes_in_integers(node.kind))
        fail(
            at.who,
            ": operators on integers (QOperator) are not read: quantize the float model in the form QDQ (ONNX Runtime: "
            "quant_format=QuantFormat.QDQ), or give the float model to octet::quantize");
    if (!node.domain.empty() && node.domain != "ai.onnx")
        fail(at.who, ": operators of domain ", in_quotes(node.domain),
             " are not read: export the model with standard operators only");
    for (const known_operator& each : known_operators) {
        if (each.name != node.kind || at.into.opset < each.since) continue;
        each.import(at);
        at.finish();
        for (const std::string_view output : node.outputs)
            if (!output.empty() && at.into.values.find(output) == at.into.values.end())
                fail(at.who, " declares output ", in_quotes(output), ", but ", printable(node.kind),
                     " has no such output");
        return;
    }
    fail(at.who, ": Octet does not read this operator in opset ", at.into.opset, ", only ", operator_names(),
         ": replace it in the model");
}

}  // namespace octet::onnx::inline OCTET_ABI
