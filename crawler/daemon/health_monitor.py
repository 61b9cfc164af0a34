"""Health monitoring: turns failing conditions into incidents, and incidents into alerts.

Boundary: calls the checks in order; `health` decides what is failing, what is an incident and what is reported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from crawler import logs, opening
from crawler.config import Config
from crawler.daemon.alert_delivery import AlertDelivery
from crawler.errors import StopError, StorageError
from crawler.health import incidents
from crawler.health.checks import HealthLimits, conditions
from crawler.health.disk import growth
from crawler.health.figures import Condition, Facts
from crawler.storage import Archive
from crawler.storage.disk import free_bytes

if TYPE_CHECKING:
    from crawler.daemon.metrics import Metrics

_JOB = "alerts"
_log = logs.logger("watch")


class HealthMonitor:
    """Checks the health of the service.

    `silent` returns the seconds since the worker's last heartbeat. `archive_error` returns the error that prevents the
    worker from using the archive now, or None. An incident ends when its condition has not failed for `resolve_after`.
    `failing` lists the kinds of the conditions that failed at the last check.
    """

    def __init__(
        self,
        config: Config,
        now: Callable[[], datetime],
        silent: Callable[[], float],
        resolve_after: timedelta,
        archive_error: Callable[[], StopError | None] = lambda: None,
    ) -> None:
        self.config = config
        self._now = now
        self._silent = silent
        self._resolve_after = resolve_after
        self._archive_error = archive_error
        self._logged = ""  # the last error in the log, so that it is not repeated at each check
        self.failing: tuple[str, ...] = ()
        self._started_at = now()
        self._delivery = AlertDelivery()
        self._metrics: Metrics | None = None  # until the first scrape
        self._first_scrape = threading.Lock()  # each scrape runs in its own thread
        with opening.reading_archive(config.archive) as archive:
            self._earlier_requests = archive.newest_request_id()

    def conditions(self) -> tuple[Condition, ...]:
        """Return the current conditions."""
        try:
            with opening.reading_archive(self.config.archive) as archive:
                return self._conditions(self._facts(archive))
        except StorageError as error:
            return _unusable(error)

    def metrics(self) -> tuple[int, str, bytes]:
        """Return the /metrics response. If the archive cannot be read, omit the metrics computed from rows.

        The first call imports the library of Prometheus: it takes 1 MB, and many installations never need it.
        """
        from crawler.daemon.metrics import CONTENT_TYPE, Metrics  # noqa: PLC0415 - see above

        with self._first_scrape:
            metrics = self._metrics = self._metrics or Metrics(self._earlier_requests)
        try:
            with opening.reading_archive(self.config.archive) as archive:
                facts = self._facts(archive)
                page = metrics.page(archive, facts, self._limits(), self._conditions(facts))
        except StorageError as error:
            page = metrics.page_without_rows(self._silent(), _unusable(error))
        return HTTPStatus.OK, CONTENT_TYPE, page

    def check(self) -> None:
        """Record the incidents that began or ended, and send alerts.

        If the archive cannot be written, log the error; the next call tries again.
        """
        try:
            self._check()
            self._logged = ""
        except StorageError as error:
            self.failing = ("archive",)
            if str(error) != self._logged:
                _log.warning("%s; %s", error, error.hint)
            self._logged = str(error)

    def _check(self) -> None:
        with opening.writing_archive(self.config.archive) as archive:
            now = self._now()
            found = self._conditions(self._facts(archive))
            self.failing = tuple(dict.fromkeys(condition.kind for condition in found if condition.failing))
            changes = incidents.find_changes(found, archive.open_incidents(), now, self._resolve_after)
            archive.save_incidents(changes, now)
            for condition in changes.opened:  # after saving: if saving fails, the next check would log them again
                _log.warning("%s %s: %s", condition.kind, condition.subject, condition.message)
            if self.config.alerts:
                self._send_alerts(archive, now)

    def _facts(self, archive: Archive) -> Facts:
        facts = archive.health_facts(self._now(), self._started_at)
        return replace(
            facts,
            growth=growth(archive.sizes()) or 0.0,
            free=free_bytes(self.config.archive),
            silent=self._silent(),
        )

    def _conditions(self, facts: Facts) -> tuple[Condition, ...]:
        error = self._archive_error()
        return (*(_unusable(error) if error else ()), *conditions(facts, self._limits()))

    def _limits(self) -> HealthLimits:
        return HealthLimits(self.config.gap_hours, self.config.drift_share, self.config.reserve)

    def _send_alerts(self, archive: Archive, now: datetime) -> None:
        """Send each address one message about all incidents that it has not received.

        Mark the incidents as reported once every address has received them.
        """
        unreported = archive.unreported_incidents()
        message = incidents.compose_message(unreported, now)
        if message is None:
            return
        delivery = self._delivery.deliver(self.config.alerts, unreported, now)
        if delivery.errors:
            errors = "; ".join(map(str, delivery.errors))
            archive.begin_job(_JOB, now)
            archive.end_job(_JOB, "failed", self._now(), None, errors)
            _log.warning("%s; %s", errors, delivery.errors[0].hint)
        if delivery.complete:
            archive.begin_job(_JOB, now)
            archive.save_reported(message, now)
            archive.end_job(_JOB, "ok", self._now(), None, message.title)
            _log.info("alert sent: %s", message.title)


def _unusable(error: StopError) -> tuple[Condition, ...]:
    """Return the failing condition for an archive that cannot be read or written because of `error`."""
    return (Condition("archive", "", failing=True, message=str(error), action=error.hint),)
