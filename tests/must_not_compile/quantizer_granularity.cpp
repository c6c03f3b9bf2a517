// expect: octet::quantizer: the granularity is octet::per_tensor or octet::per_channel
#include <octet/quant/quantizer.hpp>

octet::quantizer<octet::symmetric, octet::symmetric> q{octet::range{-1, 1}};
