"""A month of watching: 30 simulated days of a site that publishes 45 articles a day, on a real socket.

One clock is shared by the crawler and the site; it moves when somebody waits. Checking known articles again is most of
the work, and all of them are checked alike: by default every 100th article is, and the count is multiplied.
`--days N` makes it shorter, `--sample 1` checks all.
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
from crawler import app, config, pipeline
from crawler.pipeline import Context, Silent
from crawler.sim.site import Options, build, serve

BEGIN = datetime(2026, 10, 26, 17, tzinfo=UTC)  # midnight in Hanoi, a Tuesday
NAIVE = timedelta(minutes=15)
AFTER = timedelta(hours=2)  # for what was published in the last minutes
_ID = re.compile(r"-post(\d+)\.vnp$")


@dataclass
class SharedClock:
    """The clock of crawler and site: it moves when somebody waits."""

    time: datetime = BEGIN

    def now(self) -> datetime:
        """Give the instant."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        self.time += timedelta(seconds=max(0.0, seconds))


def watch(work: Context, clock: SharedClock, until: datetime, sample: int) -> None:
    """Tick as the service does: whenever something is due. Of the articles that are held, a sample stays due."""
    while clock.now() < until:
        pipeline.poll(work)
        with work.archive.transaction():
            work.archive.db.execute(
                "UPDATE pages SET next_due_at = NULL WHERE next_due_at NOT NULL AND state = 'live' AND id % ? <> 0",
                [sample],
            )
        clock.time = max(work.archive.next_due() or until, clock.time + timedelta(seconds=1))


@dataclass(frozen=True)
class Request:
    """One line of the log of requests."""

    at: datetime
    page: int | None  # post id of an article
    size: int


def requests(work: Context, since: datetime) -> list[Request]:
    """Read the log."""
    found = []
    for row in work.archive.db.query("SELECT url, at, size FROM fetches ORDER BY id"):
        at = datetime.fromisoformat(row["at"])
        match = _ID.search(row["url"])
        if at >= since:
            found.append(Request(at, int(match[1]) if match else None, row["size"]))
    return found


def delays(log: list[Request], published: dict[int, datetime]) -> list[float]:
    """Give the minutes from each publication to the first fetch."""
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
    days, sample = (asked := parser.parse_args()).days, asked.sample
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
        pipeline.poll(work)
        begin = clock.now()
        published = site.replica.plan(begin + timedelta(days=days))
        watch(work, clock, begin + timedelta(days=days) + AFTER, sample)
        report(work, published, begin, days, sample)
        nothing_new(work, clock)
    print(f"processor time               {time.process_time() - start:.0f} s, the site's own work included")


def report(work: Context, published: dict[int, datetime], begin: datetime, days: int, sample: int) -> None:
    """Print what was archived and what it cost."""
    log = requests(work, begin)
    held = {row["id"] for row in work.archive.db.query("SELECT id FROM articles")}
    twice = work.archive.db.execute("SELECT count(*) FROM duplicates").fetchone()[0]
    revised = work.archive.db.execute("SELECT count(*) FROM articles WHERE revision > 1").fetchone()[0]
    late = delays(log, published)
    print(f"{days} days, {len(published)} articles published, {len(published) / days:.1f} a day")
    print(f"archived exactly once        {len(held & set(published))} of {len(published)}, {twice} duplicates,"
          f" {revised} false revisions, {len(set(published) - held)} missing")  # fmt: skip
    print(f"delay from publication       median {statistics.median(late):.1f} min,"
          f" p95 {late[int(len(late) * 0.95)]:.1f} min, longest {late[-1]:.0f} min")  # fmt: skip
    fetched = Counter(r.page for r in log if r.page is not None)
    lists = [r for r in log if r.page is None]
    first = sum(1 for i in fetched if i in published)
    again = sum(times - (i in published) for i, times in fetched.items() if i % sample == 0) * sample
    n = len(published)
    print(f"requests per new article     lists {len(lists) / n:.2f}, pages {first / n:.2f}, rechecks {again / n:.2f}")
    print(
        f"  lists                      {len(lists) / days:.0f} a day, {sum(r.size for r in lists) / days / 1e6:.2f} MB a day"
    )
    counted = "all of them made" if sample == 1 else f"those of every {sample}th article made, times {sample}"
    print(f"  rechecks                   {again / days:.0f} a day ({counted})")
    sources = work.archive.db.execute("SELECT count(*) FROM sources WHERE next_due_at IS NOT NULL").fetchone()[0]
    naive = sources * timedelta(days=1) / NAIVE
    print(
        f"  every source every 15 min  {naive:.0f} a day would be {naive * days / n:.1f} per new article ({sources} sources)"
    )
    kinds = work.archive.db.query(
        """SELECT s.kind, count(*) AS n, count(DISTINCT s.url) AS urls FROM fetches f JOIN sources s ON s.url = f.url
           GROUP BY s.kind ORDER BY n DESC"""
    )
    for row in kinds:
        print(f"    {row['kind']:14} {row['urls']:3} sources, {row['n'] / days:6.1f} requests a day")


def nothing_new(work: Context, clock: SharedClock) -> None:
    """Print what a poll costs at the next moment when a source is due and the site has nothing new."""
    (due,) = work.archive.db.execute("SELECT min(next_due_at) FROM sources WHERE state <> 'excluded'").fetchone()
    clock.time = max(datetime.fromisoformat(due), clock.time)
    before = (work.report.requests, work.report.bytes)
    with work.archive.transaction():
        work.archive.db.execute("UPDATE pages SET next_due_at = NULL WHERE next_due_at <= ?", [due])
    pipeline.poll(work)
    print(f"a poll with nothing new      {work.report.requests - before[0]} requests,"
          f" {(work.report.bytes - before[1]) / 1000:.1f} kB")  # fmt: skip
