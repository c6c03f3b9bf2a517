// expect: octet::quantizer: the storage is std::int8_t or std::uint8_t
#include <octet/octet.hpp>

octet::quantizer<octet::symmetric, octet::per_tensor, short> wrong(octet::range{-1, 1});

int main() {}
