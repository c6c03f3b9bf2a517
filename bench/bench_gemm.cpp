// GEMM, int8 and float, with weights packed ahead: gemm/<rows>x<cols>x<depth>/<isa> and float/gemm/... The limit is a
// register loop; for one row, a loop that reads as many bytes as the weights have.
#include "measure.hpp"
#include "sessions.hpp"

namespace {

using namespace octet::bench;

[[maybe_unused]] const bool registered = [] {
    register_problems(gemm_problems, [](benchmark::State& state, const gemm_problem& p, octet::isa which) {
        const std::size_t bytes = p.rows == 1 ? product(p.cols, p.depth) : 0;
        const limit most = bytes != 0 ? traffic_limit(which, bytes, 0) : int8_limit(which);
        measure(state, {p.operations(), static_cast<double>(bytes)}, most, peers_for(p, which), layer(p, which));
    });
    register_problems(
        gemm_problems,
        [](benchmark::State& state, const gemm_problem& p, octet::isa which) {
            const std::size_t bytes = p.rows == 1 ? sizeof(float) * product(p.cols, p.depth) : 0;
            const limit most = bytes != 0 ? traffic_limit(which, bytes, 0) : float_limit(which);
            measure(state, {p.operations(), static_cast<double>(bytes)}, most, {}, layer(p, which, true));
        },
        "float/");
    return true;
}();

}  // namespace
