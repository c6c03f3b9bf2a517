// Octet's side of every benchmark: a session over a network, or over the network of one layer that a problem is, so
// that what is timed is what a user runs, with every choice of the library in it. One unit compiles sessions for all
// programs.
#pragma once

#include <functional>
#include <memory>

#include "octet/core/parallel.hpp"
#include "octet/core/progress.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/isa/isa.hpp"
#include "problem.hpp"
#include "timing.hpp"

namespace octet::bench {

/// Int8 in and out, calibrated on one random sample of a mean other than 0: no zero point is 0.
quantized_graph one_layer(const gemm_problem& problem);
quantized_graph one_layer(const conv_problem& problem);
quantized_graph one_layer(const pool_problem& problem);
quantized_graph one_layer(const elementwise_problem& problem);

/// A network calibrated on `samples` random images.
quantized_graph quantized(const graph& net, std::size_t samples = 2);
/// The same network in float.
quantized_graph in_float(const quantized_graph& net);

/// Calibrates `net` on `images` random images.
void calibrate_on_images(const graph& net, std::size_t images, isa which, const progress& told);

/// Runs a session on inputs that stand in its arena; for real_inputs, floats are quantized first and the scores read as
/// floats, as other runtimes do.
std::function<void()> prepare(const quantized_graph& net, isa which, const parallel& threads = {},
                              bool real_inputs = false);

/// A session of one layer, in int8 or in float.
template <class Problem>
const std::function<void()>& layer(const Problem& problem, isa which, bool real = false) {
    return remembered(text(problem.name(), "/", to_string(which), real), [&] {
        const quantized_graph net = one_layer(problem);
        return prepare(real ? in_float(net) : net, which);
    });
}

}  // namespace octet::bench
