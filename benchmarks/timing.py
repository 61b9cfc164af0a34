"""Measure several contenders in CPU time, in interleaved rounds, so that noise on the machine affects all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def interleaved(
    contenders: Mapping[str, Callable[[], object]],
    repeats: int = 7,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Return the seconds of each contender in each round, after one round of warm-up that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(repeats + 1):
        for name, run in contenders.items():
            start = clock()
            run()
            if round_:
                times[name].append(clock() - start)
    return times


def ratios(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """Return the ratio of two contenders in each round."""
    return [a / b for a, b in zip(one, other, strict=True)]


def medians(contenders: Mapping[str, Callable[[], object]], repeats: int = 7) -> dict[str, float]:
    """Return the median CPU seconds of each contender, over interleaved rounds after one warm-up."""
    return {name: statistics.median(values) for name, values in interleaved(contenders, repeats).items()}


def table(found: Mapping[str, float], items: int, bound: str) -> None:
    """Print the milliseconds per item and the ratio to the bound."""
    for name, seconds in found.items():
        print(f"{name:44} {seconds / items * 1000:8.2f} ms   {seconds / found[bound]:7.1f} x")
