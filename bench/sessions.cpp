#include "sessions.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "networks.hpp"
#include "octet/graph/quantize.hpp"

namespace octet::bench {

namespace {

/// Uniform in [-2, 4), so that zero points are about -43.
std::vector<float> lopsided(const shape& dims, random_numbers& numbers) {
    std::vector<float> values(static_cast<std::size_t>(dims.elements()));
    for (float& value : values) value = 3 * numbers.uniform() + 1;
    return values;
}

/// `net` is given away; by reference, because `result` is often made in the same call.
quantized_graph quantized_layer_of(graph& net, tensor_id result) {
    net.output(result);
    random_numbers numbers;
    samples one(1, std::vector<std::vector<float>>{});
    for (const tensor_id id : net.inputs()) one.inputs.push_back(lopsided(net.at(id).dims, numbers));
    return quantize(std::move(net), one);
}

layer_weights random_weights(int outputs, int inner) {
    random_numbers numbers;
    const auto count = static_cast<std::size_t>(outputs);
    return {outputs, numbers.normal(count * static_cast<std::size_t>(inner), 0.1F), numbers.normal(count, 0.1F)};
}

}  // namespace

quantized_graph one_layer(const gemm_problem& p) {
    graph net;
    const tensor_id x = net.input("x", {1, p.rows, p.depth});
    return quantized_layer_of(net, net.add("gemm", op::linear{random_weights(p.cols, p.depth)}, {x}));
}

quantized_graph one_layer(const conv_problem& p) {
    graph net;
    const tensor_id x = net.input("x", {1, p.size, p.size, p.channels});
    const int pad = p.padding(), depth = p.depthwise() ? 1 : p.channels;
    const window taps{{p.kernel, p.kernel}, {p.stride, p.stride}, {}, {pad, pad, pad, pad}, false};
    return quantized_layer_of(net, net.add("conv",
                                           op::conv2d{random_weights(p.output_channels(), p.kernel * p.kernel * depth),
                                                      taps, p.depthwise() ? p.channels : 1},
                                           {x}));
}

quantized_graph one_layer(const pool_problem& p) {
    graph net;
    const tensor_id x = net.input("x", {1, p.size, p.size, p.channels});
    const int pad = p.padding();
    const window taps{{p.kernel, p.kernel}, {p.stride, p.stride}, {}, {pad, pad, pad, pad}, false};
    const tensor_id y = p.global_average() ? net.add("pool", op::global_average_pool{}, {x})
                                           : net.add("pool", op::pool2d{pool_kind::max, taps}, {x});
    return quantized_layer_of(net, y);
}

quantized_graph one_layer(const elementwise_problem& p) {
    graph net;
    const shape image{1, p.size, p.size, p.channels};
    const tensor_id a = net.input("a", image);
    if (p.what == elementwise::logistic)
        return quantized_layer_of(net, net.add("logistic", op::lookup{function::logistic}, {a}));
    const tensor_id b = net.input("b", image);
    const tensor_id y =
        p.what == elementwise::mul ? net.add("mul", op::mul{}, {a, b}) : net.add("add", op::add{}, {a, b});
    quantized_graph made = quantized_layer_of(net, y);
    const auto scale_of = [&](tensor_id id) -> scale& {
        return made.tensors[static_cast<std::size_t>(id)].params.scale;
    };
    if (p.what == elementwise::dyadic_add)
        scale_of(a) = scale(0x1p-5F), scale_of(b) = scale(0x1p-6F), scale_of(y) = scale(0x1p-4F);
    return made;
}

quantized_graph quantized(const graph& net, std::size_t count) {
    return quantize(net, samples(count, random_images(net, count)));
}

void calibrate_on_images(const graph& net, std::size_t images, isa which, const progress& told) {
    graph folded = net;
    optimize(folded);
    calibrate(folded, samples(images, random_images(net, images)), {.target = which, .progress = told});
}

quantized_graph in_float(const quantized_graph& net) { return as_float(net.net); }

std::function<void()> prepare(const quantized_graph& net, isa which, const parallel& threads, bool real_inputs) {
    struct ready {
        session<> run;
        std::vector<float> in{}, out{};
    };
    const auto held = std::make_shared<ready>(ready{session<>(net, {.target = which, .threads = threads})});
    random_numbers numbers;
    for (std::size_t i = 0; i < held->run.inputs(); ++i)
        held->run.set_input(i, held->in = lopsided(held->run.input_shape(i), numbers));
    held->out.resize(static_cast<std::size_t>(held->run.output_shape(0).elements()));
    if (real_inputs) return [held] { held->run(held->in, held->out); };
    return [held] { held->run.run(); };
}

}  // namespace octet::bench
