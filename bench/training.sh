#!/usr/bin/env bash
# What Trainer and PruneCallback cost beside a loop written by hand, as a table of docs/training.md; three minutes.
#   bench/training.sh BUILD [PAGE]
# Wants a quiet machine and a build with -DCOPPICE_BENCH=ON. With a PAGE, puts the table into it.
set -euo pipefail
[ $# -ge 1 ] || { sed -n 's/^#   //p' "$0" >&2; exit 2; }
table=$(mktemp)
trap 'rm -f "$table"' EXIT
{
  "$1/bench/train_bench" 25
  printf '\n%s, %s threads.\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)"
} | tee "$table"
[ $# -lt 2 ] || "$(dirname "${BASH_SOURCE[0]}")/put_table" "$table" "$2" "table of costs"
