#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh virtual environment and tests it there, beside the program.
# Without Python, or without a way to get maturin and NumPy, it says so and tests nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v python3 >/dev/null 2>&1 || ! python3 -m venv "$folder/venv" >/dev/null 2>&1; then
  echo "python package: 13 tests skipped, no python3 with venv"
  exit 0
fi
if ! "$folder/venv/bin/pip" install -q 'maturin>=1.7,<2' numpy >/dev/null 2>&1; then
  echo "python package: 13 tests skipped, maturin and numpy cannot be installed"
  exit 0
fi
cargo build --release -q
"$folder/venv/bin/maturin" build --release -q -m crates/python/Cargo.toml -i "$folder/venv/bin/python" --out "$folder/wheels" \
  >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
"$folder/venv/bin/pip" install -q "$folder"/wheels/*.whl
target=${CARGO_TARGET_DIR:-target}
FLATLEAK="$(realpath "$target/release/flatleak")" "$folder/venv/bin/python" crates/python/tests/test_package.py
# PyTorch is large: the tests that need it run with a Python that has it already (Debian: python3-torch), on the same package.
for python in python3 /usr/bin/python3; do
  if command -v "$python" >/dev/null 2>&1 && "$python" -c 'import torch, numpy' >/dev/null 2>&1; then
    PYTHONPATH=$("$folder/venv/bin/python" -c 'import os, flatleak; print(os.path.dirname(os.path.dirname(flatleak.__file__)))') \
      "$python" crates/python/tests/test_torch.py
    exit 0
  fi
done
echo "python package: 6 tests of the PyTorch part skipped, no Python here has PyTorch"
