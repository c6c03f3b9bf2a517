#!/usr/bin/env bash
# check.sh <program gate> <file of recorded counts> [record]: the instructions that this project's own code executes for each
# problem of gate.cpp, by callgrind, against those recorded. Fails where one needs over 3 % more. `record` writes the file.
set -euo pipefail
program=$1 recorded=$2 mode=${3:-check}
skip() { echo "skipped: $1"; exit 77; }
command -v valgrind > /dev/null || skip "valgrind was not found (Debian: valgrind)"
grep -q -w avx2 /proc/cpuinfo || skip "this machine has no AVX2"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
valgrind --quiet --tool=callgrind --toggle-collect=octet_gate_counted --dump-after=octet_gate_counted \
    --compress-strings=no --compress-pos=no --callgrind-out-file="$work/out" "$program" > "$work/names" 2> "$work/log" ||
    { cat "$work/log"; exit 1; }

# Of a dump: "ob=" names the file that the following costs are spent in; the line after "calls=" is what the callee cost.
own_instructions() {
    awk -v own="$program" '
        /^ob=/    { inside = substr($0, 4) == own; next }
        /^calls=/ { skip = 1; next }
        /^[0-9+*-]/ && NF == 2 { if (!skip && inside) sum += $2; skip = 0 }
        END       { print sum + 0 }' "$1"
}

i=0 bad=0
[[ $mode == record ]] && { sed -n '/^#/p' "$recorded" > "$work/new"; }
while read -r name; do
    ((++i))
    count=$(own_instructions "$work/out.$i")
    [[ $mode == record ]] && { printf '%-40s%12d\n' "$name" "$count" >> "$work/new"; continue; }
    before=$(awk -v name="$name" '$1 == name { print $2 }' "$recorded")
    verdict=""
    if [[ -z $before ]]; then
        verdict="not recorded" bad=1
    elif ((count * 100 > before * 103)); then
        verdict="TOO MANY" bad=1
    elif ((count * 100 < before * 97)); then
        verdict="fewer: record them"
    fi
    printf '%-40s%12d instructions, recorded %12s  %s\n' "$name" "$count" "${before:--}" "$verdict"
done < "$work/names"
((i != 0)) || { echo "$program printed no names"; exit 1; }
[[ $mode == record ]] && { cp "$work/new" "$recorded"; cat "$recorded"; exit 0; }
((bad == 0)) || echo "If that is what it must cost, record it: cmake --build --preset release --target record_instructions"
exit $bad
