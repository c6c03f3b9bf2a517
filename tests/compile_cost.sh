#!/usr/bin/env bash
# compile_cost.sh <include directory> <Eigen's directory> <work directory> <compiler>
# A translation unit with octet.hpp costs at most 1.5 times one with Eigen/Core: user CPU seconds, the least of seven,
# because a busy machine only adds.
set -euo pipefail
export LC_ALL=C TIMEFORMAT=%U
octet=$1 eigen=$2 work=$3 compiler=$4
mkdir -p "$work"
echo '#include <octet/octet.hpp>' > "$work/octet.cpp"
echo '#include <Eigen/Core>' > "$work/eigen.cpp"
rm -f "$work"/*.seconds

for _ in 1 2 3 4 5 6 7; do  # in turns, so that a slow moment of the machine meets both
    for unit in octet eigen; do
        { time "$compiler" -std=c++20 -O2 -c -I "$octet" -isystem "$eigen" "$work/$unit.cpp" -o "$work/$unit.o"; } \
            2>> "$work/$unit.seconds"
    done
done

least() { sort -n "$1" | head -1; }
awk -v compiler="$(basename "$compiler")" -v octet="$(least "$work/octet.seconds")" -v eigen="$(least "$work/eigen.seconds")" '
    BEGIN {
        printf "| %s: octet/octet.hpp %.2f s, Eigen/Core %.2f s, ratio %.2f, at most 1.50\n", compiler, octet, eigen, octet / eigen
        exit !(octet > 0 && octet <= 1.5 * eigen)
    }'
