#!/usr/bin/env bash
# completion.sh <octet>: what its scripts complete, in bash, and in zsh and fish where they are installed.
set -uo pipefail
octet=$1
bad=0
failed() { printf 'FAILED: %s\n' "$*"; bad=1; }

source <("$octet" completion bash) || failed "the script for bash"
complete -p octet > /dev/null || failed "nothing is registered for octet"
# completes <words, one a line> <word of the command line>...: the last word is the one that is being typed.
completes() {
    local wanted=$1; shift
    COMP_WORDS=(octet "$@") COMP_CWORD=$#
    _octet
    diff <(printf '%s' "$wanted") <(printf '%s\n' "${COMPREPLY[@]:-}" | sed '/^$/d') > /dev/null ||
        failed "octet $*: '${COMPREPLY[*]:-}', not '${wanted//$'\n'/ }'"
}
completes $'inspect\n' ins
completes $'evaluate\n' ev
completes $'u8\ni8\nf32\n' quantize model.onnx --type ''
completes $'nchw\n' quantize --layout nc
completes $'bash\nzsh\nfish\n' completion ''
completes $'--mean\n' run m.onnx --me
completes '' inspect --mea                      # an option of others
completes '' quantize model.onnx --samples ''   # a file: bash's own
completes '' quantize ''

# Every option that --help lists is completed, and no other.
for command in $("$octet" --help | sed -n '/^Subcommands:/,$ s/^  \([a-z]*\) .*/\1/p'); do
    listed=$("$octet" "$command" --help | sed -nE 's/^  (-h,)?(--[a-z0-9-]+).*/\2/p' | sort)
    COMP_WORDS=(octet "$command" --) COMP_CWORD=2
    _octet
    [[ -n $listed && $listed == "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" ]] || failed "$command: --help lists '$listed'"
done

for shell in zsh fish; do
    grep -q calibration-count <<< "$("$octet" completion $shell)" || failed "the script for $shell"
    command -v $shell > /dev/null || { echo "$shell is not installed: its script was not read by it"; continue; }
    $shell -n <("$octet" completion $shell) || failed "$shell does not take its script"
done
((bad)) || echo "completed"
exit $bad
