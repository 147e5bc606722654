#!/bin/sh
# Builds and runs the kernel benchmark and prints, from that one run, each kernel's rate, its ratio to the plain read
# (sums) or copy (gather, zero) of as many bytes, and the gain of a second thread. Each time is the best of nine, as
# other work on the machine can only add to it.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
cmake --preset release -B "$build" -DCOPPICE_BENCH=ON >/dev/null
cmake --build "$build" --target kernels_bench >/dev/null
"$build/bench/kernels_bench" --benchmark_format=csv 2>/dev/null | awk -F, '
  $1 ~ /real_time/ && $1 !~ /_(mean|median|stddev|cv)"?$/ {
    gsub(/"/, "", $1)
    count = split($1, part, "/")
    name = part[1]
    for (i = 2; i <= count; ++i) if (part[i] !~ /^(min_time|repeats|real_time)/) name = name "/" part[i]
    sub(/\/[12]$/, "", name)
    for (i = 2; i <= count; ++i) if (part[i] == "1" || part[i] == "2") threads = part[i]
    if (!(name in seen)) { seen[name] = 1; names[++total] = name }
    if (!((name, threads) in time) || $3 < time[name, threads]) {
      time[name, threads] = $3
      rate[name, threads] = $6 / 1e9
    }
  }
  END {
    printf "%-20s %10s %10s %10s %10s %10s\n", "kernel", "us", "GB/s", "of memory", "us, two", "gain"
    for (i = 1; i <= total; ++i) {
      name = names[i]
      memory = name ~ /^(sums|read)/ ? "read" : "copy"
      share = rate[name, 1] > 0 ? sprintf("%.2f", rate[name, 1] / rate[memory, 1]) : "-"
      speed = rate[name, 1] > 0 ? sprintf("%.1f", rate[name, 1]) : "-"
      printf "%-20s %10.0f %10s %10s %10.0f %9.2fx\n", name, time[name, 1], speed, share, time[name, 2],
             time[name, 1] / time[name, 2]
    }
  }'
