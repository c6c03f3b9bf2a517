// Calibration, the longest part of quantizing: calibrate/resnet_50/<images>/<isa>, images through the float network and
// every tensor into its histogram, on one thread. 100 images with the best instruction set, fewer with the others.
#include <benchmark/benchmark.h>

#include "networks.hpp"
#include "octet/isa/select.hpp"
#include "progress.hpp"
#include "sessions.hpp"

namespace {

using namespace octet;
using namespace octet::bench;

void resnet_50_images(benchmark::State& state, std::size_t images, isa which) {
    const graph net = resnet_50();
    for (auto _ : state) {
        progress_bar bar("calibrating");
        calibrate_on_images(net, images, which, bar.hook());
    }
    state.counters["images_per_second"] = benchmark::Counter(
        static_cast<double>(images * static_cast<std::size_t>(state.iterations())), benchmark::Counter::kIsRate);
}

[[maybe_unused]] const bool registered = [] {
    for (const isa which : supported_isas()) {
        const std::size_t images = which == best_isa() ? 100 : which == isa::scalar ? 1 : 10;
        benchmark::RegisterBenchmark(text("calibrate/resnet_50/", images, "/", to_string(which)).c_str(),
                                     resnet_50_images, images, which)
            ->Iterations(1)
            ->UseRealTime()
            ->Unit(benchmark::kSecond);
    }
    return true;
}();

}  // namespace
