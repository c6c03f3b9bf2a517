#!/usr/bin/env bash
# conan.sh <this tree> <version> <work directory>: the recipe runs from export to package_info with Conan's own functions
# played by conan_stand_in.py; registries and profiles are not seen. Under Debian's python3, which needs nothing more.
set -euo pipefail
[[ -x /usr/bin/python3 ]] || { echo "/usr/bin/python3 was not found (Debian: python3): skipped"; exit 77; }
exec /usr/bin/python3 "$1/tests/packaging/conan_stand_in.py" "$1/cmake/packaging/conan/conanfile.py" "$2" "$3/conan"
