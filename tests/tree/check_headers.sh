#!/usr/bin/env bash
# The laws of the header tree. Prints every line that breaks one; run it from anywhere.
#   core <- isa <- quant <- { calib, kernel } <- nn <- graph <- { io, ptq, compress, train, report }
set -euo pipefail
cd "$(dirname "$0")/../../include/octet"

declare -A may_include=(
    [core]="core"
    [isa]="core isa"
    [quant]="core isa quant"
    [calib]="core isa quant calib"
    [kernel]="core isa quant kernel"
    [nn]="core isa quant calib kernel nn"
    [graph]="core isa quant calib kernel nn graph"
)
for layer in io ptq compress train report; do may_include[$layer]="${may_include[graph]} $layer"; done

# Too dear for a header that every user's translation unit reads.
heavy="iostream functional regex random ranges filesystem fstream sstream iomanip thread future mutex"
# The umbrella and the layers need the standard library only; these files are opt-in and may include the library named.
declare -A may_use=([eigen.hpp]="Eigen unsupported" [xsimd.hpp]="xsimd" [json.hpp]="nlohmann" [io/onnx]="protozero" [io/tflite]="flatbuffers"
                  [io/file]="fcntl.h sys unistd.h")

bad=0
breaks() { echo "$1: $2"; bad=1; }

while read -r file; do
    layer=${file%%/*}
    [[ $layer == "$file" ]] && layer=top
    [[ $layer == top || -n ${may_include[$layer]:-} ]] || breaks "$file" "stands in no layer"
    grep -qx '#pragma once' "$file" || breaks "$file" "has no #pragma once"
    lines=$(wc -l < "$file")
    ((lines <= 450)) || breaks "$file" "has $lines lines, and 450 are the most: one idea a file"
    if [[ $file != core/config.hpp ]]; then
        while IFS=: read -r line _; do breaks "$file:$line" "defines a macro: they stand in core/config.hpp"
        done < <(grep -nE '^[[:space:]]*#[[:space:]]*define' "$file")
    fi

    while IFS=: read -r line included; do
        if [[ $included == octet/* ]]; then
            [[ -f ../$included ]] || breaks "$file:$line" "includes $included, which does not exist"
            target=${included#octet/}
            [[ $layer == top || " ${may_include[$layer]:-} " == *" ${target%%/*} "* ]] ||
                breaks "$file:$line" "$layer may include ${may_include[$layer]:-nothing} only, not $included"
        elif [[ $included == *.h || $included == */* ]]; then
            allowed="immintrin.h arm_neon.h cpuid.h sys/auxv.h asm/hwcap.h"
            for opt_in in "${!may_use[@]}"; do [[ $file == "$opt_in"* ]] && allowed+=" ${may_use[$opt_in]}"; done
            [[ " $allowed " == *" $included "* || " $allowed " == *" ${included%%/*} "* ]] ||
                breaks "$file:$line" "includes $included, and needs the standard library only"
        elif [[ " $heavy " == *" $included "* ]]; then
            breaks "$file:$line" "includes <$included>, which is too dear for every user's translation unit"
        fi
    done < <(sed -nE 's,^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]+)[>"].*,\1,; t found; d; :found; =; p' "$file" |
             paste -d: - -)
done < <(find . -name '*.hpp' | sed 's,^\./,,' | sort)

((bad)) || echo "$(find . -name '*.hpp' | wc -l) headers keep the laws"
exit $bad
