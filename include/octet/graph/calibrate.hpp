// Calibration: the float network runs over the samples and a histogram watches every tensor.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "octet/calib/histogram.hpp"
#include "octet/core/algorithm.hpp"
#include "octet/core/progress.hpp"
#include "octet/graph/samples.hpp"
#include "octet/graph/session.hpp"

namespace octet {

struct calibrate_options {
    int batch = 1;                ///< samples a run; the histograms do not depend on it
    parallel threads{};           ///< nor on this
    std::optional<isa> target{};  ///< nor on this
    octet::progress progress{};   ///< told after every run how many samples have been watched
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// One histogram for each tensor of the graph: the same for any batch, number of threads and instruction set. Those of
/// constants stay empty. Throws octet::error as check_samples and session do.
template <class Session = session<>>
std::vector<histogram> calibrate(const graph& net, const samples& data, const calibrate_options& options = {}) {
    check_samples(net, data);
    if (options.batch < 1) fail("calibration with a batch of ", options.batch, ": it must be at least 1");
    std::vector<histogram> seen(net.tensors().size());
    const auto run_all = [&](std::size_t first, std::size_t end, int batch) {
        Session run(as_float(net), {.batch = batch, .target = options.target, .threads = options.threads});
        for (; first < end; first += static_cast<std::size_t>(batch)) {
            for (std::size_t i = 0; i < data.inputs.size(); ++i) {
                const auto elements = static_cast<std::size_t>(net.at(net.inputs()[i]).dims.elements());
                run.set_input(i, data.slice(i, first, static_cast<std::size_t>(batch), elements));
            }
            run.run_observed([&]<class T>(tensor_id id, tensor_view<const T> values) {
                if constexpr (std::is_same_v<T, float>) {
                    histogram& own = seen[static_cast<std::size_t>(id)];
                    const auto cols = static_cast<std::size_t>(values.cols());
                    if (values.dense())
                        own.observe({values.data, static_cast<std::size_t>(values.dims.elements())});
                    else
                        for (std::int64_t r = 0; r < values.rows(); ++r) own.observe({values.row(r), cols});
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
        histogram& own = seen[static_cast<std::size_t>(step.output)];
        const bool view =
            std::holds_alternative<op::reshape>(step.what) || std::holds_alternative<op::concat>(step.what);
        if (view && own.finite() + own.nans() + own.infinities() == 0)
            for (const tensor_id from : step.inputs) own.merge(seen[static_cast<std::size_t>(from)]);
    }
    return seen;
}

}  // namespace octet::inline OCTET_ABI
