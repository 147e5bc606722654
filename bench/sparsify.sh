#!/bin/sh
# Builds and runs the benchmark of sparsify, then PyTorch's global_unstructured on as many weights where Python's torch
# is installed (Debian: python3-torch). Ratios are within the one run; the times alone tell little on a busy machine.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
weights=${2:-105000000}
cmake --preset release -B "$build" -DCOPPICE_BENCH=ON >/dev/null
cmake --build "$build" --target sparsify_bench >/dev/null
"$build/bench/sparsify_bench" "$weights"
for size in 1000000 10000000 1000000000; do
  free=$(awk '/MemAvailable/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)
  if [ $((size * 10)) -gt "$free" ]; then echo "$size weights: skipped, not enough memory"; continue; fi
  "$build/bench/sparsify_bench" "$size" 3 float32
done
# Debian's package is for Debian's Python, which may not be the first of the path.
python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import torch' 2>/dev/null; then python=$candidate && break; fi
done
if [ -z "$python" ]; then
  echo "PyTorch: skipped, python3 has no torch here"
  exit 0
fi
"$python" - "$weights" <<'PYTHON'
import sys, time, torch
from torch.nn.utils import prune
torch.set_num_threads(2)
total, layers = int(sys.argv[1]), 50
modules = [torch.nn.Linear(total // layers // 1000, 1000, bias=False) for _ in range(layers)]
best = float("inf")
for _ in range(2):
    for module in modules:
        torch.nn.init.normal_(module.weight, std=0.02)
    start = time.perf_counter()
    prune.global_unstructured([(m, "weight") for m in modules], prune.L1Unstructured, amount=0.5)
    for module in modules:
        prune.remove(module, "weight")
    best = min(best, time.perf_counter() - start)
count = sum(m.weight.numel() for m in modules)
print(f"float32   PyTorch {torch.__version__}, all layers {best * 1e3:14.1f} ms {count / best / 1e9:7.4f} G weights/s")
PYTHON
