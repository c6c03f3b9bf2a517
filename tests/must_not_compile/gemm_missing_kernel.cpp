// The primary template stays undefined: a kernel that nobody wrote is a compile error, not a slow path.
// expect: gemm_kernel<octet::isa::scalar, nothing>
#include <octet/kernel/gemm.hpp>

struct nothing {};

int rows() { return octet::gemm_kernel<octet::isa::scalar, nothing>::tile_rows; }

int main() {}
