#!/usr/bin/env bash
# The campaign against the program's doors: kills at random moments of every command that writes, links, pipes and folders that cannot be
# written, and files changed at random. Counts are printed; any failure ends with 1: bash checks/campaign.sh [SEED] [KILLS] [MUTATIONS]
# KILLS per command, MUTATIONS per reader. Needs python3, prlimit and mkfifo. About forty minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -q -p flatleak-cli
exec python3 checks/campaign/run.py target/release/flatleak "${1:-1}" "${2:-80}" "${3:-2000}"
