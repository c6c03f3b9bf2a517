// A float ONNX model to int8: calibrated on images, measured, kept in a file and run. Run it in examples/.
#include <octet/io/onnx.hpp>
#include <octet/octet.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

constexpr std::size_t image_size = 24 * 24;

/// 8-bit grey images of a .npy file, whose header takes 128 bytes, as the network wants them: (value - 128) / 64.
std::vector<float> read_images(const std::string& path, std::size_t count) {
    std::vector<char> bytes(count * image_size);
    std::ifstream file(path, std::ios::binary);
    if (!file.ignore(128).read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        throw std::runtime_error(path + " holds no " + std::to_string(count) + " images: run this in examples/");
    std::vector<float> values;
    for (const char byte : bytes)
        values.push_back((static_cast<float>(static_cast<unsigned char>(byte)) - 128.0F) / 64);
    return values;
}

int main() try {
    constexpr std::array classes{"arrow",   "crescent", "cross",  "disc", "heart",
                                 "hexagon", "ring",     "square", "star", "triangle"};
    const octet::graph model = octet::onnx::load("data/demo.onnx");
    const octet::samples calibration(100, read_images("data/calibration_images.npy", 100));
    const octet::quantized_graph int8 = octet::quantize(model, calibration, {.activations = octet::percentile{99.99}});
    for (const std::string& warning : int8.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());

    const octet::quantization_report cost = octet::report(model, int8, calibration, {.most_samples = 10});
    std::printf("%d layers in int8, SNR %.1f dB\n", int8.quantized_layers(), cost.layers.back().signal_to_noise);

    // A QDQ model, which ONNX Runtime runs too.
    const std::string name = "demo." + std::to_string(std::random_device{}()) + ".int8.onnx";
    const std::string file = (std::filesystem::temp_directory_path() / name).string();
    octet::onnx::save(int8, file);
    octet::session run{octet::onnx::load_quantized(file)};  // octet::as_float(model) in its place: the float model
    std::filesystem::remove(file);

    std::array<float, 10> scores{};
    run(read_images("data/test_images.npy", 1), scores);
    const auto best = std::max_element(scores.begin(), scores.end());
    std::printf("%s: %.1f %%\n", classes[static_cast<std::size_t>(best - scores.begin())],
                100.0 * static_cast<double>(*best));
} catch (const std::exception& wrong) {  // octet::error is one: what is wrong, with which value, and what to do
    std::fprintf(stderr, "%s\n", wrong.what());
    return 1;
}
