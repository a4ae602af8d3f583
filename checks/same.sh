#!/usr/bin/env bash
# Two programs must give the same results: bash checks/same.sh BEFORE AFTER [FOLDER]. Six minutes each on two cores.
# REUSE=1: AFTER analyses the models that BEFORE trained and trains none of its own.
# BEFORE and AFTER are programs; FOLDER keeps what BEFORE wrote, so that it runs once for many AFTERs. For changes of structure that change nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
before=$(realpath "$1") after=$(realpath "$2") folder=$(realpath -m "${3:-target/checks-same}")
mkdir -p "$folder"

# Everything that one program makes, into one folder.
made() {
  local program=$1 to=$2
  mkdir -p "$to"
  local study=$PWD/studies/family.toml fixtures=$PWD/crates/cli/tests/audit
  quietly() { [ -e "$1/results.json" ] || [ -e "$1/theory.json" ] || "${@:2}" --out "$1" >"$1.out" 2>"$1.err" || echo "exit $?" >>"$1.out"; }
  quietly "$to/main" "$program" compare
  for data in digits letter subpopulations; do quietly "$to/$data" "$program" compare --quick --data "$data"; done
  quietly "$to/family" "$program" compare "$study" --models 8 --epochs 12 --pool 400
  quietly "$to/explain" "$program" compare --quick --data digits --recipes sgd,sam --epochs 30
  for case in "$fixtures"/*/; do
    local name arguments=()
    name=$(basename "$case")
    for kind in logits probabilities phi labels membership test-logits test-labels; do
      [ -e "$case/${kind/-/_}.npy" ] && arguments+=("--$kind" "crates/cli/tests/audit/$name/${kind/-/_}.npy")
    done
    quietly "$to/audit-$name" "$program" audit "${arguments[@]}" --save-scores
  done
  quietly "$to/theory" "$program" theory
  "$program" list attacks >"$to/attacks.txt"
  "$program" list optimizers >"$to/optimizers.txt"
  "$program" list defences >"$to/defences.txt"
}

made "$before" "$folder/before"
rm -rf "$folder/after"
if [ -n "${REUSE:-}" ]; then
  cp -r "$folder/before" "$folder/after"
  find "$folder/after" \( -name results.json -o -name theory.json -o -name "*.csv" -o -name "*.parquet" -o -name report.html -o -path "*/scores/*" \) -type f -delete
fi
made "$after" "$folder/after"

python3 - "$folder/before" "$folder/after" <<'PYTHON'
import json, pathlib, re, sys

before, after = map(pathlib.Path, sys.argv[1:])
differ = 0


def told(path):
    """Bytes of a file without machine, timings and the folder's name."""
    if path.name in ("results.json", "theory.json"):
        document = json.loads(path.read_text())
        for key in ("machine", "timings"):
            document.pop(key, None)
        return json.dumps(document, indent=1)
    if path.suffix in (".txt", ".csv", ".npy", ".toml"):
        return path.read_bytes()
    return None


names = sorted({p.relative_to(root) for root in (before, after) for p in root.rglob("*") if p.is_file()})
for name in names:
    if "models" in name.parts or told(before / name if (before / name).exists() else after / name) is None:
        continue
    if not (before / name).exists() or not (after / name).exists() or told(before / name) != told(after / name):
        differ += 1
        print("differs:", name)


def tensors(path):
    """Header and bytes of a safetensors file; the header's keys stand in no order."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


weights = [n for n in names if n.suffix == ".safetensors" and (after / n).exists() and (before / n).exists()]
differ += (changed := sum(tensors(before / n) != tensors(after / n) for n in weights))
print(f"{len(names)} files, {len(weights)} weights of which {changed} differ; {differ} differences")
sys.exit(differ > 0)
PYTHON
