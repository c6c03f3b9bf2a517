// The instruction sets that a law is tested on: all that this machine runs. The tests *_avx_vnni_as_avx512_test compile
// the kernels of one otherwise, and run these alone.
#pragma once

#include <vector>

#include "octet/isa/select.hpp"

namespace octet::test {

inline std::vector<isa> tested_isas() {
    std::vector<isa> all = supported_isas();
#if defined(OCTET_AVX_VNNI_AS_AVX512)
    std::erase_if(all, [](isa which) { return which != isa::avx_vnni; });
#endif
    return all;
}

}  // namespace octet::test
