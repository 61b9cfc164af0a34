"""Figures for a monitor, in the Prometheus text format, read from the rows at each scrape.

Instants are given as such, and not how long ago they were: whoever asks has a clock (https://prometheus.io/docs/practices).

Boundary: names and types of the figures; nothing is kept but the counts of requests since the service began.
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

from crawler.health.checks import Condition, Facts, Limits
from crawler.storage import Archive
from crawler.storage.health import Figures

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.1, 0.3, 1, 3, 10, 30)


class Metrics:
    """The figures of one service, in a registry of their own; requests are counted from the one after `since` on."""

    def __init__(self, since: int) -> None:
        self._last = since
        self._lock = threading.Lock()  # scrapes come in threads of their own
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each began is when the process did
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter("vna_requests", "Requests since the service began.", ["status"], registry=registry)
        self._bytes = Counter("vna_received_bytes", "Bytes received since the service began.", registry=registry)
        self._seconds = Histogram("vna_fetch_seconds", "Seconds of a request.", buckets=_BUCKETS, registry=registry)
        ProcessCollector(registry=registry)
        self._rows = _Rows()
        registry.register(self._rows)

    def page(self, archive: Archive, facts: Facts, limits: Limits, judged: Sequence[Condition]) -> bytes:
        """Write all figures as they are now."""
        with self._lock:
            for row in archive.requests_after(self._last):
                self._last = row.id
                self._requests.labels(str(row.status or "none")).inc()
                self._bytes.inc(row.size)
                self._seconds.observe(row.seconds)
            self._rows.now = _families(archive.figures(), facts, limits, judged)
            return generate_latest(self._registry)

    def page_without_rows(self, silent: float, judged: Sequence[Condition]) -> bytes:
        """Write what is known while the archive cannot be read."""
        with self._lock:
            self._rows.now = (_troubles(judged), _silent(silent))
            return generate_latest(self._registry)


class _Rows(Collector):
    """What was read from the rows for this scrape."""

    now: Sequence[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        """Give it to the library."""
        return self.now


def _families(figures: Figures, facts: Facts, limits: Limits, judged: Sequence[Condition]) -> list[Metric]:
    good = [source.last_ok_at.timestamp() for source in facts.sources if source.last_ok_at is not None]
    newest = [max(good)] if good else []
    return [
        _troubles(judged),
        _by("vna_articles", "Articles by state.", "state", figures.articles),
        _by("vna_pages", "Article pages by state.", "state", figures.pages),
        _by("vna_sources", "Sources by state.", "state", figures.sources),
        _by("vna_job_failures", "Failures of a job in a row.", "job", {j.name: j.failures for j in facts.jobs}),
        GaugeMetricFamily("vna_gaps_open", "Gaps that are open.", len(facts.gaps)),
        GaugeMetricFamily("vna_incidents_open", "Incidents that are open.", figures.incidents),
        *(GaugeMetricFamily("vna_last_good_poll_timestamp_seconds", "The last good poll.", at) for at in newest),
        GaugeMetricFamily("vna_pages_failing", "Pages of a day that failed again and again.", facts.pages_failing),
        GaugeMetricFamily("vna_drift_ratio", "Share of a day's pages whose markup is not known.", facts.drift),
        _silent(facts.silent),
        GaugeMetricFamily("vna_disk_free_bytes", "Bytes free where the archive is.", facts.free),
        GaugeMetricFamily("vna_disk_reserve_bytes", "Bytes that are to stay free.", limits.reserve),
    ]


def _troubles(judged: Sequence[Condition]) -> Metric:
    kinds = {"archive": 0} | {condition.kind: 0 for condition in judged} | {c.kind: 1 for c in judged if c.red}
    return _by("vna_trouble", "1 where a kind of condition is red.", "kind", kinds)


def _silent(seconds: float) -> Metric:
    return GaugeMetricFamily("vna_worker_silent_seconds", "Seconds since the worker's last sign of life.", seconds)


def _by(name: str, words: str, label: str, counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
