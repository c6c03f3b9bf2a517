// Whole networks: network/<name>/<threads>/<isa>, from floats to floats as other runtimes run them, and
// float/network/... MobileNetV2 and ResNet-50 with random weights; besides them every float *.onnx with one input in
// the folder that OCTET_BENCH_MODELS names. Calibrated on noise: for latency only. Two threads are held against one:
// vs_one_thread.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include "measure.hpp"
#include "networks.hpp"
#include "octet/eigen.hpp"
#include "octet/io/onnx.hpp"
#include "sessions.hpp"

namespace {

using namespace octet;
using namespace octet::bench;

/// Multiply-adds of the layers with weights, twice.
double operations(const graph& net) {
    double sum = 0.0;
    for (const node& step : net.nodes())
        if (const layer_weights* weights = weights_of(step.what))
            sum += 2.0 * static_cast<double>(net.at(step.output).dims.rows()) *
                   static_cast<double>(weights->values.size());
    return sum;
}

void add_network(const std::string& title, graph net) {
    const double amount = operations(net);
    const auto int8 = std::make_shared<const quantized_graph>(quantized(net));
    const auto real = std::make_shared<const quantized_graph>(in_float(*int8));
    for (const int threads : {1, 2})
        for (const isa which : supported_isas()) {
            const network_problem problem{title, int8.get(), threads};
            const auto add = [&](const char* prefix, const auto& body) {
                benchmark::RegisterBenchmark(text(prefix, problem.name(), "/", to_string(which)).c_str(), body)
                    ->UseManualTime()
                    ->Unit(benchmark::kMillisecond);
            };
            const auto run = [=](benchmark::State& state, const quantized_graph& what, const limit& most,
                                 bool with_peers) {
                eigen_threads pool(threads);
                peers others = with_peers ? peers_for(problem, which) : peers();
                const clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
                if (threads != 1) others.push_back({"one_thread", repeated(prepare(what, which, {}, true), clock)});
                measure(state, {amount}, most, others, prepare(what, which, pool.hook(), true), clock);
            };
            const bool one = threads == 1;
            add("", [=](benchmark::State& state) { run(state, *int8, one ? int8_limit(which) : limit(), true); });
            add("float/",
                [=](benchmark::State& state) { run(state, *real, one ? float_limit(which) : limit(), false); });
        }
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    try {
        add_network("mobilenet_v2", mobilenet_v2());
        add_network("resnet_50", resnet_50());
        if (const char* folder = std::getenv("OCTET_BENCH_MODELS"))
            for (const auto& entry : std::filesystem::directory_iterator(folder))
                if (entry.path().extension() == ".onnx")
                    add_network(entry.path().stem().string(), onnx::load(entry.path().string()));
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench_network: %s\n", problem.what());
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
