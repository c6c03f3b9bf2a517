// Pooling, int8: max_pool/3x3s2/<height>x<width>x<channels>/<isa> and global_average_pool/... The limit is a loop that
// reads every byte of the input and writes every byte of the output once.
#include "measure.hpp"
#include "sessions.hpp"

namespace {

using namespace octet::bench;

[[maybe_unused]] const bool registered = [] {
    register_problems(pool_problems, [](benchmark::State& state, const pool_problem& p, octet::isa which) {
        const auto in = p.input_bytes(), out = p.output_bytes();
        measure(state, {.operations = p.operations(), .bytes = static_cast<double>(in + out)},
                traffic_limit(which, in, out), peers_for(p, which), layer(p, which));
    });
    return true;
}();

}  // namespace
