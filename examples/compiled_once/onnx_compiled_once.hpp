// The functions of octet/io/onnx.hpp, compiled once; see there.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "octet/io/onnx.hpp"

namespace compiled_once {

octet::graph parse(std::span<const std::byte> bytes, std::string_view name);
octet::graph load(const std::string& path);
octet::quantized_graph parse_quantized(std::span<const std::byte> bytes, std::string_view name);
octet::quantized_graph load_quantized(const std::string& path);
std::string serialize(const octet::quantized_graph& network, const octet::onnx::save_options& options = {});
void save(const octet::quantized_graph& network, const std::string& path,
          const octet::onnx::save_options& options = {});

}  // namespace compiled_once
