"""How often does the ledger's interval contain the true number of articles, and how long does a whole ledger take?

Simulates three months from a seed, with unused ids, delayed publication and lists that miss articles, and compares the
middle month. `lists` is the interval of capture-recapture alone, `ledger` that of `vna coverage` (docs/coverage.md).

./run.sh bench ledger                 100 runs of each situation, and an archive of 260,000 posts
./run.sh bench ledger --runs 1000 --posts 0
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks import profiles
from benchmarks.report import Goal, Result, Row
from benchmarks.timing import interleaved, ratios
from crawler.clock import to_text
from crawler.coverage import Ledger, Post, take_stock
from crawler.coverage.estimate import from_lists
from crawler.storage import Archive, open_archive

MONTH = "2024-02"
FIRST, DAYS = date(2024, 1, 1), 91
ROUNDS = 5
_READ, _COUNT = "read the rows", "count the ledger"
_MEMORY = 400  # MB


@dataclass
class World:
    """The articles that exist, by id: their days of publication and the lists that contain them."""

    days: dict[int, date]
    lists: dict[int, set[str]] = field(default_factory=dict)
    probed: set[int] = field(default_factory=set)

    def in_month(self) -> list[int]:
        return [i for i, day in self.days.items() if f"{day:%Y-%m}" == MONTH]


@dataclass(frozen=True)
class Situation:
    """The probability of each list to contain an article, and what else goes wrong."""

    name: str
    chances: Mapping[str, float]
    not_in_sitemap: int = 0
    nowhere: int = 0
    outage: int = 0  # days whose articles are in no list but the sitemap
    probed: float = 0.0  # share of the unlisted ids that are probed


SITUATIONS = (
    Situation("two independent lists", {"sitemap": 0.95, "section": 0.8}),
    Situation("four independent lists", {"sitemap": 0.9, "section": 0.7, "feed": 0.6, "related": 0.3}),
    Situation("polls fail for two days together", {"sitemap": 0.95, "section": 0.9, "feed": 0.9}, outage=2),
    Situation("37 not in the sitemap, 5 in no list", {"sitemap": 1, "section": 0.99, "feed": 0.97}, 37, 5),
    Situation("the same, half of the ids probed", {"sitemap": 1, "section": 0.99, "feed": 0.97}, 37, 5, probed=0.5),
    Situation("the same, all ids probed", {"sitemap": 1, "section": 0.99, "feed": 0.97}, 37, 5, probed=1),
)


def make_world(rng: random.Random, situation: Situation) -> World:
    """Return a world with 45 ids a day: one in ten is unused, one article in fifty is published 1 to 3 days late."""
    days: dict[int, date] = {}
    for number in range(45 * DAYS):
        if rng.random() < 0.9:
            late = rng.randint(1, 3) if rng.random() < 0.02 else 0
            days[250_000 + number] = FIRST + timedelta(days=number // 45 + late)
    world = World(days)
    down = {date(2024, 2, 10) + timedelta(days=n) for n in range(situation.outage)}
    for i, day in days.items():
        up = {n: p for n, p in situation.chances.items() if n == "sitemap" or day not in down}
        world.lists[i] = {name for name, chance in up.items() if rng.random() < chance}
    month = world.in_month()
    for i in rng.sample(month, situation.not_in_sitemap + situation.nowhere):
        world.lists[i].discard("sitemap")
        if situation.nowhere and sum(not c for c in world.lists.values()) < situation.nowhere:
            world.lists[i].clear()
    unlisted = [i for i in range(min(days), max(days)) if not world.lists.get(i)]
    world.probed = set(rng.sample(unlisted, round(situation.probed * len(unlisted))))
    return world


def posts(world: World) -> list[Post]:
    """Return a world as the archive would know it: articles in the sitemap are held, the others are not yet fetched."""
    found: list[Post] = []
    for i in sorted({*world.days, *world.probed}):
        day, listed_in = world.days.get(i), world.lists.get(i, set())
        if listed_in or (i in world.probed and day):
            held = "sitemap" in listed_in or not listed_in
            date_text = None if day is None else day.isoformat()
            state = "live" if held else "known"
            dates = {"published_on": date_text} if held else {"hinted_on": date_text if "feed" in listed_in else None}
            found.append(Post(i, f"/x-post{i}.vnp", state, held, channels=frozenset(listed_in or {"ids"}), **dates))
        elif i in world.probed:
            found.append(Post(i, f"/x-post{i}.vnp", "absent", held=False, channels=frozenset({"ids"})))
    return found


def run_once(seed: int, situation: Situation) -> dict[str, float]:
    """Compare the estimates for one world with the truth."""
    world = make_world(random.Random(f"{seed}/{situation.name}"), situation)
    month = world.in_month()
    ledger = take_stock(posts(world))
    row = next(r for r in ledger.months if r.month == MONTH and not r.section)
    lists = from_lists([world.lists[i] for i in month])
    missing = {i for i, listed_in in world.lists.items() if listed_in and "sitemap" not in listed_in}
    return {
        "lists": lists is not None and int(lists.low) <= len(month) <= -(-lists.high // 1),
        "ledger": (row.low or 0) <= len(month) <= (row.high or 0),
        "width": (row.high or 0) - (row.low or 0),
        "unlisted": sum(not world.lists[i] for i in month),
        "estimated": (lists.value if lists else 0) - sum(bool(world.lists[i]) for i in month),
        "exact": {m.page for m in ledger.missing} == missing,
    }


def compare(runs: int) -> tuple[list[Row], list[Goal]]:
    """Return how often each interval contains the true number, and how wide it is."""
    rows, held, exact = [], [], []
    for situation in SITUATIONS:
        results = [run_once(seed, situation) for seed in range(runs)]
        share = {name: 100 * sum(bool(r[name]) for r in results) / runs for name in ("lists", "ledger", "exact")}
        rows += [
            Row.of(f"{situation.name}: lists alone", [share["lists"]], "% of runs"),
            Row.of(f"{situation.name}: ledger", [share["ledger"]], "% of runs"),
            Row.of(f"{situation.name}: width", (r["width"] for r in results), "articles"),
        ]
        held.append(share["ledger"])
        exact.append(share["exact"])
    return rows, [
        Goal("least share of intervals with the true number", min(held), "%", at_least=95),
        Goal("least share of exact lists of missing articles", min(exact), "%", at_least=100),
    ]


def large(archive: Archive) -> tuple[list[Row], list[Goal]]:
    """Return the CPU time for a whole ledger, compared with reading its rows."""

    def read() -> None:
        archive.db.execute("SELECT count(*), max(source) FROM sightings").fetchone()
        for _ in archive.db.conn.execute("SELECT * FROM pages"):
            pass

    ledger = take(archive)
    times = interleaved(
        {
            _READ: read,
            _COUNT: lambda: take(archive),
            "write the ledger": lambda: archive.save_ledger(ledger, datetime.now(UTC)),
        },
        ROUNDS,
    )
    return [Row.of(name, values, "s") for name, values in times.items()], [
        Goal.of(f"{_COUNT} ÷ {_READ}", ratios(times[_COUNT], times[_READ])),
        Goal("peak memory of the benchmark", _peak(), "MB", at_most=_MEMORY),
    ]


def take(archive: Archive) -> Ledger:
    """Return the ledger of an archive."""
    with archive.posts() as posts:
        return take_stock(posts)


def _peak() -> float:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fill(archive: Archive, count: int) -> None:
    """Insert pages with up to three sightings each, dated by a hint."""
    rng = random.Random(3)
    months = [f"https://fr.vietnamplus.vn/sitemaps/news-{y}-{m}.xml" for y in range(2010, 2027) for m in range(1, 13)]
    sections = [f"https://fr.vietnamplus.vn/s{n}/" for n in range(9)]
    kinds = [
        *((u, "sitemap") for u in months),
        *((u, "section") for u in sections),
        ("https://fr.vietnamplus.vn/", "home"),
    ]
    with archive.transaction():
        archive.db.conn.executemany(
            "INSERT INTO sources (url, kind, name, state) VALUES (?, ?, ?, 'ok')", [(u, k, u[-3:]) for u, k in kinds]
        )
        archive.db.conn.executemany(
            """INSERT INTO pages (id, url, state, first_source, first_seen_at, published_hint)
               VALUES (?, ?, 'known', '', '', ?)""",
            _pages(count),
        )
        archive.db.conn.executemany(
            "INSERT INTO sightings (page, source, first_seen_at, last_seen_at) VALUES (?, ?, '', '')",
            (
                (15_000 + n, source)
                for n in range(count)
                for source in {months[n * len(months) // count], rng.choice(sections), "https://fr.vietnamplus.vn/"}
            ),
        )


def _pages(count: int) -> Iterable[tuple[int, str, str]]:
    start = datetime(2010, 1, 1, tzinfo=UTC)
    for n in range(count):
        yield 15_000 + n, f"/x-post{n}.vnp", to_text(start + timedelta(minutes=33 * n))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--runs", type=int, default=100, help="of each situation; 0 for none")
    parser.add_argument("--posts", type=int, default=260_000, help="of the large archive; 0 for none")


def run(options: argparse.Namespace) -> Result:
    """Measure both parts."""
    rows, goals = compare(options.runs) if options.runs else ([], [])
    with tempfile.TemporaryDirectory() as folder, open_archive(Path(folder)) as archive:
        if options.posts:
            fill(archive, options.posts)
            more_rows, more_goals = large(archive)
            rows, goals = [*rows, *more_rows], [*goals, *more_goals]
        return Result(
            "ledger",
            "How often does the ledger's interval contain the true number of articles, and how long does a ledger take?",
            rows,
            goals,
            notes=(
                f"{options.runs} simulated sites for each situation; the middle one of three months is compared. `lists alone`"
                " is the interval of capture-recapture, `ledger` that of `vna coverage`. The times are CPU time for an archive"
                f" of {options.posts:,} posts in which everything is missing; to read is to fetch the same rows and do nothing."
            ),
        ).explained(lambda: [profiles.of_call(_COUNT, lambda: take(archive))])
