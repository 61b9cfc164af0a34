"""Metrics in the Prometheus text format, computed from the database at each request for /metrics.

Points in time are exported as timestamps, not as ages (https://prometheus.io/docs/practices/instrumentation).

Boundary: names and types of the metrics. No state is kept except the request counters since the start of the service.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from crawler import visible
from crawler.health.checks import HealthLimits
from crawler.health.figures import Condition, Facts
from crawler.storage import Archive
from crawler.storage.health import HealthFigures

CONTENT_TYPE = CONTENT_TYPE_LATEST
_LONGEST_LABEL = 100  # characters
_BUCKETS = (0.1, 0.3, 1, 3, 10, 30)


class Metrics:
    """The metrics of one service. Its request counters count the requests whose id is greater than `since`."""

    def __init__(self, since: int) -> None:
        self._last = since
        self._lock = threading.Lock()  # each scrape runs in its own thread
        disable_created_metrics()  # type: ignore[no-untyped-call]  # all equal to the start of the process
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter(
            "vna_requests", "HTTP requests to the site since the service started.", ["status"], registry=registry
        )
        self._bytes = Counter(
            "vna_received_bytes", "Bytes received from the site since the service started.", registry=registry
        )
        self._seconds = Histogram(
            "vna_fetch_seconds", "Duration of an HTTP request, in seconds.", buckets=_BUCKETS, registry=registry
        )
        ProcessCollector(registry=registry)
        self._rows = _RowCollector()
        registry.register(self._rows)

    def page(self, archive: Archive, facts: Facts, limits: HealthLimits, conditions: Sequence[Condition]) -> bytes:
        """Return the body of the /metrics response."""
        with self._lock:
            for row in archive.requests_after(self._last):
                self._last = row.id
                self._requests.labels(str(row.status or "none")).inc()
                self._bytes.inc(row.size)
                self._seconds.observe(row.seconds)
            self._rows.now = _families(archive.figures(), facts, limits, conditions)
            return generate_latest(self._registry)

    def page_without_rows(self, silent: float, conditions: Sequence[Condition]) -> bytes:
        """Return the body of the /metrics response with the metrics that are known while the archive cannot be read."""
        with self._lock:
            self._rows.now = (_failing(conditions), _silent(silent))
            return generate_latest(self._registry)


class _RowCollector(Collector):
    """Passes the metrics computed from rows (`now`) to the registry of the Prometheus library."""

    now: Sequence[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        """Return the metrics in `now`. The registry calls this."""
        return self.now


def _families(
    figures: HealthFigures, facts: Facts, limits: HealthLimits, conditions: Sequence[Condition]
) -> list[Metric]:
    good = [source.last_ok_at.timestamp() for source in facts.sources if source.last_ok_at is not None]
    newest = [max(good)] if good else []
    return [
        _failing(conditions),
        _by("vna_articles", "Number of articles, by state.", "state", figures.articles),
        _by("vna_pages", "Number of known article pages, by state.", "state", figures.pages),
        _by("vna_sources", "Number of sources, by state.", "state", figures.sources),
        _by("vna_job_failures", "Consecutive failures, by job.", "job", {j.name: j.failures for j in facts.jobs}),
        GaugeMetricFamily("vna_gaps_open", "Number of open gaps.", len(facts.gaps)),
        GaugeMetricFamily("vna_incidents_open", "Number of open incidents.", figures.incidents),
        *(
            GaugeMetricFamily(
                "vna_last_good_poll_timestamp_seconds", "Time of the last successful poll, in Unix seconds.", at
            )
            for at in newest
        ),
        GaugeMetricFamily(
            "vna_pages_failing",
            "Article pages requested in the last 24 hours that failed repeatedly.",
            facts.pages_failing,
        ),
        GaugeMetricFamily(
            "vna_drift_ratio",
            "Share of the article pages read in the last 24 hours whose layout is unknown, 0 to 1.",
            facts.drift,
        ),
        _silent(facts.silent),
        GaugeMetricFamily("vna_disk_free_bytes", "Free bytes on the disk of the archive.", facts.free),
        GaugeMetricFamily("vna_disk_reserve_bytes", "Free bytes at which fetching stops.", limits.reserve),
    ]


def _failing(conditions: Sequence[Condition]) -> Metric:
    kinds = (
        {"archive": 0} | {condition.kind: 0 for condition in conditions} | {c.kind: 1 for c in conditions if c.failing}
    )
    return _by("vna_trouble", "1 if a condition of this kind is failing, else 0.", "kind", kinds)


def _silent(seconds: float) -> Metric:
    return GaugeMetricFamily("vna_worker_silent_seconds", "Seconds since the worker's last heartbeat.", seconds)


def _by(name: str, help_text: str, label: str, counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value, count in counts.items():
        family.add_metric([visible.line(value, _LONGEST_LABEL)], count)
    return family
