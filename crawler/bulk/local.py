"""The engine for one machine: a pool of processes.

Boundary: starts and ends processes; `tasks` says what they do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from crawler.bulk.engine import LOST_WORKERS, MOST_LOST, lost
from crawler.bulk.tasks import run_task
from crawler.bulk.values import Result, Task


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
            with _pool(self.workers) as pool:
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


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool whose processes end at once if the block raises an exception, or this process is killed."""
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads and locks of this process
    theirs, ours = context.Pipe(duplex=False)
    with theirs, ours:
        pool = ProcessPoolExecutor(jobs, context, _start_worker, (theirs,))
        try:
            yield pool
        except BaseException:
            ours.close()
            # Not to be waited for: a signal may arrive before the thread of the pool, for which it would wait, has started.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown(cancel_futures=True)


def _start_worker(driver: Connection) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):  # the driver handles them, and ends the workers
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(driver,), daemon=True).start()


def _end_with(driver: Connection) -> None:
    """End this process when the other end of the connection is closed."""
    with suppress(EOFError, OSError):
        driver.recv()
    os._exit(1)
