"""Start time of `vna --help` and of each reading command, compared with bare Python in the same run.

The commands read the small archive of `vna demo`, so that nearly all of their time is start-up.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import profiles
from benchmarks.report import Goal, Result, Row
from benchmarks.timing import interleaved, ratios
from crawler import open_archive

_READING = ("latest", "search Vietnam", "show {id}", "history {id}", "changes", "similar {id}", "cite {id}", "coverage")
_PROGRAM = str(Path(sys.executable).with_name("vna"))  # as users start it
_BARE, _HELP = "python -c pass", "vna --help"


def run(_options: argparse.Namespace) -> Result:
    """Measure the start of the commands."""
    with tempfile.TemporaryDirectory() as folder:
        archive = ["--archive", folder]
        subprocess.run([_PROGRAM, *archive, "demo"], capture_output=True, check=True)
        with open_archive(folder) as opened:
            post_id = next(iter(opened.articles())).id
        reading = {f"vna {c}": [*archive, *c.split()] for c in (c.format(id=post_id) for c in (*_READING, "status"))}
        commands = {_BARE: [sys.executable, "-c", "pass"]} | {
            name: [_PROGRAM, *arguments] for name, arguments in ({_HELP: ["--help"]} | reading).items()
        }
        found = interleaved({n: partial(_started, c) for n, c in commands.items()}, clock=time.perf_counter)
        slowest = max(reading, key=lambda name: statistics.median(found[name]))
        return Result(
            "start",
            "How long does a user wait for a command that has little to do?",
            [Row.of(name, (seconds * 1000 for seconds in values), "ms") for name, values in found.items()],
            [
                Goal.of(f"{_HELP} ÷ {_BARE}", ratios(found[_HELP], found[_BARE]), at_most=3),
                Goal.of(f"slowest reading command: {slowest}", (s * 1000 for s in found[slowest]), "ms", at_most=350),
            ],
            notes="Elapsed time of whole processes, one after the other, with compiled modules and a warm cache of files.",
        ).explained(
            lambda: [
                profiles.of_imports(f"imports of {_HELP}", ["--help"]),
                profiles.of_imports(f"imports of {slowest}", reading[slowest]),
            ]
        )


def _started(command: Sequence[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, env=environment, capture_output=True, check=True)
