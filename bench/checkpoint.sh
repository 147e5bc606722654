#!/usr/bin/env bash
# coppice sparsify on memory-mapped checkpoints from 1 million to 1 billion fp32 weights (4 GB), half of all to zero,
# beside cp of the file, from a warm and from a cold page cache: bench/checkpoint.sh [BUILD [WORKDIR [WEIGHTS...]]]
# Wants a quiet machine, a build with -DCOPPICE_BENCH=ON, and 8 GB of disk. Every figure is the best of RUNS (default 3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$PWD/${1:-build/release}
work=${2:-}
[ -n "$work" ] || { work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT; }
mkdir -p "$work"
sizes=("${@:3}")
[ ${#sizes[@]} -gt 0 ] || sizes=(1000000 10000000 100000000 1000000000)
cd "$work"

# seconds COMMAND...
seconds() {
  local begin
  begin=$(date +%s%N)
  "$@" >/dev/null
  echo "scale=6; ($(date +%s%N) - $begin) / 1000000000" | bc
}
least() { printf '%s\n' "$@" | sort -g | head -1; }
forget() { sync "$1" && dd if="$1" iflag=nocache count=0 status=none; }
remember() { cat "$1" >/dev/null; }

printf '%12s %5s %10s %10s %7s %12s %9s\n' weights cache 'cp, s' 'sparsify' 'times' 'ns a weight' 'peak, MB'
for weights in "${sizes[@]}"; do
  "$build/bench/make_checkpoint" in.safetensors "$weights"
  for cache in warm cold; do
    copies=() runs=()
    for ((i = 0; i < ${RUNS:-3}; ++i)); do
      for what in cp sparsify; do
        rm -f out.safetensors
        if [ $cache = cold ]; then forget in.safetensors; else remember in.safetensors; fi
        if [ $what = cp ]; then
          copies+=("$(seconds cp in.safetensors out.safetensors)")
        else
          runs+=("$(seconds "$build/coppice" sparsify in.safetensors -o out.safetensors --sparsity 50% --context global)")
        fi
      done
    done
    peak=$(/usr/bin/time -f %M "$build/coppice" sparsify in.safetensors -o out.safetensors --sparsity 50% \
      --context global 2>&1 >/dev/null | tail -n 1)
    awk -v n="$weights" -v cache=$cache -v copy="$(least "${copies[@]}")" -v run="$(least "${runs[@]}")" -v peak="$peak" \
      'BEGIN { printf "%12d %5s %10.3f %10.3f %7.2f %12.3f %9.0f\n", n, cache, copy, run, run / copy, run / n * 1e9, peak / 1024 }'
  done
done
