// Files that are no ONNX models: what they seem to be, and what to do with them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "octet/core/error.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// Bytes that no ONNX file has in this place.
struct foreign_format {
    std::size_t offset;
    std::string_view bytes;
    std::string_view what;
    std::string_view remedy;
};

inline constexpr foreign_format foreign_formats[] = {
    {1,
     {"\0\0\0TFL3", 7},
     "a TensorFlow Lite model",
     "convert it: python -m tf2onnx.convert --tflite FILE --output model.onnx"},
    {0, "\x89HDF", "an HDF5 file, as Keras saves models", "convert the Keras model with tf2onnx"},
    {0, "PK\3\4", "a zip archive, as PyTorch and Keras save models",
     "export the model with torch.onnx.export or tf2onnx, or unpack it"},
    {0, "version https://git-lfs", "a pointer to a file in Git LFS", "fetch the file itself: git lfs pull"},
    {0, "<", "a page of HTML or XML", "download the model itself"},
};

/// Throws octet::error for bytes that are known as something else. An ONNX file holds bytes below a space, such as the
/// tag of a node's output, and none of the above.
inline void refuse_foreign(std::string_view bytes) {
    for (const foreign_format& each : foreign_formats)
        if (bytes.size() > each.offset && bytes.substr(each.offset).starts_with(each.bytes))
            fail("the file is not an ONNX model but seems to be ", each.what, ": ", each.remedy);
    const auto is_text = [](unsigned char c) { return c >= 0x20 || c == '\t' || c == '\n' || c == '\r'; };
    if (!bytes.empty() && std::all_of(bytes.begin(), bytes.end(), is_text))
        fail("the file is not an ONNX model but text: check the path, or export the model to ONNX");
}

}  // namespace octet::onnx::inline OCTET_ABI
