#!/usr/bin/env bash
# False alarms of the plausibility of outputs: bash checks/inputs.sh [PROGRAM]. Some fifteen minutes on two cores.
# Pools that are what they are said to be are exported and audited as foreign ones: the main job, three data sets, every optimizer and
# defence, differentially private training at an epsilon of 1, and labels of which 40 % are wrong. None may be refused or doubted.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/flatleak}")
folder=${FOLDER:-target/checks-inputs}
mkdir -p "$folder"

cat >"$folder/private.toml" <<'TOML'
name = "private"
models = 16
pool = 600
data = ["digits"]
[train]
epochs = 20
[[recipe]]
name = "sgd"
[[recipe]]
name = "epsilon-about-1"
optimizer = "dp-sgd"
noise = 6.0
delta = 1e-5
[[recipe]]
name = "hardly-anything"
optimizer = "dp-sgd"
noise = 40.0
delta = 1e-5
TOML
cat >"$folder/noisy.toml" <<'TOML'
name = "noisy"
models = 16
pool = 600
data = ["digits+label-noise=0.4"]
[[recipe]]
name = "sgd"
[[recipe]]
name = "sam"
optimizer = "sam"
TOML

run() { [ -e "$folder/$1/results.json" ] || "$program" compare "${@:2}" --out "$folder/$1" >"$folder/$1.out" 2>&1 || { cat "$folder/$1.out"; exit 1; }; }
run main
for data in digits letter subpopulations; do run "$data" --quick --data "$data"; done
run family studies/family.toml --models 8 --epochs 6 --pool 400
run private "$folder/private.toml"
run noisy "$folder/noisy.toml"

alarms=0 pools=0 doubles=0
for run in main digits letter subpopulations family private noisy; do
  "$program" export "$folder/$run" --layout npz --out "$folder/exported-$run" >/dev/null
  while IFS= read -r pool; do
    pools=$((pools + 1))
    out=$folder/audit
    rm -rf "$out"
    if ! said=$("$program" audit "$pool" --out "$out" 2>&1); then
      alarms=$((alarms + 1))
      echo "refused: $pool: $said"
    elif grep -q '"duplicates"' "$out/results.json" && [ "$run" = letter ]; then
      # UCI's file repeats rows: 1,554 of the 16,000 rows of the embedded pool have a double.
      doubles=$((doubles + 1))
    elif grep -q '"doubtful"' "$out/results.json"; then
      alarms=$((alarms + 1))
      echo "doubted: $pool: $(grep -A6 '"doubtful"' "$out/results.json" | tr -d '\n ')"
    fi
  done < <(find "$folder/exported-$run" -name pool.npz | sort)
done
echo "$pools pools, $alarms false alarms; true doubles in $doubles pools"
[ "$alarms" = 0 ]
