#!/usr/bin/env bash
# Scores of LiRA and RMIA, ours and the peers' in turn on the same pools; raw JSON lines go to benches/analysis/results, then the table is printed.
#   [ROUNDS=3] [CACHE=target/analysis] [NOTE='what else ran'] benches/analysis/compare.sh [PEER...]
# Every peer has its own virtual environment in CACHE (2.5 GB, most of it TensorFlow); pools and outputs lie there too. Python 3.11 or later is needed.
# FLATLEAK and SCORE_SPEED name programs that are built already.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=benches/analysis
cache=${CACHE:-target/analysis}
rounds=${ROUNDS:-3}
peers=("$@")
[ $# = 0 ] && peers=(ours numpy mialibrary tf_privacy mi_lira_2021)
flatleak=${FLATLEAK:-target/release/flatleak}
score_speed=${SCORE_SPEED:-target/release/examples/score_speed}
[ -n "${FLATLEAK:-}" ] || cargo build --release -p flatleak-cli --bin flatleak
[ -n "${SCORE_SPEED:-}" ] || cargo build --release -p flatleak-cli --example score_speed
export PYTHONDONTWRITEBYTECODE=1 TF_CPP_MIN_LOG_LEVEL=3 JAX_PLATFORMS=cpu CUDA_VISIBLE_DEVICES=

# The environment of a peer: `mi_lira_2021` is written with NumPy and SciPy, and shares theirs.
environment() { case "$1" in mialibrary | tf_privacy) echo "$cache/$1" ;; *) echo "$cache/numpy" ;; esac; }
prepare() {
  local at
  at=$(environment "$1")
  [ -e "$at/ready" ] && return
  python3 -m venv "$at"
  # Every package is named: TensorFlow Privacy's tests ask for one of several gigabytes that its scoring does not use.
  "$at/bin/python" -m pip install --quiet --no-deps -r "$here/requirements-$(basename "$at").txt"
  touch "$at/ready"
}
prepare numpy
for peer in "${peers[@]}"; do prepare "$peer"; done
"$cache/numpy/bin/python" "$here/pools.py" "$cache/pools"

raw="$here/results/$(date -u +%Y-%m-%d).jsonl"
mkdir -p "$here/results"
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
limits=$(env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE taskset -c 0 "$cache/numpy/bin/python" "$here/machine.py")
printf '{"date": "%s", "processor": "%s", "cores": %s, "note": "%s", "limits": %s}\n' \
  "$(date -u +%Y-%m-%d)" "$processor" "$(nproc)" "${NOTE:-}" "$limits" > "$raw"

# One run of a peer on a pool with so many threads, its lines labelled: `record PEER POOL THREADS COMMAND...`.
record() {
  local peer=$1 pool=$2 threads=$3
  shift 3
  echo "round $round: $peer, $pool, $threads thread(s)" >&2
  # Some machines pin an old kernel for OpenBLAS: NumPy shall run as fast as it can.
  taskset -c "$([ "$threads" = 1 ] && echo 0 || echo 0,1)" env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" "$@" |
    grep '^{' | sed "s|^{|{\"peer\": \"$peer\", \"pool\": \"$pool\", \"threads\": $threads, \"round\": $round, |" >> "$raw"
}
scored() { record "$1" "$pool" "$2" "$(environment "$1")/bin/python" "$here/$1_scores.py" "$cache/pools/$pool" "${@:3}"; }
ours() {
  local at=$cache/pools/$pool threads
  for threads in 1 2; do
    record ours "$pool" $threads "$score_speed" "$at/phi.npy" "$at/membership.npy" $threads lira-online lira-online-fixed rmia
  done
  record ours "$pool" 1 "$score_speed" "$at/phi.npy" "$at/membership.npy" 1 lira-online-fixed@official loss
  # With all intervals: minutes, so once.
  [ "$examples$round" != 10001 ] || record ours "$pool" 2 python3 "$here/whole_audit.py" "$flatleak" "$at" 2
}
# Peers that take one target at a time score a few of 64: TensorFlow Privacy takes seconds for each.
some() { [ "$examples" = 1000 ] && echo "$1" || echo "$2"; }
for round in $(seq "$rounds"); do
  for pool in pairs-1000 coins-1000 pairs-20000 coins-20000; do
    examples=${pool#*-}
    for peer in "${peers[@]}"; do
      case "$peer" in
        ours) ours ;;
        numpy) scored numpy 1 ;;
        mialibrary) for threads in 1 2; do scored mialibrary $threads; done ;;
        tf_privacy) scored tf_privacy 1 --targets "$(some 4 1)" ;;
        mi_lira_2021) scored mi_lira_2021 1 --targets "$(some 16 2)" ;;
      esac
    done
  done
done
python3 "$here/table.py" "$raw"
