// octet bench: how fast a model runs, float and int8, and where the time goes.
#include <random>

#include "commands.hpp"
#include "engine.hpp"
#include "files.hpp"
#include "measure.hpp"
#include "network.hpp"

namespace {

/// Values of a normal distribution, the same every time: latency does not depend on what they mean.
octet::samples noise(const octet::tensor& input, std::size_t count) {
    std::mt19937 random(1);
    std::normal_distribution<float> values;
    std::vector<float> all(count * static_cast<std::size_t>(input.dims.elements()));
    for (float& one : all) one = values(random);
    return {count, std::move(all)};
}

/// Operations a second, two for each multiply-add, in 10^9.
double gops(std::int64_t macs, double milliseconds) { return 2e-6 * static_cast<double>(macs) / milliseconds; }

std::vector<std::vector<cell>> step_rows(const octet::graph& net, runner& run, int batch, std::size_t runs) {
    const std::vector<double> times = median_step_latencies(run, runs);
    double all = 0;
    for (const double time : times) all += time;
    std::vector<std::vector<cell>> rows;
    for (std::size_t i = 0; i < times.size(); ++i) {
        const octet::step& one = run.steps()[i];
        if (one.node < 0 && times[i] == 0.0) continue;
        const octet::node& node = net.nodes()[static_cast<std::size_t>(one.node)];
        const std::int64_t macs = batch * multiply_adds(net, node);
        rows.push_back({{octet::detail::tail(node.name, 32), node.name},
                        std::string(octet::kind_of(node.what)),
                        one.kernel,
                        std::string(octet::to_string(one.target)),
                        cell::real("%.1f", 1000.0 * times[i]),
                        cell::real("%.1f", 100.0 * times[i] / all),
                        macs == 0 ? cell::none() : cell::real("%.1f", gops(macs, times[i]))});
    }
    return rows;
}

}  // namespace

void bench(const options& asked, output& says) {
    const octet::graph model = load_model(asked.model);
    const octet::samples data =
        asked.samples.empty() ? noise(model.at(model.inputs()[0]), 4) : load_samples(asked, model).values;
    const octet::quantized_graph int8 = calibrate(asked, model, first_samples(data, asked.calibration_count));
    say_model(says, asked.model, model);
    says.fact("input", asked.samples.empty() ? std::string("noise") : name_of(asked.samples));
    says.fact("batch", cell::count(static_cast<std::size_t>(asked.batch)));
    says.fact("threads", cell::count(static_cast<std::size_t>(asked.threads)));
    say_isa(says, asked);
    const std::int64_t macs = asked.batch * multiply_adds(int8.net);
    says.fact("MACs", cell::count(static_cast<std::size_t>(macs)));

    std::vector<std::vector<cell>> networks;
    const std::vector<column> columns{{"layer", "layer"}, {"operation", "operation"}, {"kernel", "kernel"},
                                      {"isa", "ISA"},     {"microseconds", "us"},     {"percent", "%"},
                                      {"gops", "GOP/s"}};
    std::vector<std::vector<std::vector<cell>>> steps;
    const auto measure = [&](const char* name, const octet::quantized_graph& form) {
        const auto run = make_runner(form, asked.session());
        run_all(*run, first_samples(data, static_cast<std::size_t>(asked.batch)), {}, [](std::size_t, std::size_t) {});
        const latency took = median_latency(*run);
        networks.push_back({name, cell::real("%.3f", took.milliseconds),
                            cell::real("%.1f", 1000.0 * asked.batch / took.milliseconds),
                            cell::real("%.1f", gops(macs, took.milliseconds)), cell::count(took.runs)});
        steps.push_back(step_rows(form.net, *run, asked.batch, took.runs));
    };
    measure("float", octet::as_float(int8.net));
    measure("int8", int8);
    says.table("latency", "medians",
               {{"form", "form"},
                {"milliseconds", "ms"},
                {"samples_per_second", "samples/s"},
                {"gops", "GOP/s"},
                {"runs", "runs"}},
               std::move(networks));
    says.table("float_layers", "float, by step; conversions count with the layer that follows", columns,
               std::move(steps[0]), 4);
    says.table("int8_layers", "int8, by step; conversions count with the layer that follows", columns,
               std::move(steps[1]), 4);
}
