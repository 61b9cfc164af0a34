"""What runs the tasks of a reparse.

Boundary: an interface, and the errors that all engines raise alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from crawler.bulk.values import CodeVersion, Failed, OtherCode, Result, Task
from crawler.errors import StopError

#: How often a task may lose its worker before it is run with care, and before the run ends.
LOST_WORKERS = 2
MOST_LOST = 5


class Engine(Protocol):
    """Runs tasks in some processes.

    `workers` is the number of tasks that run at the same time; `retried` counts the tasks that were started again because
    their worker was lost.
    """

    workers: int
    retried: int

    def results(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield the tasks with their results, in any order. Only a few tasks are taken in advance.

        Raises:
            StopError: the tasks cannot be run.

        """
        ...


def stop_for(result: Failed | OtherCode, wanted: CodeVersion, worker: str = "a worker") -> StopError:
    """Return the error for a result with which a run cannot go on; `wanted` is the version of this process."""
    if isinstance(result, Failed):
        return StopError(result.message, result.hint)
    return StopError(
        f"{worker} has {result.code}, but this program has {wanted}: their rows would differ",
        "install the same version of vna-archive on all machines, and restart the workers",
    )


def lost(task: Task, times: int) -> StopError:
    """Return the error for a task that has lost its worker too often."""
    return StopError(
        f"the worker was killed {times} times while it processed {task}",
        "check the memory of the machines; `vna reparse --engine local` shows whether the files are the cause",
    )
