"""Start time of `vna --help` and of each reading command, compared with bare Python in the same run.

The commands read the small archive of `vna demo`, so that nearly all of their time is start-up.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from crawler import open_archive

_ROUNDS = 7
_LIMIT = 0.35  # seconds for a reading command
_READING = ("latest", "search Vietnam", "show {id}", "history {id}", "changes", "similar {id}", "cite {id}", "coverage")


def main() -> None:
    """Print the table, and the reading commands that take longer than the limit."""
    with tempfile.TemporaryDirectory() as folder:
        vna = [sys.executable, "-m", "crawler", "--archive", folder]
        subprocess.run([*vna, "demo"], capture_output=True, check=True)
        with open_archive(folder) as opened:
            post_id = next(iter(opened.articles())).id
        reading = [command.format(id=post_id) for command in (*_READING, "status")]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "vna --help": [*vna, "--help"],
            **{f"vna {command}": [*vna, *command.split()] for command in reading},
        }
        walls = _medians(commands)
    base = walls["python -c pass"]
    for name, seconds in walls.items():
        print(f"{name:24} {seconds * 1000:7.0f} ms   {seconds / base:5.1f} x")
    slow = [f"vna {command}" for command in reading if walls[f"vna {command}"] > _LIMIT]
    print(f"slower than {_LIMIT * 1000:.0f} ms: {', '.join(slow) or 'none'}")


def _medians(commands: dict[str, list[str]]) -> dict[str, float]:
    """Return the median of the seconds that each command takes; the commands take turns."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    walls: dict[str, list[float]] = {name: [] for name in commands}
    for round_ in range(_ROUNDS + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, env=environment, capture_output=True, check=True)
            if round_:  # the first round compiles the modules and fills the cache of the file system
                walls[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in walls.items()}
