// MobileNetV2 1.0 and ResNet-50 v1.5 for images of 224 x 224: their layers, with random weights (He, a few percent of
// bias) and batch normalization folded. For latency only.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "octet/graph/graph.hpp"

namespace octet::bench {

/// Numbers that look random and are the same everywhere.
class random_numbers {
  public:
    /// Uniform in [-1, 1).
    float uniform() noexcept {
        state_ = state_ * 1664525U + 1013904223U;
        return static_cast<float>(static_cast<std::int32_t>(state_)) * 0x1p-31F;
    }
    /// Nearly normal, of variance 1: the sum of three uniform numbers.
    float normal() noexcept { return uniform() + uniform() + uniform(); }
    std::vector<float> normal(std::size_t count, float deviation) {
        std::vector<float> values(count);
        for (float& value : values) value = deviation * normal();
        return values;
    }

  private:
    std::uint32_t state_ = 1;
};

/// `count` values in [-3, 3) for each element of the network's input.
inline std::vector<float> random_images(const graph& net, std::size_t count) {
    random_numbers numbers;
    std::vector<float> values(count * static_cast<std::size_t>(net.at(net.inputs()[0]).dims.elements()));
    for (float& value : values) value = 3 * numbers.uniform();
    return values;
}

/// Appends layers to a graph; each returns its output.
class network_builder {
  public:
    tensor_id image() { return net_.input("image", {1, 224, 224, 3}); }
    tensor_id conv(tensor_id x, int outputs, int kernel, int stride, activation_range held, int groups = 1) {
        const int depth = static_cast<int>(net_.at(x).dims.cols()) / groups, inner = kernel * kernel * depth;
        const int pad = kernel / 2;
        return net_.add(next("conv"),
                        op::conv2d{weights(outputs, inner, held == activation_range{} ? 1.0F : 2.0F),
                                   {{kernel, kernel}, {stride, stride}, {}, {pad, pad, pad, pad}, false},
                                   groups},
                        {x}, held);
    }
    tensor_id depthwise(tensor_id x, int stride, activation_range held) {
        const auto channels = static_cast<int>(net_.at(x).dims.cols());
        return conv(x, channels, 3, stride, held, channels);
    }
    tensor_id max_pool(tensor_id x) {
        return net_.add(next("pool"), op::pool2d{pool_kind::max, {{3, 3}, {2, 2}, {}, {1, 1, 1, 1}, false}}, {x});
    }
    tensor_id add(tensor_id a, tensor_id b, activation_range held = {}) {
        return net_.add(next("add"), op::add{}, {a, b}, held);
    }
    /// Global average, and scores of 1000 classes.
    graph finish(tensor_id x) {
        const auto channels = net_.at(x).dims.cols();
        x = net_.add("average", op::global_average_pool{}, {x});
        x = net_.add("flatten", op::reshape{{1, channels}}, {x});
        net_.output(net_.add("scores", op::linear{weights(1000, static_cast<int>(channels), 1.0F)}, {x}));
        return std::move(net_);
    }

  private:
    std::string next(const char* kind) { return kind + std::to_string(++layers_); }
    layer_weights weights(int outputs, int inner, float variance) {
        const auto count = static_cast<std::size_t>(outputs);
        return {
            outputs,
            numbers_.normal(count * static_cast<std::size_t>(inner), std::sqrt(variance / static_cast<float>(inner))),
            numbers_.normal(count, 0.1F)};
    }

    graph net_;
    random_numbers numbers_;
    int layers_ = 0;
};

inline graph mobilenet_v2() {
    constexpr activation_range relu6{0.0F, 6.0F};
    struct stage {
        int expansion, channels, blocks, stride;
    };
    constexpr stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    network_builder net;
    tensor_id x = net.conv(net.image(), 32, 3, 2, relu6);
    int channels = 32;
    for (const stage& s : stages)
        for (int block = 0; block < s.blocks; ++block, channels = s.channels) {
            const int stride = block == 0 ? s.stride : 1;
            tensor_id y = s.expansion == 1 ? x : net.conv(x, channels * s.expansion, 1, 1, relu6);
            y = net.conv(net.depthwise(y, stride, relu6), s.channels, 1, 1, {});
            x = stride == 1 && channels == s.channels ? net.add(x, y) : y;
        }
    return net.finish(net.conv(x, 1280, 1, 1, relu6));
}

inline graph resnet_50() {
    constexpr activation_range relu{.low = 0.0F};
    struct stage {
        int channels, blocks, stride;
    };
    constexpr stage stages[] = {{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}};
    network_builder net;
    tensor_id x = net.max_pool(net.conv(net.image(), 64, 7, 2, relu));
    for (const stage& s : stages)
        for (int block = 0; block < s.blocks; ++block) {
            const int stride = block == 0 ? s.stride : 1;
            const tensor_id y = net.conv(net.conv(net.conv(x, s.channels, 1, 1, relu), s.channels, 3, stride, relu),
                                         4 * s.channels, 1, 1, {});
            x = net.add(y, block == 0 ? net.conv(x, 4 * s.channels, 1, stride, {}) : x, relu);
        }
    return net.finish(x);
}

}  // namespace octet::bench
