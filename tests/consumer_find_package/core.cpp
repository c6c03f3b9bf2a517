#include <octet/octet.hpp>

#include <cstdio>

int main() { std::printf("octet %d.%d\n", OCTET_VERSION_MAJOR, OCTET_VERSION_MINOR); }
