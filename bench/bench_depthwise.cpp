// Depthwise convolution, int8: depthwise/<kernel>[s<stride>]/<height>x<width>x<channels>/<isa>. Of the register loop it
// can reach little: a lane of four products holds the taps of one channel.
#include "measure.hpp"
#include "sessions.hpp"

namespace {

using namespace octet::bench;

[[maybe_unused]] const bool registered = [] {
    register_problems(depthwise_problems, [](benchmark::State& state, const conv_problem& p, octet::isa which) {
        measure(state, {p.operations()}, int8_limit(which), peers_for(p, which), layer(p, which));
    });
    return true;
}();

}  // namespace
