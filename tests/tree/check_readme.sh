#!/usr/bin/env bash
# check_readme.sh <README> <source directory>: each code block that follows a line <!-- <file> --> is that file, byte for byte.
set -euo pipefail
readme=$1 source=$2
files=$(sed -nE 's,^<!-- (examples/[^ ]+) -->$,\1,p' "$readme")
[[ -n $files ]] || { echo "$readme: shows no example"; exit 1; }

bad=0
for file in $files; do
    block=$(awk -v marker="<!-- $file -->" '
        $0 == marker          { found = 1; next }
        found && /^```/       { if (inside) exit; inside = 1; next }
        inside                { print }' "$readme"; echo .)
    if ! diff -u --label "$file" --label "$readme" "$source/$file" <(printf %s "${block%.}"); then bad=1; fi
done
exit $bad
