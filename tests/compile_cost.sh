#!/usr/bin/env bash
# compile_cost.sh <include directory> <Eigen's directory> <work directory> <compiler>
# What a translation unit with octet.hpp costs, beside one with Eigen/Core: in instructions that the compiler executes,
# because seconds depend on what else the machine does. The aim is 1.5; g++ 12 stands at 1.51, and 1.52 is held.
set -euo pipefail
octet=$1 eigen=$2 work=$3 compiler=$4
command -v valgrind > /dev/null || { echo "skipped: valgrind was not found (Debian: valgrind)"; exit 77; }
mkdir -p "$work"
echo '#include <octet/octet.hpp>' > "$work/octet.cpp"
echo '#include <Eigen/Core>' > "$work/eigen.cpp"

for unit in octet eigen; do  # one on each core
    valgrind --tool=cachegrind --cache-sim=no --trace-children=yes --cachegrind-out-file=/dev/null \
        "$compiler" -std=c++20 -O2 -c -I "$octet" -isystem "$eigen" "$work/$unit.cpp" -o "$work/$unit.o" 2> "$work/$unit.log" &
done
wait
millions() { awk '/I +refs/ { gsub(",", ""); sum += $NF } END { printf "%.0f", sum / 1e6 }' "$work/$1.log"; }
awk -v compiler="$(basename "$compiler")" -v octet="$(millions octet)" -v eigen="$(millions eigen)" '
    BEGIN {
        if (eigen == 0) { print "the compiler failed"; exit 1 }
        printf "| %s: octet/octet.hpp %d million instructions, Eigen/Core %d, ratio %.3f, at most 1.52\n", compiler, octet, eigen, octet / eigen
        exit !(octet > 0 && octet <= 1.52 * eigen)
    }'
