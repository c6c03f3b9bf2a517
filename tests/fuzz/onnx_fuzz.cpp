// Any bytes are a model or an octet::error: no crash, no hang, no memory beyond a small multiple of their number.
#include <cstddef>
#include <cstdint>
#include <span>

#include "octet/io/onnx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const octet::graph net = octet::onnx::parse(std::as_bytes(std::span(data, size)), "fuzz");
        if (net.inputs().empty() || net.outputs().empty()) __builtin_trap();
    } catch (const octet::error& refused) {
        if (refused.what()[0] == '\0') __builtin_trap();
    }
    return 0;
}
