"""A float ONNX network evaluated in numpy, straight from each operator's definition, in float64.

Independent of whatever trained the network and of Octet: make_demo.py takes expected_float.npy from here.
Knows the operators of demo.onnx and refuses others.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def windows(x, kernel, strides, pads, fill):
    """[n, c, h, w] -> [n, c, rows, cols, kh, kw]: what each output position sees."""
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(x, kernel, (2, 3))[:, :, :: strides[0], :: strides[1]]


def conv(x, weight, bias=None, *, kernel_shape, strides, pads, dilations, group):
    """y[n, o, r, s] = bias[o] + sum over c, i, j of x[n, c, r * stride + i - pad, ...] * weight[o, c, i, j]."""
    if dilations != [1, 1]:
        raise NotImplementedError("Conv with dilations")
    seen = windows(x, kernel_shape, strides, pads, 0.0)
    parts = [np.einsum("ncrsij,ocij->nors", part, filters, optimize=True)
             for part, filters in zip(np.split(seen, group, 1), np.split(weight, group, 0))]
    y = np.concatenate(parts, 1)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def batch_normalization(x, gamma, beta, mean, var, *, epsilon):
    gamma, beta, mean, var = (v.reshape(1, -1, 1, 1) for v in (gamma, beta, mean, var))
    return (x - mean) / np.sqrt(var + epsilon) * gamma + beta


def softmax(x, *, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


OPERATORS = {
    "Conv": conv,
    "BatchNormalization": batch_normalization,
    "Relu": lambda x: np.maximum(x, 0.0),
    "Clip": lambda x, low, high: np.clip(x, low, high),
    "Add": lambda x, y: x + y,
    "MaxPool": lambda x, kernel_shape, strides: windows(x, kernel_shape, strides, [0] * 4, -np.inf).max((4, 5)),
    "Concat": lambda *x, axis: np.concatenate(x, axis),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdims=True),
    "Flatten": lambda x, axis: x.reshape(int(np.prod(x.shape[:axis])), -1),
    "Gemm": lambda x, weight, bias, transB: x @ weight.T + bias if transB else x @ weight + bias,
    "Softmax": softmax,
}


def run_onnx(path, x):
    """x float [n, c, h, w], the file's only input -> every tensor by name, float64."""
    graph = onnx.load(path).graph
    values = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in graph.initializer}
    values[graph.input[0].name] = x.astype(np.float64)
    for node in graph.node:
        if node.op_type not in OPERATORS:
            raise NotImplementedError(f"{node.name}: {node.op_type}")
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = OPERATORS[node.op_type](*(values[i] for i in node.input), **attributes)
    return values
