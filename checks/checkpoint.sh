#!/usr/bin/env bash
# Kills training at random steps, for every optimizer on networks of every kind: bash checks/checkpoint.sh [SEED] [KILLS] [OPTIMIZER...]
# KILLS (10) for each pair of optimizer and network, at a random step of it, half of them while a checkpoint is written; afterwards the run must
# complete to the bytes of one that was never killed. Then every signal that stops must end a long epoch within seconds. Counts are printed;
# any failure ends with 1. Needs python3. About ten minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -q -p flatleak-cli
exec python3 checks/checkpoint/run.py target/release/flatleak "${1:-1}" "${2:-10}" "${@:3}"
