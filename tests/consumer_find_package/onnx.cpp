#include <octet/octet.hpp>
#include <protozero/pbf_reader.hpp>

#include <cstdio>
#include <string>

int main() {
    const std::string ir_version_7{"\x08\x07"};
    protozero::pbf_reader model{ir_version_7};
    const bool read = model.next(1) && model.get_int64() == 7;
    std::printf("octet %d.%d\n", OCTET_VERSION_MAJOR, OCTET_VERSION_MINOR);
    return read ? 0 : 1;
}
