#!/usr/bin/env bash
# Speed and memory of the whole program, as ratios taken in one run: bench/speed.sh [BUILD [WORKDIR]]
# Wants a quiet machine and a build with -DCOPPICE_BENCH=ON. Every figure is the best of RUNS (default 5) runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$PWD/${1:-build/release}
program=$build/coppice
work=${2:-$(mktemp -d)}
mkdir -p "$work"
runs=${RUNS:-5}
cd "$work"

# best COMMAND...: the shortest wall time of a command, in milliseconds
best() {
  local low=
  for ((i = 0; i < runs; ++i)); do
    local begin end
    begin=$(date +%s%N)
    "$@" >/dev/null 2>&1
    end=$(date +%s%N)
    local took=$(((end - begin) / 1000))
    if [ -z "$low" ] || [ "$took" -lt "$low" ]; then low=$took; fi
  done
  echo "scale=1; $low / 1000" | bc
}
ratio() { echo "scale=2; $1 / $2" | bc; }
# peak COMMAND...: largest resident memory in bytes
peak() { /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -n 1 | awk '{print $1 * 1024}'; }
# phase JSON NAME...: sum of phases in milliseconds
phases() { local json=$1; shift; node -e "
  const s = JSON.parse(require('fs').readFileSync('$json')).seconds;
  console.log((1000 * process.argv.slice(1).reduce((a, k) => a + (s[k] ?? 0), 0)).toFixed(1))" "$@"; }

echo "start-up (--version): $(best "$program" --version) ms"

"$program" zoo resnet50 -o resnet50.onnx 2>/dev/null >/dev/null
size=$(stat -c %s resnet50.onnx)
copy=$(best cp resnet50.onnx copy.onnx)
whole=$(best "$program" prune resnet50.onnx -o out.onnx --ratio 50%)
echo "ResNet-50, whole process / cp of the file: $whole ms / $copy ms = $(ratio "$whole" "$copy")"
memory=$(peak "$program" prune resnet50.onnx -o out.onnx --ratio 10%)
echo "ResNet-50 at 10 %, peak memory / file: $(ratio "$memory" "$size")"

for model in resnet50 densenet121 vit_b_16; do
  [ -f $model.onnx ] || "$program" zoo $model -o $model.onnx >/dev/null 2>&1
  low=
  for ((i = 0; i < runs; ++i)); do
    "$program" prune $model.onnx -o out.onnx --ratio 50% --json >run.json 2>/dev/null
    took=$(phases run.json couple score select cut)
    if [ -z "$low" ] || [ "$(echo "$took < $low" | bc)" = 1 ]; then low=$took; fi
  done
  echo "$model, couple + score + select + cut: $low ms"
done

for model in resnet50 vit_b_16 vgg16_bn; do
  "$build/bench/side_file_model" $model side_$model.onnx
  for percent in 10 50; do
    rm -f out.onnx out.onnx.data
    memory=$(peak "$program" prune side_$model.onnx -o out.onnx --ratio $percent%)
    size=$(cat out.onnx out.onnx.data | wc -c)
    echo "$model with a side file at $percent %, peak memory / output: $(ratio "$memory" "$size")"
  done
  rm -f side_$model.onnx side_$model.onnx.data
done

"$program" zoo vgg16_bn -o vgg16_bn.onnx >/dev/null 2>&1
for threads in 1 2; do
  low=
  for ((i = 0; i < runs; ++i)); do
    "$program" prune vgg16_bn.onnx --dry-run --ratio 50% --threads $threads --json >run.json 2>/dev/null
    took=$(phases run.json score)
    if [ -z "$low" ] || [ "$(echo "$took < $low" | bc)" = 1 ]; then low=$took; fi
  done
  eval "score$threads=$low"
done
echo "VGG-16 scoring, one thread / two: $score1 ms / $score2 ms = $(ratio "$score1" "$score2")"
