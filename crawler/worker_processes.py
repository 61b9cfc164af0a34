"""Runs tasks in processes of this machine, in advance and in order; processes that are killed are replaced.

A result is in a temporary file until it is asked for: so many results can be ready, but few are in memory.

Boundary: starts and ends processes. The caller says what a task is, and does it itself if its processes were killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from crawler.errors import StopError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing.connection import Connection

_MOST_LOST = 2  # a task that was running when processes were killed so often may have killed them

T = TypeVar("T")
R = TypeVar("R")


class TaskLost(Exception):
    """The processes that ran a task were killed, so that it has no result."""


@dataclass(eq=False, slots=True)
class Pending(Generic[T]):
    """A task that was submitted, the file for its result, and how often the processes that had it were killed."""

    task: T
    file: Path
    future: Future[None] = field(default_factory=Future)
    lost: int = 0


class Workers(Generic[T, R]):
    """Runs tasks in `jobs` processes.

    `make` is called once in each process, and returns the function that is called with each task. It must be picklable,
    like tasks and results. `ahead` is the number of tasks to submit in advance: while this process uses one result, the
    others are computed.
    """

    def __init__(self, jobs: int, make: Callable[[], Callable[[T], R]]) -> None:
        self.ahead = 2 * jobs + 2
        self._jobs = jobs
        self._make = make
        self._pending: dict[Pending[T], None] = {}
        self._number = 0

    def __enter__(self) -> Self:
        with ExitStack() as failed:
            self._folder = Path(failed.enter_context(tempfile.TemporaryDirectory(prefix="vna-workers-")))
            self._pool = failed.enter_context(ExitStack())
            self._executor = self._pool.enter_context(self._processes())
            self._exit = failed.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.__exit__(kind, error, trace)

    def submit(self, task: T) -> Pending[T]:
        """Submit a task, and return what `result` needs.

        Raises:
            StopError: no process can be started.

        """
        self._number += 1
        pending = Pending(task, self._folder / str(self._number))
        self._start(pending)
        self._pending[pending] = None
        return pending

    def result(self, pending: Pending[T]) -> R:
        """Wait for the result of a task, and return it. It can be asked for once.

        Raises:
            TaskLost: the processes that ran the task were killed.
            Exception: what the function of the task raised.

        """
        while isinstance(pending.future.exception(), BrokenExecutor):
            if pending.lost >= _MOST_LOST:
                break
            self._replace_processes()
        del self._pending[pending]
        if isinstance(pending.future.exception(), BrokenExecutor):
            raise TaskLost
        pending.future.result()
        import pickle  # noqa: PLC0415 - as in `process_pool`

        with pending.file.open("rb") as file:
            found = cast("R", pickle.load(file))  # noqa: S301 - written by a process that this one has started
        pending.file.unlink()
        return found

    def in_order(self, tasks: Iterable[T], alone: Callable[[T], R]) -> Iterator[tuple[T, R]]:
        """Yield tasks with their results in the order of the tasks; `alone` does a task in this process.

        If `tasks` raises an exception, it is raised after the tasks before it.
        """
        waiting = deque[Pending[T]]()
        source: Iterator[T] | None = iter(tasks)
        failure: Exception | None = None
        while True:
            while source is not None and len(waiting) < self.ahead:
                try:
                    waiting.append(self.submit(next(source)))
                except StopIteration:
                    source = None
                except Exception as error:  # noqa: BLE001 - raised below
                    source, failure = None, error
            if not waiting:
                break
            pending = waiting.popleft()
            try:
                found = self.result(pending)
            except TaskLost:
                found = alone(pending.task)
            yield pending.task, found
        if failure is not None:
            raise failure

    def _processes(self) -> AbstractContextManager[ProcessPoolExecutor]:
        return process_pool(self._jobs, partial(_make_function, self._make), self._folder)

    def _replace_processes(self) -> None:
        """Start new processes after some were killed, and give them the tasks that have no result."""
        self._pool.close()
        self._executor = self._pool.enter_context(self._processes())
        for pending in self._pending:
            if not pending.future.done() or isinstance(pending.future.exception(), BrokenExecutor):
                pending.lost += 1
                if pending.lost < _MOST_LOST:
                    self._start(pending)

    def _start(self, pending: Pending[T]) -> None:
        try:
            pending.future = self._executor.submit(_run, pending.task, pending.file)
        except BrokenExecutor as error:
            pending.future = Future()
            pending.future.set_exception(error)
        except OSError as error:
            raise _not_started(error) from error


def _not_started(error: OSError | NotImplementedError) -> StopError:
    """Return the error that says why no process can be started, and what to do."""
    return StopError(
        f"the worker processes cannot be started: {getattr(error, 'strerror', None) or error}",
        "check the free memory, the process limit (`ulimit -u`) and that /dev/shm can be written, or use --jobs 1",
    )


@contextmanager
def process_pool(
    jobs: int, start: Callable[[], object] | None = None, folder: Path | None = None
) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool whose processes end at once if the block raises an exception, or this process is killed.

    Each process calls `start` first. `folder` is deleted when this process is killed.

    Raises:
        StopError: the system does not provide what the processes share: semaphores, which Linux keeps in /dev/shm.

    """
    import multiprocessing  # noqa: PLC0415 - the service imports this module, and starts no processes
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - see above

    # A fork would copy the connections, threads and locks of this process.
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    with theirs, ours:
        try:
            pool = ProcessPoolExecutor(jobs, context, _start_worker, (theirs, start, folder))
        except (OSError, NotImplementedError) as error:
            raise _not_started(error) from error
        try:
            yield pool
        except BaseException:
            ours.close()
            # Not to be waited for: a signal may arrive before the thread of the pool, for which it would wait, has started.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown(cancel_futures=True)


def _start_worker(starter: Connection, start: Callable[[], object] | None, folder: Path | None) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):  # the process that started this one handles them, and ends it
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(starter, folder), daemon=True).start()
    if start is not None:
        start()


def _end_with(starter: Connection, folder: Path | None) -> None:
    """End this process when the other end of the connection is closed."""
    with suppress(EOFError, OSError):
        starter.recv()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


_function: Callable[[Any], Any] | None = None  # of a worker process


def _make_function(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _function  # noqa: PLW0603 - a worker process has exactly one function
    _function = make()


def _run(task: object, file: Path) -> None:
    import pickle  # noqa: PLC0415 - as in `process_pool`

    assert _function is not None
    with file.open("wb") as out:
        pickle.dump(_function(task), out, pickle.HIGHEST_PROTOCOL)
