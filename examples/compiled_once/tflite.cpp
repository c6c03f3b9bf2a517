#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template class compiler<tflite>;
template class session<tflite>;
}  // namespace octet::inline OCTET_ABI
