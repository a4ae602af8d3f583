#!/usr/bin/env bash
# Runs what the book prints and puts the output into its pages: bash book/findings.sh [NAME...]; without names main, family, dose and noise, twenty minutes on
# two cores. The long ones are run by name alone: resnet8 (half an hour), subpopulations (1,024 models, hours). FOLDER keeps the runs.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${FOLDER:-target/findings}")
mkdir -p "$folder" book/findings
cargo build --release -q
flatleak=$PWD/target/release/flatleak
[ $# -gt 0 ] || set -- main family dose noise

declare -A study=([main]="" [family]=studies/family.toml [dose]=studies/dose.toml [noise]=studies/noise.toml
  [resnet8]=book/studies/resnet8.toml [subpopulations]=book/studies/subpopulations.toml)
declare -A page=([main]=book/main-job.md [family]=book/family.md [dose]=book/family.md [noise]=book/family.md [resnet8]=book/resnet8.md)

for name in "$@"; do
  file=${study[$name]}
  # shellcheck disable=SC2086
  "$flatleak" compare ${file:+"$file"} --out "$folder/$name" | sed '/^report: /,$d' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"book/findings/$name.txt"
  [ -n "${page[$name]:-}" ] || continue
  # Of many recipes a page shows headline and tables; every comparison stands in book/findings.
  sed '/^at equal test accuracy/,$d' "book/findings/$name.txt" >"$folder/shown"
  awk -v name="$name" -v text="$folder/shown" '
    $0 == "<!-- printed: " name " -->" { print; print "```"; while ((getline line < text) > 0) print line; print "```"; inside = 1; next }
    $0 == "<!-- end -->" { inside = 0 }
    !inside { print }
  ' "${page[$name]}" >"$folder/page" && cp "$folder/page" "${page[$name]}"
done
