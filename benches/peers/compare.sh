#!/usr/bin/env bash
# One training step, ours, PyTorch's and JAX's in turn, one core each; raw JSON lines go to benches/peers/results.
#   pip install -r benches/peers/requirements.txt && [ROUNDS=3] benches/peers/compare.sh [NETWORK...]
# Four minutes a round for the networks without batch norm, about three more for the others.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release -p flatleak-nn --example step_speed
all_networks=(mlp mlp-bench purchase-fc cnn resnet20 wrn-16-4)
networks=("$@")
[ $# = 0 ] && networks=("${all_networks[@]}")
raw="benches/peers/results/$(date -u +%Y-%m-%d)$(printf -- '-%s' "$@" | sed 's/^-$//').jsonl"
mkdir -p benches/peers/results
: > "$raw"
ours() { target/release/examples/step_speed "$1" >> "$raw"; }
theirs() { OMP_NUM_THREADS=1 python3 benches/peers/pytorch.py "$@" >> "$raw"; }
# JAX takes as many threads as it sees cores.
jax() { JAX_PLATFORMS=cpu taskset -c 0 python3 benches/peers/jax_step.py "$@" >> "$raw"; }
compiles() { python3 -c 'import torch._inductor' 2>/dev/null && command -v g++ >/dev/null; }
for round in $(seq "${ROUNDS:-3}"); do
  for network in "${networks[@]}"; do
    case "$network" in
      mlp*) steps=400 ;;
      purchase-fc) steps=100 ;;
      cnn) steps=40 ;;
      *) steps=5 ;;
    esac
    ours "$network"
    for optimizer in sgd sam; do
      all=(--network "$network" --optimizer "$optimizer" --steps "$steps" --windows 5)
      [ "$steps" = 5 ] && all+=(--warmup 2)
      theirs "${all[@]}"
      [ "$steps" -le 40 ] && theirs "${all[@]}" --channels-last
      # JAX's convolutions take seconds a step here: resnet20 once, wrn-16-4 only by hand (jax_step.py has it).
      if [ "$steps" -gt 5 ]; then
        jax --network "$network" --optimizer "$optimizer" --steps "$steps" --windows 5
      elif [ "$network" = resnet20 ] && [ "$round" = 1 ]; then
        jax --network "$network" --optimizer "$optimizer" --steps 2 --windows 2 --warmup 1
      fi
      # Compiling the deep ones takes minutes: once is enough.
      if compiles && { [ "$steps" -gt 5 ] || [ "$round" = 1 ]; }; then
        theirs "${all[@]}" --compile || true
      fi
    done
  done
done
python3 benches/peers/table.py "$raw"
