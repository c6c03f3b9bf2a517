// Whole networks, float against int8, on every instruction set: network/<file>/<form>/<isa>. The demo's network always;
// and every *.onnx with one input in the folder that OCTET_BENCH_MODELS names. Calibrated on noise: for latency only.
#include <octet/graph/quantize.hpp>
#include <octet/io/onnx.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace octet;

/// Uniform in [-3, 3), the same on every run.
std::vector<float> noise(std::size_t count) {
    std::vector<float> values(count);
    std::uint32_t state = 1;
    for (float& value : values) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8) * (6.0F / 16777216.0F) - 3.0F;
    }
    return values;
}

void add_network(const std::filesystem::path& file) {
    const graph net = onnx::load(file.string());
    const auto elements = static_cast<std::size_t>(net.at(net.inputs()[0]).dims.elements());
    const auto int8 = std::make_shared<const quantized_graph>(quantize(net, samples(4, noise(4 * elements))));
    const auto real = std::make_shared<const quantized_graph>(as_float(int8->net));
    for (const isa which : supported_isas())
        for (const auto& [form, model] : {std::pair{"int8", int8}, std::pair{"float", real}}) {
            const std::string name = text("network/", file.stem().string(), "/", form, "/", octet::to_string(which));
            benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
                session<> run(*model, {.target = which});
                run.set_input(0, noise(elements));
                for (auto _ : state) run.run();
                state.counters["arena_bytes"] = static_cast<double>(run.plan().total_bytes());
            })->Unit(benchmark::kMillisecond);
        }
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    try {
        add_network(OCTET_DEMO_DATA "/demo.onnx");
        if (const char* folder = std::getenv("OCTET_BENCH_MODELS"))
            for (const auto& entry : std::filesystem::directory_iterator(folder))
                if (entry.path().extension() == ".onnx") add_network(entry.path());
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench_network: %s\n", problem.what());
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
