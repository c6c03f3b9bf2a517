#include "compiled_once.hpp"

namespace octet::inline OCTET_ABI {
template class compiler<single>;
template class session<single>;
}  // namespace octet::inline OCTET_ABI
