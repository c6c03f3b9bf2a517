// Convolution, int8 and float: conv2d/<kernel>[s<stride>]/<height>x<width>x<channels>x<outputs>/<isa> and
// float/conv2d/... The limit is a register loop, and taps in padding count: a convolution that does not compute them
// all, or Winograd's, can reach more.
#include "measure.hpp"
#include "sessions.hpp"

namespace {

using namespace octet::bench;

[[maybe_unused]] const bool registered = [] {
    register_problems(conv2d_problems, [](benchmark::State& state, const conv_problem& p, octet::isa which) {
        measure(state, {p.operations()}, int8_limit(which), peers_for(p, which), layer(p, which));
    });
    register_problems(
        conv2d_problems,
        [](benchmark::State& state, const conv_problem& p, octet::isa which) {
            measure(state, {p.operations()}, float_limit(which), {}, layer(p, which, true));
        },
        "float/");
    return true;
}();

}  // namespace
