// A scale and a zero point cannot be swapped, and neither is made from a bare number.
// expect: octet::zero_point
#include <octet/quant/params.hpp>

octet::quant_params swapped{octet::zero_point(3), octet::scale(0.5F)};
