#!/usr/bin/env bash
# Influence at scale beside NumPy, in turn, three rounds. Needs python3 with numpy.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release -q -p flatleak-explain --example scale
for round in 1 2 3; do
  echo "round $round"
  target/release/examples/scale 2
  # Some machines pin an old kernel for OpenBLAS: NumPy shall run as fast as it can.
  env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python3 benches/explain/numpy_influence.py top
done
