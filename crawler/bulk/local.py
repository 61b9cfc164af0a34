"""The engine for one machine: a pool of processes.

Boundary: starts and ends processes; `tasks` says what they do.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from crawler.bulk.engine import LOST_WORKERS, MOST_LOST, lost
from crawler.bulk.tasks import run_task
from crawler.bulk.values import Result, Task
from crawler.worker_processes import process_pool


class LocalEngine:
    """Runs tasks in `jobs` processes. If one is killed, all are replaced, and their tasks are run again."""

    def __init__(self, jobs: int) -> None:
        self.workers = jobs
        self.retried = 0
        self._lost = Counter[str]()

    def results(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield the tasks with their results, in the order in which they are done.

        Raises:
            StopError: a task has lost its process too often.

        """
        source, again = iter(tasks), deque[Task]()
        while True:
            with process_pool(self.workers) as pool:
                yield from self._run(pool, source, again)
            if not again:
                return
            self.retried += len(again)
            for task in again:
                self._lost[str(task)] += 1
                if self._lost[str(task)] > MOST_LOST:
                    raise lost(task, self._lost[str(task)])

    def _run(
        self, pool: ProcessPoolExecutor, source: Iterator[Task], again: deque[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Run tasks until none is left or a process is killed. The tasks that were lost are put into `again`."""
        running: dict[Future[Result], Task] = {}
        try:
            while True:
                while len(running) <= self.workers:
                    task = again[0] if again else next(source, None)
                    if task is None:
                        break
                    again.extendleft([] if again else [task])  # it stays there if it cannot be started
                    running[pool.submit(run_task, task, careful=self._lost[str(task)] >= LOST_WORKERS)] = task
                    again.popleft()
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    yield running.pop(future), result
        except BrokenProcessPool:
            for future, task in running.items():
                try:
                    result = future.result()
                except BrokenProcessPool:
                    again.append(task)
                else:
                    yield task, result
