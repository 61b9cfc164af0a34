"""What the service does at each step of a job: a heartbeat, a message in the log, and the release of memory at every tenth.

Boundary: receives the progress of the runs of the service.
"""

from __future__ import annotations

import logging

from crawler import logs
from crawler.daemon import memory
from crawler.daemon.watchdog import WatchdogClock
from crawler.outcome import Outcome
from crawler.pipeline import Run

_STEPS_PER_RELEASE = 10  # steps of a job, such as pages; otherwise, the first poll would need more memory from then on

_log = logs.logger("worker")


class JobProgress:
    """Receives the progress of the job that `run` does, or of the work before the first job if `run` is None."""

    def __init__(self, clock: WatchdogClock, run: Run | None = None) -> None:
        self._clock = clock
        self._run = run
        self._steps = 0

    def phase(self, name: str, total: int) -> None:
        """Log the start of a phase and the number of its steps."""
        _log.debug("%s: %s due", name, total)

    def step(self, outcome: Outcome) -> None:
        """Count a heartbeat, log the outcome, and release memory after every tenth step."""
        self._clock.beat()
        self._steps += 1
        if self._steps % _STEPS_PER_RELEASE == 0:
            memory.release_free_memory()
        _log_outcome(outcome, self._run.id if self._run is not None else None)


def _log_outcome(outcome: Outcome, run_id: int | None) -> None:
    """Log an outcome with the id of the run and the address; a routine one, such as `unchanged`, at debug level."""
    with logs.bound(run_id, outcome.url):
        _log.log(logging.DEBUG if outcome.kind.is_routine else logging.INFO, "%s", outcome)
