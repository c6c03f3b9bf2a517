// Calibration: the float network runs over the samples and a histogram watches every tensor.
//   calibration seen = calibrate(model, first_samples);
//   seen.merge(calibrate(model, other_samples));          // elsewhere, or from a file: io/calibration.hpp
//   quantized_graph int8 = quantize(model, seen);
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "octet/calib/calibration.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/progress.hpp"
#include "octet/graph/passes.hpp"
#include "octet/graph/samples.hpp"
#include "octet/graph/session.hpp"

namespace octet {

struct calibrate_options {
    int batch = 1;                ///< samples a run; the histograms do not depend on it
    parallel threads{};           ///< nor on this
    std::optional<isa> target{};  ///< nor on this
    octet::progress progress{};   ///< told after every run how many samples have been watched
    /// Keep moving averages too, each run being one batch of them: these depend on `batch` and on the samples' order.
    std::optional<moving_average> moving{};
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// A number that two networks share, but for one chance in 2^64, only if they compute the same from the same names:
/// operations with all their parameters, shapes, wiring, activations, weights and constants. FNV-1a over 32-bit words,
/// the same on every machine.
std::uint64_t fingerprint(const std::same_as<graph> auto& net) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto word = [&](auto... all) { ((hash = (hash ^ static_cast<std::uint32_t>(all)) * 0x100000001b3U), ...); };
    const auto real = [&](auto... all) { word(std::bit_cast<std::uint32_t>(all)...); };
    const auto string = [&](std::string_view all) {
        word(all.size());
        for (const char c : all) word(static_cast<unsigned char>(c));
    };
    const auto reals = [&](const std::vector<float>& all) {
        word(all.size());
        for (const float x : all) real(x);
    };
    const auto parameters = [&]<class Op>(const Op& what) {
        if constexpr (requires { what.weights; }) reals(what.weights.values), reals(what.weights.bias);
        if constexpr (requires { what.factor; }) reals(what.factor), reals(what.shift);
        if constexpr (requires { what.taps; }) {
            const window& w = what.taps;
            word(w.kernel.height, w.kernel.width, w.stride.height, w.stride.width, w.dilation.height, w.dilation.width);
            word(w.pad.top, w.pad.left, w.pad.bottom, w.pad.right, w.ceil_mode);
        }
        if constexpr (std::is_same_v<Op, op::conv2d>) word(what.groups);
        if constexpr (std::is_same_v<Op, op::pool2d>) word(what.count_include_pad);
        if constexpr (std::is_same_v<Op, op::concat>) word(what.axis);
        if constexpr (std::is_same_v<Op, op::pad>) {
            for (const int size : what.before) word(size);
            real(what.value);
        }
        if constexpr (std::is_same_v<Op, op::transpose>)
            for (const int axis : what.order) word(axis);
        if constexpr (std::is_same_v<Op, op::clip>) real(what.range.low, what.range.high);
        if constexpr (std::is_same_v<Op, op::lookup>) real(what.alpha);
    };
    for (const tensor& value : net.tensors()) {
        string(value.name), word(value.dims.rank());
        for (const std::int64_t size : value.dims.sizes()) word(size);
        reals(value.constant);
    }
    for (const node& step : net.nodes()) {
        string(step.name), string(kind_of(step.what)), word(step.inputs.size());
        for (const tensor_id id : step.inputs) word(id);
        word(step.output), real(step.activation.low, step.activation.high);
        std::visit(parameters, step.what);
    }
    return hash;
}

/// One histogram for each tensor of the graph as `optimize` folds it: the same for any order of samples, batch, number
/// of threads and instruction set. Throws octet::error as check_samples and session do.
template <class Session = session<>>
calibration calibrate(graph net, const samples& data, const calibrate_options& options = {}) {
    optimize(detail::when_used<Session>(net));
    check_samples(net, data);
    if (options.batch < 1) fail("calibration with a batch of ", options.batch, ": it must be at least 1");
    calibration all{fingerprint(detail::when_used<Session>(net)), data.count, options.moving, {}};
    for (const tensor& value : net.tensors()) all.tensors.push_back({value.name});
    const auto run_all = [&](std::size_t first, std::size_t end, int batch) {
        Session run(as_float(net), {.batch = batch, .target = options.target, .threads = options.threads});
        for (; first < end; first += static_cast<std::size_t>(batch)) {
            set_samples(run, data, first);
            run.run_observed([&]<class T>(tensor_id id, tensor_view<const T> values) {
                if constexpr (std::is_same_v<T, float>) {
                    tensor_calibration& own = all.tensors[static_cast<std::size_t>(id)];
                    // A dense tensor is one row; the channels of a concatenation are rows with gaps.
                    const std::int64_t rows = values.dense() ? 1 : values.rows();
                    const auto count = static_cast<std::size_t>(values.dims.elements() / rows);
                    range reached{};
                    for (std::int64_t r = 0; r < rows; ++r) {
                        const range row = own.seen.observe({values.row(r), count});
                        reached = r == 0 ? row : range{std::min(reached.min, row.min), std::max(reached.max, row.max)};
                    }
                    if (options.moving) advance(own.average, *options.moving, reached);
                }
            });
            options.progress.report(options.progress.context, first + static_cast<std::size_t>(batch), data.count);
        }
    };
    const auto batch = std::min(static_cast<std::size_t>(options.batch), data.count);
    const std::size_t whole = data.count / batch * batch;
    run_all(0, whole, static_cast<int>(batch));
    if (whole != data.count) run_all(whole, data.count, static_cast<int>(data.count - whole));
    // What the session made as a view of other tensors holds their values.
    for (const node& step : net.nodes()) {
        tensor_calibration& own = all.tensors[static_cast<std::size_t>(step.output)];
        const bool view =
            std::holds_alternative<op::reshape>(step.what) || std::holds_alternative<op::concat>(step.what);
        if (!view || own.seen.values() != 0) continue;
        for (const tensor_id from : step.inputs) {
            const tensor_calibration& part = all.tensors[static_cast<std::size_t>(from)];
            own.seen.merge(part.seen);
            own.average.min = std::min(own.average.min, part.average.min);
            own.average.max = std::max(own.average.max, part.average.max);
        }
    }
    return all;
}

}  // namespace octet::inline OCTET_ABI
