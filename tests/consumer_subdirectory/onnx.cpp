#include <octet/octet.hpp>
#include <protozero/pbf_reader.hpp>

#include <string>

bool reads_protobuf();

bool reads_protobuf() {
    const std::string ir_version_7{"\x08\x07"};
    protozero::pbf_reader model{ir_version_7};
    return model.next(1) && model.get_int64() == 7;
}
