#!/usr/bin/env bash
# The developer's commands, each of which sets up what it needs by itself in .venv/ beside this file.
#   ./run.sh demo     the whole story on a double of the site, offline
#   ./run.sh test     all tests; the pure core must be covered to the last branch
#   ./run.sh coverage the same with coverage of the edges, too: slower
#   ./run.sh check    lint, format, types, docs up to date
#   ./run.sh bench    measurements, each as a ratio to a peer or bound in the same run [NAME...]
#   ./run.sh docs     write docs/commands.md anew from the commands' own help
#   ./run.sh golden   write the golden pages anew from their cases and show what changed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

say() { printf '== %s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  say "Python 3.11 or newer is needed, and none was found. Install it, then run this again."
  exit 1
}

# One environment for everything: small, and the same versions next year (constraints.txt).
setup() {
  local want stamp=.venv/.installed
  want=$(cat pyproject.toml constraints.txt | cksum)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    return
  fi
  local python
  python=$(find_python)
  say "setting up .venv with $("$python" --version) (once, about a minute)"
  "$python" -m venv .venv || {
    say "no virtual environment could be made; on Debian and Ubuntu: apt-get install python3-venv"
    exit 1
  }
  PIP_CONSTRAINT="$PWD/constraints.txt" PIP_DISABLE_PIP_VERSION_CHECK=1 \
    .venv/bin/python -m pip install --quiet --editable '.[dev,repair,browse,alerts,parquet]' 2>.venv/setup.log || {
    cat .venv/setup.log >&2
    say "the packages could not be installed; is there a connection to the package index?"
    exit 1
  }
  echo "$want" >"$stamp"
}

demo() {
  setup
  say "demo: poll, search, revise, poll again, on a double of the site"
  .venv/bin/vna demo "$@"
}

test() {
  setup
  say "test: everything but soak runs and benchmarks"
  if [ $# -gt 0 ]; then
    pytest "$@"
    return
  fi
  .venv/bin/python -m coverage erase
  pytest -m 'not edge' --cov --cov-report=
  say "the pure core, to the last branch"
  .venv/bin/python -m coverage report --include="$(core)" --fail-under=100 --show-missing --skip-covered
  say "the edges: files, processes, sockets"
  pytest -m edge
}

pytest() { .venv/bin/python -m pytest --numprocesses 2 --dist worksteal "$@"; }

# Coverage of everything, edges too: slower, and for reading alone.
coverage() {
  setup
  .venv/bin/python -m coverage erase
  pytest --cov --cov-report=term:skip-covered "$@"
}

# Modules without I/O, clock or randomness (docs/decisions.md); tests/test_layers.py holds them to it.
core() {
  local part
  for part in types errors urls site markup fold query identity records render rate_limit plans sim/reconcile; do
    printf 'crawler/%s.py,' "$part"
  done
  printf 'crawler/discover/*,crawler/parse/*,crawler/repair/*,crawler/schedule/*,crawler/health/*,crawler/coverage/*,crawler/probe/*'
}

check() {
  setup
  say "check: lint, format, types, docs"
  .venv/bin/ruff check --quiet .
  .venv/bin/ruff format --quiet --check .
  .venv/bin/mypy --no-error-summary
  .venv/bin/python docs/make_commands.py --check
}

bench() {
  setup
  say "bench: ratios to a bound or peer of the same run"
  .venv/bin/python -m benchmarks "$@"
}

docs() {
  setup
  say "docs: docs/commands.md from the commands' own help"
  .venv/bin/python docs/make_commands.py
}

golden() {
  setup
  say "golden: tests/golden/pages from the cases, then what changed"
  .venv/bin/python tests/golden/make_pages.py
  git --no-pager diff --stat -- tests/golden/pages
  .venv/bin/python -m pytest tests/test_golden.py
}

case "${1:-}" in
  demo | test | coverage | check | bench | docs | golden) "$@" ;;
  *)
    sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
