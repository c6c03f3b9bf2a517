// From a QDQ model to a quantized graph: which float operators between DequantizeLinear and QuantizeLinear are int8
// layers. First every node of the imported graph is judged, then the graph is built anew without the nodes that
// QuantizeLinear left in it.
//
// A node is int8 where all that it reads is stored in int8, and either its result is stored at once, by one or more
// QuantizeLinear with the same parameters and by nothing else, or it moves bytes as they are to what reads int8. A
// stored tensor that is stored again with other parameters is rescaled by a node of its own, a table of 256 bytes. So
// the int8 graph computes what the model says, q = quantize(f(dequantize(x))), with the rounding that int8 layers have.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "octet/graph/passes.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/io/onnx/network.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// The integers of a layer from its reals, which are scale * integer. Throws octet::error where they do not fit int8,
/// or a bias not int32; nothing where the reals do not stand on the grid: a pass changed them.
inline std::optional<quantized_layer> stored_layer(const std::string& who, const layer_weights& from,
                                                   const stored_weights& how, scale input) {
    const auto outputs = static_cast<std::size_t>(from.outputs);
    if (how.scales.size() != 1 && how.scales.size() != outputs) return {};
    const std::size_t inner = from.values.size() / outputs;
    quantized_layer made{.is_int8 = true};
    for (const float s : how.scales) made.scales.emplace_back(s);
    for (std::size_t i = 0; i < from.values.size(); ++i) {
        const float steps = from.values[i] / how.scales[how.scales.size() == 1 ? 0 : i / inner];
        if (!(std::fabs(steps) < 1024) || std::fabs(steps - std::nearbyint(steps)) > 1e-3F) return {};
        const int q = static_cast<int>(std::nearbyint(steps));
        if (q < -128 || q > 127)
            fail(who, ": a weight lies ", q,
                 " steps from the zero point, outside [-128, 127]: Octet's kernels take int8 "
                 "weights without a zero point, quantize them symmetrically");
        made.values.push_back(static_cast<std::int8_t>(q));
    }
    for (std::size_t o = 0; o < outputs; ++o) {
        // Exact in double, so that no compiler makes an fma of it and the difference below.
        const double step = double{input.value} * double{how.scales[how.scales.size() == 1 ? 0 : o]};
        const bool listed = how.bias.size() == outputs && !how.bias_scales.empty();
        const double had = listed ? double{how.bias_scales[how.bias_scales.size() == 1 ? 0 : o]} : 0.0;
        // Integers of the scale that a bias has to have, up to the rounding of whoever multiplied, are taken as they
        // are.
        const double bias = listed && std::fabs(had - step) <= 1e-5 * step
                                ? static_cast<double>(how.bias[o])
                                : std::nearbyint(double{from.bias[o]} / step);
        if (!(std::fabs(bias) <= 0x7fffffff))
            fail(who, ": the bias of output ", o, " is ", bias, " steps of ", step,
                 ", more than 32 bits hold: its weights' scale is too small");
        made.bias.push_back(static_cast<std::int32_t>(bias));
    }
    return made;
}

class quantized_network {
  public:
    quantized_network(graph model, stored_forms forms, rounding_policy rounding)
        : from_(std::move(model)),
          forms_(std::move(forms)),
          uses_(from_.tensors().size()),
          stored_(from_.tensors().size()) {
        made_.rounding = rounding;
        fuse_activations(from_);
        remove_unread(from_);
        for (const auto& [id, params] : forms_.tensors)
            if (!from_.at(id).is_constant()) stored_[at(id)] = params;
        for (std::size_t i = 0; i < from_.nodes().size(); ++i)
            for (const tensor_id id : from_.nodes()[i].inputs) uses_[at(id)].readers.push_back(i);
        for (const tensor_id id : from_.outputs()) uses_[at(id)].is_output = true;
    }
    quantized_graph build() {
        for (const node& n : from_.nodes()) layers_.push_back(stores(n) ? quantized_layer{} : judge(n));
        for (std::size_t i = layers_.size(); i-- > 0;) leave_in_float(i);
        now_.resize(from_.tensors().size(), -1);
        for (const tensor_id id : from_.inputs()) add_input(id);
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const node n = from_.nodes()[i];
            if (stores(n))
                store(n);
            else
                add(n, std::move(layers_[i]));
        }
        for (const tensor_id id : from_.outputs()) {
            const tensor_id last = now_[at(id)];
            if (made_.net.producer(last) >= 0) {
                made_.net.rename(last, from_.at(id).name);
                made_.net.set_form(last, from_.at(id).form);
            }
            made_.net.output(last);
        }
        melt_activations();
        hold_results();
        if (made_.quantized_layers() == 0)
            fail(
                "no operator stands between DequantizeLinear and QuantizeLinear with stored weights: a float model is "
                "read with octet::onnx::load, and quantized with octet::quantize");
        return std::move(made_);
    }

  private:
    static std::size_t at(tensor_id id) noexcept { return static_cast<std::size_t>(id); }
    /// Whether the int8 form of the node may have an activation.
    static bool computes(const node& n) {
        return weights_of(n.what) != nullptr || std::holds_alternative<op::add>(n.what) ||
               std::holds_alternative<op::mul>(n.what);
    }
    /// Whether the node is what a QuantizeLinear left.
    bool stores(const node& n) const {
        return std::holds_alternative<op::reshape>(n.what) && forms_.tensors.count(n.output) != 0;
    }
    /// The parameters with which every reader of a tensor stores it; nothing where one does not, or there is none.
    std::optional<quant_params> stored_by_readers(tensor_id id) const {
        std::optional<quant_params> found;
        if (uses_[at(id)].is_output) return {};
        for (const std::size_t i : uses_[at(id)].readers) {
            const node& n = from_.nodes()[i];
            if (!stores(n) || (found && *found != forms_.tensors.at(n.output))) return {};
            found = forms_.tensors.at(n.output);
        }
        return found;
    }
    quantized_layer judge(const node& n);
    void leave_in_float(std::size_t index);
    void add_input(tensor_id id);
    void store(const node& n);
    void add(const node& n, quantized_layer layer);
    tensor_id append(const std::string& name, operation what, std::vector<tensor_id> inputs, quantized_layer layer,
                     std::optional<quant_params> params, activation_range activation = {});
    tensor_id rescaled(const std::string& name, tensor_id id, quant_params params);
    void set_params(tensor_id id, quant_params params);
    void melt_activations();
    void hold_results();

    /// Who reads a tensor of the model.
    struct uses {
        std::vector<std::size_t> readers;  // nodes
        bool is_output = false;
    };

    graph from_;
    stored_forms forms_;
    std::vector<uses> uses_;
    std::vector<std::optional<quant_params>> stored_;  // of each tensor of the model that is stored in int8
    std::vector<quantized_layer> layers_;
    std::vector<tensor_id> now_;  // the tensor of the new graph that holds a tensor of the model
    std::map<tensor_id, tensor_id> constants_;
    quantized_graph made_;
    std::vector<bool> has_params_;  // of each tensor of the new graph
};

/// Whether a node runs in int8, with which integers; notes the parameters of what it stores.
inline quantized_layer quantized_network::judge(const node& n) {
    const auto left = [](const char* reason) { return quantized_layer{.reason = reason}; };
    const std::string who = text(kind_of(n.what), " '", n.name, "'");
    std::optional<quant_params> shared;
    bool same = true;
    for (const tensor_id id : n.inputs) {
        const auto noted = forms_.tensors.find(id);
        const std::optional<quant_params> params = stored_[at(id)] ? stored_[at(id)]
                                                   : noted != forms_.tensors.end() && from_.at(id).is_constant()
                                                       ? std::optional(noted->second)
                                                       : std::nullopt;
        if (!params) return left("what it reads is not quantized");
        same = same && (!shared || *shared == *params);
        shared = params;
    }
    const std::optional<quant_params> after = stored_by_readers(n.output);
    quantized_layer layer{.is_int8 = true};
    if (octet::detail::moves_bytes(n.what, made_.rounding)) {
        const auto* grow = std::get_if<op::pad>(&n.what);
        const bool joins = std::holds_alternative<op::concat>(n.what);
        if (joins && (same || after))
            stored_[at(n.output)] = after ? after : shared;
        else if (!joins && (grow == nullptr || grow->value == 0.0F || after == shared))
            stored_[at(n.output)] = shared;
        else
            return left("its result is not quantized");
        return layer;
    }
    if (std::holds_alternative<op::batch_norm>(n.what)) return left("has no int8 form here");
    if (!after) return left("its result is not quantized");
    if (const layer_weights* weights = weights_of(n.what)) {
        const auto how = forms_.layers.find(n.name);
        if (how == forms_.layers.end()) return left("its weights are not quantized");
        auto integers = stored_layer(who, *weights, how->second, stored_[at(n.inputs[0])]->scale);
        if (!integers) return left("its weights do not stand on their scales' grid");
        layer = std::move(*integers);
    }
    stored_[at(n.output)] = after;
    return layer;
}

/// A node that moves bytes for readers in float only does so in float. A view of an output stays: it was stored before.
inline void quantized_network::leave_in_float(std::size_t index) {
    const node& n = from_.nodes()[index];
    if (!layers_[index].is_int8 || !octet::detail::moves_bytes(n.what, made_.rounding)) return;
    const bool view = std::holds_alternative<op::reshape>(n.what) || std::holds_alternative<op::transpose>(n.what);
    if (view && uses_[at(n.output)].is_output) return;
    for (const std::size_t i : uses_[at(n.output)].readers)
        if (layers_[i].is_int8 || stores(from_.nodes()[i])) return;
    layers_[index] = {.reason = "its result is not quantized"};
}

inline void quantized_network::set_params(tensor_id id, quant_params params) {
    quantized_tensor& t = made_.tensors[at(id)];
    t.params = params;
    t.observed = {dequantize_value(-128, params), dequantize_value(127, params)};
    has_params_[at(id)] = true;
}

inline tensor_id quantized_network::append(const std::string& name, operation what, std::vector<tensor_id> inputs,
                                           quantized_layer layer, std::optional<quant_params> params,
                                           activation_range activation) {
    const tensor_id id = made_.net.add(name, std::move(what), std::move(inputs), activation);
    made_.tensors.resize(at(id) + 1), has_params_.resize(at(id) + 1, false);
    made_.tensors[at(id)].is_int8 = layer.is_int8;
    if (params) set_params(id, *params);
    made_.layers.push_back(std::move(layer));
    return id;
}

/// An input whose every reader stores it in the same way is stored from the start.
inline void quantized_network::add_input(tensor_id id) {
    const tensor& t = from_.at(id);
    const tensor_id input = now_[at(id)] = made_.net.input(t.name, t.dims);
    made_.net.set_form(input, t.form);
    made_.tensors.resize(at(input) + 1), has_params_.resize(at(input) + 1, false);
    const auto params = stored_[at(id)] ? stored_[at(id)] : stored_by_readers(id);
    made_.tensors[at(input)].is_int8 = params.has_value();
    if (params) set_params(input, *params);
}

/// The tensor with other parameters.
inline tensor_id quantized_network::rescaled(const std::string& name, tensor_id id, quant_params params) {
    if (made_.tensors[at(id)].params == params) return id;
    return append(name, op::clip{}, {id}, {.is_int8 = true}, params);
}

/// A QuantizeLinear: nothing is left of it where its operand is stored so already, or where a float operand is read by
/// int8 layers alone, which store what they read.
inline void quantized_network::store(const node& n) {
    const quant_params params = forms_.tensors.at(n.output);
    tensor_id operand = now_[at(n.inputs[0])];
    if (made_.tensors[at(operand)].is_int8) {
        now_[at(n.output)] = rescaled(n.name, operand, params);
        return;
    }
    if (has_params_[at(operand)] && made_.tensors[at(operand)].params != params)  // stored in two ways: through a copy
        operand = append(n.name + "/copy", op::clip{}, {operand}, {.reason = "what it reads is not quantized"}, {});
    set_params(operand, params);
    bool only_int8 = !uses_[at(n.output)].is_output;
    for (const std::size_t i : uses_[at(n.output)].readers)
        only_int8 = only_int8 && (layers_[i].is_int8 || stores(from_.nodes()[i]));
    now_[at(n.output)] = only_int8 ? operand : append(n.name, op::clip{}, {operand}, {.is_int8 = true}, params);
}

inline void quantized_network::add(const node& n, quantized_layer layer) {
    std::vector<tensor_id> inputs;
    const bool joins = std::holds_alternative<op::concat>(n.what);
    for (const tensor_id id : n.inputs) {
        tensor_id input = now_[at(id)];
        if (from_.at(id).is_constant() && input < 0) {
            const tensor& t = from_.at(id);
            input = now_[at(id)] = made_.net.constant(t.name, t.dims, t.constant);
            made_.tensors.resize(at(input) + 1), has_params_.resize(at(input) + 1, false);
            if (const auto how = forms_.tensors.find(id); how != forms_.tensors.end()) {
                set_params(input, how->second);
                made_.tensors[at(input)].is_int8 = true;
            }
        }
        if (joins && layer.is_int8)
            input = rescaled(text(n.name, "/part", inputs.size()), input, *stored_[at(n.output)]);
        inputs.push_back(input);
    }
    const auto params = layer.is_int8 ? stored_[at(n.output)] : std::nullopt;
    const tensor_id result = append(n.name, n.what, std::move(inputs), std::move(layer), params, n.activation);
    made_.net.rename(result, from_.at(n.output).name);
    now_[at(n.output)] = result;
}

/// A clip of bytes that keeps their parameters melts into the layer before it: it clips the same bytes.
inline void quantized_network::melt_activations() {
    const auto melted = octet::detail::melt(made_.net, [&](const node& step, node& before) {
        const auto* clip = std::get_if<op::clip>(&step.what);
        const quantized_tensor &from = made_.at(step.inputs[0]), &to = made_.at(step.output);
        if (clip == nullptr || !computes(before) || before.activation != activation_range{}) return false;
        if (!from.is_int8 || !to.is_int8 || from.params != to.params) return false;
        before.activation = clip->range;
        return true;
    });
    octet::detail::erase_marked(made_.layers, melted);
}

/// What the parameters of an int8 layer's result can hold becomes its activation. That changes no byte; but a file says
/// by it where a layer was clipped, and whoever runs the graph in float needs to know.
inline void quantized_network::hold_results() {
    for (std::size_t i = 0; i < made_.layers.size(); ++i) {
        node& n = made_.net.edit()[i];
        if (!made_.layers[i].is_int8 || !computes(n)) continue;
        const range held = made_.at(n.output).observed;
        n.activation = {octet::detail::clamped(n.activation.low, held.min, held.max),
                        octet::detail::clamped(n.activation.high, held.min, held.max)};
    }
}

/// The rounding policy that the model was written for.
inline rounding_policy read_rounding(const proto::model& model) {
    for (const proto::metadata& word : model.words) {
        if (word.key != proto::rounding_key) continue;
        for (const auto policy : {rounding_policy::nearest_even, rounding_policy::tflite, rounding_policy::single})
            if (word.value == octet::to_string(policy)) return policy;
        fail("the model's metadata name the rounding policy ", in_quotes(word.value),
             ", which is none of nearest_even, tflite and single");
    }
    return rounding_policy::nearest_even;
}

inline quantized_graph import_quantized(const proto::model& model, std::size_t file_bytes) {
    stored_forms forms;
    graph net = import_model(model, file_bytes, &forms);
    return quantized_network(std::move(net), std::move(forms), read_rounding(model)).build();
}

}  // namespace octet::onnx::inline OCTET_ABI
