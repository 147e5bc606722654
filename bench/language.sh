#!/usr/bin/env bash
# What zeros cost a language model: a small GPT-2 learns to continue a text word by word, half of its weights become zero
# by magnitude, by Wanda and by SparseGPT, and the perplexity on passages that it has not seen is measured. Prints the
# table of docs/sparsify.md, over three seeds. About half an hour on two cores; a run that was stopped goes on.
#   bench/language.sh BUILD OUTPUT_DIR [--quick] [--page docs/sparsify.md]
# The text is the King James Bible, of Debian's packages bible-kjv and bible-kjv-text.
# --quick: on the licences that every Debian system has, two seeds, one epoch, in a minute; the figures mean nothing then.
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
mkdir -p "$out"
coppice=$build/coppice

if [ $quick = yes ]; then
  seeds="0 1" batches=2 epochs=1
  cat /usr/share/common-licenses/GPL-[23] >"$out/text"
else
  seeds="0 1 2" batches=32 epochs=6
  command -v bible >/dev/null || { echo "language.sh: install Debian's packages bible-kjv and bible-kjv-text" >&2; exit 1; }
  bible -f gen1:1-rev22:21 | sed 's/^[^ ]* //' >"$out/text"
fi
# Words and marks as numbers of 16 bits: the 999 commonest, which is what the model has room for, and 0 for all others.
# Every tenth hundred of lines is measured on, the rest learnt from and calibrated on.
perl - "$out" <<'END'
use strict;
my ($out) = @ARGV;
my (%words, %count, %number, $line);
open my $text, '<', "$out/text" or die "$out/text: $!";
while (<$text>) {
  my $part = int($line++ / 100) % 10 == 9 ? 'measured' : 'training';
  push @{$words{$part}}, lc($_) =~ /[a-z]+|[^\sa-z]/g;
}
$count{$_}++ for @{$words{training}};
my @common = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
$number{$_} = 1 + keys %number for grep { defined } @common[0 .. 998];
for my $part (keys %words) {
  open my $file, '>:raw', "$out/$part" or die "$out/$part: $!";
  print $file pack 'v*', map { $number{$_} // 0 } @{$words{$part}};
  close $file or die "$out/$part: $!";
}
END
training=tokens:$out/training:128 test=tokens:$out/measured:128

perplexity() {
  "$coppice" evaluate "$1" --data "$test" --batch-size 64 --metric perplexity --json |
    sed -n 's/.*"perplexity": *\([0-9.]*\).*/\1/p'
}

# sparsify SEED CRITERION HOW...: half of the weights, exactly, but those of the output layer.
sparsify() {
  local base=$out/base_$1.onnx result=$out/sparse.onnx criterion=$2 data=()
  [ "$criterion" = large_final ] || data=(--data "$training" --batch-size 16 --batches $batches)
  shift 2
  "$coppice" sparsify "$base" -o "$result" "$@" --keep-classifier --criterion "$criterion" "${data[@]}" --json |
    tr -d ' \n' | grep -q '"sparsity":0.5,' || { echo "language.sh: $criterion $*: expected half to be zero" >&2; exit 1; }
  perplexity "$result"
}

# One line of numbers for each seed: dense, then both sparsities of the three criteria.
for seed in $seeds; do
  line=$out/seed_$seed
  [ ! -s "$line" ] || continue
  [ -s "$out/base_$seed.onnx" ] ||
    "$coppice" train zoo:gpt2_tiny --data "$training" --held-out 1% --batch-size 16 --epochs $epochs --optimizer adamw \
      --weight-decay 0.1 --learning-rate 0.004 --warmup 0.05 --clip-norm 1 --metric perplexity --seed "$seed" \
      -o "$out/base_$seed.onnx" >&2
  {
    perplexity "$out/base_$seed.onnx"
    for criterion in large_final wanda sparse_gpt; do
      sparsify "$seed" $criterion --sparsity 50%
      sparsify "$seed" $criterion --pattern 2:4
    done
  } | paste -sd ' ' >"$line.new"
  [ "$(wc -w <"$line.new")" = 7 ]
  mv "$line.new" "$line"
done

{
  # shellcheck disable=SC2086
  cat $(printf "$out/seed_%s " $seeds) | awk '
    { for (i = 1; i <= NF; ++i) { sum[i] += $i; squares[i] += $i * $i } }
    function cell(i) {
      mean = sum[i] / NR
      return sprintf("%.2f ± %.2f", mean, sqrt((squares[i] - NR * mean * mean) / (NR - 1)))
    }
    END {
      print "| perplexity | 50 % | 2:4 |\n|---|---|---|"
      print "| dense | " cell(1) " | |"
      print "| `large_final` | " cell(2) " | " cell(3) " |"
      print "| `wanda` | " cell(4) " | " cell(5) " |"
      print "| `sparse_gpt` | " cell(6) " | " cell(7) " |"
    }'
  printf '\nSeeds: %s. %s, %s threads.\n' "$(wc -w <<<"$seeds")" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)"
} | tee "$out/table.md"
[ -z "$page" ] || "$(dirname "${BASH_SOURCE[0]}")/put_table" "$out/table.md" "$page" "table of language"
