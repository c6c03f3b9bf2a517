// A float ONNX model to int8, calibrated on images, and the class of one image. Run it in examples/.
#include <octet/io/onnx.hpp>
#include <octet/octet.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <vector>

constexpr std::size_t image_size = 24 * 24;

/// 8-bit grey images of a .npy file, whose header takes 128 bytes, as the network wants them: (value - 128) / 64.
std::vector<float> read_images(const char* path, std::size_t count) {
    std::vector<char> bytes(count * image_size);
    std::ifstream(path, std::ios::binary).ignore(128).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    std::vector<float> values;
    for (const char byte : bytes)
        values.push_back((static_cast<float>(static_cast<unsigned char>(byte)) - 128.0F) / 64);
    return values;
}

int main() {
    constexpr std::array classes{"arrow",   "crescent", "cross",  "disc", "heart",
                                 "hexagon", "ring",     "square", "star", "triangle"};
    const octet::graph model = octet::onnx::load("data/demo.onnx");
    const octet::samples calibration(100, read_images("data/calibration_images.npy", 100));
    const octet::quantized_graph int8 = octet::quantize(model, calibration, {.activations = octet::percentile{99.99}});

    octet::session run{int8};  // packs the weights, plans one arena; below, nothing is allocated
    std::array<float, 10> scores{};
    run(read_images("data/test_images.npy", 1), scores);

    const auto best = std::max_element(scores.begin(), scores.end());
    std::printf("%d layers in int8\n%s: %.1f %%\n", int8.quantized_layers(),
                classes[static_cast<std::size_t>(best - scores.begin())], 100.0 * static_cast<double>(*best));
}
