#!/usr/bin/env bash
# What a program leaves behind, kept so that later ones must still read it: bash make.sh PROGRAM FOLDER, beside this script.
set -euo pipefail
cd "$(dirname "$0")"
program=$1 folder=$2
rm -rf "$folder" && mkdir "$folder"
"$program" compare study.toml --out "$folder/run" --workers 1 >"$folder/run.txt"
(cd "$folder" && "$program" audit run --out audit >audit.txt)
# Pages, pictures and tables are made anew from the rest.
find "$folder" -type f ! -name "*.safetensors" ! -name results.json ! -name study.toml ! -name membership.npy ! -name "*.txt" -delete
find "$folder" -name details.txt -delete
find "$folder" -type d -empty -delete
