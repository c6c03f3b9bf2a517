#include "onnx_compiled_once.hpp"

namespace compiled_once {

octet::graph parse(std::span<const std::byte> bytes, std::string_view name) { return octet::onnx::parse(bytes, name); }
octet::graph load(const std::string& path) { return octet::onnx::load(path); }
octet::quantized_graph parse_quantized(std::span<const std::byte> bytes, std::string_view name) {
    return octet::onnx::parse_quantized(bytes, name);
}
octet::quantized_graph load_quantized(const std::string& path) { return octet::onnx::load_quantized(path); }
std::string serialize(const octet::quantized_graph& network, const octet::onnx::save_options& options) {
    return octet::onnx::serialize(network, options);
}
void save(const octet::quantized_graph& network, const std::string& path, const octet::onnx::save_options& options) {
    octet::onnx::save(network, path, options);
}

}  // namespace compiled_once
