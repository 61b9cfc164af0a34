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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.poll import SEEDS
from benchmarks.report import Goal, Profile, Result, Row, note
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


def p95(delay: list[float]) -> float:
    """Return the 95th percentile of sorted delays."""
    return delay[int(len(delay) * 0.95)]


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


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--days", type=int, help="default: 30, with --curve 10")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--edited", type=float, default=0.3, help="share of the rechecked articles that are edited")
    parser.add_argument("--articles-per-poll", type=float, help="instead of the default of `[poll] articles_per_poll`")
    parser.add_argument("--seed", type=int, default=0, help="of the site: other articles at other times")
    parser.add_argument("--only-in-section", type=int, default=0, metavar="N", help="every Nth article; default: none")
    parser.add_argument("--curve", action="store_true", help="measure delay against requests for several such settings")


def run(options: argparse.Namespace) -> Result:
    """Simulate a month, or several shorter periods."""
    return curve(options.days or 10) if options.curve else month(options)


def month(options: argparse.Namespace) -> Result:
    """Simulate one month."""
    days, sample = options.days or 30, options.sample
    with simulation(options.articles_per_poll, options.seed, options.only_in_section) as (work, site, clock):
        begin = clock.now()
        until = begin + timedelta(days=days)
        published = site.plan(until)
        edits = [edit for edit in plan_edits(published, options.edited, sample) if edit.at < until]
        watch(work, clock, until + EXTRA_TIME, sample, edits, site)
        log = requests(work, begin)
        rows = [
            *delay_rows(log, published, options.only_in_section),
            *list_rows(work, log, days),
            *edit_rows(work, edits),
        ]
        rows += nothing_new(work, clock)
        profile = Profile("list requests", "a day", requests_by_kind(work, log, days))
        goals = [*exactness(work, published, edits), *request_goals(log, published, sample)]
    delay = delays(log, published)
    return Result(
        "month",
        "How early is an article archived, and how many requests does the site pay for it?",
        rows,
        [*goals, Goal("median delay from publication", statistics.median(delay), "min", at_most=15)],
        notes=(
            f"{days} simulated days, {len(published)} articles, {len(published) / days:.1f} a day. Rechecks are counted for"
            f" every {sample}th article, times {sample}. A share of {options.edited:g} of these articles is edited, half of the"
            " edits within 3 hours, nine of ten within a day, three of ten silently: no list shows a new modification time."
        ),
    ).explained(lambda: [profile])


def curve(days: int) -> Result:
    """Measure the delay and the requests for several values of `[poll] articles_per_poll`, without rechecks.

    The first four days are left out: sources are polled more often while their rates are not known.
    """
    lists: dict[float, list[float]] = {}
    median: dict[float, list[float]] = {}
    highest: dict[float, list[float]] = {}
    missing = 0
    for articles_per_poll, seed in itertools.product(CURVE, CURVE_SEEDS):
        note(f"{articles_per_poll:g} articles per poll, site {seed}")
        with simulation(articles_per_poll, seed) as (work, site, clock):
            begin = clock.now()
            planned = site.plan(begin + timedelta(days=days))
            published = {i: at for i, at in planned.items() if at >= begin + LEARNING}
            watch(work, clock, begin + timedelta(days=days) + EXTRA_TIME, NO_RECHECKS, [], site)
            log = requests(work, begin + LEARNING)
        delay = delays(log, published)
        missing += len(published) - len(delay)
        lists.setdefault(articles_per_poll, []).append(sum(r.page is None for r in log) / len(published))
        median.setdefault(articles_per_poll, []).append(statistics.median(delay))
        highest.setdefault(articles_per_poll, []).append(p95(delay))
    rows = [
        row
        for key in CURVE
        for row in (
            Row.of(f"{key:g} articles per poll: list requests", lists[key], "a new article"),
            Row.of(f"{key:g} articles per poll: median delay", median[key], "min"),
            Row.of(f"{key:g} articles per poll: 95th percentile", highest[key], "min"),
        )
    ]
    return Result(
        "month",
        "What does early news cost the site?",
        rows,
        [Goal("articles that were not archived", missing, "", at_most=0)],
        notes=(
            f"Days 5 to {days} for several values of `[poll] articles_per_poll`, with {len(CURVE_SEEDS)} sites that publish"
            " other articles at other times, without rechecks."
        ),
        variant="curve",
    )


def exactness(work: Run, published: dict[int, datetime], edits: list[Edit]) -> list[Goal]:
    """Return the goals for what was archived."""
    held = {row["id"] for row in work.archive.db.query("SELECT id FROM articles")}
    (duplicates,) = work.archive.db.execute("SELECT count(*) FROM duplicates").fetchone()
    edited = {edit.post_id for edit in edits}
    revised = sum(r["id"] not in edited for r in work.archive.db.query("SELECT id FROM articles WHERE revision > 1"))
    (gaps,) = work.archive.db.execute("SELECT count(*) FROM gaps WHERE closed_at IS NULL").fetchone()
    return [
        Goal("articles that were not archived", len(set(published) - held), "", at_most=0),
        Goal("articles that were stored twice", duplicates, "", at_most=0),
        Goal("revisions without an edit", revised, "", at_most=0),
        Goal("open gaps at the end", gaps, "", at_most=0),
    ]


def request_goals(log: list[LoggedRequest], published: dict[int, datetime], sample: int) -> list[Goal]:
    """Return the goals for the requests."""
    fetched = Counter(r.page for r in log if r.page is not None)
    rechecks = sum(times - (i in published) for i, times in fetched.items() if i % sample == 0) * sample
    return [
        Goal("list requests", sum(r.page is None for r in log) / len(published), "a new article", at_most=2),
        Goal("page requests", sum(i in published for i in fetched) / len(published), "a new article"),
        Goal("rechecks", rechecks / len(published), "a new article", at_most=8),
    ]


def delay_rows(log: list[LoggedRequest], published: dict[int, datetime], only_in_section: int) -> list[Row]:
    """Return the delays from publication to the first fetch, of all articles and of those that one list alone names."""
    rows = [Row.of("delay from publication", delays(log, published), "min")]
    rows.append(Row.of("delay from publication, 95th percentile", [p95(delays(log, published))], "min"))
    if only_in_section:
        chosen = {i: at for i, at in published.items() if i % only_in_section == 0}
        rows.append(Row.of("delay of those only in a section", delays(log, chosen), "min"))
    return rows


def list_rows(work: Run, log: list[LoggedRequest], days: int) -> list[Row]:
    """Return the requests of lists, and how many it would be if each list were polled at a fixed interval."""
    lists = [r for r in log if r.page is None]
    (sources,) = work.archive.db.execute("SELECT count(*) FROM sources WHERE next_due_at IS NOT NULL").fetchone()
    fixed = sources * timedelta(days=1) / FIXED_INTERVAL
    return [
        Row.of("list requests", [len(lists) / days], "a day"),
        Row.of("the same, each list every 15 minutes", [fixed], "a day"),
        Row.of("bytes of lists", [sum(r.size for r in lists) / days / 1e6], "MB a day"),
    ]


def requests_by_kind(work: Run, log: list[LoggedRequest], days: int) -> list[tuple[str, float]]:
    """Return the list requests a day by the kind of list."""
    kinds = work.archive.db.query(
        """SELECT s.kind, count(*) AS n, count(DISTINCT s.url) AS urls FROM fetches f JOIN sources s ON s.url = f.url
           GROUP BY s.kind ORDER BY n DESC"""
    )
    found = [(f"{row['kind']}, {row['urls']} sources", row["n"] / days) for row in kinds]
    return [*found, ("further pages of lists", sum(r.is_further for r in log) / days)]


def edit_rows(work: Run, edits: list[Edit]) -> list[Row]:
    """Return the share of the edits that were found, and the hours until then.

    Several edits between two visits are found together. An edit before the first visit cannot be told from the first
    version, and is left out.
    """
    seen: dict[int, list[datetime]] = {}
    for row in work.archive.db.query("SELECT article, seen_at FROM revisions ORDER BY revision"):
        seen.setdefault(row["article"], []).append(datetime.fromisoformat(row["seen_at"]))
    rows = []
    for silent in (False, True):
        kind = "silent" if silent else "other"
        chosen = [edit for edit in edits if edit.silent is silent]
        later = [edit for edit in chosen if edit.post_id in seen and seen[edit.post_id][0] < edit.at]
        found = [(edit, at) for edit in later if (at := next((at for at in seen[edit.post_id] if at >= edit.at), None))]
        hours = [(at - edit.at).total_seconds() / 3600 for edit, at in found]
        if later:
            rows.append(Row.of(f"{kind} edits found", [100 * len(found) / len(later)], f"% of {len(later)}"))
        if hours:
            rows.append(Row.of(f"delay until {kind} edits are found", hours, "h"))
    return rows


def nothing_new(work: Run, clock: SharedClock) -> list[Row]:
    """Return the requests of a poll at the next due time of a source, when the site has nothing new."""
    (due,) = work.archive.db.execute("SELECT min(next_due_at) FROM sources WHERE state <> 'excluded'").fetchone()
    clock.time = max(datetime.fromisoformat(due), clock.time)
    before = (work.report.requests, work.report.bytes)
    with work.archive.transaction():
        work.archive.db.execute("UPDATE pages SET next_due_at = NULL WHERE next_due_at <= ?", [due])
    collect.poll(work)
    return [
        Row.of("a poll with nothing new", [work.report.requests - before[0]], "requests"),
        Row.of("a poll with nothing new", [(work.report.bytes - before[1]) / 1000], "kB"),
    ]
