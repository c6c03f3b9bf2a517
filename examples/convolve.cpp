// One int8 convolution by hand: a 3x3 filter that finds vertical edges, over an image of one channel.
#include <octet/octet.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

int main() {
    // real = scale * (q - zero_point), so -128 stands for black and 127 for a brightness of 1.
    const octet::quant_params pixel{octet::scale(1.0F / 255), octet::zero_point(-128)};
    const octet::quant_params edge{octet::scale(1.0F / 32), octet::zero_point(0)};

    const std::array<std::int8_t, 9> weights{-1, 0, 1, -2, 0, 2, -1, 0, 1};  // OHWI: 1 output, 3 x 3, 1 input channel
    const std::array<octet::scale, 1> scales{octet::scale(0.5F)};            // so the filter's reals are halves
    const std::array<std::int32_t, 1> bias{0};
    const octet::conv2d<> conv{{weights, 1, {3, 3}, 1, scales, bias},
                               {.pad = {1, 1, 1, 1}, .input = pixel, .output = edge, .name = "sobel"}};

    // Bright in the middle, dark outside: NHWC, 1 x 4 x 8 x 1.
    std::array<std::int8_t, 32> image{};
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = i % 8 >= 2 && i % 8 < 6 ? 127 : -128;
    std::array<std::int8_t, 32> edges{};
    octet::buffer<std::byte> scratch(conv.scratch_bytes(1));

    const octet::shape size{1, 4, 8, 1};
    conv({image.data(), size}, {edges.data(), conv.output_shape(size)}, scratch.data());

    for (std::size_t i = 0; i < edges.size(); ++i)
        std::printf("%6.2f%s", static_cast<double>(octet::dequantize_value(edges[i], edge)), i % 8 == 7 ? "\n" : "");
}
