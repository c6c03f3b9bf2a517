// Any bytes are a model or an octet::error: no crash, no hang, no memory beyond a small multiple of their number.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "octet/io/onnx.hpp"

namespace {

/// Calls read(), which may refuse its bytes, but not without a word.
void attempt(const auto& read) {
    try {
        read();
    } catch (const octet::error& refused) {
        if (refused.what()[0] == '\0') __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
    attempt([&] {
        const octet::graph net = octet::onnx::parse(bytes, "fuzz");
        if (net.inputs().empty() || net.outputs().empty()) __builtin_trap();
    });
    attempt([&] {
        const octet::quantized_graph net = octet::onnx::parse_quantized(bytes, "fuzz");
        if (net.quantized_layers() == 0) __builtin_trap();
        const std::string written = octet::onnx::serialize(net);
        octet::onnx::parse_quantized(std::as_bytes(std::span(written.data(), written.size())), "written");
    });
    return 0;
}
