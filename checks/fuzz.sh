#!/usr/bin/env bash
# Runs every coverage-guided fuzzer over what files of strangers are read by: bash checks/fuzz.sh [SECONDS [TARGET...]]
#
# Without SECONDS five minutes or a million inputs each, and fifteen minutes for the four that have most to lose: Parquet, npz, safetensors,
# study files. Prints inputs, seconds and coverage, and adds them to fuzz/record.md. What a fuzzer finds is kept in fuzz/corpora as
# found-..., where the tests named corpora of crates/data and crates/cli read it again.
# Needs `cargo install cargo-fuzz`; the toolchain may be stable.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/fuzz/target}

seconds=${1:-}
shift || true
all=(parquet npz safetensors study npy arrow csv idx cifar pictures hub import results problem)
targets=("${@:-${all[@]}}")
riskiest=" parquet npz safetensors study "

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Inputs that are files lie in memory where the system has such a place.
[ -d /dev/shm ] && export TMPDIR=/dev/shm
# Where the fuzzer of imports has its cache.
export FLATLEAK_DATA=$work/cache

command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is missing: cargo install cargo-fuzz" >&2; exit 1; }
cargo fuzz build --fuzz-dir fuzz --release --sanitizer none --features documents >&2

run() { # target
    local target=$1 limit runs=1000000 log=$work/$1.log
    limit=${seconds:-300}
    if [ -z "$seconds" ] && [[ $riskiest == *" $target "* ]]; then limit=900 runs=-1; fi
    mkdir -p "$work/$target" "$work/found"
    nice -n 19 "$(find "$CARGO_TARGET_DIR" -path "*release/$target" -type f | head -1)" "$work/$target" "fuzz/corpora/$target" \
        -max_total_time="$limit" -runs="$runs" -max_len=16384 -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=2500 \
        -artifact_prefix="$work/found/$target-" -print_final_stats=1 >"$log" 2>&1 || true
    local inputs cov took
    inputs=$(awk '/stat::number_of_executed_units/ {print $2}' "$log")
    # A run that ends with a finding does not say how long it took.
    cov=$({ grep -o 'cov: [0-9]*' "$log" || true; } | tail -1 | cut -d' ' -f2)
    took=$({ grep -o 'in [0-9]* second' "$log" || true; } | tail -1 | cut -d' ' -f2)
    local found=0 path
    for path in "$work/found/$target-"*; do
        [ -f "$path" ] || continue
        found=$((found + 1))
        cp "$path" "fuzz/corpora/$target/found-$(basename "$path" | cut -c1-40)"
        tail -40 "$log" >&2
    done
    echo "| $target | ${inputs:-0} | ${took:-$limit} | ${cov:-0} | $found |"
}

head='| target | inputs | seconds | coverage (edges) | findings |'
line='| --- | --- | --- | --- | --- |'
echo "$head"
echo "$line"
for target in "${targets[@]}"; do
    run "$target" | tee -a "$work/rows"
done

# Added up over all runs; of coverage the most, of findings all.
record=fuzz/record.md
{ grep -s '^| [a-z]* | [0-9]' "$record" || true; cat "$work/rows"; } | awk -F' *[|] *' '
    { inputs[$2] += $3; seconds[$2] += $4; if ($5 + 0 > cover[$2]) cover[$2] = $5 + 0; found[$2] += $6 }
    END { for (t in inputs) printf "| %s | %d | %d | %d | %d |\n", t, inputs[t], seconds[t], cover[t], found[t] }' | sort >"$work/sum"
{
    echo "# What the fuzzers have done"
    echo
    echo "Added up over all runs with the settings of \`checks/fuzz.sh\`; a target without a row was not run yet. Findings are mended; their inputs are in \`corpora\`, which \`cargo test\` reads again."
    echo
    echo "$head"
    echo "$line"
    cat "$work/sum"
} >"$record"
