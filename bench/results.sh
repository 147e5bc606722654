#!/usr/bin/env bash
# What pruning comes to on Fashion-MNIST: a base network, four ways of pruning it, and for each way the same with random
# choice and the small network from fresh weights. Prints a table of docs/results.md. About two and a half hours on two
# cores; a run that was stopped goes on.
#   bench/results.sh BUILD OUTPUT_DIR [--sparse] [--only WAY] [--quick] [--page docs/results.md]
# --sparse: zeros in place of structure, from the same base: the other table, another two hours.
# --only: trains the base and one way, such as one_shot; repeatable. The table has the figures that are there of others.
# --quick: on 600 pictures, two seeds and an epoch a stage, in a minute; the figures then mean nothing.
# --page: also puts the table into the page, and the figures of every seed beside it, into docs/results.csv. Without it
# they are in OUTPUT_DIR/results.csv.
set -euo pipefail
usage() {
  sed -n 's/^#   //p' "$0" >&2
  exit 2
}
[ $# -ge 2 ] || usage
build=$(realpath "$1") out=$2
shift 2
quick=no page= sparse= only=
while [ $# -gt 0 ]; do
  case $1 in
    --sparse) sparse=--sparse ;;
    --quick) quick=yes ;;
    --only) only+=" ${2:?} " && shift ;;
    --page) page=${2:?} && shift ;;
    *) usage ;;
  esac
  shift
done
recipes=$(dirname "${BASH_SOURCE[0]}")/results
mkdir -p "$out"
figures=$out/results.csv
[ -z "$page" ] || figures=${page%.md}.csv

common=$(cat "$recipes/common.toml") train=$(cat "$recipes/train.toml")
short=
if [ $quick = yes ]; then
  short='s/^epochs = .*/epochs = 1/; s/^rewind_epoch = .*/rewind_epoch = 0/'
  common=$(sed -e 's/^seeds = .*/seeds = 2/' -e 's/"fashion-mnist"/"fashion-mnist:600"/' <<<"$common")
  train=$(sed "$short" <<<"$train")
fi

# A folder that holds results is gone on with.
run() {
  local name=$1
  shift
  [ ! -e "$out/$name/fingerprint" ] || set -- "$@" --resume
  "$build/coppice" run-recipe "$out/$name.toml" --output-dir "$out/$name" "$@"
  "$build/results_table" --add "$figures" "$name" "$out/$name"
}

printf '%s\n\n%s\n' "$common" "$train" >"$out/base.toml"
run base

ways=("Base=base")
# TITLE NAME: adds a line to the table.
way() {
  [ -n "$only" ] && [[ $only != *" $2 "* ]] || run "$2" "${@:3}"
  ! grep -q "^$2," "$figures" || ways+=("$1=$2")
}
# TITLE NAME RECIPE [CHANGES]: a recipe that begins with the base.
from_base() {
  { cat "$out/base.toml" && sed "${4:-};$short" "$recipes/$3.toml"; } >"$out/$2.toml"
  way "$1" "$2" --base "$out/base"
}
# TITLE NAME RECIPE: one that begins with fresh weights.
from_start() {
  { printf '%s\n\n' "$common" && sed "$short" "$recipes/$3.toml"; } >"$out/$2.toml"
  way "$1" "$2"
}
if [ -z "$sparse" ]; then
  from_base "One shot to 50 % of the MACs, 8 epochs after" one_shot one_shot
  from_base "While training, 40 % of all filters, one-cycle, 8 epochs" gradual gradual
  from_base "Rounds to 2.1 times fewer, distilled, 3 + 6 epochs" iterative_2x iterative_2x
  from_base "Rounds to 4 times fewer, distilled, 4 + 8 epochs" iterative_4x iterative_4x
else
  for share in 80 90 95; do
    from_base "Gradual magnitude to $share %, 8 epochs" gradual_magnitude_$share gradual_magnitude \
      "s/^sparsity = .*/sparsity = \"$share%\"/"
  done
  from_start "SNIP at initialisation, 95 %, 18 epochs" snip snip
  from_base "Lottery ticket, 80 % zero, 2 rounds from epoch 1" lottery lottery
fi

{
  "$build/results_table" $sparse "$figures" "${ways[@]}"
  printf '\n%s, %s threads.\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)"
} | tee "$out/table$sparse.md"
[ -z "$page" ] || "$(dirname "${BASH_SOURCE[0]}")/put_table" "$out/table$sparse.md" "$page" "table$sparse"
