#!/usr/bin/env bash
# installed.sh <cmake> <build tree>: the component `tool` lays down the program and its completion, which is its own.
set -uo pipefail
cmake=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
failed() { printf 'FAILED: %s\n' "$*"; bad=1; }

"$cmake" --install "$build" --component tool --prefix "$work" > /dev/null || failed "cmake --install"
octet=$work/bin/octet
"$octet" --version || failed "the program that was installed"
cmp "$work/share/bash-completion/completions/octet" <("$octet" completion bash) || failed "completion for bash"
cmp "$work/share/zsh/site-functions/_octet" <("$octet" completion zsh) || failed "completion for zsh"
cmp "$work/share/fish/vendor_completions.d/octet.fish" <("$octet" completion fish) || failed "completion for fish"
[[ $(find "$work" -type f | wc -l) == 4 ]] || failed "installed: $(find "$work" -type f)"
exit $bad
