#!/usr/bin/env bash
# check_page.sh <chromium> <report.html>: shows the page to headless Chromium on a desk, in the dark, on a phone and in
# print. Its elements must be there, nothing may run or be loaded, and the console must stay empty. Exit code 77: no
# Chromium.
set -uo pipefail
chromium=$1 page=$2
[[ -x $chromium ]] || { echo "skipped: no Chromium was found (Debian: chromium)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bad=0
failed() { printf 'FAILED: %s\n' "$*"; bad=1; }

browse() {  # browse <page> <option>...: what it prints stands in out, its console in err
    local url=$1; shift
    timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run \
        --user-data-dir="$work/profile" --enable-logging=stderr --v=0 "$@" "file://$url" > "$work/out" 2> "$work/err" ||
        failed "Chromium's exit code $? with: $*"
}
console() { grep -c ':CONSOLE' "$work/err"; }

browse "$page" --dump-dom
for id in warnings summary snr time sensitivity ranges histograms layers; do
    grep -q "<section id=\"$id\">" "$work/out" || failed "no section $id"
done
[[ $(grep -c '<svg class="chart" role="img"' "$work/out") == $(grep -c '<svg class="chart" role="img"' "$page") ]] ||
    failed "Chromium reads other charts than the file holds"
[[ $(grep -c '<rect class="s0"' "$work/out") -gt 100 ]] || failed "no bars"
grep -qE '<(script|img|link|iframe)' "$work/out" && failed "a name became an element"
grep -q '<title>Quantization of a &amp; b.onnx</title>' "$work/out" || failed "something changed the title"
[[ $(console) == 0 ]] || failed "the console: $(grep ':CONSOLE' "$work/err")"

browse "$page" --window-size=1280,900 --screenshot="$work/light.png"
browse "$page" --window-size=1280,900 --blink-settings=preferredColorScheme=0 --screenshot="$work/dark.png"
browse "$page" --window-size=500,900 --screenshot="$work/phone.png"
browse "$page" --print-to-pdf="$work/page.pdf"
for file in light.png dark.png phone.png page.pdf; do
    [[ $(stat -c %s "$work/$file" 2> /dev/null || echo 0) -gt 10000 ]] || failed "$file is empty"
done
cmp -s "$work/light.png" "$work/dark.png" && failed "light and dark are the same"

# That the console is read at all, and that the page lets nothing run: a script in it is refused, and that is said.
sed "s,</main>,<script>document.title = 'owned'</script></main>," "$page" > "$work/script.html"
browse "$work/script.html" --dump-dom
[[ $(console) -gt 0 ]] || failed "the console said nothing of a script"
grep -q '<title>owned' "$work/out" && failed "a script ran"

((bad)) || echo "the page is whole"
exit $bad
