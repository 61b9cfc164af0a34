"""Measure several contenders in CPU time, in interleaved rounds, so that noise on the machine affects all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def medians(contenders: Mapping[str, Callable[[], object]], repeats: int = 7) -> dict[str, float]:
    """Return the median CPU seconds of each contender, over interleaved rounds after one warm-up."""
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def table(found: Mapping[str, float], items: int, bound: str) -> None:
    """Print the milliseconds per item and the ratio to the bound."""
    for name, seconds in found.items():
        print(f"{name:44} {seconds / items * 1000:8.2f} ms   {seconds / found[bound]:7.1f} x")
