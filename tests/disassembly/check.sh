#!/usr/bin/env bash
# check.sh <source> <objdump> <object>: the functions that the source names hold none of the instructions it forbids.
set -euo pipefail
source=$1 objdump=$2 object=$3
functions=$(sed -n 's,^// functions: ,,p' "$source")
never=$(sed -n 's,^// never: ,,p' "$source")
[[ -n $functions && -n $never ]] || { echo "$source: needs the lines '// functions: <regex>' and '// never: <regex>'"; exit 1; }

"$objdump" --disassemble --demangle --wide "$object" | awk -v functions="$functions" -v never="$never" '
    /^[0-9a-f]+ <.*>:$/ { name = $0; gsub(/^[0-9a-f]+ <|>:$/, "", name); looking = name ~ functions; seen += looking; next }
    looking             { ++lines }
    looking && $0 ~ never { print "\"" name "\" must not hold:" $0; bad = 1 }
    END {
        print seen + 0 " functions, " lines + 0 " instructions"
        if (!seen) print "no function is named like " functions
        exit bad || !seen
    }'
