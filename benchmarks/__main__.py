"""`./run.sh bench [NAME [OPTIONS]]`: run one benchmark, the quick ones, or with `all` those of docs/benchmarks.md.

A benchmark is a module of this package. If it has the function `main()`, it prints what it finds, and reads its own options.
Otherwise:

- `run(options)` returns a `Result` (`benchmarks.report`), whose options `add_options(parser)` defines, if it has any. It has
  two more options: `--json` prints the result as one JSON object, and `--record` writes it into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks import document, report
from benchmarks.environments import InstallError

#: A minute or two together, on a machine that does nothing else.
QUICK = ("parse", "poll", "glue", "start")
#: With those above, the benchmarks of speed and size in docs/benchmarks.md: a quarter of an hour.
#: `ledger` comes first, because it measures the peak memory of this process.
MEDIUM = ("ledger", "idle", "search", "month", "curves", "offline", "bytes")
SLOW = tuple(
    """
    kinds words peers budget fuzz fuzz-page captures bombs
    crash kills defects outage soak rough red power
    corruption heal first_contact room edits similar packs handover revisions pictures readers scale
    """.split()
)
NAMES = (*QUICK, *MEDIUM, *SLOW)
#: What `./run.sh bench` and `./run.sh bench all` run.
GROUPS = {"": QUICK, "all": (*QUICK, *MEDIUM)}
#: Modules with another name than the benchmark.
MODULES = {"fuzz": "tests.fuzz.readers", "fuzz-page": "tests.fuzz.parse_page"}
_FAILED, _USAGE, _GOAL_MISSED = 1, 2, 5


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks and return the exit code: 1 if one fails, 2 for a name or option that is unknown, 5 if a goal is missed."""
    name, *rest = arguments if arguments and not arguments[0].startswith("-") else ("", *arguments)
    if name in GROUPS:
        _parser("", f"{__doc__}\nNames: {', '.join(NAMES)}").parse_args(rest)
    elif name not in NAMES:
        sys.stderr.write(f"no benchmark {name}; choose one of {', '.join(NAMES)}, or all\n")
        return _USAGE
    codes = {_run(one, rest) for one in GROUPS.get(name, (name,))}
    return _FAILED if _FAILED in codes else max(codes)


def _run(name: str, arguments: Sequence[str]) -> int:
    """Run one benchmark, show or record its result, and return the exit code."""
    module = importlib.import_module(MODULES.get(name, f"benchmarks.{name}"))
    if hasattr(module, "main"):
        sys.argv = [name, *arguments]
        return int(module.main() or 0)
    parser = _parser(name, module.__doc__)
    if hasattr(module, "add_options"):
        module.add_options(parser)
    options = parser.parse_args(arguments)
    machine = report.this_machine()
    try:
        with redirect_stdout(sys.stderr):
            result = module.run(options).dated(machine, _changed(parser, options))
    except InstallError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return _FAILED
    if options.record:  # first, because nobody may read what is printed
        document.record(result)
    print(json.dumps(result.as_json(), ensure_ascii=False) if options.json else f"\n{report.text(result)}", flush=True)
    return _GOAL_MISSED if result.missed else 0


def _changed(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    """Return the options that differ from their defaults and change the result; paths and the options of the frame do not."""
    found: list[str] = []
    for name, value in vars(options).items():
        is_path = isinstance(value, Path) or (isinstance(value, list) and isinstance(value[0], Path))
        if name not in {"json", "record", "v"} and value != parser.get_default(name) and not is_path:
            text = [] if value is True else [",".join(map(str, value)) if isinstance(value, list) else str(value)]
            found += [f"--{name.replace('_', '-')}", *text]
    return found


def _parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of the frame."""
    parser = argparse.ArgumentParser(
        prog=f"./run.sh bench {name}".rstrip(),
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object, and nothing else")
    parser.add_argument("--record", action="store_true", help="write the result into docs/benchmarks.md")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
