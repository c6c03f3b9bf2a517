// Int8 pooling: whole layers, one thread. Bytes are those of the input and the output, each once; what of_peak and GB/s
// mean stands in measure_rows.hpp.
#include <benchmark/benchmark.h>

#include <string>

#include "measure_rows.hpp"
#include "octet/core/buffer.hpp"
#include "octet/core/error.hpp"
#include "octet/nn/pool2d.hpp"

namespace {

using namespace octet;

struct problem {
    const char* name;
    int size, channels;
    window taps;

    shape in() const { return {1, size, size, channels}; }
    shape out() const {
        const extent outputs = taps.outputs("bench", size, size);
        return {1, outputs.height, outputs.width, channels};
    }
};
constexpr padding by_one{1, 1, 1, 1};
const problem problems[] = {
    {"3x3s2/112x112x64", 112, 64, {{3, 3}, {2, 2}, {}, by_one, false}},
    {"2x2s2/56x56x128", 56, 128, {{2, 2}, {2, 2}, {}, {}, false}},
    {"3x3/28x28x192", 28, 192, {{3, 3}, {}, {}, by_one, false}},
    {"5x5/20x20x256", 20, 256, {{5, 5}, {}, {}, {2, 2, 2, 2}, false}},
};
const quant_params stored{scale(0.05F), zero_point(3)}, averaged{scale(0.03F), zero_point(-7)};

/// A layer that runs as layer(in, out, scratch). Pools keep all pixels, a quarter of them or, against a loop that only
/// reads, next to none.
template <class Layer>
void run(benchmark::State& state, const shape& in_dims, const shape& out_dims, isa which, const Layer& layer) {
    const auto count = [](const shape& dims) { return static_cast<std::size_t>(dims.elements()); };
    buffer<std::int8_t> in(count(in_dims)), out(count(out_dims));
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::int8_t>(i * 29 % 251);
    buffer<std::byte> scratch(layer.scratch_bytes(1));
    const auto body = [&] {
        layer(tensor_view<const std::int8_t>(in.data(), in_dims), tensor_view<std::int8_t>(out.data(), out_dims),
              scratch.data());
    };
    if (in.size() == out.size())
        bench::measure_rows<1, 1>(state, which, in.data(), 0, out.data(), in.size(), body);
    else if (in.size() <= 4 * out.size())
        bench::measure_rows<4, 1>(state, which, in.data(), 0, out.data(), in.size(), body);
    else
        bench::measure_rows<4, 0>(state, which, in.data(), 0, out.data(), in.size(), body);
}

[[maybe_unused]] const bool registered = [] {
    for (const isa which : supported_isas()) {
        const auto add = [which](const std::string& name, auto body) {
            benchmark::RegisterBenchmark(text(name, '/', to_string(which)).c_str(), body)
                ->UseManualTime()
                ->Unit(benchmark::kMicrosecond);
        };
        for (const problem& p : problems) {
            add(text("max_pool/", p.name), [&p, which](benchmark::State& state) {
                run(state, p.in(), p.out(), which, max_pool2d(p.taps, stored.zero_point, which));
            });
            add(text("average_pool/", p.name), [&p, which](benchmark::State& state) {
                run(state, p.in(), p.out(), which,
                    average_pool2d<nearest_even>(p.taps, false, stored, averaged, which, "bench"));
            });
        }
        add("global_average_pool/7x7x1280", [which](benchmark::State& state) {
            run(state, {1, 7, 7, 1280}, {1, 1, 1, 1280}, which,
                global_average_pool<nearest_even>(49, stored, averaged, which, "bench"));
        });
        add("global_average_pool/14x14x512", [which](benchmark::State& state) {
            run(state, {1, 14, 14, 512}, {1, 1, 1, 512}, which,
                global_average_pool<nearest_even>(196, stored, averaged, which, "bench"));
        });
    }
    return true;
}();

}  // namespace
