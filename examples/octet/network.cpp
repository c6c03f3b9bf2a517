#include "network.hpp"

#include <octet/graph/passes.hpp>
#include <octet/io/onnx.hpp>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "files.hpp"
#include "progress.hpp"

octet::graph load_model(const std::string& path) {
    octet::graph model = octet::onnx::load(path);
    if (model.inputs().size() != 1)
        octet::fail(path, ": the network has ", model.inputs().size(),
                    " inputs, and this tool feeds networks with one: use the library for others");
    return model;
}

octet::quantized_graph load_form(const std::string& path) {
    octet::graph model = load_model(path);
    octet::optimize(model);
    return octet::as_float(std::move(model));
}

namespace {

sample_set load_from(const std::string& path, const options& asked, const octet::graph& model, std::size_t most) {
    progress_bar bar("reading images");
    return load_samples(path, model.at(model.inputs()[0]), asked.format, most, bar.hook());
}

}  // namespace

sample_set load_samples(const options& asked, const octet::graph& model) {
    return load_from(asked.samples, asked, model, asked.count);
}

std::int64_t multiply_adds(const octet::graph& net, const octet::node& of) {
    const octet::layer_weights* weights = octet::weights_of(of.what);
    if (weights == nullptr) return 0;
    const auto inner = static_cast<std::int64_t>(weights->values.size()) / weights->outputs;
    return net.at(of.output).dims.elements() * inner;
}

std::int64_t multiply_adds(const octet::graph& net) {
    std::int64_t all = 0;
    for (const octet::node& one : net.nodes()) all += multiply_adds(net, one);
    return all;
}

std::size_t parameters(const octet::graph& net, const octet::node& of) {
    std::size_t all = 0;
    if (const octet::layer_weights* weights = octet::weights_of(of.what))
        all += weights->values.size() + weights->bias.size();
    if (const auto* norm = std::get_if<octet::op::batch_norm>(&of.what))
        all += norm->factor.size() + norm->shift.size();
    for (const octet::tensor_id id : of.inputs) all += net.at(id).constant.size();
    return all;
}

octet::quantized_graph calibrate(const options& asked, const octet::graph& model, const octet::samples& data) {
    octet::quantize_options how = asked.how;
    how.calibration.target = asked.target;
    how.calibration.threads = asked.hook;
    progress_bar bar("calibrating");
    how.calibration.progress = bar.hook();
    return quantize_model(model, data, how);
}

work prepare(const options& asked, output& says) {
    work all{.model = load_model(asked.model), .data = {}, .int8 = {}};
    all.data = load_samples(asked, all.model);
    const octet::samples shown = asked.calibration.empty()
                                     ? first_samples(all.data.values, asked.calibration_count)
                                     : load_from(asked.calibration, asked, all.model, asked.count).values;
    all.calibrated = shown.count;
    all.int8 = calibrate(asked, all.model, shown);

    say_model(says, asked.model, all.model);
    says.fact("calibration", octet::text(all.calibrated, " samples of ",
                                         name_of(asked.calibration.empty() ? asked.samples : asked.calibration), ", ",
                                         asked.observer));
    says.fact(
        "int8",
        octet::text(
            "weights ", asked.how.weight_granularity == octet::granularity::per_channel ? "per channel" : "per tensor",
            ", activations ", asked.how.activation_scheme == octet::scheme::asymmetric ? "asymmetric" : "symmetric",
            ", rounding ", octet::to_string(asked.how.rounding)));
    say_isa(says, asked);
    return all;
}

octet::quantization_report report_of(const options& asked, const work& with) {
    constexpr std::size_t most = 100;
    return make_report(with.model, with.int8, with.data.values,
                       {.most_samples = most, .target = asked.target, .threads = asked.hook});
}

void say_report(output& says, const octet::quantization_report& all) {
    says.remark('\n' + octet::summary_text(all));
    std::vector<std::vector<cell>> rows;
    for (const octet::layer_report& one : all.layers) {
        const bool runs = one.target.has_value();
        rows.push_back(
            {{octet::detail::tail(one.name, 24), one.name},
             one.operation,
             runs ? cell(std::string(octet::to_string(*one.target))) : cell::none(),
             {octet::detail::tail(one.kernel, 24), one.kernel},
             cell::real("%.3g", one.observed.min),
             cell::real("%.3g", one.observed.max),
             one.is_int8 ? cell::real("%.4g", one.params.scale.value) : cell{"float", nullptr},
             one.is_int8 ? cell{std::to_string(one.params.zero_point.value), std::int64_t{one.params.zero_point.value}}
                         : cell::none(),
             {octet::detail::decibel_text(one.signal_to_noise), one.signal_to_noise},
             {octet::detail::share_text(one.saturated), one.saturated}});
    }
    says.table("layers",
               octet::text("signal-to-noise ratio and share cut off by the range, over ", all.samples, " samples"),
               {{"layer", "layer"},
                {"operation", "operation"},
                {"isa", "ISA"},
                {"kernel", "kernel"},
                {"min", "min"},
                {"max", "max"},
                {"scale", "scale"},
                {"zero_point", "zero"},
                {"snr_db", "SNR dB"},
                {"saturated", "cut"}},
               std::move(rows), 4);
}

void say_model(output& says, const std::string& path, const octet::graph& model) {
    const octet::tensor& input = model.at(model.inputs()[0]);
    says.fact("model", octet::text(name_of(path), ", input '", input.name, "' ", octet::to_string(input.dims)));
}

void say_isa(output& says, const options& asked) {
    says.fact("ISA", std::string(octet::to_string(asked.target.value_or(octet::best_isa()))));
}
