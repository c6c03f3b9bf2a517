#!/usr/bin/env bash
# compile_cost.sh <include directory> <Eigen's directory> <work directory> <compiler>...
# A translation unit with octet.hpp costs at most 1.5 times one with Eigen/Core: user CPU seconds, medians of five.
set -euo pipefail
export LC_ALL=C TIMEFORMAT=%U
octet=$1 eigen=$2 work=$3; shift 3
mkdir -p "$work"
echo '#include <octet/octet.hpp>' > "$work/octet.cpp"
echo '#include <Eigen/Core>' > "$work/eigen.cpp"

seconds() { { time "$1" -std=c++20 -O2 -c -I "$octet" -isystem "$eigen" "$work/$2.cpp" -o "$work/$2.o"; } 2>&1; }
median() { sort -n | sed -n 3p; }

failed=0
for compiler in "$@"; do
    : > "$work/octet.times"
    : > "$work/eigen.times"
    for _ in 1 2 3 4 5; do  # in turns, so that a slow moment of the machine meets both
        seconds "$compiler" octet >> "$work/octet.times"
        seconds "$compiler" eigen >> "$work/eigen.times"
    done
    awk -v name="$(basename "$compiler")" -v octet="$(median < "$work/octet.times")" -v eigen="$(median < "$work/eigen.times")" 'BEGIN {
        printf "%s: octet/octet.hpp %.2f s, Eigen/Core %.2f s, ratio %.2f (at most 1.50)\n", name, octet, eigen, octet / eigen
        exit octet > 1.5 * eigen
    }' || failed=1
done
exit $failed
