// Small networks, one for each operator and each of its forms, built by hand: a convolution, then the node "op".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "network_data.hpp"
#include "octet/graph/graph.hpp"
#include "octet/graph/samples.hpp"

namespace octet::test {

inline const shape operator_input{1, 6, 7, 4};

inline samples operator_samples(std::size_t count, unsigned seed = 5) {
    return {count, reals(count * static_cast<std::size_t>(operator_input.elements()), seed)};
}

inline layer_weights random_weights(int outputs, std::size_t inner, unsigned seed) {
    return {outputs, reals(static_cast<std::size_t>(outputs) * inner, seed, -0.5F, 0.5F),
            reals(static_cast<std::size_t>(outputs), seed + 1, -0.2F, 0.2F)};
}

inline std::map<std::string, graph> operator_networks() {
    std::map<std::string, graph> all;
    /// make(net, x) adds what follows the first convolution, 1 x 6 x 7 x 4, and returns the output.
    const auto add = [&](const char* name, const auto& make) {
        graph net;
        const tensor_id image = net.input("image", operator_input);
        const window same{.kernel = {3, 3}, .pad = {1, 1, 1, 1}};
        const tensor_id x = net.add("first", op::conv2d{random_weights(4, 36, 1), same}, {image});
        net.output(make(net, x));
        all.emplace(name, std::move(net));
    };
    const auto one = [&](const char* name, operation what, activation_range activation = {}) {
        add(name, [&](graph& net, tensor_id x) { return net.add("op", std::move(what), {x}, activation); });
    };
    const window slide{.kernel = {3, 2}, .stride = {2, 1}, .pad = {1, 0, 1, 1}};
    one("conv2d", op::conv2d{random_weights(5, 24, 2), slide}, {.low = 0});
    one("conv2d, clipped", op::conv2d{random_weights(5, 24, 2), slide}, {-0.3F, 0.4F});
    one("conv2d, groups", op::conv2d{random_weights(6, 12, 3), slide, 2});
    one("conv2d, dilation", op::conv2d{random_weights(3, 36, 4), {.kernel = {3, 3}, .dilation = {2, 2}}});
    one("conv2d, depthwise", op::conv2d{random_weights(4, 6, 5), slide, 4}, {0, 6});
    one("linear of an image", op::linear{random_weights(3, 4, 6)}, {.low = 0});
    one("max_pool2d", op::pool2d{pool_kind::max, slide});
    one("max_pool2d, ceil", op::pool2d{pool_kind::max, {.kernel = {2, 2}, .stride = {2, 2}, .ceil_mode = true}});
    one("average_pool2d", op::pool2d{pool_kind::average, slide, false});
    one("average_pool2d, padding", op::pool2d{pool_kind::average, slide, true});
    one("global_average_pool", op::global_average_pool{});
    one("logistic", op::lookup{function::logistic});
    one("tanh", op::lookup{function::tanh});
    one("hard_swish", op::lookup{function::hard_swish});
    one("leaky_relu", op::lookup{function::leaky_relu, 0.2F});
    one("softmax of an image", op::softmax{});
    one("pad", op::pad{{0, 1, 0, 2}, {0, 0, 3, 1}});
    one("pad with a value", op::pad{{0, 1, 0, 0}, {0, 0, 1, 0}, 0.75F});
    one("transpose", op::transpose{{0, 2, 3, 1}});
    one("reshape", op::reshape{{1, 168}});
    one("reshape to 5 axes", op::reshape{{1, 3, 2, 7, 4}});
    const auto second = [](graph& net, tensor_id x) {
        return net.add("second", op::conv2d{random_weights(4, 4, 7), {}}, {x}, {.low = 0});
    };
    add("add", [&](graph& net, tensor_id x) { return net.add("op", op::add{}, {x, second(net, x)}); });
    add("add, relu", [&](graph& net, tensor_id x) {
        return net.add("op", op::add{}, {second(net, x), x}, {.low = 0});
    });
    add("mul", [&](graph& net, tensor_id x) { return net.add("op", op::mul{}, {x, second(net, x)}); });
    add("mul by channels", [&](graph& net, tensor_id x) {
        return net.add("op", op::mul{}, {x, net.add("mean", op::global_average_pool{}, {x})});
    });
    add("add an image", [&](graph& net, tensor_id x) {
        return net.add("op", op::add{}, {net.constant("offset", {6, 7, 4}, reals(168, 8)), x});
    });
    add("clip", [&](graph& net, tensor_id x) {
        return net.add("op", op::clip{{-0.25F, 0.5F}}, {net.add("pool", op::pool2d{pool_kind::max, slide}, {x})});
    });
    add("concat", [&](graph& net, tensor_id x) { return net.add("op", op::concat{3}, {second(net, x), x}); });
    add("concat rows", [&](graph& net, tensor_id x) { return net.add("op", op::concat{1}, {x, second(net, x), x}); });
    add("linear", [&](graph& net, tensor_id x) {
        const tensor_id flat = net.add("flat", op::reshape{{1, 168}}, {x});
        return net.add("op", op::linear{random_weights(10, 168, 9)}, {flat});
    });
    add("softmax", [&](graph& net, tensor_id x) {
        const tensor_id flat = net.add("flat", op::reshape{{1, 168}}, {x});
        const tensor_id scores = net.add("scores", op::linear{random_weights(10, 168, 9)}, {flat});
        return net.add("op", op::softmax{}, {scores});
    });
    add("linear of rows", [&](graph& net, tensor_id x) {
        const tensor_id rows = net.add("rows", op::reshape{{1, 42, 4}}, {x});
        return net.add("op", op::linear{{3, reals(12, 10), {0, 0, 0}}}, {rows});
    });
    add("matrix to image", [&](graph& net, tensor_id x) {
        const tensor_id flat = net.add("flat", op::reshape{{1, 168}}, {x});
        return second(net, net.add("op", op::reshape{{1, 7, 6, 4}}, {flat}));
    });
    add("channel shuffle", [&](graph& net, tensor_id x) {
        const tensor_id apart = net.add("apart", op::reshape{{1, 6, 7, 2, 2}}, {x});
        const tensor_id turned = net.add("op", op::transpose{{0, 1, 2, 4, 3}}, {apart});
        return second(net, net.add("together", op::reshape{{1, 6, 7, 4}}, {turned}));
    });
    add("mul after a layer", [&](graph& net, tensor_id x) {
        const tensor_id mean = net.add("mean", op::global_average_pool{}, {x});
        const tensor_id row = net.add("row", op::reshape{{1, 4}}, {mean});
        return net.add("op", op::mul{}, {row, net.constant("factors", {4}, {1.5F, -2.0F, 0.0F, 0.3F})});
    });
    add("batch_norm", [&](graph& net, tensor_id x) {
        const tensor_id flat = net.add("flat", op::reshape{{1, 168}}, {x});
        return net.add("op", op::batch_norm{reals(168, 11), reals(168, 12)}, {flat});
    });
    return all;
}

}  // namespace octet::test
