"""`./run.sh bench [NAME [OPTIONS]]`: run one benchmark, or the quick ones one after the other."""

from __future__ import annotations

import importlib
import sys

QUICK = ("parse", "poll", "glue", "start")
SLOW = tuple(
    """
    kinds words peers search ledger budget fuzz fuzz-page captures bombs
    crash kills defects month outage soak rough red idle power
    corruption heal first_contact room edits similar packs handover revisions pictures readers scale
    """.split()
)
_FUZZ = {"fuzz": "tests.fuzz.readers", "fuzz-page": "tests.fuzz.parse_page"}


def main() -> int:
    """Run the benchmarks and return the exit code: 1 if one reports a failure, 2 if the name is unknown."""
    names = sys.argv[1:2] or list(QUICK)
    if names[0] not in (*QUICK, *SLOW):
        sys.stderr.write(f"no benchmark {names[0]}; choose one of {', '.join((*QUICK, *SLOW))}\n")
        return 2
    failed = False
    for name in names:
        print(f"\n=== {name}", flush=True)
        sys.argv = [name, *sys.argv[2:]]
        module = _FUZZ.get(name, f"benchmarks.{name}")
        failed |= bool(importlib.import_module(module).main())
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
