#!/usr/bin/env bash
# Commands for developers. Each one installs what it needs into .venv/ next to this file.
#   ./run.sh demo     run the main commands against the fake site, offline
#   ./run.sh test     run all tests; the pure core must have full branch coverage
#   ./run.sh coverage the same, with coverage of the I/O code too: slower, for reading only
#   ./run.sh check    check lint, format, types and that generated files are up to date
#   ./run.sh bench    run the quick benchmarks, the one named, or all of docs/benchmarks.md (`all`)
#   ./run.sh docs     generate docs/commands.md and the text of `vna --help` from the commands
#   ./run.sh translate update the French texts of the pages of vna browse
#   ./run.sh browser  drive headless Chromium through these pages
#   ./run.sh screenshots take the screenshots in docs/images/
#   ./run.sh dask     run vna reparse with Dask workers on this machine
#   ./run.sh golden   generate the golden pages from their cases and show what changed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Keep compiled modules, even where the environment says not to: the tests start hundreds of Python processes.
export PYTHONDONTWRITEBYTECODE="" PYTHONPYCACHEPREFIX="$PWD/.venv/pycache"

say() { printf '== %s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  say "Python 3.11 or newer was not found. Install it, then run this command again."
  exit 1
}

# One environment for all commands. constraints.txt pins the versions, so that next year gives the same ones.
setup() {
  local want stamp=.venv/.installed
  want=$(cat pyproject.toml constraints.txt | cksum)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    return
  fi
  local python
  python=$(find_python)
  say "installing packages into .venv with $("$python" --version) (once, about a minute)"
  "$python" -m venv .venv || {
    say "cannot create a virtual environment; on Debian and Ubuntu, run: apt-get install python3-venv"
    exit 1
  }
  # The distribution was called `crawler` before 2026.11.29. Its metadata would stay next to that of `vna-archive`.
  .venv/bin/python -m pip uninstall --quiet --yes crawler 2>/dev/null || true
  PIP_CONSTRAINT="$PWD/constraints.txt" PIP_DISABLE_PIP_VERSION_CHECK=1 \
    .venv/bin/python -m pip install --quiet --editable '.[dev,browse,alerts,parquet,timestamps,images]' 2>.venv/setup.log || {
    cat .venv/setup.log >&2
    say "cannot install the packages (messages above); check the connection to the package index"
    exit 1
  }
  echo "$want" >"$stamp"
}

demo() {
  setup
  say "demo: poll, search, revise an article and poll again, on a fake site"
  .venv/bin/vna demo "$@"
}

test() {
  setup
  say "test: everything except benchmarks and long runs"
  if [ $# -gt 0 ]; then
    pytest "$@"
    return
  fi
  .venv/bin/python -m coverage erase
  pytest -m 'not edge' --cov --cov-report=
  say "coverage of the pure core: every branch"
  .venv/bin/python -m coverage report --include="$(core)" --fail-under=100 --show-missing --skip-covered
  say "tests with files, processes and sockets"
  pytest -m edge --numprocesses 3  # these tests often wait for processes and clocks
}

# The tests write and sync thousands of small files, so these are kept in memory where there is enough of it.
memory_folder() {
  local free
  free=$(df -Pk /dev/shm 2>/dev/null | awk 'END { print $4 }')
  if [ "${free:-0}" -gt 2000000 ]; then
    mktemp -d /dev/shm/vna-tests.XXXXXX
  fi
}

scratch=""
trap 'if [ -n "$scratch" ]; then rm -rf "$scratch"; fi' EXIT

pytest() {
  scratch=${scratch:-$(memory_folder)}
  TMPDIR=${scratch:-${TMPDIR:-/tmp}} .venv/bin/python -m pytest --numprocesses 2 --dist worksteal "$@"
}

# Coverage of everything, including the I/O code: slower, and without a threshold.
coverage() {
  setup
  .venv/bin/python -m coverage erase
  pytest --cov --cov-report=term:skip-covered "$@"
}

# Modules without I/O, clock or randomness; tests/test_layers.py checks that.
core() {
  local part
  for part in types errors urls site markup fold query snippets identity article_fields word_count records render rate_limit plans plan_values outcome purpose finding local_http visible redact marks watches similarity numerals citation selection tei data_card days merkle article_history article_values sim/reconcile; do
    printf 'crawler/%s.py,' "$part"
  done
  printf 'crawler/discover/*,crawler/feeds/*,crawler/parse/*,crawler/repair/*,crawler/schedule/*,crawler/health/*,crawler/coverage/*,crawler/probe/*,crawler/heal/*,crawler/changes/*,crawler/pictures/*'
}

check() {
  setup
  say "check: lint, format, types, docs, translations, recorded benchmarks"
  .venv/bin/ruff check --quiet .
  .venv/bin/ruff format --quiet --check .
  .venv/bin/mypy --no-error-summary
  .venv/bin/python docs/make_commands.py --check
  .venv/bin/python docs/make_translations.py --check
  .venv/bin/python -m benchmarks.document --check
}

bench() {
  setup
  say "bench: ratios to a peer or bound in the same run"
  .venv/bin/python -m benchmarks "$@"
}

docs() {
  setup
  say "docs: docs/commands.md and the text of vna --help from the commands"
  .venv/bin/python docs/make_commands.py
}

translate() {
  setup
  say "translate: French texts of the pages from the source, then compiled"
  .venv/bin/python docs/make_translations.py
}

# Chromium itself comes from the system: `apt-get install chromium` on Debian and Ubuntu.
browser() {
  setup
  say "browser: drive headless Chromium through all pages of vna browse"
  PIP_CONSTRAINT="$PWD/constraints.txt" .venv/bin/python -m pip install --quiet --editable '.[browser]'
  VNA_BROWSER=1 .venv/bin/python -m pytest --numprocesses 2 tests/test_room_browser.py "$@"
}

# The suite skips the tests of Dask, because it is large.
dask() {
  setup
  say "dask: vna reparse with workers on this machine"
  PIP_CONSTRAINT="$PWD/constraints.txt" .venv/bin/python -m pip install --quiet --editable '.[dask]'
  .venv/bin/python -m pytest tests/test_bulk.py "$@"
}

screenshots() {
  setup
  PIP_CONSTRAINT="$PWD/constraints.txt" .venv/bin/python -m pip install --quiet --editable '.[browser]'
  .venv/bin/python docs/make_screenshots.py "$@"
}

golden() {
  setup
  say "golden: tests/golden/pages from the cases, then the differences"
  .venv/bin/python tests/golden/make_pages.py
  git --no-pager diff --stat -- tests/golden/pages
  .venv/bin/python -m pytest tests/test_golden.py
}

case "${1:-}" in
  demo | test | coverage | check | bench | docs | translate | browser | dask | screenshots | golden) "$@" ;;
  *)
    sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
