#!/usr/bin/env bash
# compile_cost.sh <include directory> <Eigen's directory> <work directory> <compiler>
# A translation unit with octet.hpp costs at most 1.5 times one with Eigen/Core. Seconds depend on what else the machine
# does, so what is held is the number of instructions that the compiler executes, whose ratio is 5 % above that of the
# seconds (g++ 12: 1.52 where the seconds give 1.44): at most 1.55.
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
        printf "| %s: octet/octet.hpp %d million instructions, Eigen/Core %d, ratio %.3f, at most 1.55\n", compiler, octet, eigen, octet / eigen
        exit !(octet > 0 && octet <= 1.55 * eigen)
    }'
