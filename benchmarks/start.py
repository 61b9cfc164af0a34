"""Start time and memory of `vna --help` and `vna status`, compared with bare Python in the same run."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

CONTENDERS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "vna --help": [sys.executable, "-m", "crawler", "--help"],
    "vna status (no archive)": [sys.executable, "-m", "crawler", "--archive", "/nonexistent", "status"],
}


def main() -> None:
    """Print the table."""
    walls: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(7):
        for name, command in CONTENDERS.items():
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=False)
            walls[name].append(time.perf_counter() - start)
    base = statistics.median(walls["python -c pass"])
    for name, values in walls.items():
        print(f"{name:28} {statistics.median(values) * 1000:7.0f} ms   {statistics.median(values) / base:5.1f} x")
    print(f"peak memory of the largest process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
