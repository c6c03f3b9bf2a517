#!/usr/bin/env bash
# command_line.sh <octet> <json_at> <examples/data> [<images>]: the tool on good and on bad inputs; evaluations take 100 images and are
# calibrated with 100, or as many as said. Good inputs give exit code 0 and nothing on stderr; bad ones exit code 2, nothing but one line
# "octet: ..." on stderr, and in it what the case names.
set -uo pipefail
export LC_ALL=C
octet=$1 json_at=$2 data=$3 images=${4:-100}
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
calibration=(--calibration "$data/calibration_images.npy" --calibration-count "$images")
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
same "$hash" "raw u8" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.bin" --calibration "$work/calibration.bin" --calibration-count "$images" "${normal[@]}"
same "$hash" "raw i8" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.i8.bin" --calibration "$work/calibration.i8.bin" \
    --calibration-count "$images" --type i8 --scale 1/64
same "$hash" "nchw" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.bin" --calibration "$work/calibration.bin" \
    --calibration-count "$images" --layout nchw "${normal[@]}"

# ---- the int8 file, calibrations that are kept, and the report

all=$(hash_of "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.bin" --calibration "$work/calibration.bin" "${normal[@]}")
[[ $images != 100 || $all == "$hash" ]] || failed "calibrated with all 100 images: hash '$all', not '$hash'"
int8=$work/demo.int8.onnx
good 'written +.*demo.int8.onnx' quantize "$model" --samples "$work/calibration.bin" "${normal[@]}" --output "$int8" --report "$work/report.html"
grep -q '<html' "$work/report.html" || failed "no page in report.html"
same "$all" "the int8 file" evaluate "$int8" --samples "$data/test_images.npy" "${labelled[@]}" "${normal[@]}" --count "$images"
good '^top-1 +9[0-9]' evaluate "$int8" --samples "$data/test_images.npy" "${labelled[@]}" "${normal[@]}" --count "$images"
"$octet" quantize "$model" --samples "$work/calibration.bin" "${normal[@]}" --output "$work/i8.onnx" --activations i8 > /dev/null
same "$all" "the int8 file with int8 activations" evaluate "$work/i8.onnx" --samples "$data/test_images.npy" "${labelled[@]}" "${normal[@]}" --count "$images"

head -c $((60 * 576)) "$work/calibration.bin" > "$work/part1.bin"
tail -c $((40 * 576)) "$work/calibration.bin" > "$work/part2.bin"
for part in part1 part2; do
    good '^calibration' quantize "$model" --samples "$work/$part.bin" "${normal[@]}" --save-calibration-state "$work/$part.cal"
done
same "$all" "two calibrations added up" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test.bin" "${normal[@]}" \
    --calibration-state "$work/part2.cal" --calibration-state "$work/part1.cal"
good '100 samples of part1.cal, part2.cal' quantize "$model" --samples "$work/part1.bin" "${normal[@]}" \
    --calibration-state "$work/part1.cal" --calibration-state "$work/part2.cal"
good '^calibration +100 samples of calibration.bin' evaluate "$model" --samples "$work/test.bin" "${labelled[@]}" "${normal[@]}" \
    --calibration "$work/calibration.bin" --count 5
good '^calibration +7 samples of calibration.bin' evaluate "$model" --samples "$work/test.bin" "${labelled[@]}" "${normal[@]}" \
    --calibration "$work/calibration.bin" --calibration-count 7 --count 9
for observer in minmax mse kl automatic moving_average:0.9 global:percentile:99.9; do
    good ", $observer\$" quantize "$model" --samples "$work/calibration.bin" "${normal[@]}" --observer $observer --count 5
done

# ---- the other commands

good '^MACs +3,348,352$' inspect "$model"
good '^mix +conv2d +float' inspect "$model"
good '^model +demo.onnx, input .image. 1x1x24x24 .NCHW.$' inspect "$model"
good '^model +demo.int8.onnx, input .image. 1x1x24x24 .NCHW.$' inspect "$int8"
good '^mix +conv2d +.* 147,456$' inspect "$int8"
good '^heart.png +1 +heart ' run "$model" --samples "$data" "${normal[@]}" --names "$data/classes.txt" --top 1
good '^heart.png +1 +heart ' run "$int8" --samples "$data" "${normal[@]}" --names "$data/classes.txt" --top 1
good '^0 +2 ' run "$model" --samples "$work/part2.bin" "${normal[@]}" --top 2
for how in '' '--batch 7' '--threads 2' '--isa scalar'; do
    good 'written' run "$model" --samples "$work/part2.bin" "${normal[@]}" --top 0 --output "$work/out$how.npy" $how
    cmp "$work/out.npy" "$work/out$how.npy" || failed "run $how gives other outputs"
done
[[ $(stat -c %s "$work/out.npy") == $((128 + 40 * 10 * 4)) ]] || failed "out.npy is no header and 40 x 10 floats"
good 'written' run "$model" --samples "$work/part2.bin" "${normal[@]}" --output "$work/out.json"
"$json_at" /probabilities/39/9 < "$work/out.json" > /dev/null || failed "out.json"
good '^int8 +[0-9.]+ ' bench "$model" --batch 2
good '^int8 +[0-9.]+ ' bench "$int8" --samples "$work/part2.bin"
good '^probabilities +softmax +1x10 +exact +0$' compare "$model" "$model" --samples "$work/part2.bin" --count 3
good '^mix +conv2d +1x6x6x64 +[0-9.]+ ' compare "$model" "$int8" --samples "$work/part2.bin" "${normal[@]}" --count 3
good '^[a-z_]+ +[a-z0-9_]+ +[0-9.]+ ' sensitivity "$model" --samples "$work/test.bin" "${labelled[@]}" "${normal[@]}" --count 5
good "left in float as asked" quantize "$model" --samples "$work/part2.bin" "${normal[@]}" --count 5 --float-worst 1

# A directory with a folder for each class, and IDX files.
for class in 0 1; do mkdir -p "$work/folders/$class"; done
cp "$data/arrow.png" "$work/folders/0/a.png"
cp "$data/crescent.png" "$work/folders/1/b.png"
good '^top-1 +100.00 % +100.00 %' evaluate "$model" --samples "$work/folders" "${calibration[@]}" "${normal[@]}"
printf 'file,label\n1/b.png,1\n0/a.png,0\n' > "$work/labels.csv"
good '^top-1 +100.00 % +100.00 %' evaluate "$model" --samples "$work/folders" --labels "$work/labels.csv" "${calibration[@]}" "${normal[@]}"
{ printf '\0\0\10\3\0\0\3\40\0\0\0\30\0\0\0\30'; cat "$work/test.bin"; } > "$work/test-idx3-ubyte"
same "$hash" "IDX" "${in_bin[@]}" "${labelled[@]}" --samples "$work/test-idx3-ubyte" "${calibration[@]}" "${normal[@]}"

# --json: one document and nothing else.
json() {  # json <pointer> <value> <argument>...
    local pointer=$1 wanted=$2 found; shift 2
    ((++cases))
    found=$("$octet" "$@" --json | "$json_at" "$pointer") || failed "no JSON of: $*"
    [[ $found =~ ^$wanted$ ]] || failed "$pointer is '$found', not $wanted, in the JSON of: $*"
}
few=(--samples "$work/part2.bin" "${normal[@]}" --count 3)
json /MACs 3348352 inspect "$model"
json /layers/0/layer '"stem"' inspect "$model"
json /plan/0/tensor '"image"' inspect "$model"
json /top/1/rank 2 run "$model" "${few[@]}"
few_labelled=(--samples "$work/test.bin" "${labelled[@]}" "${normal[@]}" --count 3)
json /comparison/0/what '"top-1"' evaluate "$model" "${few_labelled[@]}"
json /report/layers/0/name '"stem"' evaluate "$model" "${few_labelled[@]}"
json /sensitivity/0/alone_accuracy '[0-9.]+' sensitivity "$model" "${few_labelled[@]}"
json /latency/1/form '"int8"' bench "$model"
json /differences/0/snr_db '"Infinity"' compare "$model" "$model" "${few[@]}"
json /sensitivity/0/operation '".*"' sensitivity "$model" "${few[@]}"
json /report/summary/samples 3 quantize "$model" "${few[@]}"

# ---- Ctrl-C, and results that cannot be written

mkfifo "$work/fifo.bin"
mkdir "$work/results"
set -m  # so that the background does not ignore SIGINT
"$octet" run "$model" --samples "$work/fifo.bin" --output "$work/results/out.npy" > "$work/out" 2> "$work/err" &
pid=$!
exec 3> "$work/fifo.bin"  # opens when the tool has opened the other end, and reads
kill -INT $pid
wait $pid
code=$?
exec 3>&-
set +m
((++cases))
[[ $code == 130 ]] || failed "exit code $code, not 130, after SIGINT"
[[ -z $(ls "$work/results") ]] || failed "left after SIGINT: $(ls "$work/results")"

((++cases))
"$octet" inspect "$model" > /dev/full 2> "$work/err"
[[ $? == 2 ]] && grep -q 'stdout' "$work/err" || failed "a full disk behind stdout: $(cat "$work/err")"
refused 'results/none/x.onnx|cannot be written' quantize "$model" "${few[@]}" --output "$work/results/none/x.onnx"
refused '--output|x.onnx|another name' quantize "$model" "${few[@]}" --output "$work/results/x.onnx" --report "$work/results/x.onnx"
refused '--output|demo.onnx|another name' quantize "$model" "${few[@]}" --output "$model"
refused 'results/none/x.html' quantize "$model" "${few[@]}" --report "$work/results/none/x.html"
refused 'results/none/x.cal' quantize "$model" "${few[@]}" --save-calibration-state "$work/results/none/x.cal"
refused 'results/none/x.npy' run "$model" "${few[@]}" --output "$work/results/none/x.npy"
[[ -z $(ls "$work/results") ]] || failed "left after errors: $(ls "$work/results")"

# ---- bad inputs

refused 'no command|--help'
refused 'quantise|--help' quantise "$model"
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
refused '--channel-order' quantize "$model" --samples "$data" --channel-order bgr
refused '--count|1 to 1000000' quantize "$model" --samples "$data" --count 0
refused '--threads' quantize "$model" --samples "$data" --threads none
refused '--batch' "${evaluation[@]}" --batch 0
refused 'nowhere|leave_in_float' quantize "$model" --samples "$data" --float nowhere

refused '--output|.npy' run "$model" --samples "$data" --output "$work/out.txt"
refused 'classes.missing' run "$model" --samples "$data" --names "$work/classes.missing"
refused '--resize|huge' run "$model" --samples "$data" --resize huge
refused '--crop|17000' run "$model" --samples "$data" --crop 17000
refused '--crop|99x99' run "$model" --samples "$data" --crop 99
refused '--observer moving_average|never' quantize "$model" --samples "$data" --observer moving_average:never
refused 'labels.txt' quantize "$model" --samples "$data" --calibration-state "$work/labels.txt"
refused 'labels.txt' quantize "$model" --samples "$data" --calibration-state "$work/part1.cal" --calibration-state "$work/labels.txt"
refused 'demo.int8.onnx|quantized already|float network' quantize "$int8" --samples "$data"
refused 'demo.int8.onnx|float network' sensitivity "$int8" --samples "$data"
refused '--observer, --float|quantized already|leave out' evaluate "$int8" --samples "$data" "${labelled[@]}" --observer minmax --float mix
refused '--save-calibration-state|quantized already' evaluate "$int8" --samples "$data" --save-calibration-state "$work/results/x.cal"
refused '--calibration-count, --rounding|quantized already' bench "$int8" --calibration-count 7 --rounding single
refused 'other' compare "$model" --samples "$data"
refused 'tcsh|bash' completion tcsh
refused 'missing.onnx' quantize "$work/missing.onnx" --samples "$data"
: > "$work/empty.onnx"
refused 'empty.onnx' quantize "$work/empty.onnx" --samples "$data"
head -c 20000 "$model" > "$work/cut.onnx"
refused 'cut.onnx' quantize "$work/cut.onnx" --samples "$data"
head -c 5000 /dev/zero > "$work/zeros.onnx"
refused 'zeros.onnx' quantize "$work/zeros.onnx" --samples "$data"
refused "$work" quantize "$work" --samples "$data"

refused 'missing.npy|no such file' quantize "$model" --samples "$work/missing.npy"
refused 'missing/|no such file' quantize "$model" --samples "$work/missing/"
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
refused 'words.txt|1 lines|10 values' run "$model" --samples "$data" --names "$work/words.txt"
refused 'words.txt, line 1|star' evaluate "$model" --samples "$data/star.png" --labels "$work/words.txt"
if [[ $(id -u) != 0 ]]; then
    cp "$model" "$work/secret.onnx" && chmod 000 "$work/secret.onnx"
    refused 'secret.onnx' quantize "$work/secret.onnx" --samples "$data"
fi

((bad)) || echo "$cases command lines did as they must"
exit $bad
