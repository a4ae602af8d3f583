#!/usr/bin/env bash
# Throughput of two cores with one model on each, in units of one core: twice the time of a step alone over its time beside another; ours,
# and eager PyTorch's (channels-last on images). Medians of three rounds. Output: one line per network and program.
#   benches/peers/cores.sh [NETWORK...]
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release -q -p flatleak-nn --example step_speed
beside=$(mktemp)
trap 'rm -f "$beside"' EXIT
flatleak() { taskset -c "$1" target/release/examples/step_speed "$2" | sed -n 's/.*"Sgd","ms_per_step":\([0-9.]*\).*/\1/p'; }
pytorch() {
  case "$2" in
    mlp* | purchase-fc) options=(--steps 400) ;;
    cnn) options=(--steps 40 --channels-last) ;;
    *) options=(--steps 5 --warmup 2 --channels-last) ;;
  esac
  OMP_NUM_THREADS=1 taskset -c "$1" python3 benches/peers/pytorch.py --network "$2" --windows 5 "${options[@]}" |
    sed -n 's/.*"ms_per_step": \([0-9.]*\).*/\1/p'
}
for network in "${@:-mlp}"; do
  for program in flatleak pytorch; do
    for _ in 1 2 3; do
      alone=$("$program" 0 "$network")
      "$program" 1 "$network" > "$beside" &
      here=$("$program" 0 "$network")
      wait
      echo "$network $program $alone $here $(cat "$beside")"
    done | sort -k3,3n | awk '{ r[NR] = $3 / $4 + $3 / $5; n = $1; p = $2; a[NR] = $3 }
      END { median(); printf "%s, %s: %s ms alone, two cores do the work of %.2f (%.2f, %.2f, %.2f)\n", n, p, a[2], m, r[1], r[2], r[3] }
      function median() { m = r[1] + r[2] + r[3] - max(r[1], r[2], r[3]) - min(r[1], r[2], r[3]) }
      function max(x, y, z) { return x > y ? (x > z ? x : z) : (y > z ? y : z) }
      function min(x, y, z) { return x < y ? (x < z ? x : z) : (y < z ? y : z) }'
  done
done
