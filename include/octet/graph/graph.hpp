// The network as data: tensors and the nodes that make them, in an order in which they can run. Built by hand or by an
// importer through the same few functions, each of which checks its operands and infers the shape of the result.
//
//   graph net;
//   tensor_id x = net.input("image", {1, 32, 32, 3});
//   x = net.add("conv1", op::conv2d{{16, weights, bias}, {.kernel = {3, 3}, .pad = {1, 1, 1, 1}}}, {x});
//   x = net.add("relu1", op::clip{{.low = 0}}, {x});
//   net.output(x);
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "octet/core/error.hpp"
#include "octet/core/shape.hpp"
#include "octet/graph/infer.hpp"
#include "octet/graph/operation.hpp"

namespace octet {

/// The index of a tensor in graph::tensors().
using tensor_id = std::int32_t;

/// How a file has an input or output of the network: what an importer saw, and an exporter restores.
struct file_form {
    bool channels_first = false;  ///< of rank 4: N, C, H, W in the file; always N, H, W, C in the graph
    std::int64_t batch = 0;       ///< a batch that the file fixes; 0: left open
};

/// A value of the network. The first size of every tensor but a constant is the batch, 1 in a graph; a session chooses
/// it. `constant` holds the elements of a constant and is empty for what is computed.
struct tensor {
    std::string name;
    shape dims;
    std::vector<float> constant;
    file_form form{};
    bool is_constant() const noexcept { return !constant.empty(); }
};

/// One step: output = activation(operation(inputs)).
struct node {
    std::string name;
    operation what;
    std::vector<tensor_id> inputs;
    tensor_id output = 0;
    activation_range activation;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// A base that keeps copies, moves and the destructor of a class from being constexpr. A compiler instantiates what
/// constexpr functions need as soon as it reads a call, even inside a template that nobody uses: for the 14 operations
/// of a node that costs each unit that includes this header 0.05 s.
struct run_time_only {
    run_time_only() = default;
    run_time_only(const run_time_only&) noexcept {}
    run_time_only& operator=(const run_time_only&) noexcept { return *this; }
    ~run_time_only() {}
};

class graph : run_time_only {
  public:
    /// A value given at run time: its first size is the batch and must be 1 here.
    tensor_id input(std::string name, const shape& dims);
    /// A value known now. `data` holds dims.elements() finite reals.
    tensor_id constant(std::string name, const shape& dims, std::vector<float> data);
    /// Appends a node, checks it and returns its output. `what` is one of op:: or an operation; `activation` is for
    /// those that compute: conv2d, linear, batch_norm, add, mul. Throws octet::error naming the node, the value and the
    /// remedy.
    template <class Operation>
    tensor_id add(std::string name, Operation what, std::vector<tensor_id> inputs, activation_range activation = {});
    /// Declares a result of the network.
    void output(tensor_id id);

    const std::vector<tensor>& tensors() const noexcept { return tensors_; }
    /// Not checked: id is of this graph.
    const tensor& at(tensor_id id) const noexcept { return tensors_[static_cast<std::size_t>(id)]; }
    const std::vector<node>& nodes() const noexcept { return nodes_; }
    std::span<const tensor_id> inputs() const noexcept { return {inputs_.data(), inputs_.size()}; }
    std::span<const tensor_id> outputs() const noexcept { return {outputs_.data(), outputs_.size()}; }

    /// How many nodes and network outputs read a tensor, and the node that makes it (-1: an input or a constant). Each
    /// costs a walk over the nodes; who asks about many tensors takes a `wiring`.
    int readers(tensor_id id) const noexcept;
    int producer(tensor_id id) const noexcept;

    /// Calls body(node, layer_weights&) for every layer with weights: how a pass changes weights (pruning,
    /// equalization, codebooks) without knowing the operations. The number of values must stay.
    template <class Body>
    void for_each_weights(const Body& body) {
        for (node& step : nodes_)
            if (layer_weights* weights = weights_of(step.what)) body(std::as_const(step), *weights);
    }

    /// For passes: the nodes themselves. A pass keeps every input made before it is read.
    std::vector<node>& edit() noexcept { return nodes_; }
    void rename(tensor_id id, std::string name) { tensors_[static_cast<std::size_t>(id)].name = std::move(name); }
    void set_form(tensor_id id, file_form form) noexcept { tensors_[static_cast<std::size_t>(id)].form = form; }

  private:
    tensor_id append(tensor value);
    void check(const std::string& who, tensor_id id) const;

    std::vector<tensor> tensors_;
    std::vector<node> nodes_;
    std::vector<tensor_id> inputs_;
    std::vector<tensor_id> outputs_;
};

inline tensor_id graph::append(tensor value) {
    tensors_.push_back(std::move(value));
    return static_cast<tensor_id>(tensors_.size() - 1);
}

inline void graph::check(const std::string& who, tensor_id id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= tensors_.size())
        fail(who, ": there is no tensor ", id, " in this graph of ", tensors_.size(),
             ": use what input, constant and add returned");
}

inline tensor_id graph::input(std::string name, const shape& dims) {
    if (dims.rank() < 1 || dims[0] != 1)
        fail("input '", name, "' has shape ", to_string(dims),
             ": its first size is the batch and must be 1 in a graph, a session chooses it");
    const tensor_id id = append({std::move(name), dims, {}, {}});
    inputs_.push_back(id);
    return id;
}

inline tensor_id graph::constant(std::string name, const shape& dims, std::vector<float> data) {
    check_values(text("constant '", name, "'"), data, static_cast<std::size_t>(dims.elements()));
    return append({std::move(name), dims, std::move(data), {}});
}

template <class Operation>
tensor_id graph::add(std::string name, Operation what, std::vector<tensor_id> inputs, activation_range activation) {
    static_assert(std::is_convertible_v<Operation, operation>,
                  "octet::graph::add: the operation is one of octet::op, such as octet::op::conv2d");
    // `operation` by a name that depends on the argument, so that nothing of it is instantiated before a call.
    using held = std::conditional_t<std::is_same_v<Operation, operation>, Operation, operation>;
    held held_what(std::move(what));
    const std::string who = text(kind_of(held_what), " '", name, "'");
    std::vector<shape> operands;
    bool all_constant = !inputs.empty();
    for (const tensor_id id : inputs) {
        check(who, id);
        operands.push_back(at(id).dims);
        all_constant = all_constant && at(id).is_constant();
    }
    if (all_constant) fail(who, ": every input is a constant: fold it into a constant instead");
    if (!(activation.low <= activation.high))
        fail(who, ": an activation that clips to [", activation.low, ", ", activation.high,
             "]: the lower bound must not exceed the upper");
    const bool computes = std::holds_alternative<op::conv2d>(held_what) ||
                          std::holds_alternative<op::linear>(held_what) ||
                          std::holds_alternative<op::batch_norm>(held_what) ||
                          std::holds_alternative<op::add>(held_what) || std::holds_alternative<op::mul>(held_what);
    if (!computes && activation != activation_range{})
        fail(who, ": it takes no activation of its own: add a clip node after it");
    const shape dims = [&] {
        if constexpr (std::is_same_v<Operation, operation>)
            return infer_shape(who, held_what, {operands.data(), operands.size()});
        else
            return infer_shape(who, std::get<Operation>(held_what), {operands.data(), operands.size()});
    }();
    // The batch, which a session enlarges, is the first axis of the result only where the ranks are equal.
    for (const tensor_id id : inputs)
        if (computes && !at(id).is_constant() && at(id).dims.rank() != dims.rank())
            fail(who, ": input '", at(id).name, "' of shape ", to_string(at(id).dims),
                 " has not the rank of the result, ", to_string(dims),
                 ", so that its batch would meet another axis: reshape it first");
    const tensor_id id = append({name, dims, {}, {}});
    nodes_.push_back({std::move(name), std::move(held_what), std::move(inputs), id, activation});
    return id;
}

inline void graph::output(tensor_id id) {
    check("output", id);
    if (at(id).is_constant())
        fail("output '", at(id).name, "' is a constant: a network's output must depend on its input");
    outputs_.push_back(id);
}

inline int graph::readers(tensor_id id) const noexcept {
    int count = 0;
    for (const node& step : nodes_)
        for (const tensor_id input : step.inputs) count += input == id ? 1 : 0;
    for (const tensor_id output : outputs_) count += output == id ? 1 : 0;
    return count;
}

inline int graph::producer(tensor_id id) const noexcept {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].output == id) return static_cast<int>(i);
    return -1;
}

/// Who makes and who reads each tensor of a graph, found in one walk.
struct wiring {
    struct ends {
        int producer = -1;  ///< as graph::producer
        int readers = 0;    ///< as graph::readers
        int reader = -1;    ///< the last node that reads it; -1: none does
    };
    std::vector<ends> tensors;  ///< by tensor_id

    // A template, so that only units that ask compile it.
    explicit wiring(const std::same_as<graph> auto& net) : tensors(net.tensors().size()) {
        for (std::size_t i = 0; i < net.nodes().size(); ++i) {
            const node& step = net.nodes()[i];
            at(step.output).producer = static_cast<int>(i);
            for (const tensor_id id : step.inputs) ++at(id).readers, at(id).reader = static_cast<int>(i);
        }
        for (const tensor_id id : net.outputs()) ++at(id).readers;
    }
    ends& at(tensor_id id) noexcept { return tensors[static_cast<std::size_t>(id)]; }
    const ends& at(tensor_id id) const noexcept { return tensors[static_cast<std::size_t>(id)]; }
};

}  // namespace octet::inline OCTET_ABI
