#!/usr/bin/env bash
# Counts circles, long functions, dead citations and the like; fails above a bar: bash checks/house.sh [--figures]. What each row
# means stands in checks/house/src/main.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --release -q -p house -- "$@"
