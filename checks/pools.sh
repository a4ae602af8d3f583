#!/usr/bin/env bash
# Everything behind book/pools.md, about two hours on two cores: bash checks/pools.sh [FOLDER]. FOLDER keeps what is made and is used again.
# Needs Python with NumPy, SciPy and scikit-learn; PYTHON names it. FLATLEAK_BEFORE names an older program to time the analysis beside.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
folder=$(realpath -m "${1:-target/checks-pools}")
mkdir -p "$folder"
cargo build --release -q
cargo build --release -q -p flatleak-verdict --examples
flatleak=$PWD/target/release/flatleak
example=$PWD/target/release/examples

echo "== How a thousand random memberships are read, beside NumPy"
[ -d "$folder/designs" ] || "$python" checks/pools/design.py make "$folder/designs" 1000
FLATLEAK_DESIGNS="$folder/designs" cargo test --release -q -p flatleak-cli --test designs -- --nocapture

echo "== Every attack beside NumPy"
cargo test --release -q -p flatleak-cli --test audit_reference -- --nocapture

echo "== Noise gives nothing; unfair pools are named"
"$example/nulls" noise 100
"$example/nulls" unfair 200

echo "== Do 95 % intervals cover?"
for scenario in "pairs 8 1000" "single 8 1000" "pairs 6 1000" "single 6 1000" "pairs 16 400" "single 16 400" "pairs 32 200" "single 32 200" \
  "pairs 8 400 nothing" "pairs 8 400 population" "single 16 200 population" "pairs 8 200 all"; do
  echo "-- $scenario"
  # shellcheck disable=SC2086
  "$example/calibration" $scenario
done

echo "== The learnt attack beside gradient boosting and the best single attack"
"$python" checks/pools/hundred.py "$folder/hundred.npz"
made() { # NAME ARGUMENTS...: a run, and its outputs as NumPy reads them
  local name=$1
  shift
  [ -f "$folder/$name/results.json" ] || (cd "$folder" && "$flatleak" compare "$@" --out "$folder/$name")
  [ -d "$folder/npz-$name" ] || "$flatleak" export --layout npz --out "$folder/npz-$name" "$folder/$name"
}
made main
made digits-quick --quick --data digits
made fashion-quick --quick
for study in digits64 letter32; do made "$study" "$PWD/checks/pools/studies/$study.toml"; done
made hundred "$PWD/checks/pools/studies/hundred.toml" --data "$folder/hundred.npz"
mapfile -t pools < <(find "$folder"/npz-* -name pool.npz -printf '%h\n' | sort)
"$python" checks/pools/learner.py --kinds full,8,coin,coin8,phi,col,null --sim 20 "${pools[@]}"

echo "== What one threshold does to single examples"
for pool in "${pools[@]}"; do "$python" checks/pools/fpr.py "$pool/pool.npz"; done

if [ -n "${FLATLEAK_BEFORE:-}" ]; then
  echo "== Analysis of the main job, before and now, in turn"
  for round in 1 2 3; do
    for program in "$FLATLEAK_BEFORE" "$flatleak"; do
      rm -rf "$folder/timed"
      (cd "$folder" && "$program" compare --out "$folder/timed" >/dev/null 2>&1)
      echo "round $round, $program:" "$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["timings"])' "$folder/timed/results.json")"
    done
  done
fi
