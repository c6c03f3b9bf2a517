// From a quantized graph to a program: which form (int8 or float) each tensor takes, which tensors are views of others,
// and the step of every node. The steps themselves are made by compile_int8.hpp and compile_float.hpp.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/graph/chain.hpp"
#include "octet/graph/compile_float.hpp"
#include "octet/graph/compile_int8.hpp"
#include "octet/graph/program.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/quantize_rows.hpp"
#include "octet/nn/movement.hpp"

namespace octet::inline OCTET_ABI {

template <class Rounding>
class compiler {
  public:
    compiler(const quantized_graph& from, const session_options& options)
        : from_(from),
          net_(from.net),
          options_(options),
          target_(choose_isa(options.target)),
          wires_(net_),
          forms_(net_.tensors().size()),
          parents_(net_.tensors().size()),
          done_(net_.nodes().size(), false) {}

    program compile() {
        if (net_.outputs().empty()) fail("the network has no output: declare one with graph::output");
        if (options_.threads.workers < 1 || options_.threads.run == nullptr)
            fail("a parallel hook with ", options_.threads.workers, " workers",
                 options_.threads.run == nullptr ? " and no function to run them" : "",
                 ": it needs at least 1 worker and a function");
        validate(from_);
        if (options_.batch < 1) fail("a session with a batch of ", options_.batch, ": it must be at least 1");
        for (const tensor_id id : net_.inputs()) check_batch(net_.at(id));
        for (const node& n : net_.nodes()) check_batch(net_.at(n.output));
        made_.weights = slab(packed_bytes());
        find_concat_views();
        for (const tensor_id id : net_.inputs()) {
            const int index = new_slot(id, from_.at(id).is_int8);
            made_.inputs.push_back(index);
            keep(index);
        }
        for (std::size_t i = 0; i < net_.nodes().size(); ++i)
            if (!done_[i]) compile_node(static_cast<int>(i));
        for (const tensor_id id : net_.outputs()) {
            const int index = dense_slot(id);
            made_.outputs.push_back(index);
            keep(index);
        }
        find_chains(made_, options_.threads.workers);
        live_through_chains();
        for (allocation& block : blocks_) block.last = std::min(block.last, static_cast<int>(made_.steps.size()));
        made_.plan = plan_memory(std::move(blocks_), scratch_, options_.threads.workers);
        return std::move(made_);
    }

  private:
    /// The slots of a tensor, -1 where it has not that form.
    struct forms {
        int int8 = -1;
        int real = -1;
    };
    /// A tensor that is written in place into a concatenation.
    struct parent {
        tensor_id id = -1;
        std::int64_t row = 0;  // where it begins
        std::int64_t col = 0;
    };
    static constexpr int always = 1 << 30;

    const quantized_layer& layer(int node_index) const { return from_.layers[static_cast<std::size_t>(node_index)]; }
    shape dims_of(tensor_id id) const {
        const tensor& t = net_.at(id);
        return t.is_constant() ? t.dims : t.dims.with(0, t.dims[0] * options_.batch);
    }
    void check_batch(const tensor& t) const {
        if (t.dims.elements() > shape::max_elements / options_.batch)
            fail("a session with a batch of ", options_.batch, ": '", t.name, "' of shape ", to_string(t.dims),
                 " would hold more than ", shape::max_elements, " elements: lower the batch");
    }
    int& form(tensor_id id, bool is_int8) {
        forms& f = forms_[static_cast<std::size_t>(id)];
        return is_int8 ? f.int8 : f.real;
    }
    int add_slot(const slot& s) {
        made_.slots.push_back(s);
        const int index = static_cast<int>(made_.slots.size()) - 1;
        form(s.id, s.is_int8) = index;
        return index;
    }
    const slot& at(int index) const { return made_.slots[static_cast<std::size_t>(index)]; }

    /// Room for the packed weights of int8 products and convolutions: each group's in whole panels and cache lines,
    /// with a last group of depths, or Winograd's even channels, filled up.
    std::size_t packed_bytes() const {
        const int panel =
            std::max(choose_gemm<Rounding>(target_).layout.panel, choose_winograd<Rounding>(target_).panel);
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < from_.layers.size(); ++i) {
            const quantized_layer& q = from_.layers[i];
            const node& n = net_.nodes()[i];
            const layer_weights* weights = weights_of(n.what);
            const auto* conv = std::get_if<op::conv2d>(&n.what);
            if (!q.is_int8 || weights == nullptr || (conv != nullptr && is_depthwise(*conv, net_.at(n.inputs[0]).dims)))
                continue;
            const int outputs = weights->outputs, groups = conv == nullptr ? 1 : conv->groups;
            const auto columns = static_cast<std::size_t>((outputs / groups + panel - 1) / panel * panel);
            const std::size_t depth = q.values.size() / static_cast<std::size_t>(outputs) + 9;
            bytes += static_cast<std::size_t>(groups) * (columns * depth + 63);
        }
        return bytes;
    }
    /// A slot to write a tensor into: a place in its concatenation, or a block of its own.
    int new_slot(tensor_id id, bool is_int8) {
        if (const int have = form(id, is_int8); have >= 0) return have;
        const parent in = parents_[static_cast<std::size_t>(id)];
        if (in.id >= 0) {
            const slot whole = at(new_slot(in.id, is_int8));
            return add_slot({id, is_int8, dims_of(id), whole.stride, whole.block,
                             whole.first + static_cast<std::ptrdiff_t>(in.row) * whole.stride + in.col, nullptr});
        }
        const shape dims = dims_of(id);
        const int here = static_cast<int>(made_.steps.size());
        blocks_.push_back({net_.at(id).name, static_cast<std::size_t>(dims.elements()) * (is_int8 ? 1 : sizeof(float)),
                           here, here, 0});
        return add_slot({id, is_int8, dims, static_cast<std::ptrdiff_t>(dims.cols()),
                         static_cast<int>(blocks_.size()) - 1, 0, nullptr});
    }
    /// Inputs and outputs keep their bytes until the next run.
    void keep(int index) {
        allocation& block = blocks_[static_cast<std::size_t>(at(index).block)];
        block.last = always;
    }

    /// A slot to read a tensor from in the asked form: converts where the tensor has only the other one.
    int read_slot(tensor_id id, bool is_int8) {
        if (const int have = form(id, is_int8); have >= 0) return have;
        if (net_.at(id).is_constant()) return constant_slot(id, is_int8);
        const int other = form(id, !is_int8);
        const shape dims = dims_of(id);
        const int here = static_cast<int>(made_.steps.size());
        blocks_.push_back({text(net_.at(id).name, is_int8 ? " (int8)" : " (float)"),
                           static_cast<std::size_t>(dims.elements()) * (is_int8 ? 1 : sizeof(float)), here, here, 0});
        const int index = add_slot({id, is_int8, dims, static_cast<std::ptrdiff_t>(dims.cols()),
                                    static_cast<int>(blocks_.size()) - 1, 0, nullptr});
        const quant_params params = from_.at(id).params;
        if (is_int8)
            emit(-1, "quantize", choose_quantize(target_).target, {other}, {index}, 0,
                 [=, kernel = choose_quantize(target_)](const memory& m) noexcept {
                     quantize_rows(kernel, m.template read<float>(other), params, m.template write<std::int8_t>(index),
                                   m.threads);
                 });
        else
            emit(-1, "dequantize", choose_dequantize(target_).target, {other}, {index}, 0,
                 [=, kernel = choose_dequantize(target_)](const memory& m) noexcept {
                     dequantize_rows(kernel, m.template read<std::int8_t>(other), params,
                                     m.template write<float>(index), m.threads);
                 });
        return index;
    }
    int constant_slot(tensor_id id, bool is_int8) {
        const tensor& t = net_.at(id);
        const std::size_t count = t.constant.size();
        buffer<std::byte> bytes(count * (is_int8 ? 1 : sizeof(float)));
        if (is_int8)
            quantizer<asymmetric, per_tensor>(from_.at(id).params)
                .quantize(t.constant, {reinterpret_cast<std::int8_t*>(bytes.data()), count});
        else
            std::memcpy(bytes.data(), t.constant.data(), count * sizeof(float));
        made_.constants.push_back(std::move(bytes));
        return add_slot(
            {id, is_int8, t.dims, static_cast<std::ptrdiff_t>(t.dims.cols()), -1, 0, made_.constants.back().data()});
    }
    /// The form in which a network output leaves: as it was made, and dense.
    int dense_slot(tensor_id id) {
        const int maker = wires_.at(id).producer;
        return read_slot(id, maker < 0 ? from_.at(id).is_int8 : layer(maker).is_int8);
    }

    /// Appends a step; what it runs is told with step::runs.
    step& emit(int node_index, std::string_view kernel, isa target, const std::vector<int>& reads,
               const std::vector<int>& writes, std::size_t scratch) {
        const int here = static_cast<int>(made_.steps.size());
        for (const auto* list : {&reads, &writes})
            for (const int index : *list)
                if (at(index).block >= 0) {
                    allocation& block = blocks_[static_cast<std::size_t>(at(index).block)];
                    block.first = std::min(block.first, here);
                    block.last = std::max(block.last, here);
                }
        scratch_ = std::max(scratch_, scratch);
        made_.steps.emplace_back(node_index, kernel, target, reads, writes);
        return made_.steps.back();
    }
    template <class Body>
    step& emit(int node_index, std::string_view kernel, isa target, const std::vector<int>& reads,
               const std::vector<int>& writes, std::size_t scratch, Body body) {
        step& made = emit(node_index, kernel, target, reads, writes, scratch);
        made.runs(std::move(body));
        return made;
    }

    /// A concatenation: its parts that do not stand in it already are copied.
    template <class T>
    void compile_concat(int index, const op::concat& join) {
        const node& n = net_.nodes()[static_cast<std::size_t>(index)];
        const bool is_int8 = layer(index).is_int8;
        const int whole = new_slot(n.output, is_int8);
        std::vector<int> slots;  // of the parts to copy, and where they begin
        std::vector<std::int64_t> firsts;
        std::int64_t first = 0;
        for (const tensor_id id : n.inputs) {
            const std::int64_t here = first;
            first += net_.at(id).dims[join.axis];
            const int part = read_slot(id, is_int8);
            if (parents_[static_cast<std::size_t>(id)].id == n.output) continue;  // it stands there already
            slots.push_back(part), firsts.push_back(here);
        }
        if (slots.empty()) return;
        emit(index, "copy", isa::scalar, slots, {whole}, 0, [=, axis = join.axis](const memory& m) noexcept {
            const auto part = [&](int i) noexcept {
                const auto at = static_cast<std::size_t>(i);
                return concat_part<T>{m.template read<T>(slots[at]), firsts[at]};
            };
            concat_copy(static_cast<int>(slots.size()), part, m.template write<T>(whole), axis);
        });
    }
    /// A reshape whose source has gaps or is written elsewhere in place.
    template <class T>
    void compile_reshape(int index) {
        const node& n = net_.nodes()[static_cast<std::size_t>(index)];
        const int source = read_slot(n.inputs[0], layer(index).is_int8);
        const int result = new_slot(n.output, layer(index).is_int8);
        emit(index, "copy", isa::scalar, {source}, {result}, 0,
             [=](const memory& m) noexcept { reshape_copy(m.template read<T>(source), m.template write<T>(result)); });
    }

    /// Workers go through a chain at their own pace, so what is in use at one of its steps keeps its place in all.
    void live_through_chains() {
        for (int first = 0, last = 0; first < static_cast<int>(made_.steps.size()); first = last + 1) {
            last = first + made_.steps[static_cast<std::size_t>(first)].chained - 1;
            for (allocation& block : blocks_) {
                if (block.last < first || block.first > last) continue;
                block.first = std::min(block.first, first);
                block.last = std::max(block.last, last);
            }
        }
    }

    void find_concat_views();
    void compile_node(int index);
    bool compile_view(int index);
    int later_conv(const node& sum) const;

    friend struct int8_steps<Rounding>;
    friend struct float_steps<Rounding>;

    const quantized_graph& from_;
    const graph& net_;
    session_options options_;
    isa target_;
    wiring wires_;
    std::vector<forms> forms_;
    std::vector<parent> parents_;
    std::vector<bool> done_;
    std::vector<allocation> blocks_;
    std::size_t scratch_ = 0;
    program made_;
};

/// A part of a concatenation is made in place where its producer can write with a stride: along the channels, or along
/// the first axis that is not 1. Inputs, outputs, constants, reshapes and parts that are used twice are copied.
template <class Rounding>
void compiler<Rounding>::find_concat_views() {
    for (std::size_t i = 0; i < net_.nodes().size(); ++i) {
        const node& join = net_.nodes()[i];
        const auto* what = std::get_if<op::concat>(&join.what);
        if (what == nullptr) continue;
        const shape whole = dims_of(join.output);
        const bool last = what->axis == whole.rank() - 1;
        std::int64_t before = 1;
        for (int axis = 0; axis < what->axis; ++axis) before *= whole[axis];
        parent next{join.output, 0, 0};
        for (const tensor_id id : join.inputs) {
            const parent here = next;
            (last ? next.col : next.row) += last ? net_.at(id).dims.cols() : dims_of(id).rows();
            if (!last && before != 1) continue;
            const int maker = wires_.at(id).producer;
            const bool output = detail::contains(net_.outputs(), id);
            const int copies = detail::count_of(join.inputs, id);
            if (maker < 0 || output || copies != 1 || parents_[static_cast<std::size_t>(id)].id >= 0) continue;
            if (std::holds_alternative<op::reshape>(net_.nodes()[static_cast<std::size_t>(maker)].what)) continue;
            const bool same_form = layer(maker).is_int8 == layer(static_cast<int>(i)).is_int8;
            const bool same_params = !layer(maker).is_int8 || from_.at(id).params == from_.at(join.output).params;
            if (same_form && same_params) parents_[static_cast<std::size_t>(id)] = here;
        }
    }
}

/// The node whose int8 convolution makes the later operand of an add for no other reader: the add runs inside it.
template <class Rounding>
int compiler<Rounding>::later_conv(const node& sum) const {
    const int later = std::max(wires_.at(sum.inputs[0]).producer, wires_.at(sum.inputs[1]).producer);
    if (later < 0 || !layer(later).is_int8) return -1;
    const node& maker = net_.nodes()[static_cast<std::size_t>(later)];
    const auto* conv = std::get_if<op::conv2d>(&maker.what);
    const bool fits = conv != nullptr && !is_depthwise(*conv, net_.at(maker.inputs[0]).dims) &&
                      wires_.at(maker.output).readers == 1 && sum.inputs[0] != sum.inputs[1] &&
                      net_.at(sum.inputs[0]).dims == net_.at(sum.inputs[1]).dims &&
                      !net_.at(sum.inputs[0]).is_constant() && !net_.at(sum.inputs[1]).is_constant();
    return fits ? later : -1;
}

/// Reshapes of dense slots, and parts of a concatenation that stand in place already, need no step.
template <class Rounding>
bool compiler<Rounding>::compile_view(int index) {
    const node& n = net_.nodes()[static_cast<std::size_t>(index)];
    if (!std::holds_alternative<op::reshape>(n.what)) return false;
    const int source = read_slot(n.inputs[0], layer(index).is_int8);
    if (!at(source).dense() || at(source).block < 0 || parents_[static_cast<std::size_t>(n.output)].id >= 0)
        return false;
    const slot from = at(source);
    const shape dims = dims_of(n.output);
    add_slot({n.output, from.is_int8, dims, static_cast<std::ptrdiff_t>(dims.cols()), from.block, from.first, nullptr});
    return true;
}

template <class Rounding>
void compiler<Rounding>::compile_node(int index) {
    const node& n = net_.nodes()[static_cast<std::size_t>(index)];
    done_[static_cast<std::size_t>(index)] = true;
    if (compile_view(index)) return;
    if (!layer(index).is_int8) {
        std::visit(float_steps<Rounding>{*this, index, n}, n.what);
        return;
    }
    const int reader = wires_.at(n.output).reader;
    if (options_.fuse_residual && reader >= 0) {
        const node& sum = net_.nodes()[static_cast<std::size_t>(reader)];
        if (std::holds_alternative<op::add>(sum.what) && layer(reader).is_int8 && later_conv(sum) == index) {
            done_[static_cast<std::size_t>(reader)] = true;
            int8_steps<Rounding>{*this, index, n}.conv_and_add(std::get<op::conv2d>(n.what), sum);
            return;
        }
    }
    std::visit(int8_steps<Rounding>{*this, index, n}, n.what);
}

}  // namespace octet::inline OCTET_ABI
