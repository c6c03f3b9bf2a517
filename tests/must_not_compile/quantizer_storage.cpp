// expect: octet::quantizer: the storage is std::int8_t or std::uint8_t
#include <octet/quant/quantizer.hpp>

octet::quantizer<octet::symmetric, octet::per_tensor, short> q{octet::range{-1, 1}};
