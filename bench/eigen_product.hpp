// Eigen's float matrix product, in a unit of its own: Eigen has no dispatch at run time, so that unit alone is compiled
// for this machine (-march=native), and nothing of Octet stands in it.
#pragma once

#include <memory>

namespace octet::bench {

/// out [rows, cols] = lhs [rows, depth] * weights [depth, cols], of zeros.
class eigen_product {
  public:
    eigen_product(int rows, int cols, int depth);
    void run() const;

  private:
    struct matrices;
    std::shared_ptr<matrices> own_;
};

}  // namespace octet::bench
