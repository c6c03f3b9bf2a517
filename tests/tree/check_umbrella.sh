#!/usr/bin/env bash
# check_umbrella.sh <compiler> <include directory>: octet.hpp reads the compiler's own headers and Octet's, and no others.
set -euo pipefail
read_by_umbrella=$(echo '#include <octet/octet.hpp>' | "$1" -std=c++20 -I "$2" -M -x c++ - | tr -s ' \\\n' '\n')
grep -q '/octet/octet.hpp$' <<< "$read_by_umbrella"
if grep -iE '/(Eigen|xsimd|protozero|flatbuffers)/' <<< "$read_by_umbrella"; then
    echo "octet.hpp includes the headers above, and must need the standard library only"
    exit 1
fi
