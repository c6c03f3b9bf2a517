// What check.sh counts the instructions of: small problems on AVX2 kernels, each once in octet_gate_counted, in the
// order of the names that this program prints. On a path that counting tools know and every machine of the last ten
// years runs.
#include <cstdio>
#include <functional>

#include "sessions.hpp"

/// Between entering and leaving this, instructions count. (A C name, so that it reads the same on a command line.)
extern "C" [[gnu::noinline]] void octet_gate_counted(const std::function<void()>& run) {
    run();
    asm volatile("" : : : "memory");
}

namespace {

using namespace octet::bench;

constexpr gemm_problem gemms[] = {{1, 256, 512}, {64, 64, 64}, {49, 96, 256}, {196, 64, 147}};
constexpr conv_problem convolutions[] = {
    {3, 1, 14, 64, 64}, {7, 2, 32, 3, 64}, {3, 1, 28, 96, 0}, {3, 2, 28, 96, 0}, {5, 1, 14, 96, 0}};
constexpr pool_problem pools[] = {{3, 2, 28, 64}, {0, 1, 7, 640}};
constexpr elementwise_problem elementwises[] = {{elementwise::add, 14, 96},
                                                {elementwise::mul, 14, 96},
                                                {elementwise::logistic, 14, 96},
                                                {elementwise::dyadic_add, 14, 96}};

template <class Problems>
void count(const Problems& problems) {
    for (const auto& problem : problems) {
        const auto run = prepare(one_layer(problem), octet::isa::avx2);
        run();
        std::puts(problem.name().c_str());
        octet_gate_counted(run);
    }
}

}  // namespace

int main() {
    count(gemms);
    count(convolutions);
    count(pools);
    count(elementwises);
}
