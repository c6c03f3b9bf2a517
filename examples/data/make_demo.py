#!/usr/bin/python3
"""Makes everything in this folder: draws the images, trains the float network, writes demo.onnx.

Debian 12:  apt-get install --no-install-recommends python3-numpy python3-onnx python3-torch
            /usr/bin/python3 examples/data/make_demo.py            everything, about 3 minutes on 2 cores
            /usr/bin/python3 examples/data/make_demo.py images     the images only; needs nothing but numpy

The images depend on the seeds alone. The training is seeded too, but the last bits of its floats depend on the machine,
so another run gives another network of about the same accuracy; README.md states the figures of the one that is stored.
"""

import math
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
SIZE = 24  # rows and columns of an image
CLASSES = ["arrow", "crescent", "cross", "disc", "heart", "hexagon", "ring", "square", "star", "triangle"]
IMAGES = {"training": (24000, 1), "test": (800, 2), "calibration": (100, 3)}  # set -> (how many, seed)
TRAINING_SEED = 1
EPOCHS = 24
EXPECTED = 32  # test images whose float outputs are stored


def normalize(images):
    """uint8 [n, h, w, 1] -> float32 [n, 1, h, w], (u8 - 128) / 64: real 0 is pixel 128 and a step is 1/64, so an int8
    input with scale 1/64 and zero point 0 loses nothing."""
    return ((images.astype(np.float32) - 128.0) / 64.0).transpose(0, 3, 1, 2)


# ---- drawing --------------------------------------------------------------------------------------------------------

OVERSAMPLING = 4  # points per pixel and direction at which a shape is tested; their mean is the pixel's coverage


def regular_corners(count, inner=1.0):
    """Corners on the unit circle; every second one is pulled in to radius `inner` (stars)."""
    turn = [2 * math.pi * i / count for i in range(count)]
    radius = [1.0 if i % 2 == 0 else inner for i in range(count)]
    return [(r * math.sin(t), -r * math.cos(t)) for r, t in zip(radius, turn)]


POLYGONS = {
    "arrow": [(0, -1), (0.75, -0.1), (0.28, -0.1), (0.28, 1), (-0.28, 1), (-0.28, -0.1), (-0.75, -0.1)],
    "cross": [(-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3),
              (0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3), (-1, -0.3), (-0.3, -0.3)],
    "hexagon": regular_corners(6),
    "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
    "star": regular_corners(10, inner=0.42),
    "triangle": regular_corners(3),
}


def in_polygon(corners, x, y):
    """Even-odd rule: a point is inside if a ray to the right of it crosses an odd number of edges."""
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def in_shape(name, x, y):
    """Whether points lie in the shape of that class, which fills about [-1, 1] x [-1, 1]."""
    if name in POLYGONS:
        return in_polygon(POLYGONS[name], x, y)
    square = x * x + y * y
    if name == "disc":
        return square < 0.9
    if name == "ring":
        return (square < 1.0) & (square > 0.3)
    if name == "crescent":
        return (square < 1.0) & ((x - 0.45) ** 2 + y * y > 0.56)
    if name == "heart":
        u, v = 1.2 * x, 0.1 - 1.2 * y
        return (u * u + v * v - 1.0) ** 3 < u * u * v * v * v
    raise ValueError(f"no shape is called {name}")


def coverage(inside):
    """bool on the fine grid -> share of each pixel covered, float64 [h, w]."""
    return inside.reshape(SIZE, OVERSAMPLING, SIZE, OVERSAMPLING).mean(axis=(1, 3))


def draw(name, random):
    """One uint8 image [h, w, 1]: a tilted background, clutter, one shape of random place, size, turn, stretch and
    contrast (light on dark or dark on light), a scratch over it, and noise."""
    place = (np.arange(SIZE * OVERSAMPLING) + 0.5) / OVERSAMPLING - SIZE / 2  # in pixels from the centre
    x, y = np.meshgrid(place, place)

    slope_x, slope_y = random.uniform(-1.6, 1.6, 2)
    image = random.uniform(90, 165) + slope_x * x + slope_y * y
    image = image.reshape(SIZE, OVERSAMPLING, SIZE, OVERSAMPLING).mean(axis=(1, 3))

    def scratch(length):
        """Coverage of a straight stroke of that length, 1 to 2 pixels wide."""
        angle = random.uniform(0, math.pi)
        along, across = math.cos(angle), math.sin(angle)
        u, v = x - random.uniform(-11, 11), y - random.uniform(-11, 11)
        return coverage((abs(u * along + v * across) < length / 2)
                        & (abs(v * along - u * across) < random.uniform(0.5, 1.0)))

    def blob():
        """Coverage of a small round spot."""
        u, v = x - random.uniform(-11, 11), y - random.uniform(-11, 11)
        return coverage(u * u + v * v < random.uniform(0.8, 2.0) ** 2)

    for _ in range(random.integers(2, 6)):
        stain = blob() if random.random() < 0.5 else scratch(random.uniform(3, 9))
        image = image + random.uniform(-55, 55) * stain

    radius = random.uniform(4.6, 9.0)
    turn = random.uniform(0, 2 * math.pi)
    stretch = random.uniform(0.88, 1.14)
    room = 12.0 - 0.9 * radius
    u, v = x - random.uniform(-room, room), y - random.uniform(-room, room)
    u, v = (math.cos(turn) * u + math.sin(turn) * v), (math.cos(turn) * v - math.sin(turn) * u)
    shape = coverage(in_shape(name, u / (radius * stretch), v * stretch / radius))
    contrast = random.uniform(42, 105) * random.choice([-1.0, 1.0])
    image = image + contrast * shape

    if random.random() < 0.5:
        image = image + random.uniform(-45, 45) * scratch(random.uniform(6, 16))
    image = image + random.normal(0.0, random.uniform(5, 22), image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)[:, :, np.newaxis]


def draw_set(count, seed):
    """`count` images, equally many of each class in random order: uint8 [n, h, w, 1] and labels uint8 [n]."""
    random = np.random.Generator(np.random.PCG64(seed))
    labels = random.permutation(np.arange(count) % len(CLASSES)).astype(np.uint8)
    return np.stack([draw(CLASSES[label], random) for label in labels]), labels


def write_png(path, image):
    """8-bit grey PNG: signature, header, one deflated stream of rows (filter 0 each), end."""
    rows, cols, _ = image.shape
    pixels = b"".join(b"\0" + row.tobytes() for row in image)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b""))


def write_images():
    """Draws and stores the test and calibration sets, the class names, and the first test image of each class."""
    for name in ("test", "calibration"):
        images, labels = draw_set(*IMAGES[name])
        np.save(FOLDER / f"{name}_images.npy", images)
        np.save(FOLDER / f"{name}_labels.npy", labels)
        if name == "test":
            for number, class_name in enumerate(CLASSES):
                write_png(FOLDER / f"{class_name}.png", images[np.flatnonzero(labels == number)[0]])
    (FOLDER / "classes.txt").write_text("\n".join(CLASSES) + "\n")


# ---- network --------------------------------------------------------------------------------------------------------

WIDTH = 32  # channels of the middle of the network

# One line a node: name, operator, inputs, form. Training and the ONNX file are both made from this list; a node's
# output carries the node's name, and its weights are called <node>.weight, <node>.bias and so on.
# conv = (input channels, output channels, kernel, stride, groups), padded by kernel // 2; batch normalization follows
# each convolution and brings the bias.


def network():
    """3.3 million multiply-adds an image: stem, depthwise-separable block, residual block, two branches, classifier."""

    def conv(name, source, channels_in, channels_out, kernel, stride=1, groups=1):
        return [(name, "Conv", [source], (channels_in, channels_out, kernel, stride, groups)),
                (name + "_bn", "BatchNormalization", [name], channels_out)]

    return [
        *conv("stem", "image", 1, 16, 3),
        ("stem_relu", "Relu", ["stem_bn"], None),
        *conv("depthwise", "stem_relu", 16, 16, 3, stride=2, groups=16),
        ("depthwise_relu6", "Clip", ["depthwise_bn"], None),
        *conv("pointwise", "depthwise_relu6", 16, WIDTH, 1),
        ("pointwise_relu6", "Clip", ["pointwise_bn"], None),
        *conv("residual_1", "pointwise_relu6", WIDTH, WIDTH, 3),
        ("residual_1_relu", "Relu", ["residual_1_bn"], None),
        *conv("residual_2", "residual_1_relu", WIDTH, WIDTH, 3),
        ("residual_add", "Add", ["residual_2_bn", "pointwise_relu6"], None),
        ("residual_relu", "Relu", ["residual_add"], None),
        ("pool", "MaxPool", ["residual_relu"], 2),
        *conv("branch_1x1", "pool", WIDTH, WIDTH, 1),
        ("branch_1x1_relu", "Relu", ["branch_1x1_bn"], None),
        *conv("branch_3x3", "pool", WIDTH, WIDTH, 3),
        ("branch_3x3_relu", "Relu", ["branch_3x3_bn"], None),
        ("concat", "Concat", ["branch_1x1_relu", "branch_3x3_relu"], None),
        *conv("mix", "concat", 2 * WIDTH, 2 * WIDTH, 1),
        ("mix_relu", "Relu", ["mix_bn"], None),
        ("average", "GlobalAveragePool", ["mix_relu"], None),
        ("flatten", "Flatten", ["average"], None),
        ("classifier", "Gemm", ["flatten"], (2 * WIDTH, len(CLASSES))),
        ("probabilities", "Softmax", ["classifier"], None),
    ]


def make_module():
    """The list as a torch module; it ends before the Softmax, which the loss brings."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            for name, operator, _, form in network():
                if operator == "Conv":
                    cin, cout, kernel, stride, groups = form
                    self.add_module(name, nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False))
                elif operator == "BatchNormalization":
                    self.add_module(name, nn.BatchNorm2d(form))
                elif operator == "Gemm":
                    self.add_module(name, nn.Linear(*form))

        def forward(self, image):
            values = {"image": image}
            for name, operator, sources, form in network():
                args = [values[source] for source in sources]
                values[name] = {
                    "Conv": lambda x: getattr(self, name)(x),
                    "BatchNormalization": lambda x: getattr(self, name)(x),
                    "Gemm": lambda x: getattr(self, name)(x),
                    "Relu": lambda x: functional.relu(x),
                    "Clip": lambda x: functional.relu6(x),
                    "Add": lambda x, y: x + y,
                    "MaxPool": lambda x: functional.max_pool2d(x, form),
                    "Concat": lambda x, y: torch.cat([x, y], 1),
                    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
                    "Flatten": lambda x: x.flatten(1),
                    "Softmax": lambda x: x,
                }[operator](*args)
            return values["probabilities"]

    return Network()


# ---- training -------------------------------------------------------------------------------------------------------


def train(images, labels):
    """Cross entropy, Adam with decoupled weight decay, learning rate rising then falling over all steps."""
    import torch

    torch.manual_seed(TRAINING_SEED)
    module = make_module()
    batch = 100
    steps = EPOCHS * (len(images) // batch)
    optimizer = torch.optim.AdamW(module.parameters(), lr=4e-3, weight_decay=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    x, y = torch.from_numpy(normalize(images)), torch.from_numpy(labels.astype(np.int64))
    for epoch in range(EPOCHS):
        module.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            picked = x[rows]
            # Turning by quarter circles and mirroring keep the class.
            picked = torch.rot90(picked, int(torch.randint(4, ())), (2, 3))
            if torch.rand(()) < 0.5:
                picked = picked.flip(3)
            loss = torch.nn.functional.cross_entropy(module(picked), y[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss) * len(rows)
        print(f"epoch {epoch + 1:2d} of {EPOCHS}: loss {total / len(x):.4f}", flush=True)
    return {name: value.numpy() for name, value in module.eval().state_dict().items()}


# ---- export ---------------------------------------------------------------------------------------------------------


def export(weights, path):
    """Writes opset 13, NCHW, batch dimension "N", batch normalization unfolded with its running statistics."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, initializers = [], []

    def constant(name, array):
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    relu6 = [constant("relu6_min", np.float32(0)), constant("relu6_max", np.float32(6))]
    for name, operator, sources, form in network():
        inputs, attributes = list(sources), {}
        if operator == "Conv":
            _, _, kernel, stride, groups = form
            inputs.append(constant(name + ".weight", weights[name + ".weight"]))
            attributes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4,
                          "dilations": [1, 1], "group": groups}
        elif operator == "BatchNormalization":
            statistics = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
            inputs += [constant(f"{name}.{part}", weights[f"{name}.{stored}"]) for part, stored in statistics.items()]
            attributes = {"epsilon": 1e-5}
        elif operator == "Gemm":
            inputs += [constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias")]
            attributes = {"transB": 1}
        elif operator == "Clip":
            inputs += relu6
        elif operator == "MaxPool":
            attributes = {"kernel_shape": [form] * 2, "strides": [form] * 2}
        elif operator in ("Concat", "Flatten", "Softmax"):
            attributes = {"axis": 1}
        nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))

    graph = helper.make_graph(
        nodes, "octet_demo",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(CLASSES)])],
        initializers)
    model = helper.make_model(graph, producer_name="make_demo.py", ir_version=7,
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    if sys.argv[1:] not in ([], ["images"]):
        sys.exit("usage: make_demo.py [images]")
    write_images()
    if sys.argv[1:] == ["images"]:
        return

    from float_reference import run_onnx

    export(train(*draw_set(*IMAGES["training"])), FOLDER / "demo.onnx")
    images, labels = np.load(FOLDER / "test_images.npy"), np.load(FOLDER / "test_labels.npy")
    outputs = run_onnx(FOLDER / "demo.onnx", normalize(images))["probabilities"]
    np.save(FOLDER / "expected_float.npy", outputs[:EXPECTED].astype(np.float32))
    print(f"float accuracy on the test images: {100 * np.mean(outputs.argmax(1) == labels):.2f} %")


if __name__ == "__main__":
    main()
