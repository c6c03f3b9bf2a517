// expect: octet::quantizer: the scheme is octet::symmetric or octet::asymmetric
#include <octet/octet.hpp>

octet::quantizer<octet::per_tensor, octet::per_tensor> wrong(octet::range{-1, 1});

int main() {}
