#!/usr/bin/env bash
# Everything behind book/verdicts.md, about two hours on two cores: bash checks/verdicts.sh [REPETITIONS AT 6 AND 8 BLOCKS] [ABOVE].
set -euo pipefail
cd "$(dirname "$0")/.."
few=${1:-1000}
many=${2:-400}
cargo build --release -q -p flatleak-verdict --examples
example=$PWD/target/release/examples

echo "== Words where nothing differs, and where ROC curves are equal"
for blocks in 6 8; do
  for scenario in equal unpaired coins other heavy fitted scaled bent offset; do "$example/verdicts" "$scenario" "$blocks" "$few" claims; done
done
for blocks in 16 32; do
  for scenario in equal coins other heavy fitted scaled bent offset; do "$example/verdicts" "$scenario" "$blocks" "$many" claims; done
done

echo "== Power"
for scenario in effect=1.1 effect=1.2 effect=1.4; do
  for blocks in 8 16; do "$example/verdicts" "$scenario" "$blocks" 200; done
done

echo "== Twelve equal recipes"
"$example/verdicts" twelve 8 "$few"

echo "== Looks at a growing pool"
"$example/sequential" 1000
