// A network built by hand, quantized with samples, run in int8 on two threads, and what each layer lost.
#include <octet/octet.hpp>

#include <array>
#include <cstdio>
#include <thread>
#include <vector>

/// Octet starts no threads and takes those that it is lent: here the caller's, and one that is made for each call, for
/// want of which the program would end. Threads that wait are better: <octet/eigen.hpp> lends an Eigen::ThreadPool's.
octet::parallel two_threads() {
    return {nullptr, 2, [](void*, int tasks, octet::parallel::task body, void* argument) noexcept {
                std::thread helper([&] {
                    for (int i = 1; i < tasks; i += 2) body(argument, i, 1);
                });
                for (int i = 0; i < tasks; i += 2) body(argument, i, 0);
                helper.join();
            }};
}

int main() {
    // Weights and samples that are not random, so that this prints the same everywhere.
    const auto wave = [](std::size_t count, unsigned step, float size) {
        std::vector<float> values(count);
        for (std::size_t i = 0; i < count; ++i) values[i] = size * (static_cast<float>(i * step % 101) / 50.0F - 1.0F);
        return values;
    };

    octet::graph net;
    octet::tensor_id x = net.input("image", {1, 8, 8, 3});
    x = net.add("conv",
                octet::op::conv2d{{16, wave(16 * 27, 37, 0.3F), wave(16, 7, 0.1F)},
                                  {.kernel = {3, 3}, .stride = {2, 2}, .pad = {1, 1, 1, 1}}},
                {x});
    x = net.add("relu", octet::op::clip{{.low = 0}}, {x});
    x = net.add("average", octet::op::global_average_pool{}, {x});
    x = net.add("flatten", octet::op::reshape{{1, 16}}, {x});
    x = net.add("scores", octet::op::linear{{4, wave(4 * 16, 29, 1.0F), wave(4, 3, 0.2F)}}, {x});
    net.output(x);

    constexpr std::size_t elements = 8 * 8 * 3, count = 20;
    const octet::samples samples(count, wave(count * elements, 17, 1.0F));

    const octet::quantized_graph int8 = octet::quantize(net, samples);
    octet::session run{int8, {.threads = two_threads()}};  // packs the weights, plans one arena
    std::array<float, 4> scores{};
    run(samples.slice(0, 0, 1, elements), scores);
    for (const float score : scores) std::printf("%8.3f", static_cast<double>(score));
    std::printf("\n");

    const octet::quantization_report report = octet::report(net, int8, samples);  // octet::to_text(report): a table
    for (const octet::layer_report& layer : report.layers)
        std::printf("%-8s %-20s scale %.5f  zero point %4d  SNR %.0f dB\n", layer.name.c_str(), layer.operation.c_str(),
                    static_cast<double>(layer.params.scale.value), layer.params.zero_point.value,
                    layer.signal_to_noise);
}
