"""`./run.sh bench [NAME [OPTIONS]]`: run one benchmark, or the quick ones one after the other."""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path

QUICK = ("parse", "poll", "glue", "start")
SLOW = tuple(
    "kinds words edits peers search similar packs handover revisions ledger budget fuzz captures bombs crash kills defects month outage soak rough red idle".split()
)


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
        if name == "fuzz":
            target = Path(__file__).parent.parent / "tests" / "fuzz" / "parse_page.py"
            runpy.run_path(str(target), run_name="__main__")
        else:
            failed |= bool(importlib.import_module(f"benchmarks.{name}").main())
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
