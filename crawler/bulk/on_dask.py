"""The engine for several machines: Dask, on a scheduler that the user runs, or on processes of this machine.

Dask runs a task again on another worker if its worker is lost. After some losses it gives the task up (`KilledWorker`);
then the task is run once more, with care.

Boundary: talks to the scheduler; `tasks` says what the workers do. Dask is an optional dependency (extra `dask`) and is
imported only here, when the engine is used.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any, cast

from crawler.bulk.engine import MOST_LOST, lost, stop_for
from crawler.bulk.tasks import code_version, run_task
from crawler.bulk.values import CodeVersion, OtherCode, Result, Task
from crawler.errors import StopError

_CONNECT = 10  # seconds until the scheduler must have answered
_WORKERS = 30  # seconds until it must have a worker
_TIMEOUT = 20  # seconds without a result, after which the workers are counted
_MOST_EMPTY = 5  # times in a row that there is none; a worker that was killed takes some time to start again
_STARTED = "vna-task-started"  # the topic of the events by which started tasks are counted
_LOOPBACK = "127.0.0.1"
#: They log the tracebacks of errors that Dask raises as well.
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application")
#: Settings of the scheduler and the workers of this machine. The pages about tasks that Dask serves by HTTP need no
#: certificate, so there are none; nobody looks at the profile, which a thread of each worker takes every 10 ms.
_SETTINGS: dict[str, object] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
}
#: What a worker of this machine runs first: SIGINT of a terminal is for the driver, which ends the workers.
_PRELOAD = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


@contextmanager
def dask_engine(scheduler: str | None, jobs: int) -> Iterator[DaskEngine]:
    """Connect to the scheduler at an address or, if it is None, start one with `jobs` workers on this machine.

    Raises:
        StopError: Dask is not installed, the scheduler cannot be reached, it has no worker, or a worker has other code.

    """
    if find_spec("distributed") is None:
        raise StopError("Dask is not installed", "install it with: pip install 'vna-archive[dask]'")
    with ExitStack() as stack:
        if scheduler is None:
            cluster = stack.enter_context(_cluster(jobs))
            client = stack.enter_context(_distributed().Client(cluster))
            yield DaskEngine(client, lambda: cluster.scale(jobs))
        else:
            yield DaskEngine(stack.enter_context(_connected(scheduler)))


def _distributed() -> Any:
    import distributed  # noqa: PLC0415 - optional, and slow to import

    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed  # only a part of it has types


def _cluster(jobs: int) -> Any:
    """Return a scheduler with `jobs` workers on this machine.

    Raises:
        StopError: the workers cannot be started.

    """
    import dask  # noqa: PLC0415 - optional

    distributed = _distributed()
    dask.config.set(_SETTINGS)
    try:
        return distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            host=_LOOPBACK,
            protocol="tls://",  # otherwise every user of this machine could send code to the scheduler
            security=distributed.Security.temporary(),
            dashboard_address=f"{_LOOPBACK}:0",
            silence_logs="CRITICAL",
            preload=[_PRELOAD],
        )
    except (RuntimeError, OSError, TimeoutError) as error:
        raise StopError(
            f"Dask cannot start {jobs} workers on this machine: {error}",
            "check the free memory and the process limit (`ulimit -u`), or use --engine local",
        ) from error


def _connected(scheduler: str) -> Any:
    """Return the client of a scheduler.

    Raises:
        StopError: it cannot be reached, or has no worker.

    """
    try:
        client = _distributed().Client(scheduler, timeout=_CONNECT)
    except (OSError, ValueError, TimeoutError) as error:
        raise StopError(
            f"cannot reach the Dask scheduler at {scheduler}: {error}",
            "check the address, such as tcp://10.0.0.1:8786, and that `dask scheduler` runs there",
        ) from error
    try:
        client.wait_for_workers(1, timeout=_WORKERS)
    except TimeoutError as error:
        client.close()
        raise StopError(
            f"the Dask scheduler at {scheduler} has no worker",
            f"start one on each machine: dask worker {scheduler} --nthreads 1",
        ) from error
    return client


class DaskEngine:
    """Runs tasks on the workers of a Dask scheduler that have the same code as this process."""

    def __init__(self, client: Any, replace_workers: Callable[[], object] = lambda: None) -> None:
        """Check the workers. `replace_workers` starts workers in place of those that Dask has given up.

        Raises:
            StopError: a worker has other code.

        """
        self.retried = 0
        self._client = client
        self._replace_workers = replace_workers
        self._code = code_version()
        self._check_workers(client.run(code_version, on_error="return"))
        self.workers = max(1, sum(client.nthreads().values()))
        self._refused: set[str] = set()
        self._refusal = StopError("no worker is left")
        self._lost = Counter[str]()
        self._started: set[str] = set()
        client.subscribe_topic(_STARTED, self._count)

    def results(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield the tasks with their results, in the order in which they are done.

        Raises:
            StopError: a task has lost its workers too often, no worker has the right code, or the scheduler is lost.

        """
        source = iter(tasks)
        running: dict[Any, Task] = {}
        for task in itertools.islice(source, 2 * self.workers):
            running[self._submit(task, careful=False)] = task
        while running:
            for future in self._ended(running):
                task = running.pop(future)
                found = self._found(task, future)
                if found is None:
                    running[self._submit(task, careful=self._lost[str(task)] > 0)] = task
                    continue
                if (following := next(source, None)) is not None:
                    running[self._submit(following, careful=False)] = following
                yield task, found

    def _ended(self, futures: Iterable[Any]) -> list[Any]:
        """Wait until at least one task has ended; return the futures of those that have.

        Raises:
            StopError: no worker is left.

        """
        empty = 0
        while True:
            try:
                ended = _distributed().wait(list(futures), timeout=_TIMEOUT, return_when="FIRST_COMPLETED")
                return list(ended.done)
            except TimeoutError:
                empty = 0 if self._client.nthreads() else empty + 1
                if empty > _MOST_EMPTY:
                    raise StopError(
                        "the Dask scheduler has no worker left", "start workers, then run the command again"
                    ) from None
                self._replace_workers()  # a worker that is killed while it starts is not started again by Dask

    def _submit(self, task: Task, *, careful: bool) -> Any:
        chosen = None
        if self._refused:
            chosen = [worker for worker in self._client.nthreads() if worker not in self._refused]
            if not chosen:
                raise self._refusal
        return self._client.submit(_on_worker, task, careful=careful, pure=False, workers=chosen)

    def _found(self, task: Task, future: Any) -> Result | None:
        """Return the result of a task that has ended; None if it has to be started again.

        Raises:
            StopError: it has lost its workers too often, or no worker can run it.

        """
        try:
            answer, worker = future.result()
        except _distributed().KilledWorker as error:
            self._lost[str(task)] += 1
            if self._lost[str(task)] > MOST_LOST:
                raise lost(task, self._lost[str(task)]) from error
            return None
        except (ImportError, AttributeError) as error:  # it cannot import the function that runs a task
            raise _without_code("a worker", error) from error
        except (CancelledError, OSError) as error:  # `run_task` returns its own errors as values
            raise StopError(
                "the connection to the Dask scheduler was lost", "start the scheduler, then run the command again"
            ) from error
        if not isinstance(answer, OtherCode):
            return cast("Result", answer)
        self._refused.add(worker)
        self._refusal = stop_for(answer, self._code, f"the worker {worker}")
        return None

    def _check_workers(self, versions: Mapping[str, object]) -> None:
        for worker, found in versions.items():
            if isinstance(found, Exception):
                raise _without_code(f"the worker {worker}", found)
            if found != self._code:
                assert isinstance(found, CodeVersion)
                raise stop_for(OtherCode(found), self._code, f"the worker {worker}")

    def _count(self, event: tuple[object, str]) -> None:
        """Count the tasks that workers have started; each one after the first start of a task replaces a lost one."""
        name = event[1]
        self.retried += name in self._started
        self._started.add(name)


def _on_worker(task: Task, *, careful: bool) -> tuple[Result, str]:
    """Run a task; return the result, and the address of the worker."""
    worker = _distributed().get_worker()
    worker.log_event(_STARTED, str(task))
    return run_task(task, careful=careful), str(worker.address)


def _without_code(worker: str, error: Exception) -> StopError:
    return StopError(
        f"{worker} cannot run this program: {type(error).__name__}: {error}",
        "install the same version of vna-archive on all machines, and restart the workers",
    )
