#!/usr/bin/env bash
# check.sh <program> <compiler> <argument>...: the program does not compile, and the message is the expected one.
set -euo pipefail
program=$1; shift
expect=$(sed -n 's,^// expect: ,,p' "$program")
read -ra flags <<< "$(sed -n 's,^// flags: ,,p' "$program")"
[[ -n $expect ]] || { echo "$program: has no line '// expect: <sentence>'"; exit 1; }

if output=$("$@" "${flags[@]}" "$program" 2>&1); then
    echo "$program: compiles, and must not"
    exit 1
elif [[ $output != *"$expect"* ]]; then
    printf '%s\n%s: does not compile, but the compiler did not say: %s\n' "$output" "$program" "$expect"
    exit 1
fi
