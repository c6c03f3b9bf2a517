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
        std::string name = "(conversion)", operation;
        std::int64_t macs = 0;
        if (one.node >= 0) {
            const octet::node& node = net.nodes()[static_cast<std::size_t>(one.node)];
            name = node.name, operation = octet::kind_of(node.what);
            macs = batch * multiply_adds(net, node);
        }
        rows.push_back({{octet::format::tail(name, 32), name},
                        operation,
                        one.kernel,
                        std::string(octet::to_string(one.target)),
                        cell::real("%.1f", 1000.0 * times[i]),
                        cell::real("%.1f", 100.0 * times[i] / all),
                        macs == 0 ? cell::none() : cell::real("%.1f", gops(macs, times[i]))});
    }
    return rows;
}

struct form {
    std::string name;
    octet::quantized_graph net;
};

/// The forms to measure: of a float network that and int8, else what the file has.
std::vector<form> forms_of(const options& asked, octet::quantized_graph from, const octet::samples& data) {
    std::vector<form> all;
    if (from.quantized_layers() == 0) {
        const octet::graph model = load_model(asked.model);
        const auto seen = calibrate(asked, model, calibration_samples(asked, model, data));
        all.push_back({"float", std::move(from)});
        all.push_back({"int8", quantize_model(model, seen, asked.how)});
    } else {
        refuse_options_for_float(asked);
        all.push_back({"int8", std::move(from)});
    }
    return all;
}

}  // namespace

void bench(const options& asked, output& says) {
    octet::quantized_graph from = load_form(asked.model);
    const octet::samples data =
        asked.samples.empty() ? noise(from.net.at(from.net.inputs()[0]), 4) : load_samples(asked, from.net).values;
    const std::vector<form> forms = forms_of(asked, std::move(from), data);
    const std::int64_t macs = asked.batch * multiply_adds(forms[0].net.net);
    say_model(says, asked.model, forms[0].net.net);
    says.fact("input", asked.samples.empty() ? std::string("noise") : name_of(asked.samples));
    says.fact("batch", cell::count(static_cast<std::size_t>(asked.batch)));
    says.fact("threads", cell::count(static_cast<std::size_t>(asked.threads)));
    say_isa(says, asked);
    says.fact("MACs", cell::count(static_cast<std::size_t>(macs)));

    std::vector<std::vector<cell>> networks;
    std::vector<std::vector<std::vector<cell>>> steps;
    for (const form& one : forms) {
        const auto run = make_runner(one.net, asked.session());
        run_all(*run, first_samples(data, static_cast<std::size_t>(asked.batch)), {}, [](std::size_t, std::size_t) {});
        const latency took = median_latency(*run);
        networks.push_back({one.name, cell::real("%.3f", took.milliseconds),
                            cell::real("%.1f", 1000.0 * asked.batch / took.milliseconds),
                            cell::real("%.1f", gops(macs, took.milliseconds)), cell::count(took.runs)});
        steps.push_back(step_rows(one.net.net, *run, asked.batch, took.runs));
    }
    says.table("latency", "medians",
               {{"form", "form"},
                {"milliseconds", "ms"},
                {"samples_per_second", "samples/s"},
                {"gops", "GOP/s"},
                {"runs", "runs"}},
               std::move(networks));
    for (std::size_t i = 0; i < forms.size(); ++i)
        says.table(forms[i].name + "_layers", forms[i].name + ", step by step",
                   {{"layer", "layer"},
                    {"operation", "operation"},
                    {"kernel", "kernel"},
                    {"isa", "ISA"},
                    {"microseconds", "us"},
                    {"percent", "%"},
                    {"gops", "GOP/s"}},
                   std::move(steps[i]), 4);
}
