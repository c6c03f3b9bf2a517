// Add, mul and a table of 256 bytes (logistic), int8: <operation>/<height>x<width>x<channels>/<isa>. The limit is a
// loop that reads and writes as many bytes.
#include "measure.hpp"
#include "sessions.hpp"

namespace {

using namespace octet::bench;

[[maybe_unused]] const bool registered = [] {
    register_problems(
        elementwise_problems, [](benchmark::State& state, const elementwise_problem& p, octet::isa which) {
            const auto in = p.input_bytes(), out = p.output_bytes();
            measure(state, {.operations = static_cast<double>(out), .bytes = static_cast<double>(in + out)},
                    traffic_limit(which, in, out), peers_for(p, which), layer(p, which));
        });
    return true;
}();

}  // namespace
