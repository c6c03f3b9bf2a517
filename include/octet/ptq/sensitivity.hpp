// Which layers suffer from int8: each alone in int8, and each alone left out of it, measured at the network's output.
//   sensitivity_ranking ranking = sensitivity(model, samples);
//   quantized_graph int8 = quantize(model, samples, {.leave_in_float = worst(ranking, 3)});
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/progress.hpp"
#include "octet/graph/quantize.hpp"
#include "octet/graph/samples.hpp"
#include "octet/graph/session.hpp"
#include "octet/quant/noise.hpp"

namespace octet {

/// What is left of the float network's outputs.
struct output_quality {
    double signal_to_noise = 0.0;      ///< signal_and_noise::decibel over all outputs of all samples
    std::optional<double> accuracy{};  ///< where labels are given: the share of samples whose largest score is theirs
};

struct layer_sensitivity {
    std::string name;
    std::string operation;
    output_quality alone;    ///< this layer in int8, all others in float
    output_quality without;  ///< this layer in float, all others in int8
};

struct sensitivity_ranking {
    std::size_t samples = 0;
    output_quality all_float;
    output_quality all_int8;
    std::vector<layer_sensitivity> layers;  ///< worst first: the smallest ratio alone; equals as in the graph
};

struct sensitivity_options {
    /// Of every variant. What leave_in_float names stays in float and is not ranked; calibration.progress is told of
    /// the one calibration, whose target and threads are those below.
    quantize_options quantize{};
    std::vector<int> labels{};    ///< of each sample, the index of its class among the first output's values
    std::optional<isa> target{};  ///< default: the best that this machine runs; the ranking does not depend on it
    parallel threads{};           ///< nor on this
    octet::progress progress{};   ///< told after every sample of every variant
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

/// Runs one network after the other over the same samples, the float one first, and compares their outputs with its.
class output_watch {
  public:
    output_watch(const samples& data, const sensitivity_options& options, std::size_t networks)
        : data_(data), options_(options), runs_(networks * data.count) {}

    template <class Session>
    output_quality operator()(Session run) {
        const bool first = of_float_.empty();
        std::size_t at = 0, right = 0;
        signal_and_noise left;
        std::vector<float> scores;
        for (std::size_t s = 0; s < data_.count; ++s) {
            set_samples(run, data_, s);
            run.run();
            for (std::size_t i = 0; i < run.outputs(); ++i) {
                scores.resize(static_cast<std::size_t>(run.output_shape(i).elements()));
                run.get_output(i, scores);
                if (first) of_float_.insert(of_float_.end(), scores.begin(), scores.end());
                for (const float q : scores) left.add(of_float_[at++], q);
                if (i == 0 && !options_.labels.empty()) right += best(scores) == options_.labels[s] ? 1U : 0U;
            }
            options_.progress.report(options_.progress.context, ++done_, runs_);
        }
        output_quality quality{left.decibel(), {}};
        if (!options_.labels.empty()) quality.accuracy = static_cast<double>(right) / static_cast<double>(data_.count);
        return quality;
    }

  private:
    /// The index of the largest; of equal ones the first.
    static int best(const std::vector<float>& scores) noexcept {
        std::size_t found = 0;
        for (std::size_t i = 1; i < scores.size(); ++i) found = scores[i] > scores[found] ? i : found;
        return static_cast<int>(found);
    }

    const samples& data_;
    const sensitivity_options& options_;
    std::vector<float> of_float_;
    std::size_t runs_, done_ = 0;
};

void check_labels(const std::same_as<graph> auto& net, const samples& data, const std::vector<int>& labels) {
    if (labels.empty()) return;
    if (labels.size() != data.count)
        fail(labels.size(), " labels for ", data.count, " samples: give one for each, or none");
    const std::int64_t classes = net.at(net.outputs()[0]).dims.elements();
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (labels[i] < 0 || labels[i] >= classes)
            fail("label ", i, " is ", labels[i], ", but the network's first output has the values 0 to ", classes - 1);
}

}  // namespace detail

/// Quantizes `model` twice for each layer that has an int8 form, with that layer alone in int8 and with all but it,
/// runs `data` through either, and ranks by what the layer does alone: this order holds for several layers at once.
/// (With the worst five in float, ResNet8's outputs on CIFAR-10 have 28.5 dB, and 25.3 with the first five by what is
/// left without one; 23.0 with none. MobileNetV1-0.25: 15.1, 14.6 and 9.2 dB.) Layers of one name count as one.
/// Calibrates once, on `data`, then costs 2 * layers * samples runs, half of them almost wholly in float, and keeps the
/// float network's outputs in memory. The same graph, samples and options give the same ranking for any threads and on
/// every instruction set. Throws octet::error as quantize and session do, and for labels that do not fit.
template <class Rounding = nearest_even>
sensitivity_ranking sensitivity(const graph& model, const samples& data, const sensitivity_options& options = {}) {
    check_samples(model, data);
    detail::check_labels(model, data, options.labels);
    quantize_options how = options.quantize;
    how.calibration.target = options.target, how.calibration.threads = options.threads;
    if (const auto* average = std::get_if<moving_average>(&how.activations)) how.calibration.moving = *average;
    const calibration seen = calibrate(model, data, how.calibration);
    const session_options run_how{.target = options.target, .threads = options.threads};
    // Ranges are chosen once, and so are the integers of each layer, unless its input has other parameters without
    // the layers that share them.
    quantized_graph chosen = detail::choose_layers(model, how);
    const std::vector<range> own = detail::choose_ranges(chosen, seen, how, chosen.warnings);
    const quantized_graph all_int8 = detail::quantize_layers(std::move(chosen), seen, own, how);

    sensitivity_ranking ranking{.samples = data.count, .all_float = {}, .all_int8 = {}, .layers = {}};
    std::vector<std::string> names;
    for (std::size_t i = 0; i < all_int8.layers.size(); ++i) {
        const node& n = all_int8.net.nodes()[i];
        if (!all_int8.layers[i].is_int8 || detail::contains(names, n.name)) continue;
        names.push_back(n.name);
        ranking.layers.push_back({n.name, std::string(kind_of(n.what)), {}, {}});
    }

    detail::output_watch watch(data, options, 2 * names.size() + 2);
    const auto quality = [&](const quantized_graph& of) { return watch(session<Rounding>(of, run_how)); };
    const auto variant = [&](const std::vector<std::string>& in_float) {
        how.leave_in_float = in_float;
        return quality(detail::quantize_layers(detail::choose_layers(all_int8.net, how), seen, own, how, &all_int8));
    };
    const quantized_graph all_float = as_float(all_int8.net);
    ranking.all_float = quality(all_float);
    ranking.all_int8 = quality(all_int8);
    for (layer_sensitivity& layer : ranking.layers) {
        std::vector<std::string> others = options.quantize.leave_in_float, itself = others;
        for (const std::string& name : names)
            if (name != layer.name) others.push_back(name);
        itself.push_back(layer.name);
        layer.alone = variant(others);
        layer.without = names.size() == 1 ? quality(all_float) : variant(itself);
    }
    detail::sort_stably(ranking.layers, [](const layer_sensitivity& a, const layer_sensitivity& b) {
        return a.alone.signal_to_noise < b.alone.signal_to_noise;
    });
    return ranking;
}

/// The names of the worst `count` layers (of all, if there are not so many), for quantize_options::leave_in_float.
inline std::vector<std::string> worst(const sensitivity_ranking& ranking, std::size_t count) {
    std::vector<std::string> names;
    for (const layer_sensitivity& layer : ranking.layers)
        if (names.size() < count) names.push_back(layer.name);
    return names;
}

}  // namespace octet::inline OCTET_ABI
