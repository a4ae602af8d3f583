#!/usr/bin/env bash
# The page in a real browser: bash checks/page.sh [--full]. Needs Chromium, Node.js and two packages of npm's (checks/page/package-lock.json),
# and installs what is missing where it may (Debian, as root). Where one cannot be had the check is skipped, and says so.
# With --full the tables that the page gives in LaTeX are compiled too (Debian's texlive), and a page that is painted late fails rather than
# warns: for a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

skipped() {
  echo "checks/page.sh: SKIPPED, the page was not tested in a browser: $1"
  exit 0
}
# A command, and the packages of Debian's that have it.
need() {
  local command=$1
  shift
  command -v "$command" >/dev/null 2>&1 && return
  command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || return 1
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || return 1
  command -v "$command" >/dev/null 2>&1
}

need chromium chromium fonts-dejavu-core fonts-liberation || skipped "no chromium, and it cannot be installed"
need node nodejs || skipped "no node, and it cannot be installed"
need npm npm || skipped "no npm, and it cannot be installed"
if [ "${1:-}" = --full ]; then
  need pdflatex texlive-latex-base texlive-latex-recommended lmodern || skipped "no pdflatex, and it cannot be installed"
  export FLATLEAK_FULL=1
fi
(cd checks/page && npm ci --ignore-scripts --no-audit --no-fund --silent) || skipped "npm cannot get the packages of checks/page/package-lock.json"

[ -n "${FLATLEAK:-}" ] || cargo build --release -q --workspace --bin flatleak
cd checks/page
# A browser that hangs ends the check rather than holds it up.
timeout -k 10 3600 node --test-reporter=spec all.mjs
