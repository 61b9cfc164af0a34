"""A month of polling: 30 simulated days of a site that publishes 45 articles per day, on a real socket.

Crawler and site share one clock, which advances when one of them waits. Most of the work is to recheck known articles,
and all rechecks cost the same: by default only every 20th article is rechecked, and the count is multiplied by 20.
`--days N` shortens the run, `--sample 1` rechecks all articles, `--seed N` simulates another site. `--curve` shows what
early news costs: the delay and the list requests for several values of `[poll] articles_per_poll` and for three sites,
without rechecks and without the first days. `--only-in-section N`: no list but that of its section names every Nth article;
with `--sample 1`, because most of them are found on the pages of other articles, which list the newest of their section.

Editors change some of the rechecked articles (`--edited SHARE`, 0 for none). How long after publication is not known of
the real site, so it is assumed: half of the edits within 3 hours, nine of ten within a day, the last after 25 days. Three
of ten are silent: no list shows a new modification time.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.poll import SEEDS
from crawler import app, collect, config
from crawler.pipeline import Run, Silent
from crawler.sim.site import FakeSite, Options, build, serve

BEGIN = datetime(2026, 10, 26, 17, tzinfo=UTC)  # midnight in Hanoi, a Tuesday
_MEMORY = Path("/dev/shm")  # each response is synced, which would measure the disk
FIXED_INTERVAL = timedelta(minutes=15)
CURVE = (0.5, 1, 2, 4)  # articles per poll
CURVE_SEEDS = (0, 1, 2)
LEARNING = timedelta(days=4)  # during which sources are polled more often; not in the curve
NO_RECHECKS = 10**9  # a sample that contains no article
EXTRA_TIME = timedelta(hours=8)  # at the end, for the articles of the last evening
_EDIT_AGES = ((0.1, 3.0), (3.0, 24.0), (24.0, 168.0), (168.0, 600.0))  # hours after publication
_EDIT_WEIGHTS = (50, 40, 7, 3)
_SILENT = 0.3  # share of the edits
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


@dataclass(frozen=True, order=True)
class Edit:
    """One edit of an article. `silent`: no list shows a new modification time."""

    at: datetime
    post_id: int
    silent: bool


def plan_edits(published: dict[int, datetime], share: float, sample: int) -> list[Edit]:
    """Return the edits of a share of the rechecked articles, in order of time."""
    edits = []
    for post_id, at in published.items():
        rng = random.Random(post_id)
        if post_id % sample or rng.random() >= share:
            continue
        for _ in range(rng.choice((1, 1, 2, 3))):
            shortest, longest = rng.choices(_EDIT_AGES, _EDIT_WEIGHTS)[0]
            hours = shortest * (longest / shortest) ** rng.random()
            edits.append(Edit(at + timedelta(hours=hours), post_id, rng.random() < _SILENT))
    return sorted(edits)


def watch(work: Run, clock: SharedClock, until: datetime, sample: int, edits: list[Edit], site: FakeSite) -> None:
    """Poll whenever something is due, as the service does. Only a sample of the held articles stays due."""
    remaining = list(reversed(edits))
    while clock.now() < until:
        collect.poll(work)
        with work.archive.transaction():
            work.archive.db.execute(
                "UPDATE pages SET next_due_at = NULL WHERE next_due_at NOT NULL AND state = 'live' AND id % ? <> 0",
                [sample],
            )
        following = max(work.archive.next_due() or until, clock.time + timedelta(seconds=1))
        while remaining and remaining[-1].at <= following:
            edit = remaining.pop()
            clock.time = max(clock.time, edit.at)
            site.ids()  # puts the stories online that are published by now
            site.revise(edit.post_id, text=f"Précision numéro {len(remaining)}.", silent=edit.silent)
        clock.time = max(clock.time, following)


@dataclass(frozen=True)
class LoggedRequest:
    """One row of the request log."""

    at: datetime
    page: int | None  # post id of an article
    size: int
    is_further: bool  # a further page of a list


def requests(work: Run, since: datetime) -> list[LoggedRequest]:
    """Return the requests since a given time."""
    found = []
    sources = {row["url"] for row in work.archive.db.query("SELECT url FROM sources")}
    for row in work.archive.db.query("SELECT url, at, size FROM fetches ORDER BY id"):
        at = datetime.fromisoformat(row["at"])
        match = _ID.search(row["url"])
        if at >= since:
            further = match is None and row["url"] not in sources
            found.append(LoggedRequest(at, int(match[1]) if match else None, row["size"], further))
    return found


def delays(log: list[LoggedRequest], published: dict[int, datetime]) -> list[float]:
    """Return the minutes from publication to first fetch, sorted, for the articles that were fetched."""
    first: dict[int, datetime] = {}
    for request in log:
        if request.page is not None:
            first.setdefault(request.page, request.at)
    return sorted((first[i] - published[i]).total_seconds() / 60 for i in published if i in first)


def delay_text(delay: list[float]) -> str:
    """Return the median and the high percentiles of sorted delays in minutes."""
    p95 = delay[int(len(delay) * 0.95)]
    return f"median {statistics.median(delay):.1f} min, p95 {p95:.1f} min, longest {delay[-1]:.0f} min"


@contextmanager
def simulation(
    articles_per_poll: float | None, seed: int = 0, only_in_section: int = 0
) -> Iterator[tuple[Run, FakeSite, SharedClock]]:
    """Yield a run, the site and their clock, after the first poll."""
    clock, options = SharedClock(), Options(era=3, overlap=4, only_in_section=only_in_section)
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=120, seed=seed, now=clock.now, options=options)) as site,
        tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder,
    ):
        settings = config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=1))
        if articles_per_poll is not None:
            settings = replace(settings, articles_per_poll=articles_per_poll)
        with app.working(settings, "bench", Silent(), clock=clock) as work:
            collect.poll(work)
            yield work, site.fake_site, clock


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, help="default: 30, with --curve 10")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--edited", type=float, default=0.3, help="share of the rechecked articles that are edited")
    parser.add_argument("--articles-per-poll", type=float, help="instead of the default of `[poll] articles_per_poll`")
    parser.add_argument("--seed", type=int, default=0, help="of the site: other articles at other times")
    parser.add_argument("--only-in-section", type=int, default=0, metavar="N", help="every Nth article; default: none")
    parser.add_argument("--curve", action="store_true", help="print delay against requests for several such settings")
    arguments, start = parser.parse_args(), time.process_time()
    if arguments.curve:
        curve(arguments.days or 10)
    else:
        month(arguments)
    print(f"CPU time                     {time.process_time() - start:.0f} s, including the fake site")


def month(arguments: argparse.Namespace) -> None:
    """Simulate one month and print the report."""
    days, sample = arguments.days or 30, arguments.sample
    with simulation(arguments.articles_per_poll, arguments.seed, arguments.only_in_section) as (work, site, clock):
        begin = clock.now()
        until = begin + timedelta(days=days)
        published = site.plan(until)
        edits = [edit for edit in plan_edits(published, arguments.edited, sample) if edit.at < until]
        watch(work, clock, until + EXTRA_TIME, sample, edits, site)
        report(work, published, begin, days, sample, edits)
        if every := arguments.only_in_section:
            chosen = {i: at for i, at in published.items() if i % every == 0}
            print(f"only in a section            {delay_text(delays(requests(work, begin), chosen))}, of {len(chosen)}")
        nothing_new(work, clock)


def curve(days: int) -> None:
    """Print the delay and the requests for several values of `[poll] articles_per_poll`, without rechecks.

    The first four days are left out: sources are polled more often while their rates are not known.
    """
    print(f"days 5 to {days}              list requests       delay in minutes")
    print("articles per poll  seed  per new article   median    p95  longest  missing  gaps")
    for articles_per_poll, seed in itertools.product(CURVE, CURVE_SEEDS):
        with simulation(articles_per_poll, seed) as (work, site, clock):
            begin = clock.now()
            planned = site.plan(begin + timedelta(days=days))
            published = {i: at for i, at in planned.items() if at >= begin + LEARNING}
            watch(work, clock, begin + timedelta(days=days) + EXTRA_TIME, NO_RECHECKS, [], site)
            log = requests(work, begin + LEARNING)
            delay = delays(log, published)
            gaps = work.archive.db.execute("SELECT count(*) FROM gaps").fetchone()[0]
        lists = sum(r.page is None for r in log) / len(published)
        print(
            f"{articles_per_poll:17g} {seed:5} {lists:16.2f} {statistics.median(delay):8.1f} {delay[int(len(delay) * 0.95)]:6.1f}"
            f" {delay[-1]:8.0f} {len(published) - len(delay):8} {gaps:5}",
            flush=True,
        )


def report(
    work: Run, published: dict[int, datetime], begin: datetime, days: int, sample: int, edits: list[Edit]
) -> None:
    """Print what was archived and how many requests it took."""
    log = requests(work, begin)
    held = {row["id"] for row in work.archive.db.query("SELECT id FROM articles")}
    duplicates = work.archive.db.execute("SELECT count(*) FROM duplicates").fetchone()[0]
    edited = {edit.post_id for edit in edits}
    revised = sum(r["id"] not in edited for r in work.archive.db.query("SELECT id FROM articles WHERE revision > 1"))
    delay = delays(log, published)
    print(f"{days} days, {len(published)} articles published, {len(published) / days:.1f} per day")
    print(f"archived exactly once        {len(held & set(published))} of {len(published)}, {duplicates} duplicates,"
          f" {revised} false revisions, {len(set(published) - held)} missing")  # fmt: skip
    print(f"delay from publication       {delay_text(delay)}")
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
    found = report_edits(work, edits)
    print(f"rechecks                     {found * sample / n:.2f} of {rechecks / n:.2f} found an edit")
    gaps = work.archive.db.execute("SELECT count(*), count(closed_at) FROM gaps").fetchone()
    print(f"gaps                         {gaps[0]} opened, {gaps[1]} closed")
    for row in work.archive.db.query("SELECT s.url, g.* FROM gaps g JOIN sources s ON s.id = g.source"):
        print(f"    {row['url']} {row['since']} - {row['until']}, closed by {row['closed_by']}")
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
    further = sum(r.is_further for r in lists)
    print(f"    further pages               {further / days:6.1f} requests per day")


def report_edits(work: Run, edits: list[Edit]) -> int:
    """Print how many edits were found, and how long after the edit; return the number of versions found.

    Several edits between two visits are found together, and count as one version. An edit before the first visit cannot be
    told from the first version.
    """
    seen: dict[int, list[datetime]] = {}
    total = 0
    for row in work.archive.db.query("SELECT article, seen_at FROM revisions ORDER BY revision"):
        seen.setdefault(row["article"], []).append(datetime.fromisoformat(row["seen_at"]))
    for silent in (False, True):
        chosen = [edit for edit in edits if edit.silent is silent]
        later = [edit for edit in chosen if edit.post_id in seen and seen[edit.post_id][0] < edit.at]
        found = [(edit, at) for edit in later if (at := next((at for at in seen[edit.post_id] if at >= edit.at), None))]
        hours = sorted((at - edit.at).total_seconds() / 3600 for edit, at in found)
        total += (versions := len({(at, edit.post_id) for edit, at in found}))
        print(f"{'silent' if silent else 'other'} edits found           {len(found)} of {len(later)}, as {versions} versions,"
              f" median {statistics.median(hours or [0]):.1f} h later, longest {max(hours, default=0):.0f} h;"
              f" {len(chosen) - len(later)} before the first visit")  # fmt: skip
    return total


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
