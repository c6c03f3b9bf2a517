#!/usr/bin/env bash
# documentation.sh <cmake> <build directory>: the documentation is built without a warning (warnings are errors to Doxygen).
set -euo pipefail
command -v doxygen > /dev/null || { echo "doxygen was not found (Debian: doxygen): skipped"; exit 77; }
"$1" --build "$2" --target documentation
