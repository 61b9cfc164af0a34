"""Looks at the service's health: troubles become incidents, incidents become messages.

Boundary: order; what is red, what is an incident and what is told are `policy`'s to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from crawler import alerts, app, logs
from crawler.config import Config
from crawler.daemon.metrics import CONTENT_TYPE, Metrics
from crawler.errors import NotTold, StorageError
from crawler.policy import incidents
from crawler.policy.health import Condition, Facts, Limits, conditions
from crawler.storage import Archive
from crawler.storage.disk import free_bytes

_JOB = "alerts"
_log = logs.logger("watch")


class Watch:
    """Judges the service; `silent` says for how many seconds the worker has shown no life."""

    def __init__(
        self, config: Config, now: Callable[[], datetime], silent: Callable[[], float], settled: timedelta
    ) -> None:
        self.config = config
        self._now = now
        self._silent = silent
        self._settled = settled
        self._started_at = now()
        with app.reading_archive(config.archive) as archive:
            self._metrics = Metrics(archive.last_fetch())

    def conditions(self) -> tuple[Condition, ...]:
        """Judge the service as it is at this moment."""
        try:
            with app.reading_archive(self.config.archive) as archive:
                return self._judged(self._facts(archive))
        except StorageError as error:
            return (Condition("archive", "", red=True, says=str(error), do=error.hint),)

    def metrics(self) -> tuple[int, str, bytes]:
        """Write the figures for a monitor."""
        try:
            with app.reading_archive(self.config.archive) as archive:
                facts = self._facts(archive)
                return HTTPStatus.OK, CONTENT_TYPE, self._metrics.page(archive, facts, self._judged(facts))
        except StorageError as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", f"{error}\n".encode()

    def look(self) -> None:
        """Write what began and what is over, and tell of it; while the archive cannot be written, the next look will."""
        try:
            self._look()
        except StorageError as error:
            _log.warning("%s; %s", error, error.hint)

    def _look(self) -> None:
        with app.writing_archive(self.config.archive) as archive:
            now = self._now()
            found = incidents.changes(self._judged(self._facts(archive)), archive.open_incidents(), now, self._settled)
            for condition in found.opened:
                _log.warning("%s %s: %s", condition.kind, condition.subject, condition.says)
            archive.save_incidents(found, now)
            if self.config.alerts:
                self._tell(archive, now)

    def _facts(self, archive: Archive) -> Facts:
        facts = archive.health_facts(self._now(), self._started_at)
        return replace(facts, free=free_bytes(self.config.archive), silent=self._silent())

    def _judged(self, facts: Facts) -> tuple[Condition, ...]:
        return conditions(facts, Limits(self.config.gap_hours, self.config.drift_share, self.config.reserve))

    def _tell(self, archive: Archive, now: datetime) -> None:
        """Send one message of all that nobody was told; what cannot be sent is tried again at the next look."""
        message = incidents.message(archive.untold_incidents(), now)
        if message is None:
            return
        archive.begin_job(_JOB, now)
        try:
            alerts.send(self.config.alerts, message.title, message.body)
        except NotTold as error:
            archive.end_job(_JOB, "failed", self._now(), None, str(error))
            _log.warning("%s; %s", error, error.hint)
            return
        archive.save_told(message, now)
        archive.end_job(_JOB, "ok", self._now(), None, message.title)
        _log.info("told: %s", message.title)
