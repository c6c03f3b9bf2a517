// octet inspect: what a model holds, and what a session of it takes.
#include "commands.hpp"
#include "engine.hpp"
#include "network.hpp"

namespace {

std::string names_of(const octet::graph& net, std::span<const octet::tensor_id> ids) {
    std::string all;
    for (const octet::tensor_id id : ids)
        all += octet::text(all.empty() ? "'" : ", '", net.at(id).name, "' ", file_shape(net.at(id)));
    return all;
}

void say_layers(output& says, const octet::graph& net, const runner& run) {
    std::vector<const octet::step*> made_by(net.nodes().size());
    for (const octet::step& one : run.steps())
        if (one.node >= 0) made_by[static_cast<std::size_t>(one.node)] = &one;
    std::vector<std::vector<cell>> rows;
    for (std::size_t i = 0; i < net.nodes().size(); ++i) {
        const octet::node& one = net.nodes()[i];
        const octet::step* by = made_by[i];
        rows.push_back({{octet::format::tail(one.name, 32), one.name},
                        std::string(octet::kind_of(one.what)),
                        by == nullptr ? cell{"view", nullptr} : cell(by->kernel),
                        by == nullptr ? cell::none() : cell(std::string(octet::to_string(by->target))),
                        octet::to_string(net.at(one.output).dims),
                        cell::count(parameters(net, one)),
                        cell::count(static_cast<std::size_t>(multiply_adds(net, one)))});
    }
    says.table("layers", "layers as they run, images NHWC, with normalizations and activations folded",
               {{"layer", "layer"},
                {"operation", "operation"},
                {"kernel", "kernel"},
                {"isa", "ISA"},
                {"shape", "output"},
                {"parameters", "parameters"},
                {"macs", "MACs"}},
               std::move(rows), 4);
}

void say_plan(output& says, const octet::memory_plan& plan) {
    std::vector<std::vector<cell>> rows;
    for (const octet::allocation& one : plan.blocks)
        rows.push_back({{octet::format::tail(one.name, 32), one.name},
                        cell::count(one.size),
                        cell::count(one.offset),
                        cell::count(static_cast<std::size_t>(one.first)),
                        cell::count(static_cast<std::size_t>(one.last))});
    says.table("plan", "arena, with the steps at which each value is in use",
               {{"tensor", "tensor"}, {"bytes", "bytes"}, {"offset", "offset"}, {"first", "first"}, {"last", "last"}},
               std::move(rows));
}

}  // namespace

void inspect(const options& asked, output& says) {
    const octet::quantized_graph form = load_form(asked.model);
    const octet::graph& net = form.net;
    const auto run = make_runner(form, asked.session());

    say_model(says, asked.model, net);
    says.fact("outputs", names_of(net, net.outputs()));
    says.fact("int8", octet::text(form.quantized_layers(), " of ", net.nodes().size(), " layers"));
    std::size_t held = 0;
    for (const octet::node& one : net.nodes()) held += parameters(net, one);
    says.fact("parameters", cell::count(held));
    says.fact("MACs", cell::count(static_cast<std::size_t>(multiply_adds(net))));
    says.fact("arena", {octet::text(octet::format::grouped(run->plan().total_bytes()), " bytes at batch ", asked.batch,
                                    ", of these ", octet::format::grouped(run->plan().scratch_bytes), " scratch"),
                        static_cast<std::int64_t>(run->plan().total_bytes())});
    say_layers(says, net, *run);
    say_plan(says, run->plan());
}
