#!/usr/bin/env bash
# pkg_config.sh <prefix> <version> <compiler> <program> <work directory>: the installed octet.pc knows its version, and
# its flags compile a program; the tree may be moved first.
set -euo pipefail
prefix=$1 version=$2 compiler=$3 program=$4 work=$5
command -v pkg-config > /dev/null || { echo "pkg-config was not found (Debian: pkg-config): skipped"; exit 77; }
rm -rf "$work/moved"
cp -r "$prefix" "$work/moved"
export PKG_CONFIG_PATH="$work/moved/share/pkgconfig"
found=$(pkg-config --modversion octet)
[[ $found == "$version" ]] || { echo "octet.pc says version $found, and the headers $version"; exit 1; }
read -ra flags <<< "$(pkg-config --cflags octet)"
"$compiler" -std=c++20 "${flags[@]}" "$program" -o "$work/by_pkg_config"
"$work/by_pkg_config"
