// Eigen, in float.
#include "eigen_product.hpp"
#include "peer.hpp"
#include "timing.hpp"

namespace octet::bench {

namespace {

class eigen : public library {
    void offer(const gemm_problem& p, peers& to) override {
        const eigen_product product(p.rows, p.cols, p.depth);
        to.push_back({"eigen_float", repeated([product] { product.run(); })});
    }
} eigen_here;

}  // namespace

}  // namespace octet::bench
