"""A month of polling: 30 simulated days of a site that publishes 45 articles per day, on a real socket.

Crawler and site share one clock, which advances when one of them waits. Most of the work is to recheck known articles,
and all rechecks cost the same: by default only every 100th article is rechecked, and the count is multiplied by 100.
`--days N` shortens the run, `--sample 1` rechecks all articles.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.poll import SEEDS
from crawler import app, collect, config
from crawler.pipeline import Run, Silent
from crawler.sim.site import Options, build, serve

BEGIN = datetime(2026, 10, 26, 17, tzinfo=UTC)  # midnight in Hanoi, a Tuesday
FIXED_INTERVAL = timedelta(minutes=15)
EXTRA_TIME = timedelta(hours=2)  # at the end, for the articles of the last minutes
_ID = re.compile(r"-post(\d+)\.vnp$")


@dataclass
class SharedClock:
    """The clock of crawler and site: it advances when one of them waits."""

    time: datetime = BEGIN

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.time += timedelta(seconds=max(0.0, seconds))


def watch(work: Run, clock: SharedClock, until: datetime, sample: int) -> None:
    """Poll whenever something is due, as the service does. Only a sample of the held articles stays due."""
    while clock.now() < until:
        collect.poll(work)
        with work.archive.transaction():
            work.archive.db.execute(
                "UPDATE pages SET next_due_at = NULL WHERE next_due_at NOT NULL AND state = 'live' AND id % ? <> 0",
                [sample],
            )
        clock.time = max(work.archive.next_due() or until, clock.time + timedelta(seconds=1))


@dataclass(frozen=True)
class LoggedRequest:
    """One row of the request log."""

    at: datetime
    page: int | None  # post id of an article
    size: int


def requests(work: Run, since: datetime) -> list[LoggedRequest]:
    """Return the requests since a given time."""
    found = []
    for row in work.archive.db.query("SELECT url, at, size FROM fetches ORDER BY id"):
        at = datetime.fromisoformat(row["at"])
        match = _ID.search(row["url"])
        if at >= since:
            found.append(LoggedRequest(at, int(match[1]) if match else None, row["size"]))
    return found


def delays(log: list[LoggedRequest], published: dict[int, datetime]) -> list[float]:
    """Return the minutes from publication to first fetch, sorted, for the articles that were fetched."""
    first: dict[int, datetime] = {}
    for request in log:
        if request.page is not None:
            first.setdefault(request.page, request.at)
    return sorted((first[i] - published[i]).total_seconds() / 60 for i in published if i in first)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sample", type=int, default=100)
    days, sample = (arguments := parser.parse_args()).days, arguments.sample
    clock, start = SharedClock(), time.process_time()
    options = Options(era=3, overlap=4)
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=120, now=clock.now, options=options)) as site,
        tempfile.TemporaryDirectory() as folder,
        app.working(
            config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=1)),
            "bench",
            Silent(),
            clock=clock,
        ) as work,
    ):
        collect.poll(work)
        begin = clock.now()
        published = site.fake_site.plan(begin + timedelta(days=days))
        watch(work, clock, begin + timedelta(days=days) + EXTRA_TIME, sample)
        report(work, published, begin, days, sample)
        nothing_new(work, clock)
    print(f"CPU time                     {time.process_time() - start:.0f} s, including the fake site")


def report(work: Run, published: dict[int, datetime], begin: datetime, days: int, sample: int) -> None:
    """Print what was archived and how many requests it took."""
    log = requests(work, begin)
    held = {row["id"] for row in work.archive.db.query("SELECT id FROM articles")}
    duplicates = work.archive.db.execute("SELECT count(*) FROM duplicates").fetchone()[0]
    revised = work.archive.db.execute("SELECT count(*) FROM articles WHERE revision > 1").fetchone()[0]
    delay = delays(log, published)
    print(f"{days} days, {len(published)} articles published, {len(published) / days:.1f} per day")
    print(f"archived exactly once        {len(held & set(published))} of {len(published)}, {duplicates} duplicates,"
          f" {revised} false revisions, {len(set(published) - held)} missing")  # fmt: skip
    print(f"delay from publication       median {statistics.median(delay):.1f} min,"
          f" p95 {delay[int(len(delay) * 0.95)]:.1f} min, longest {delay[-1]:.0f} min")  # fmt: skip
    fetched = Counter(r.page for r in log if r.page is not None)
    lists = [r for r in log if r.page is None]
    first = sum(1 for i in fetched if i in published)
    rechecks = sum(times - (i in published) for i, times in fetched.items() if i % sample == 0) * sample
    n = len(published)
    print(
        f"requests per new article     lists {len(lists) / n:.2f}, pages {first / n:.2f}, rechecks {rechecks / n:.2f}"
    )
    print(
        f"  lists                      {len(lists) / days:.0f} per day, {sum(r.size for r in lists) / days / 1e6:.2f} MB per day"
    )
    counted = "all articles" if sample == 1 else f"every {sample}th article, times {sample}"
    print(f"  rechecks                   {rechecks / days:.0f} per day ({counted})")
    sources = work.archive.db.execute("SELECT count(*) FROM sources WHERE next_due_at IS NOT NULL").fetchone()[0]
    fixed = sources * timedelta(days=1) / FIXED_INTERVAL
    print(
        f"  every source every 15 min  {fixed:.0f} per day would be {fixed * days / n:.1f} per new article ({sources} sources)"
    )
    kinds = work.archive.db.query(
        """SELECT s.kind, count(*) AS n, count(DISTINCT s.url) AS urls FROM fetches f JOIN sources s ON s.url = f.url
           GROUP BY s.kind ORDER BY n DESC"""
    )
    for row in kinds:
        print(f"    {row['kind']:14} {row['urls']:3} sources, {row['n'] / days:6.1f} requests per day")


def nothing_new(work: Run, clock: SharedClock) -> None:
    """Print the requests of a poll at the next due time of a source, when the site has nothing new."""
    (due,) = work.archive.db.execute("SELECT min(next_due_at) FROM sources WHERE state <> 'excluded'").fetchone()
    clock.time = max(datetime.fromisoformat(due), clock.time)
    before = (work.report.requests, work.report.bytes)
    with work.archive.transaction():
        work.archive.db.execute("UPDATE pages SET next_due_at = NULL WHERE next_due_at <= ?", [due])
    collect.poll(work)
    print(f"a poll with nothing new      {work.report.requests - before[0]} requests,"
          f" {(work.report.bytes - before[1]) / 1000:.1f} kB")  # fmt: skip
