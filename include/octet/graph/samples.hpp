// Samples: what calibration and evaluation show to a network.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "octet/core/error.hpp"
#include "octet/graph/graph.hpp"

namespace octet {

/// For each input of the network, the values of `count` samples back to back, each in the input's NHWC order.
struct samples {
    std::size_t count = 0;
    std::vector<std::vector<float>> inputs;

    samples() = default;
    samples(std::size_t how_many, std::vector<std::vector<float>> values)
        : count(how_many), inputs(std::move(values)) {}
    /// Of a network with one input.
    samples(std::size_t how_many, std::vector<float> values) : count(how_many), inputs(1) {
        inputs[0] = std::move(values);
    }

    /// `how_many` samples of input `input` from sample `first` on, where each holds `elements` values. Not checked:
    /// first + how_many <= count, and what check_samples asks for.
    std::span<const float> slice(std::size_t input, std::size_t first, std::size_t how_many,
                                 std::size_t elements) const noexcept {
        return {inputs[input].data() + first * elements, how_many * elements};
    }
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// Throws octet::error unless there is at least one sample and every input has as many values as the graph asks for.
inline void check_samples(const graph& net, const samples& data) {
    if (data.count == 0)
        fail("there are no samples: show the network at least one, a few hundred typical ones are better");
    if (data.inputs.size() != net.inputs().size())
        fail("samples for ", data.inputs.size(), " inputs, but the network has ", net.inputs().size());
    for (std::size_t i = 0; i < data.inputs.size(); ++i) {
        const tensor& input = net.at(net.inputs()[i]);
        const auto elements = static_cast<std::size_t>(input.dims.elements());
        if (data.inputs[i].size() % elements != 0 || data.inputs[i].size() / elements != data.count)
            fail("input '", input.name, "' of shape ", to_string(input.dims), ": ", data.count, " samples take ",
                 elements, " values each, but ", data.inputs[i].size(), " were given");
    }
}

/// `data`, whose images stand channel by channel (N, C, H, W), as the network takes them (N, H, W, C): inputs of rank 4
/// are copied, others stay as they are. Throws as check_samples does. (A template, so that only units that call it
/// compile it.)
samples from_nchw(const graph& net, std::same_as<samples> auto data) {
    check_samples(net, data);
    for (std::size_t i = 0; i < data.inputs.size(); ++i) {
        const shape& dims = net.at(net.inputs()[i]).dims;
        if (dims.rank() != 4) continue;
        const auto channels = static_cast<std::size_t>(dims[3]), pixels = static_cast<std::size_t>(dims[1] * dims[2]);
        const std::vector<float> planes = std::exchange(data.inputs[i], std::vector<float>(data.inputs[i].size()));
        auto to = data.inputs[i].begin();
        for (std::size_t image = 0; image < planes.size(); image += channels * pixels)
            for (std::size_t p = 0; p < pixels; ++p)
                for (std::size_t c = 0; c < channels; ++c) *to++ = planes[image + c * pixels + p];
    }
    return data;
}

/// Gives every input of a session the samples from `first` on, as many as its batch holds. Throws octet::error where
/// there are not so many.
template <class Session>
void set_samples(Session& run, const samples& data, std::size_t first) {
    for (std::size_t i = 0; i < run.inputs(); ++i) {
        const auto batch = static_cast<std::size_t>(run.input_shape(i)[0]);
        const std::size_t each = static_cast<std::size_t>(run.input_shape(i).elements()) / batch;
        const std::size_t held = i < data.inputs.size() ? data.inputs[i].size() / each : 0;
        if (first > held || batch > held - first)
            fail("input ", i, ": a batch of ", batch, " from sample ", first, " on, but there are ", held,
                 " samples: the last ones need a session of their own batch");
        run.set_input(i, data.slice(i, first, batch, each));
    }
}

}  // namespace octet::inline OCTET_ABI
