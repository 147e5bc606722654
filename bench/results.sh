#!/usr/bin/env bash
# What pruning comes to on Fashion-MNIST: a base network, four ways of pruning it, and for each way the same with random
# choice and the small network from fresh weights. Prints the table of docs/results.md. About three hours on two cores;
# a run that was stopped goes on.
#   bench/results.sh BUILD OUTPUT_DIR [--quick] [--page docs/results.md]
# --quick: on 600 pictures, two seeds and an epoch a stage, in a minute; the figures then mean nothing.
# --page: also puts the table into the page.
set -euo pipefail
usage() {
  sed -n 's/^#   //p' "$0" >&2
  exit 2
}
[ $# -ge 2 ] || usage
build=$(realpath "$1") out=$2
shift 2
quick=no page=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --page) page=${2:?} && shift ;;
    *) usage ;;
  esac
  shift
done
recipes=$(dirname "${BASH_SOURCE[0]}")/results
mkdir -p "$out"

common=$(cat "$recipes/common.toml")
short=
if [ $quick = yes ]; then
  short='s/^epochs = .*/epochs = 1/'
  common=$(sed -e 's/^seeds = .*/seeds = 2/' -e 's/"fashion-mnist"/"fashion-mnist:600"/' -e "$short" <<<"$common")
fi

# A folder that holds results is gone on with.
run() {
  local name=$1
  shift
  [ ! -e "$out/$name/fingerprint" ] || set -- "$@" --resume
  "$build/coppice" run-recipe "$out/$name.toml" --output-dir "$out/$name" "$@"
}

printf '%s\n' "$common" >"$out/base.toml"
run base
for name in one_shot gradual iterative_2x iterative_4x; do
  { printf '%s\n' "$common" && sed "$short" "$recipes/$name.toml"; } >"$out/$name.toml"
  run "$name" --base "$out/base"
done

{
  "$build/results_table" "$out/base" \
    "One shot to 50 % of the MACs, 8 epochs after=$out/one_shot" \
    "While training, 40 % of all filters, one-cycle, 8 epochs=$out/gradual" \
    "Rounds to 2.1 times fewer, distilled, 3 + 6 epochs=$out/iterative_2x" \
    "Rounds to 4 times fewer, distilled, 4 + 8 epochs=$out/iterative_4x"
  printf '\n%s, %s threads.\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)"
} | tee "$out/table.md"
if [ -n "$page" ]; then
  awk -v table="$out/table.md" '
    /^<!-- table -->$/ { print; while ((getline line < table) > 0) print line; skip = 1 }
    /^<!-- end of table -->$/ { skip = 0 }
    !skip || /^<!-- end of table -->$/ { if ($0 != "<!-- table -->") print }' "$page" >"$page.new"
  mv "$page.new" "$page"
fi
