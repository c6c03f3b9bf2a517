#!/usr/bin/env bash
# command_line.sh <octet> <examples/data> [<images>]: the tool on good and on bad inputs; evaluations take 100 images, or
# as many as said. Good inputs give exit code 0 and nothing on stderr; bad ones exit code 2, nothing but one line
# "octet: ..." on stderr, and in it what the case names.
set -uo pipefail
export LC_ALL=C
octet=$1 data=$2 images=${3:-100}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bad=0 cases=0
failed() { printf 'FAILED: %s\n' "$*"; bad=1; }

# good <text of the output> <argument>...
good() {
    local wanted=$1; shift
    ((++cases))
    "$octet" "$@" > "$work/out" 2> "$work/err" || failed "exit code $? of: $*"
    [[ ! -s $work/err ]] || failed "stderr of: $*: $(cat "$work/err")"
    grep -qE -- "$wanted" "$work/out" || failed "no '$wanted' in the output of: $*: $(cat "$work/out")"
}
# refused <texts of the line, separated by |> <argument>...
refused() {
    local wanted=$1 code=0 text; shift
    ((++cases))
    "$octet" "$@" > "$work/out" 2> "$work/err" || code=$?
    [[ $code == 2 ]] || failed "exit code $code, not 2, of: $*"
    [[ $(wc -l < "$work/err") == 1 && $(head -c 7 "$work/err") == "octet: " ]] || failed "stderr of: $*: $(cat "$work/err")"
    [[ ! -s $work/out ]] || failed "output of: $*: $(cat "$work/out")"
    while read -r text; do grep -qF -- "$text" "$work/err" || failed "no '$text' in: $(cat "$work/err")"
    done <<< "${wanted//|/$'\n'}"
}
hash_of() { "$octet" "$@" | sed -nE 's/^int8 outputs fnv1a ([0-9a-f]{16}) .*/\1/p'; }
# same <hash> <what> <argument>...
same() {
    local wanted=$1 what=$2 got; shift 2
    ((++cases))
    got=$(hash_of "$@")
    [[ -n $got && $got == "$wanted" ]] || failed "$what: hash '$got', not '$wanted'"
}

model=$data/demo.onnx
normal=(--mean 128 --scale 1/64)
calibration=(--calibration "$data/calibration_images.npy")
evaluation=(evaluate "$model" --samples "$data/test_images.npy" --labels "$data/test_labels.npy" "${calibration[@]}" --count "$images")

# ---- good inputs

good '^usage|OPTIONS|Options' --help
good '^[0-9]+\.[0-9]+\.[0-9]+$' --version
good '[0-9]+ of [0-9]+ layers in int8' quantize "$model" --samples "$data/calibration_images.npy" "${normal[@]}"
good '^stem +conv2d ' quantize "$model" --samples "$data/calibration_images.npy" "${normal[@]}" --calibration-count 10
good "in float: conv2d 'mix': left in float as asked" quantize "$model" --samples "$data/calibration_images.npy" --float mix "${normal[@]}"
good '^int8 +weights per tensor, activations symmetric, rounding tflite' quantize "$model" --samples "$data/calibration_images.npy" \
    "${normal[@]}" --scheme symmetric --granularity per_tensor --rounding tflite --observer percentile:99.9 --count 20
good '^model +demo.onnx' quantize --mean 128 --scale 1/64 --float mix "$model" --samples "$data/calibration_images.npy" --count 9
good 'rounding single' quantize "$model" --samples "$data/calibration_images.npy" "${normal[@]}" --rounding single --count 5

seq 0 9 > "$work/labels.txt"
good '^top-1 +100.00 % +100.00 %' evaluate "$model" --samples "$data" --labels "$work/labels.txt" "${calibration[@]}" "${normal[@]}"
good '^top-1 +100.00 % +100.00 %' evaluate "$model" --samples "$data/star.png" --labels <(echo 8) "${calibration[@]}" "${normal[@]}"
good '^samples +'"$images"' of test_images.npy' "${evaluation[@]}" "${normal[@]}"

# ---- the same images in other files, runs and instruction sets: the same bytes

hash=$(hash_of "${evaluation[@]}" "${normal[@]}")
[[ $hash =~ ^[0-9a-f]{16}$ ]] || failed "no hash of the int8 outputs"
for isa in scalar sse41 avx2 avx512bw avx_vnni avx512_vnni; do
    if "$octet" "${evaluation[@]}" --isa $isa > /dev/null 2>&1; then
        same "$hash" "--isa $isa" "${evaluation[@]}" "${normal[@]}" --isa $isa
    else
        refused "$isa" "${evaluation[@]}" --isa $isa
    fi
done
same "$hash" "--batch 7" "${evaluation[@]}" "${normal[@]}" --batch 7
same "$hash" "--threads 2" "${evaluation[@]}" "${normal[@]}" --threads 2
same "$hash" "scale as a number" "${evaluation[@]}" --mean 128 --scale 0.015625

in_bin=(evaluate "$model" --count "$images")
for set in test calibration; do
    tail -c +129 "$data/${set}_images.npy" > "$work/$set.bin"
    tr '\000-\377' '\200-\377\000-\177' < "$work/$set.bin" > "$work/$set.i8.bin"
done
labelled=(--labels "$data/test_labels.npy")
same "$hash" "raw u8" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.bin" --calibration "$work/calibration.bin" --shape 24x24x1 "${normal[@]}"
same "$hash" "raw i8" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.i8.bin" --calibration "$work/calibration.i8.bin" --type i8 --scale 1/64
same "$hash" "nchw" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.bin" --calibration "$work/calibration.bin" --layout nchw "${normal[@]}"

# ---- bad inputs

refused 'A subcommand is required'
refused 'model' quantize
refused '--samples' quantize "$model"
refused '--nonsense' quantize "$model" --samples "$data" --nonsense
refused '--labels' evaluate "$model" --samples "$data"
refused 'median' quantize "$model" --samples "$data" --observer median
refused '101|50 to 100' quantize "$model" --samples "$data" --observer percentile:101
refused 'percentile|many' quantize "$model" --samples "$data" --observer percentile:many
refused 'sometimes' quantize "$model" --samples "$data" --rounding sometimes
refused 'mmx|scalar' quantize "$model" --samples "$data" --isa mmx
refused '--mean|grey' quantize "$model" --samples "$data" --mean grey
refused '--scale|1/0' quantize "$model" --samples "$data" --scale 1/0
refused '--mean|3 values|1 channels' quantize "$model" --samples "$data" --mean 1,2,3
refused '--shape' quantize "$model" --samples "$work/test.bin" --shape twenty
refused '--shape|28x28|24x24x1' quantize "$model" --samples "$work/test.bin" --shape 28x28
refused '--channel-order' quantize "$model" --samples "$data" --channel-order bgr
refused '--count' quantize "$model" --samples "$data" --count 0
refused '--threads' quantize "$model" --samples "$data" --threads none
refused '--batch' "${evaluation[@]}" --batch 0
refused 'nowhere|leave_in_float' quantize "$model" --samples "$data" --float nowhere

refused 'missing.onnx' quantize "$work/missing.onnx" --samples "$data"
: > "$work/empty.onnx"
refused 'empty.onnx' quantize "$work/empty.onnx" --samples "$data"
head -c 20000 "$model" > "$work/cut.onnx"
refused 'cut.onnx' quantize "$work/cut.onnx" --samples "$data"
head -c 5000 /dev/zero > "$work/zeros.onnx"
refused 'zeros.onnx' quantize "$work/zeros.onnx" --samples "$data"
refused "$work" quantize "$work" --samples "$data"

refused 'missing.npy|cannot be read' quantize "$model" --samples "$work/missing.npy"
refused 'missing/|.npy' quantize "$model" --samples "$work/missing/"
mkdir "$work/no_images"
refused 'no_images|.png' quantize "$model" --samples "$work/no_images"
refused 'labels.txt|.png' quantize "$model" --samples "$work/labels.txt"
head -c 1000 "$data/test_images.npy" > "$work/cut.npy"
refused 'cut.npy|cut off' quantize "$model" --samples "$work/cut.npy"
head -c 200 "$data/star.png" > "$work/cut.png"
refused 'cut.png|decoded' quantize "$model" --samples "$work/cut.png"
head -c 1000 "$work/test.bin" > "$work/odd.bin"
refused 'odd.bin|1000 bytes|576 bytes each' quantize "$model" --samples "$work/odd.bin"
refused 'test_labels.npy|24x24x1' quantize "$model" --samples "$data/test_labels.npy"
refused 'odd.bin' quantize "$model" --samples "$data" --calibration "$work/odd.bin"

refused 'labels.txt|10 labels|'"$images"' samples' "${in_bin[@]}" --samples "$work/test.bin" --labels "$work/labels.txt"
refused '--labels' "${evaluation[@]}" --labels "$work/labels.txt"
refused 'label|outputs 0 to 9' evaluate "$model" --samples "$data" --labels "$work/labels.txt" --class-offset 1
echo star > "$work/words.txt"
refused 'words.txt, line 1|star' evaluate "$model" --samples "$data/star.png" --labels "$work/words.txt"
if [[ $(id -u) != 0 ]]; then
    cp "$model" "$work/secret.onnx" && chmod 000 "$work/secret.onnx"
    refused 'secret.onnx' quantize "$work/secret.onnx" --samples "$data"
fi

((bad)) || echo "$cases command lines did as they must"
exit $bad
