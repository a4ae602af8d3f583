#!/usr/bin/env bash
# What flatleak is built from: bash checks/supply.sh. Duplicates, licences and sources by deny.toml, notices in THIRD-PARTY.md, and advisories where
# their database can be had. Needs cargo-deny, which it builds into target/supply once, python3 and git.
set -euo pipefail
cd "$(dirname "$0")/.."

root="$PWD/target/supply"
deny="$(command -v cargo-deny || true)"
if [ -z "$deny" ]; then
  deny="$root/bin/cargo-deny"
  [ -x "$deny" ] || cargo install cargo-deny --locked --root "$root"
fi

"$deny" --locked check bans licenses sources

python3 checks/notices.py --check

address=https://github.com/RustSec/advisory-db
# FLATLEAK_ADVISORIES: a copy of the database, where its address cannot be reached. git then takes the copy for the address.
if [ -n "${FLATLEAK_ADVISORIES:-}" ]; then
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0="$address"
  GIT_CONFIG_KEY_0="url.file://$(cd "$FLATLEAK_ADVISORIES" && pwd).insteadOf"
  export GIT_CONFIG_KEY_0
fi
if ! git ls-remote --quiet "$address" HEAD >/dev/null 2>&1; then
  echo "advisories: SKIPPED, $address cannot be reached; FLATLEAK_ADVISORIES names a copy of it"
  exit 0
fi
settings="$(mktemp -d)"
trap 'rm -rf "$settings"' EXIT
sed "s|^\[advisories\]|[advisories]\ndb-path = '$settings/db'\ngit-fetch-with-cli = true|" deny.toml > "$settings/deny.toml"
"$deny" --locked --config "$settings/deny.toml" check advisories
echo "advisories: none open, by the database of $(git -C "$(dirname "$settings"/db/*/.git)" log -1 --format=%cI)"
