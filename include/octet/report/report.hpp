// What quantization cost: the float network and the int8 network run side by side over samples, and every layer is
// measured. Start here; report/text.hpp prints it.
//   quantization_report all = report(model, int8, samples);
//   std::cout << all;
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/samples.hpp"
#include "octet/graph/session.hpp"
#include "octet/quant/quantizer.hpp"

namespace octet {

/// One layer of the folded graph: how it runs, and what of the float network's output is left in the int8 network's.
struct layer_report {
    std::string name;
    std::string operation;  ///< "conv2d", "max_pool2d", ...
    bool is_int8 = false;
    std::string reason;         ///< why it was left in float
    std::optional<isa> target;  ///< empty where no step runs: the output is a view of another tensor
    std::string kernel;         ///< "view" there
    range observed;             ///< of the output, from calibration; a range that tensors share is their union
    quant_params params;        ///< of the output, where it is int8
    /// 10 log10(sum f^2 / sum (f - q)^2) in dB over all samples, f the output in the float network and q the real value
    /// in the int8 network: all loss from the input to here. Infinite where nothing was lost, -infinity where f is 0
    /// throughout and q is not.
    double signal_to_noise = 0.0;
    /// The share of output bytes that are -128 or 127 where the float value lies more than half a step beyond the real
    /// that this byte stands for: what the chosen range cut off. The bound of a fused activation never counts, because
    /// the float value obeys it too.
    double saturated = 0.0;
};

/// Plain data: what `report` returns and to_text prints.
struct quantization_report {
    std::size_t samples = 0;      ///< how many were measured
    std::size_t model_nodes = 0;  ///< before folding; `layers` holds those that remain
    std::size_t quantized_layers = 0;
    std::size_t conversions = 0;  ///< steps between float and int8 inside the network
    rounding_policy rounding{};
    std::size_t float_weight_bytes = 0;  ///< weights, biases and constants after folding
    std::size_t int8_weight_bytes = 0;   ///< the same, with the scales
    std::size_t float_arena_bytes = 0;   ///< what a session of batch 1 allocates for values and scratch
    std::size_t int8_arena_bytes = 0;
    std::vector<layer_report> layers;
    std::vector<std::string> warnings;  ///< of calibration, each naming its tensor
};

struct report_options {
    std::size_t most_samples = 0;  ///< measure the first so many; 0: all
    std::optional<isa> target{};   ///< default: the best that this machine runs
    parallel threads{};
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

namespace detail {

/// What the two networks made of one tensor, summed over samples.
struct tensor_loss {
    double signal = 0.0;
    double noise = 0.0;
    std::uint64_t saturated = 0;
    std::uint64_t values = 0;

    void add(const tensor_loss& other) noexcept {
        signal += other.signal, noise += other.noise;
        saturated += other.saturated, values += other.values;
    }
    double decibel() const noexcept {
        return noise == 0.0 ? std::numeric_limits<double>::infinity() : 10.0 * ieee::log10(signal / noise);
    }
};

/// The real values of every tensor of one run, by tensor_id; empty where the tensor is a view of others.
template <class Rounding>
void run_and_keep(session<Rounding>& run, const quantized_graph& from, std::vector<std::vector<float>>& kept) {
    run.run_observed([&]<class T>(tensor_id id, tensor_view<const T> values) {
        std::vector<float>& own = kept[static_cast<std::size_t>(id)];
        own.clear();
        own.reserve(static_cast<std::size_t>(values.dims.elements()));
        const quant_params params = from.at(id).params;
        for (std::int64_t r = 0; r < values.rows(); ++r)
            for (std::int64_t c = 0; c < values.cols(); ++c)
                if constexpr (std::is_same_v<T, float>)
                    own.push_back(values.row(r)[c]);
                else
                    own.push_back(dequantize_value(values.row(r)[c], params));
    });
}

inline tensor_loss compare(const std::vector<float>& real, const std::vector<float>& quantized, bool is_int8,
                           quant_params params) noexcept {
    tensor_loss all;
    const float floor = dequantize_value(-128, params), ceiling = dequantize_value(127, params);
    const float half = 0.5F * params.scale.value;
    for (std::size_t i = 0; i < real.size(); ++i) {
        const float f = real[i], q = quantized[i];
        const double lost = double{f} - double{q};
        all.signal += double{f} * double{f};
        all.noise += lost * lost;
        const bool cut = (q == ceiling && f > ceiling + half) || (q == floor && f < floor - half);
        all.saturated += is_int8 && cut ? 1U : 0U;
    }
    all.values = real.size();
    return all;
}

/// Runs both networks over the samples; the loss of each tensor that a step made.
template <class Rounding>
std::vector<tensor_loss> measure(session<>& real, session<Rounding>& quantized, const quantized_graph& float_graph,
                                 const quantized_graph& int8, const samples& data, std::size_t count) {
    const std::size_t tensors = int8.tensors.size();
    std::vector<tensor_loss> losses(tensors);
    std::vector<std::vector<float>> f(tensors), q(tensors);
    for (std::size_t s = 0; s < count; ++s) {
        for (std::size_t i = 0; i < data.inputs.size(); ++i) {
            const auto elements = static_cast<std::size_t>(real.input_shape(i).elements());
            real.set_input(i, data.slice(i, s, 1, elements));
            quantized.set_input(i, data.slice(i, s, 1, elements));
        }
        run_and_keep(real, float_graph, f);
        run_and_keep(quantized, int8, q);
        for (std::size_t t = 0; t < tensors; ++t)
            if (f[t].size() == q[t].size())
                losses[t].add(compare(f[t], q[t], int8.tensors[t].is_int8, int8.tensors[t].params));
    }
    return losses;
}

inline void check_same_model(const graph& model, const graph& folded) {
    const auto same = [&](const char* what, std::span<const tensor_id> before, std::span<const tensor_id> after) {
        if (before.size() != after.size())
            fail("the model has ", before.size(), " ", what, "s and the int8 network ", after.size(),
                 ": report needs the model that was quantized");
        for (std::size_t i = 0; i < before.size(); ++i)
            if (model.at(before[i]).dims != folded.at(after[i]).dims)
                fail(what, " ", i, " is ", to_string(model.at(before[i]).dims), " in the model and ",
                     to_string(folded.at(after[i]).dims),
                     " in the int8 network: report needs the model that was quantized");
    };
    same("input", model.inputs(), folded.inputs());
    same("output", model.outputs(), folded.outputs());
}

/// Bytes of weights, biases and constants as `form` stores them; scales count, zero points of activations do not.
inline std::size_t weight_bytes(const quantized_graph& form) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < form.net.nodes().size(); ++i) {
        const quantized_layer& layer = form.layers[i];
        const operation& what = form.net.nodes()[i].what;
        if (const auto* norm = std::get_if<op::batch_norm>(&what))
            bytes += (norm->factor.size() + norm->shift.size()) * sizeof(float);
        if (const layer_weights* w = weights_of(what))
            bytes += layer.is_int8 ? layer.values.size() + layer.scales.size() * sizeof(scale) +
                                         layer.bias.size() * sizeof(std::int32_t)
                                   : (w->values.size() + w->bias.size()) * sizeof(float);
    }
    for (std::size_t t = 0; t < form.tensors.size(); ++t)
        if (const tensor& value = form.net.tensors()[t]; form.net.readers(static_cast<tensor_id>(t)) != 0)
            bytes += value.constant.size() * (form.tensors[t].is_int8 ? 1 : sizeof(float));
    return bytes;
}

}  // namespace detail

/// Runs `data` through the folded float graph and through `int8` and says, layer by layer, how each runs and what it
/// lost. `model` is what was quantized to `int8`, and Rounding what it was quantized for. Residual adds are measured
/// apart from the convolution that would run them, which changes no byte. Costs a few float runs a sample, and the
/// values of two runs in memory. Throws octet::error when the samples do not fit or `int8` is not made from `model`.
template <class Rounding = nearest_even>
quantization_report report(const graph& model, const quantized_graph& int8, const samples& data,
                           const report_options& options = {}) {
    detail::check_same_model(model, int8.net);
    check_samples(int8.net, data);
    const std::size_t count = options.most_samples == 0 ? data.count : std::min(options.most_samples, data.count);
    const quantized_graph real = as_float(int8.net);
    session<> float_run(real, {.target = options.target, .threads = options.threads});
    session<Rounding> int8_run(int8, {.target = options.target, .threads = options.threads, .fuse_residual = false});
    std::vector<detail::tensor_loss> losses = detail::measure(float_run, int8_run, real, int8, data, count);

    quantization_report all;
    all.samples = count;
    all.model_nodes = model.nodes().size();
    all.quantized_layers = static_cast<std::size_t>(int8.quantized_layers());
    all.rounding = int8.rounding;
    all.float_weight_bytes = detail::weight_bytes(real);
    all.int8_weight_bytes = detail::weight_bytes(int8);
    all.float_arena_bytes = float_run.plan().total_bytes();
    all.int8_arena_bytes =
        session<Rounding>(int8, {.target = options.target, .threads = options.threads}).plan().total_bytes();
    all.warnings = int8.warnings;

    for (std::size_t i = 0; i < int8.net.nodes().size(); ++i) {
        const node& n = int8.net.nodes()[i];
        detail::tensor_loss& loss = losses[static_cast<std::size_t>(n.output)];
        if (loss.values == 0)  // a view: what its parts lost
            for (const tensor_id id : n.inputs) loss.add(losses[static_cast<std::size_t>(id)]);
        const quantized_tensor& out = int8.at(n.output);
        all.layers.push_back(
            {.name = n.name,
             .operation = std::string(kind_of(n.what)),
             .is_int8 = int8.layers[i].is_int8,
             .reason = int8.layers[i].reason,
             .target = {},
             .kernel = "view",
             .observed = out.observed,
             .params = out.params,
             .signal_to_noise = loss.decibel(),
             .saturated =
                 loss.values == 0 ? 0.0 : static_cast<double>(loss.saturated) / static_cast<double>(loss.values)});
    }
    for (const step& s : int8_run.steps()) {
        if (s.node < 0) {
            ++all.conversions;
            continue;
        }
        layer_report& layer = all.layers[static_cast<std::size_t>(s.node)];
        layer.kernel = s.kernel;
        layer.target = s.target;
    }
    return all;
}

}  // namespace octet::inline OCTET_ABI
