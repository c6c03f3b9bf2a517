// expect: octet::buffer holds plain data: its elements are copied as bytes
#include <octet/core/buffer.hpp>

#include <string>

octet::buffer<std::string> wrong(3);

int main() {}
