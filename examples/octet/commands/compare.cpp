// octet compare: two networks on the same samples, layer by layer, matched by the names of their tensors.
#include <cmath>
#include <map>
#include <octet/quant/noise.hpp>

#include "commands.hpp"
#include "engine.hpp"
#include "files.hpp"
#include "measure.hpp"
#include "network.hpp"
#include "progress.hpp"

namespace {

/// What one tensor is in both networks, over all samples.
struct difference {
    octet::tensor_id first = 0;
    octet::tensor_id second = 0;
    octet::signal_and_noise left;
    double largest = 0.0;

    void add(std::span<const float> a, std::span<const float> b) {
        for (std::size_t i = 0; i < a.size(); ++i) {
            left.add(a[i], b[i]);
            largest = std::max(largest, std::abs(double{a[i]} - double{b[i]}));
        }
    }
};

std::vector<difference> matched(const octet::graph& a, const octet::graph& b) {
    std::map<std::string, octet::tensor_id> by_name;
    for (const octet::node& one : b.nodes()) by_name[b.at(one.output).name] = one.output;
    std::vector<difference> found;
    for (const octet::node& one : a.nodes()) {
        const auto at = by_name.find(a.at(one.output).name);
        if (at != by_name.end() && a.at(one.output).dims == b.at(at->second).dims)
            found.push_back({.first = one.output, .second = at->second, .left = {}, .largest = 0.0});
    }
    return found;
}

/// The values of every tensor of a run, by tensor_id; empty for views of others.
using values_of = std::vector<std::vector<float>>;
void run_and_keep(runner& run, std::span<const float> sample, values_of& kept) {
    run.set_input(0, sample);
    run.run_observed([&](octet::tensor_id id, std::span<const float> values) {
        kept[static_cast<std::size_t>(id)].assign(values.begin(), values.end());
    });
}

}  // namespace

void compare(const options& asked, output& says) {
    const octet::quantized_graph a = load_form(asked.model), b = load_form(asked.other);
    const octet::shape &dims = a.net.at(a.net.inputs()[0]).dims, &other_dims = b.net.at(b.net.inputs()[0]).dims;
    if (dims != other_dims)
        octet::fail(asked.other, ": the network takes ", octet::to_string(other_dims), ", and that of ", asked.model,
                    " ", octet::to_string(dims), ": compare networks of the same input");
    std::vector<difference> tensors = matched(a.net, b.net);
    if (tensors.empty())
        octet::fail(asked.other, ": no layer has the name and the shape of one of ", asked.model,
                    ": compare networks that come from the same model");
    const octet::samples data = load_samples(asked, a.net).values;
    const octet::session_options how{.target = asked.target, .threads = asked.hook, .fuse_residual = false};
    const auto run_a = make_runner(a, how), run_b = make_runner(b, how);

    values_of kept_a(a.tensors.size()), kept_b(b.tensors.size());
    std::size_t same = 0;
    {
        progress_bar bar("comparing");
        const octet::progress told = bar.hook();
        const auto elements = static_cast<std::size_t>(dims.elements());
        for (std::size_t s = 0; s < data.count; ++s) {
            run_and_keep(*run_a, data.slice(0, s, 1, elements), kept_a);
            run_and_keep(*run_b, data.slice(0, s, 1, elements), kept_b);
            for (difference& one : tensors) {
                const auto &x = kept_a[static_cast<std::size_t>(one.first)],
                           &y = kept_b[static_cast<std::size_t>(one.second)];
                if (x.size() == y.size()) one.add(x, y);
            }
            same += largest(output_of(*run_a, 0), 1) == largest(output_of(*run_b, 0), 1) ? 1U : 0U;
            told.report(told.context, s + 1, data.count);
        }
    }

    std::vector<std::vector<cell>> rows;
    for (const difference& one : tensors) {
        const auto id = static_cast<std::size_t>(one.first);
        if (kept_a[id].empty() || kept_b[static_cast<std::size_t>(one.second)].empty()) continue;
        const octet::node& maker = a.net.nodes()[static_cast<std::size_t>(a.net.producer(one.first))];
        rows.push_back({{octet::format::tail(maker.name, 32), maker.name},
                        std::string(octet::kind_of(maker.what)),
                        octet::to_string(a.net.at(one.first).dims),
                        {octet::format::decibels(one.left.decibel()), one.left.decibel()},
                        cell::real("%.4g", one.largest)});
    }
    says.fact("model", name_of(asked.model));
    says.fact("other", name_of(asked.other));
    says.fact("samples", octet::text(data.count, " of ", name_of(asked.samples)));
    says.fact("layers", octet::text(rows.size(), " of ", a.net.nodes().size(), " and ", b.net.nodes().size(),
                                    ", those with the same name and shape; views have no values"));
    says.fact("same class", {octet::text(same, " of ", data.count, " samples"), static_cast<std::int64_t>(same)});
    says.table("differences", "signal-to-noise ratio of the other network's outputs, and the largest difference",
               {{"layer", "layer"},
                {"operation", "operation"},
                {"shape", "shape"},
                {"snr_db", "SNR dB"},
                {"largest", "largest"}},
               std::move(rows), 3);
}
