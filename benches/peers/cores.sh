#!/usr/bin/env bash
# Throughput of two cores with one model on each, in units of one core: twice the time of a step alone over its time beside another.
# Medians of three rounds. Output: one line per network.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release -q -p flatleak-nn --example step_speed
time_of() { taskset -c "$1" target/release/examples/step_speed "$2" | sed -n 's/.*"Sgd","ms_per_step":\([0-9.]*\).*/\1/p'; }
for network in "${@:-mlp}"; do
  for _ in 1 2 3; do
    alone=$(time_of 0 "$network")
    time_of 1 "$network" > /tmp/beside.$$ &
    beside=$(time_of 0 "$network")
    wait
    echo "$network $alone $beside $(cat /tmp/beside.$$)"
    rm /tmp/beside.$$
  done
done | awk '{ r[$1, ++n[$1]] = $2 / $3 + $2 / $4; printf "%s: %s ms alone, %s and %s ms beside each other: %.2f cores\n", $1, $2, $3, $4, $2 / $3 + $2 / $4 }'
