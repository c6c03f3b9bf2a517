// expect: octet::quantizer: the scheme is octet::symmetric or octet::asymmetric
#include <octet/quant/quantizer.hpp>

octet::quantizer<octet::per_tensor, octet::per_tensor> q{octet::range{-1, 1}};
