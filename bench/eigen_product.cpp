#include "eigen_product.hpp"

#include <Eigen/Core>

namespace octet::bench {

struct eigen_product::matrices {
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    matrix lhs, weights, out;
};

eigen_product::eigen_product(int rows, int cols, int depth)
    : own_(std::make_shared<matrices>(matrices{matrices::matrix::Zero(rows, depth), matrices::matrix::Zero(depth, cols),
                                               matrices::matrix::Zero(rows, cols)})) {}

void eigen_product::run() const { own_->out.noalias() = own_->lhs * own_->weights; }

}  // namespace octet::bench
