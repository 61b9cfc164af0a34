"""Looks at the service's health: troubles become incidents, incidents become messages.

Boundary: order; what is red, what is an incident and what is told are `policy`'s to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from crawler import app, logs
from crawler.config import Config
from crawler.daemon.alert_delivery import Telling
from crawler.daemon.metrics import CONTENT_TYPE, Metrics
from crawler.errors import StopError, StorageError
from crawler.health import incidents
from crawler.health.checks import Condition, Facts, Limits, conditions
from crawler.storage import Archive
from crawler.storage.disk import free_bytes

_JOB = "alerts"
_log = logs.logger("watch")


class Watch:
    """Judges the service; `silent` says for how many seconds the worker has shown no life, `trouble` why it waits."""

    def __init__(
        self,
        config: Config,
        now: Callable[[], datetime],
        silent: Callable[[], float],
        settled: timedelta,
        trouble: Callable[[], StopError | None] = lambda: None,
    ) -> None:
        self.config = config
        self._now = now
        self._silent = silent
        self._settled = settled
        self._trouble = trouble
        self._said = ""
        self.red: tuple[str, ...] = ()  # kinds of trouble at the last look
        self._started_at = now()
        self._telling = Telling()
        with app.reading_archive(config.archive) as archive:
            self._metrics = Metrics(archive.last_fetch())

    def conditions(self) -> tuple[Condition, ...]:
        """Judge the service as it is at this moment."""
        try:
            with app.reading_archive(self.config.archive) as archive:
                return self._judged(self._facts(archive))
        except StorageError as error:
            return _unusable(error)

    def metrics(self) -> tuple[int, str, bytes]:
        """Write the figures for a monitor."""
        try:
            with app.reading_archive(self.config.archive) as archive:
                facts = self._facts(archive)
                page = self._metrics.page(archive, facts, self._limits(), self._judged(facts))
        except StorageError as error:
            page = self._metrics.page_without_rows(self._silent(), _unusable(error))
        return HTTPStatus.OK, CONTENT_TYPE, page

    def look(self) -> None:
        """Write what began and what is over, and tell of it; while the archive cannot be written, the next look will."""
        try:
            self._look()
            self._said = ""
        except StorageError as error:
            self.red = ("archive",)
            if str(error) != self._said:  # once, and not at each look while it lasts
                _log.warning("%s; %s", error, error.hint)
            self._said = str(error)

    def _look(self) -> None:
        with app.writing_archive(self.config.archive) as archive:
            now = self._now()
            judged = self._judged(self._facts(archive))
            self.red = tuple(dict.fromkeys(condition.kind for condition in judged if condition.red))
            found = incidents.changes(judged, archive.open_incidents(), now, self._settled)
            archive.save_incidents(found, now)
            for condition in found.opened:  # once they stand on rows: else each look would say them again
                _log.warning("%s %s: %s", condition.kind, condition.subject, condition.says)
            if self.config.alerts:
                self._tell(archive, now)

    def _facts(self, archive: Archive) -> Facts:
        facts = archive.health_facts(self._now(), self._started_at)
        return replace(facts, free=free_bytes(self.config.archive), silent=self._silent())

    def _judged(self, facts: Facts) -> tuple[Condition, ...]:
        trouble = self._trouble()
        return (*(_unusable(trouble) if trouble else ()), *conditions(facts, self._limits()))

    def _limits(self) -> Limits:
        return Limits(self.config.gap_hours, self.config.drift_share, self.config.reserve)

    def _tell(self, archive: Archive, now: datetime) -> None:
        """Send one message of all that was not told; it stands on the rows when every address took it."""
        untold = archive.untold_incidents()
        message = incidents.message(untold, now)
        if message is None:
            return
        told = self._telling.tell(self.config.alerts, untold, now)
        if told.refused:
            archive.begin_job(_JOB, now)
            archive.end_job(_JOB, "failed", self._now(), None, "; ".join(map(str, told.refused)))
            _log.warning("%s; %s", "; ".join(map(str, told.refused)), told.refused[0].hint)
        if told.everybody:
            archive.begin_job(_JOB, now)
            archive.save_told(message, now)
            archive.end_job(_JOB, "ok", self._now(), None, message.title)
            _log.info("told: %s", message.title)


def _unusable(error: StopError) -> tuple[Condition, ...]:
    """Judge an archive that cannot be read, of which nothing else can be said, or not be written."""
    return (Condition("archive", "", red=True, says=str(error), do=error.hint),)
