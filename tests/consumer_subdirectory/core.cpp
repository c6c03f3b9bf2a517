#include <octet/octet.hpp>

#include <cstdio>

bool reads_protobuf();

int main() {
    std::printf("octet %d.%d\n", OCTET_VERSION_MAJOR, OCTET_VERSION_MINOR);
    return reads_protobuf() ? 0 : 1;
}
