#!/usr/bin/env bash
# Many workers at one run, hindered in every way: kills at pause points, silence, signals, full disks, commands that fail, other programs,
# cancellations. Every scene ends with the files and results of one machine; counts are printed, any failure ends with 1.
#   bash checks/work.sh [--seed S] [--scene NAME]... [--tasks N] [--before PROGRAM]
# Without --scene all but `pace` and `overhead`, which measure time and need a machine at rest; PROGRAM is one from before workers, to compare with.
# Needs python3, and root for the full disk. About ten minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -q -p flatleak-cli
exec python3 checks/work/run.py target/release/flatleak "$@"
