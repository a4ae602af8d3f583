#!/usr/bin/env bash
# One training step, ours and PyTorch's in turn, one core each; raw JSON lines go to benches/peers/results.
#   pip install -r benches/peers/requirements.txt && benches/peers/compare.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release -p flatleak-nn --example step_speed
raw="benches/peers/results/$(date -u +%Y-%m-%d).jsonl"
mkdir -p benches/peers/results
: > "$raw"
ours() { target/release/examples/step_speed "$1" >> "$raw"; }
theirs() { OMP_NUM_THREADS=1 python3 benches/peers/pytorch.py "$@" >> "$raw"; }
for round in 1 2 3; do
  for network in mlp mlp-bench cnn; do
    steps=$([ "$network" = cnn ] && echo 40 || echo 400)
    ours "$network"
    for optimizer in sgd sam; do
      theirs --network "$network" --optimizer "$optimizer" --steps "$steps" --windows 5
      [ "$network" = cnn ] && theirs --network cnn --optimizer "$optimizer" --steps "$steps" --windows 5 --channels-last
      if python3 -c 'import torch._inductor' 2>/dev/null && command -v g++ >/dev/null; then
        theirs --network "$network" --optimizer "$optimizer" --steps "$steps" --windows 5 --compile || true
      fi
    done
  done
done
python3 benches/peers/table.py "$raw"
