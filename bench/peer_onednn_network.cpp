// A whole network as a chain of oneDNN's primitives, as one would write it by hand for speed: NHWC, no zero points
// (what an activation holds at 0 or above is uint8, the rest symmetric int8), activations by saturation, residual sums
// fused into the convolution before them, buffers reused. From floats to floats.
#include <dnnl.hpp>

#include <omp.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "octet/graph/quantized_graph.hpp"
#include "peer.hpp"
#include "peer_onednn.hpp"
#include "timing.hpp"

namespace octet::bench {

namespace {

using type = dnnl::memory::data_type;
using tag = dnnl::memory::format_tag;
using dims = dnnl::memory::dims;

class chain {
  public:
    explicit chain(const quantized_graph& from) : from_(from), net_(from.net) {
        const tensor_id image = net_.inputs()[0];
        const dnnl::memory real(descriptor(image, type::f32), cpu_);
        dnnl::primitive_attr scale;
        scale.set_output_scales(0, {1.0F / step_of(image)});
        made_.emplace(image, memory_for(image));
        append(dnnl::reorder(dnnl::reorder::primitive_desc(cpu_, real.get_desc(), cpu_, at(image).get_desc(), scale)),
               {{DNNL_ARG_FROM, real}, {DNNL_ARG_TO, at(image)}});
        for (std::size_t i = 0; i < net_.nodes().size(); ++i) {
            add(i);
            for (const tensor_id id : net_.nodes()[i].inputs) release(id, i);
        }
    }
    void run() {
        for (auto& [primitive, with] : steps_) primitive.execute(stream_, with);
    }

  private:
    static constexpr auto inference = dnnl::prop_kind::forward_inference;
    using arguments = std::unordered_map<int, dnnl::memory>;

    bool is_unsigned(tensor_id id) const {
        return from_.at(id).params.zero_point.value == -128 || id == net_.inputs()[0];
    }
    /// The scale without a zero point.
    float step_of(tensor_id id) const {
        const quant_params p = from_.at(id).params;
        const auto reach = static_cast<float>(std::max(127 - p.zero_point.value, p.zero_point.value + 128));
        return is_unsigned(id) ? p.scale.value : p.scale.value * reach / 127;
    }
    type type_of(tensor_id id) const {
        if (id == net_.outputs()[0]) return type::f32;
        return is_unsigned(id) ? type::u8 : type::s8;
    }
    dims dims_of(tensor_id id) const {
        const shape& d = net_.at(id).dims;
        return d.rank() == 4 ? dims{d[0], d[3], d[1], d[2]} : dims{d[0], d[1]};
    }
    dnnl::memory::desc descriptor(tensor_id id, type of) const {
        const dims sizes = dims_of(id);
        return {sizes, of, sizes.size() == 4 ? tag::nhwc : tag::nc};
    }
    dnnl::memory::desc descriptor(tensor_id id) const { return descriptor(id, type_of(id)); }
    const dnnl::memory& at(tensor_id id) const { return made_.at(id); }

    /// Over a buffer that nobody reads any more, or a new one; each has room for the largest tensor.
    dnnl::memory memory_for(tensor_id id) {
        if (free_.empty()) {
            std::int64_t most = 0;
            for (const tensor& each : net_.tensors()) most = std::max(most, each.dims.elements());
            free_.push_back(dnnl::memory({{4 * most}, type::u8, tag::x}, cpu_));
        }
        const dnnl::memory buffer = free_.back();
        free_.pop_back();
        buffers_.emplace(id, buffer);
        return {descriptor(id), cpu_, buffer.get_data_handle()};
    }
    void release(tensor_id id, std::size_t after) {
        const auto held = buffers_.find(id);
        if (held == buffers_.end()) return;
        for (std::size_t i = after + 1; i < net_.nodes().size(); ++i)
            if (std::ranges::count(net_.nodes()[i].inputs, id) != 0) return;
        free_.push_back(held->second);
        buffers_.erase(held);
    }
    /// `to` takes over the buffer of `from`.
    void alias(tensor_id to, tensor_id from) {
        made_.emplace(to, dnnl::memory(descriptor(to), cpu_, at(from).get_data_handle()));
        buffers_.emplace(to, buffers_.at(from));
        buffers_.erase(from);
    }
    void append(dnnl::primitive primitive, arguments with) {
        steps_.emplace_back(std::move(primitive), std::move(with));
    }

    dnnl::memory filled(const dnnl::memory::desc& layout) const {
        dnnl::memory made(layout, cpu_);
        auto* bytes = static_cast<unsigned char*>(made.get_data_handle());
        std::fill_n(bytes, layout.get_size(), static_cast<unsigned char>(layout.data_type() == type::f32 ? 0 : 1));
        return made;
    }
    dnnl::primitive_attr scales(const quantized_layer& q, tensor_id in, tensor_id out) const {
        std::vector<float> all;
        const float to = out == net_.outputs()[0] ? 1.0F : step_of(out);
        for (const scale s : q.scales) all.push_back(step_of(in) * s.value / to);
        dnnl::primitive_attr made;
        made.set_output_scales(all.size() == 1 ? 0 : 1 << 1, all);
        return made;
    }

    /// The add that reads what node `i` makes, if nobody else does and its other operand is there already.
    const node* sum_after(std::size_t i) const {
        const tensor_id made = net_.nodes()[i].output;
        if (net_.readers(made) != 1 || i + 1 == net_.nodes().size()) return nullptr;
        const node& next = net_.nodes()[i + 1];
        return std::holds_alternative<op::add>(next.what) && std::ranges::count(next.inputs, made) == 1 ? &next
                                                                                                        : nullptr;
    }

    void add(std::size_t i) {
        const node& step = net_.nodes()[i];
        const tensor_id in = step.inputs[0], out = step.output;
        if (made_.contains(out)) return;  // an add that was fused
        if (const auto* conv = std::get_if<op::conv2d>(&step.what)) return add_convolution(i, *conv);
        if (const auto* pool = std::get_if<op::pool2d>(&step.what))
            return add_pool(in, out, dnnl::algorithm::pooling_max, pool->taps);
        if (std::holds_alternative<op::global_average_pool>(step.what)) {
            const shape& d = net_.at(in).dims;
            return add_pool(in, out, dnnl::algorithm::pooling_avg_exclude_padding,
                            {{static_cast<int>(d[1]), static_cast<int>(d[2])}, {}, {}, {}, false});
        }
        if (std::holds_alternative<op::reshape>(step.what)) return alias(out, in);
        if (std::holds_alternative<op::linear>(step.what)) return add_linear(i);
        fail("the peer oneDNN is given no ", kind_of(step.what), ": '", step.name, "'");
    }
    void add_convolution(std::size_t i, const op::conv2d& conv) {
        const node& step = net_.nodes()[i];
        const node* sum = sum_after(i);
        const tensor_id in = step.inputs[0], out = sum != nullptr ? sum->output : step.output;
        dnnl::primitive_attr attributes = scales(from_.layers[i], in, out);
        if (sum != nullptr) {
            const tensor_id other = sum->inputs[sum->inputs[0] == step.output ? 1 : 0];
            dnnl::post_ops after;
            after.append_sum(step_of(other) / step_of(out), type_of(other));
            attributes.set_post_ops(after);
            alias(out, other);
        } else {
            made_.emplace(out, memory_for(out));
        }
        const window& w = conv.taps;
        const dims image = dims_of(in), result = dims_of(out);
        const std::int64_t outputs = result[1], groups = conv.groups;
        dims weights{outputs, image[1] / groups, w.kernel.height, w.kernel.width};
        if (groups != 1) weights = {groups, outputs / groups, image[1] / groups, w.kernel.height, w.kernel.width};
        const dnnl::convolution_forward::primitive_desc chosen(
            dnnl::convolution_forward::desc(inference, dnnl::algorithm::convolution_direct, descriptor(in),
                                            {weights, type::s8, tag::any}, {{outputs}, type::f32, tag::x},
                                            descriptor(out), {w.stride.height, w.stride.width}, {w.pad.top, w.pad.left},
                                            {w.pad.bottom, w.pad.right}),
            attributes, cpu_);
        append(dnnl::convolution_forward(chosen), {{DNNL_ARG_SRC, at(in)},
                                                   {DNNL_ARG_WEIGHTS, filled(chosen.weights_desc())},
                                                   {DNNL_ARG_BIAS, filled(chosen.bias_desc())},
                                                   {DNNL_ARG_DST, at(out)}});
    }
    void add_pool(tensor_id in, tensor_id out, dnnl::algorithm kind, const window& w) {
        made_.emplace(out, memory_for(out));
        const dnnl::pooling_forward::primitive_desc chosen(
            dnnl::pooling_forward::desc(inference, kind, descriptor(in), descriptor(out),
                                        {w.stride.height, w.stride.width}, {w.kernel.height, w.kernel.width},
                                        {w.pad.top, w.pad.left}, {w.pad.bottom, w.pad.right}),
            cpu_);
        append(dnnl::pooling_forward(chosen), {{DNNL_ARG_SRC, at(in)}, {DNNL_ARG_DST, at(out)}});
    }
    void add_linear(std::size_t i) {
        const tensor_id in = net_.nodes()[i].inputs[0], out = net_.nodes()[i].output;
        made_.emplace(out, memory_for(out));
        const dims from = dims_of(in), to = dims_of(out);
        const dnnl::inner_product_forward::primitive_desc chosen(
            dnnl::inner_product_forward::desc(inference, descriptor(in), {{to[1], from[1]}, type::s8, tag::any},
                                              {{to[1]}, type::f32, tag::x}, descriptor(out)),
            scales(from_.layers[i], in, out), cpu_);
        append(dnnl::inner_product_forward(chosen), {{DNNL_ARG_SRC, at(in)},
                                                     {DNNL_ARG_WEIGHTS, filled(chosen.weights_desc())},
                                                     {DNNL_ARG_BIAS, filled(chosen.bias_desc())},
                                                     {DNNL_ARG_DST, at(out)}});
    }

    const quantized_graph& from_;
    const graph& net_;
    dnnl::engine cpu_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{cpu_};
    std::unordered_map<tensor_id, dnnl::memory> made_, buffers_;
    std::vector<dnnl::memory> free_;
    std::vector<std::pair<dnnl::primitive, arguments>> steps_;
};

class onednn_networks : public library {
    bool comparable(isa which) const override { return onednn_comparable(which); }
    void offer(const network_problem& p, peers& to) override {
        omp_set_num_threads(p.threads);
        const auto own = std::make_shared<chain>(*p.net);
        const auto run = repeated([own] { own->run(); }, p.threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
        to.push_back({"onednn", [run, threads = p.threads](int runs) {
                          omp_set_num_threads(threads);
                          return run(runs);
                      }});
    }
} onednn_networks_here;

}  // namespace

}  // namespace octet::bench
