// The state of an import: the graph under construction, the values of the model by name, and the operations on layout
// that need both.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/graph/graph.hpp"
#include "octet/io/onnx/names.hpp"
#include "octet/io/onnx/value.hpp"
#include "octet/quant/params.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// How a layer with weights is stored: real = scale * integer, with one scale or one for each output. A bias of
/// integers that were not stored is empty.
struct stored_weights {
    std::vector<float> scales;
    std::vector<std::int64_t> bias;
    std::vector<float> bias_scales;
};

/// What QuantizeLinear and DequantizeLinear say about the tensors and layers of the graph; io/onnx/quantization.hpp.
struct stored_forms {
    std::map<tensor_id, quant_params> tensors;     // of the outputs of QuantizeLinear, of inputs and constants
    std::map<std::string, stored_weights> layers;  // by the name of the graph's node
};

class importer {
  public:
    /// `stored` is null while a float model is read.
    importer(std::size_t file_bytes, stored_forms* stored) : forms(stored), budget_(4 * (file_bytes + (1U << 16))) {}

    graph net;
    std::map<std::string_view, value> values;
    int opset = 0;
    std::int64_t batch = 1;       // the fixed batch of the model's inputs, which is 1 in the graph
    bool symbolic_batch = false;  // an input leaves its batch open
    stored_forms* forms;
    unique_names unique;  // of the nodes, inputs and constants of `net`
    /// Counts elements that are copied out of the file, so that a small file cannot ask for more than 16 times its size
    /// by using one constant many times.
    void spend(const std::string& who, std::int64_t elements);
    /// The shape that a graph takes; throws octet::error naming `who` where it cannot.
    static shape checked(const std::string& who, const sizes& dims);

    sizes stored(const value& of) const {
        const auto view = net.at(of.id).dims.sizes();
        return {view.begin(), view.end()};
    }
    /// Whether only the first lens is in use: the shape is that of the stored axes in another order.
    bool plain(const value& of) const { return of.dims == permute(stored(of), of.order); }
    /// The value with view axis i stored as axis want[i], made by the fewest nodes: none, a reshape, or a transpose.
    value arrange(const std::string& name, value of, const axes& want);
    /// The value with this axis of the view stored last.
    value arrange_last(const std::string& name, const value& of, std::size_t axis);

    tensor_id reshaped(const std::string& name, tensor_id from, const sizes& dims);
    tensor_id transposed(const std::string& name, tensor_id from, const axes& turn);

  private:
    std::uint64_t budget_;
    std::map<std::pair<tensor_id, sizes>, tensor_id> reshapes_;  // made before: two readers share one node
    std::map<std::pair<tensor_id, axes>, tensor_id> transposes_;
};

inline void importer::spend(const std::string& who, std::int64_t elements) {
    const auto cost = static_cast<std::uint64_t>(elements);
    if (cost > budget_)
        fail(who,
             ": the model uses its constants so often that they would take more than 16 times the file's size in "
             "memory: "
             "fold or split the model");
    budget_ -= cost;
}

inline shape importer::checked(const std::string& who, const sizes& dims) {
    if (count_elements(who, dims) == 0) fail(who, " has shape ", to_string(dims), ": every size must be at least 1");
    return shape(std::span<const std::int64_t>(dims));
}

inline tensor_id importer::reshaped(const std::string& name, tensor_id from, const sizes& dims) {
    const shape to = checked(text("reshape ", in_quotes(name)), dims);
    if (to == net.at(from).dims) return from;
    const auto [made, fresh] = reshapes_.try_emplace({from, dims}, -1);
    if (fresh) made->second = net.add(unique(name), op::reshape{to}, {from});
    return made->second;
}

inline tensor_id importer::transposed(const std::string& name, tensor_id from, const axes& turn) {
    const auto [made, fresh] = transposes_.try_emplace({from, turn}, -1);
    if (fresh) {
        op::transpose what;
        std::copy(turn.begin(), turn.end(), what.order.begin());
        made->second = net.add(unique(name + "/transpose"), what, {from});
    }
    return made->second;
}

inline value importer::arrange(const std::string& name, value of, const axes& want) {
    const std::string reshape_name = of.view.empty() ? name + "/reshape" : std::string(of.view);
    if (!plain(of)) {
        // The second lens reads row-major through the first: bring the elements into that order, then give them the
        // shape.
        if (!keeps_order(stored(of), of.order)) of.id = transposed(name, of.id, of.order);
        const bool direct = keeps_order(of.dims, inverse(want));
        of.order = direct ? want : identity(of.dims.size());
        of.id = reshaped(reshape_name, of.id, stored_as(of.dims, of.order));
    }
    axes turn(want.size());
    for (std::size_t i = 0; i < want.size(); ++i) turn[static_cast<std::size_t>(want[i])] = of.order[i];
    of.order = want;
    if (turn == identity(turn.size())) return of;
    of.id = keeps_order(stored(of), turn) ? reshaped(reshape_name, of.id, stored_as(of.dims, want))
                                          : transposed(name, of.id, turn);
    return of;
}

inline value importer::arrange_last(const std::string& name, const value& of, std::size_t axis) {
    const auto last = static_cast<int>(of.dims.size()) - 1;
    if (plain(of) && of.order[axis] == last) return of;
    axes want = canonical(of);
    if (want[axis] != last) {
        want = identity(of.dims.size());
        for (std::size_t i = axis; i < want.size(); ++i) want[i] = static_cast<int>(i) - 1;
        want[axis] = last;
    }
    return arrange(name, of, want);
}

}  // namespace octet::onnx::inline OCTET_ABI
