// label: law
// The demo network: its float outputs are those of an independent evaluation, and its int8 outputs have one hash on
// every instruction set and every machine. The hash is the law: who changes it changes bytes for everybody.
#include <octet/graph/quantize.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "onnx_compiled_once.hpp"
#include "shared_data.hpp"

namespace {

using namespace octet;

constexpr std::size_t image_values = 24 * 24, classes = 10, npy_header = 128;

const std::string folder = OCTET_DEMO_DATA;

/// The elements of a .npy file of this project, whose headers are all as long.
template <class T>
std::vector<T> read(const std::string& file) {
    return test::read_elements<T>(folder + "/" + file, npy_header);
}

std::vector<float> images(const std::string& file, std::size_t count) {
    std::vector<float> reals;
    for (const std::uint8_t byte : read<std::uint8_t>(file))
        reals.push_back((static_cast<float>(byte) - 128.0F) / 64.0F);
    reals.resize(count * image_values);
    return reals;
}

TEST(demo, float_outputs_are_those_of_an_independent_evaluation) {
    const std::vector<float> expected = read<float>("expected_float.npy");
    ASSERT_EQ(expected.size(), 32 * classes);
    graph net = compiled_once::load(folder + "/demo.onnx");
    optimize(net);
    session<> run(as_float(net), {.batch = 4});
    const std::vector<float> in = images("test_images.npy", 32);
    std::vector<float> out(4 * classes);
    for (std::size_t first = 0; first < 32; first += 4) {
        run(std::span(in).subspan(first * image_values, 4 * image_values), out);
        for (std::size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(out[i], expected[first * classes + i], 1e-4);
    }
}

TEST(demo, int8_outputs_have_one_hash_everywhere) {
    constexpr std::size_t shown = 40;
    const graph net = compiled_once::load(folder + "/demo.onnx");
    const quantized_graph int8 = quantize(net, samples(100, images("calibration_images.npy", 100)));
    const std::vector<float> in = images("test_images.npy", shown);
    for (const isa which : supported_isas()) {
        session<> run(int8, {.target = which});
        std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
        for (std::size_t i = 0; i < shown; ++i) {
            run.set_input(0, std::span(in).subspan(i * image_values, image_values));
            run.run();
            for (std::size_t k = 0; k < classes; ++k)
                hash = (hash ^ static_cast<std::uint8_t>(run.output(0).data[k])) * 0x100000001b3;
        }
        std::printf("| demo, int8 outputs of %zu images on %-12s fnv1a %016llx\n", shown, to_string(which).data(),
                    static_cast<unsigned long long>(hash));
        EXPECT_EQ(hash, 0xf3c447cf94849b5dULL) << to_string(which);
    }
}

}  // namespace
