#!/usr/bin/env bash
# compare_output.sh <expected file> <program> <argument>...: the program succeeds and prints the expected lines.
# A line of the expected file that begins with "~ " is an extended regular expression for the whole line: for figures
# that differ from run to run, such as latency.
set -euo pipefail
expected=$1; shift
output=$("$@")

bad=0 number=0
differs() { printf 'line %d\n  expected: %s\n  printed:  %s\n' "$number" "$1" "$2"; bad=1; }
while true; do
    more=0
    IFS= read -r want <&3 && more=1 || want="(nothing)"
    IFS= read -r line <&4 && more=1 || line="(nothing)"
    ((more)) || break
    ((++number))
    if [[ $want == "~ "* ]]; then
        [[ $line =~ ^(${want#"~ "})$ ]] || differs "$want" "$line"
    elif [[ $line != "$want" ]]; then
        differs "$want" "$line"
    fi
done 3< "$expected" 4<<< "$output"
exit $bad
