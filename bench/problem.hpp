// The problems that the benchmarks and their peers solve: every shape, once, by name. Batch 1, NHWC, one multiply-add
// is two operations, taps in padding count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "octet/core/error.hpp"

namespace octet::bench {

constexpr std::size_t product(auto... sizes) noexcept { return (static_cast<std::size_t>(sizes) * ...); }

/// out [rows, cols] = lhs [rows, depth] * weights [cols, depth], transposed.
struct gemm_problem {
    int rows, cols, depth;
    std::string name() const { return text("gemm/", rows, "x", cols, "x", depth); }
    double operations() const noexcept { return 2.0 * rows * cols * depth; }
};
inline constexpr gemm_problem gemm_problems[] = {
    {1, 1000, 2048}, {1, 4096, 4096},    {64, 64, 64},    {128, 128, 128}, {256, 256, 256},
    {384, 384, 384}, {1024, 1024, 1024}, {3136, 64, 64},  {784, 128, 512}, {196, 256, 1024},
    {49, 2048, 512}, {12544, 64, 147},   {12544, 32, 27},
};

/// A square image and kernel, padded by half of the kernel; depthwise where `outputs` is 0.
struct conv_problem {
    int kernel, stride, size, channels, outputs;
    bool depthwise() const noexcept { return outputs == 0; }
    int padding() const noexcept { return kernel / 2; }
    int side() const noexcept { return (size + 2 * padding() - kernel) / stride + 1; }
    int output_channels() const noexcept { return depthwise() ? channels : outputs; }
    std::size_t input_bytes() const noexcept { return product(size, size, channels); }
    std::size_t output_bytes() const noexcept { return product(side(), side(), output_channels()); }
    double operations() const noexcept {
        return 2.0 * kernel * kernel * (depthwise() ? 1 : channels) * static_cast<double>(output_bytes());
    }
    std::string name() const {
        return text(depthwise() ? "depthwise/" : "conv2d/", kernel, "x", kernel, stride == 1 ? "" : text("s", stride),
                    "/", size, "x", size, "x", channels, depthwise() ? "" : text("x", outputs));
    }
};
inline constexpr conv_problem conv2d_problems[] = {
    {3, 1, 56, 64, 64},  {3, 1, 28, 128, 128},  {3, 1, 14, 256, 256}, {3, 1, 7, 512, 512},
    {1, 1, 56, 64, 256}, {1, 1, 14, 1024, 256}, {7, 2, 224, 3, 64},   {3, 2, 224, 3, 32},
};
inline constexpr conv_problem depthwise_problems[] = {
    {3, 1, 112, 32, 0}, {3, 1, 56, 144, 0}, {3, 2, 56, 144, 0},
    {3, 1, 14, 384, 0}, {3, 1, 7, 960, 0},  {5, 1, 14, 480, 0},
};

/// Max pooling, padded by half of the kernel; the global average where `kernel` is 0.
struct pool_problem {
    int kernel, stride, size, channels;
    bool global_average() const noexcept { return kernel == 0; }
    int padding() const noexcept { return kernel / 2; }
    int side() const noexcept { return global_average() ? 1 : (size + 2 * padding() - kernel) / stride + 1; }
    std::size_t input_bytes() const noexcept { return product(size, size, channels); }
    std::size_t output_bytes() const noexcept { return product(side(), side(), channels); }
    /// Comparisons or additions.
    double operations() const noexcept {
        const int taps = global_average() ? size * size : kernel * kernel;
        return static_cast<double>(output_bytes()) * taps;
    }
    std::string name() const {
        return text(
            global_average() ? "global_average_pool/" : text("max_pool/", kernel, "x", kernel, "s", stride, "/"), size,
            "x", size, "x", channels);
    }
};
inline constexpr pool_problem pool_problems[] = {{3, 2, 112, 64}, {0, 1, 7, 1280}};

enum class elementwise { add, mul, logistic, dyadic_add };

/// Two images (logistic: one) of equal size, each with a scale of its own, to a third. dyadic_add: powers of two;
/// peers, whose time does not depend on them, keep the scales of their add.
struct elementwise_problem {
    elementwise what;
    int size, channels;
    std::size_t elements() const noexcept { return product(size, size, channels); }
    std::size_t input_bytes() const noexcept { return (what == elementwise::logistic ? 1 : 2) * elements(); }
    std::size_t output_bytes() const noexcept { return elements(); }
    std::string name() const {
        constexpr std::string_view names[] = {"add", "mul", "logistic", "dyadic_add"};
        return text(names[static_cast<int>(what)], "/", size, "x", size, "x", channels);
    }
};
inline constexpr elementwise_problem elementwise_problems[] = {
    {elementwise::add, 56, 256}, {elementwise::add, 14, 96},       {elementwise::mul, 56, 256},
    {elementwise::mul, 14, 96},  {elementwise::logistic, 56, 256}, {elementwise::dyadic_add, 56, 256},
};

}  // namespace octet::bench
