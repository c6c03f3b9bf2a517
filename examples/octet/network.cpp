#include "network.hpp"

#include <octet/graph/passes.hpp>
#include <octet/io/calibration.hpp>
#include <octet/io/file.hpp>
#include <octet/json.hpp>
#include <utility>
#include <vector>
#include "onnx_compiled_once.hpp"

#include "engine.hpp"
#include "files.hpp"
#include "interrupt.hpp"
#include "progress.hpp"

namespace {

void check_inputs(const std::string& path, const octet::graph& model) {
    if (model.inputs().size() != 1)
        octet::fail(path, ": the network has ", model.inputs().size(),
                    " inputs, and this tool feeds networks with one: use the library for others");
}

sample_set load_from(const std::string& path, const options& asked, std::size_t most, const octet::graph& model) {
    progress_bar bar("reading images");
    return load_samples(path, model.at(model.inputs()[0]), asked.format, most, bar.hook());
}

octet::graph parse_model(const std::string& path, const std::string& bytes) {
    octet::graph model = compiled_once::parse(std::as_bytes(std::span(bytes)), path);
    check_inputs(path, model);
    return model;
}

/// The names of operators stand in a file as they are.
bool is_quantized(const std::string& bytes) { return bytes.find("DequantizeLinear") != std::string::npos; }

}  // namespace

octet::graph load_model(const std::string& path) {
    const std::string bytes = octet::read_file(path, "ONNX model");
    if (is_quantized(bytes))
        octet::fail(path, ": this network is quantized already: give the float network that it was made of");
    return parse_model(path, bytes);
}

octet::quantized_graph load_form(const std::string& path) {
    const std::string bytes = octet::read_file(path, "ONNX model");
    if (!is_quantized(bytes)) {
        octet::graph model = parse_model(path, bytes);
        octet::optimize(model);
        return octet::as_float(std::move(model));
    }
    octet::quantized_graph form = compiled_once::parse_quantized(std::as_bytes(std::span(bytes)), path);
    check_inputs(path, form.net);
    return form;
}

sample_set load_samples(const options& asked, const octet::graph& model) {
    return load_from(asked.samples, asked, asked.count, model);
}

octet::samples calibration_samples(const options& asked, const octet::graph& model, const octet::samples& data) {
    return asked.calibration.empty() ? first_samples(data, asked.calibration_count)
                                     : load_from(asked.calibration, asked, asked.calibration_count, model).values;
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

octet::calibration calibrate(const options& asked, const octet::graph& model, const octet::samples& shown) {
    octet::calibration seen;
    for (const std::string& path : asked.states) {
        octet::calibration one = octet::load_calibration(path);
        if (&path == &asked.states.front())
            seen = std::move(one);
        else
            seen.merge(one);
    }
    if (asked.states.empty()) {
        progress_bar bar("calibrating");
        octet::calibrate_options how{.threads = asked.hook, .target = asked.target, .progress = bar.hook()};
        if (const auto* average = std::get_if<octet::moving_average>(&asked.how.activations)) how.moving = *average;
        seen = calibrate_model(model, shown, how);
    }
    if (!asked.save_state.empty()) {
        const uninterrupted until_written;
        octet::save_calibration(asked.save_state, seen);
    }
    return seen;
}

octet::sensitivity_ranking rank_with_progress(const options& asked, const octet::graph& model,
                                              const octet::samples& data, std::vector<int> labels) {
    progress_bar bar("ranking layers");
    return rank_layers(model, data,
                       {.quantize = asked.how,
                        .labels = std::move(labels),
                        .target = asked.target,
                        .threads = asked.hook,
                        .progress = bar.hook()});
}

work prepare(const options& asked, output& says) {
    work all{.model = load_model(asked.model), .data = {}, .int8 = {}, .calibration = {}, .ranking = {}};
    all.data = load_samples(asked, all.model);
    const octet::samples shown = calibration_samples(asked, all.model, all.data.values);
    octet::quantize_options how = asked.how;
    if (asked.rank || asked.float_worst != 0) all.ranking = rank_with_progress(asked, all.model, shown);
    if (asked.float_worst != 0)
        for (const std::string& name : octet::worst(*all.ranking, static_cast<std::size_t>(asked.float_worst)))
            how.leave_in_float.push_back(name);
    const octet::calibration seen = calibrate(asked, all.model, shown);
    all.int8 = quantize_model(all.model, seen, how);

    std::string from = name_of(asked.calibration.empty() ? asked.samples : asked.calibration);
    for (const std::string& path : asked.states)
        from = &path == &asked.states.front() ? name_of(path) : from + ", " + name_of(path);
    const bool per_channel = how.weight_granularity == octet::granularity::per_channel;
    const bool asymmetric = how.activation_scheme == octet::scheme::asymmetric;
    all.calibration = octet::text(seen.samples, " samples of ", from, ", ", asked.observer);
    say_model(says, asked.model, all.model);
    says.fact("calibration", all.calibration);
    says.fact("int8",
              octet::text("weights ", per_channel ? "per channel" : "per tensor", ", activations ",
                          asymmetric ? "asymmetric" : "symmetric", ", rounding ", octet::to_string(how.rounding)));
    say_isa(says, asked);
    return all;
}

void say_ranking(output& says, const octet::sensitivity_ranking& ranking) {
    const bool labelled = ranking.all_int8.accuracy.has_value();
    std::vector<column> columns{{"layer", "layer"}, {"operation", "operation"}};
    for (const std::string which : {"alone", "without"}) {
        columns.push_back({which + "_snr_db", which + " dB"});
        if (labelled) columns.push_back({which + "_accuracy", "accuracy"});
    }
    std::vector<std::vector<cell>> rows;
    const auto add = [&](const std::string& name, const std::string& operation, const octet::output_quality& alone,
                         const octet::output_quality& without) {
        std::vector<cell>& row = rows.emplace_back();
        row.push_back({octet::format::tail(name, 32), name});
        row.push_back(operation);
        for (const octet::output_quality& of : {alone, without}) {
            row.push_back({octet::format::decibels(of.signal_to_noise), of.signal_to_noise});
            if (labelled) row.push_back(cell::real("%.2f %%", 100.0 * of.accuracy.value_or(0)));
        }
    };
    for (const octet::layer_sensitivity& one : ranking.layers) add(one.name, one.operation, one.alone, one.without);
    add("(all)", "", ranking.all_int8, ranking.all_float);
    says.table("sensitivity",
               octet::text("signal-to-noise ratio ", labelled ? "and accuracy " : "", "of the output over ",
                           ranking.samples, " samples, with one layer alone in int8, and with all others; worst first"),
               std::move(columns), std::move(rows), 2);
}

octet::quantization_report report_of(const options& asked, const work& with, std::size_t timed_runs) {
    constexpr std::size_t most = 100;
    return make_report(with.model, with.int8, with.data.values,
                       {.most_samples = most, .timed_runs = timed_runs, .target = asked.target, .threads = asked.hook});
}

void say_report(output& says, const octet::quantization_report& all) {
    says.remark(octet::text("\n", octet::summary_text(all),
                            "\nsignal-to-noise ratio and share cut off by the range, over ", all.samples, " samples:\n",
                            octet::table_text(all)));
    says.json("report", octet::to_json(all).dump());
}

std::string file_shape(const octet::tensor& of) {
    if (of.dims.rank() != 4) return octet::to_string(of.dims);
    if (!of.form.channels_first) return octet::to_string(of.dims) + " (NHWC)";
    return octet::to_string(octet::shape{of.dims[0], of.dims[3], of.dims[1], of.dims[2]}) + " (NCHW)";
}

void say_model(output& says, const std::string& path, const octet::graph& model) {
    const octet::tensor& input = model.at(model.inputs()[0]);
    says.fact("model", octet::text(name_of(path), ", input '", input.name, "' ", file_shape(input)));
}

void say_isa(output& says, const options& asked) {
    says.fact("ISA", std::string(octet::to_string(asked.target.value_or(octet::best_isa()))));
}
