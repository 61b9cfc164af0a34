"""Does the ledger's interval hold the truth, and what does a whole archive's ledger cost?

Seeded worlds of three months: ids with holes, editors who schedule, lists that miss articles; the middle month is
judged. `lists` is the interval of capture-recapture alone, `ledger` what `vna coverage` says (docs/coverage.md).

./run.sh bench ledger                 100 runs of each situation, and an archive of 260,000 posts
./run.sh bench ledger --runs 1000 --posts 0
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from crawler.clock import to_text
from crawler.coverage import Post, take_stock
from crawler.coverage.estimate import from_lists
from crawler.storage import Archive, open_archive

MONTH = "2024-02"
FIRST, DAYS = date(2024, 1, 1), 91
NOT_IN_SITEMAP, NOWHERE = 37, 5


@dataclass
class World:
    """What there is, by id: the day of publication, and the lists that name it."""

    days: dict[int, date]
    channels: dict[int, set[str]] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)

    def of_month(self) -> list[int]:
        return [i for i, day in self.days.items() if f"{day:%Y-%m}" == MONTH]


@dataclass(frozen=True)
class Situation:
    """How likely each list is to name an article, and what goes wrong."""

    name: str
    chances: Mapping[str, float]
    not_in_sitemap: int = 0
    nowhere: int = 0
    outage: int = 0  # days in which only the sitemap sees anything
    asked: float = 0.0  # share of the ids that no list has, asked for


SITUATIONS = (
    Situation("two independent lists", {"sitemap": 0.95, "section": 0.8}),
    Situation("four independent lists", {"sitemap": 0.9, "section": 0.7, "feed": 0.6, "related": 0.3}),
    Situation("polls fail for two days together", {"sitemap": 0.95, "section": 0.9, "feed": 0.9}, outage=2),
    Situation("37 not in the sitemap, 5 in no list", {"sitemap": 1, "section": 0.99, "feed": 0.97}, 37, 5),
    Situation("the same, half of the ids asked for", {"sitemap": 1, "section": 0.99, "feed": 0.97}, 37, 5, asked=0.5),
    Situation("the same, all ids asked for", {"sitemap": 1, "section": 0.99, "feed": 0.97}, 37, 5, asked=1),
)


def world(rng: random.Random, situation: Situation) -> World:
    """Make one: 45 ids a day, one in ten never used, one in fifty articles published one to three days late."""
    days: dict[int, date] = {}
    for number in range(45 * DAYS):
        if rng.random() < 0.9:
            late = rng.randint(1, 3) if rng.random() < 0.02 else 0
            days[250_000 + number] = FIRST + timedelta(days=number // 45 + late)
    made = World(days)
    down = {date(2024, 2, 10) + timedelta(days=n) for n in range(situation.outage)}
    for i, day in days.items():
        up = {n: p for n, p in situation.chances.items() if n == "sitemap" or day not in down}
        made.channels[i] = {name for name, chance in up.items() if rng.random() < chance}
    month = made.of_month()
    for i in rng.sample(month, situation.not_in_sitemap + situation.nowhere):
        made.channels[i].discard("sitemap")
        if situation.nowhere and sum(not c for c in made.channels.values()) < situation.nowhere:
            made.channels[i].clear()
    unlisted = [i for i in range(min(days), max(days)) if not made.channels.get(i)]
    made.asked = set(rng.sample(unlisted, round(situation.asked * len(unlisted))))
    return made


def posts(made: World) -> list[Post]:
    """Write a world as the archive would have it: what the sitemap lists is held, the rest is still to be had."""
    found: list[Post] = []
    for i in sorted({*made.days, *made.asked}):
        day, channels = made.days.get(i), made.channels.get(i, set())
        if channels or (i in made.asked and day):
            held = "sitemap" in channels or not channels
            told = None if day is None else day.isoformat()
            state = "live" if held else "known"
            dates = {"published_on": told} if held else {"hinted_on": told if "feed" in channels else None}
            found.append(Post(i, f"/x-post{i}.vnp", state, held, channels=frozenset(channels or {"ids"}), **dates))
        elif i in made.asked:
            found.append(Post(i, f"/x-post{i}.vnp", "absent", held=False, channels=frozenset({"ids"})))
    return found


def run(seed: int, situation: Situation) -> dict[str, float]:
    """Judge one world."""
    made = world(random.Random(f"{seed}/{situation.name}"), situation)
    month = made.of_month()
    ledger = take_stock(posts(made))
    row = next(r for r in ledger.months if r.month == MONTH and not r.section)
    lists = from_lists([made.channels[i] for i in month])
    missing = {i for i, channels in made.channels.items() if channels and "sitemap" not in channels}
    return {
        "lists": lists is not None and int(lists.low) <= len(month) <= -(-lists.high // 1),
        "ledger": (row.low or 0) <= len(month) <= (row.high or 0),
        "width": (row.high or 0) - (row.low or 0),
        "unlisted": sum(not made.channels[i] for i in month),
        "guess": (lists.value if lists else 0) - sum(bool(made.channels[i]) for i in month),
        "exact": {m.page for m in ledger.missing} == missing,
    }


def judge(runs: int) -> None:
    """Print how often each interval holds the truth."""
    print(f"{runs} seeded runs each; how many hold the truth; medians of the rest")
    print(
        f"{'situation':38} {'lists':>6} {'ledger':>7} {'width':>6} {'unlisted':>9} {'estimate':>9} {'missing listed':>15}"
    )
    for situation in SITUATIONS:
        results = [run(seed, situation) for seed in range(runs)]
        held = {name: sum(bool(r[name]) for r in results) for name in ("lists", "ledger", "exact")}
        middle = {name: statistics.median(r[name] for r in results) for name in ("width", "unlisted", "guess")}
        print(
            f"{situation.name:38} {held['lists']:6} {held['ledger']:7} {middle['width']:6.0f} {middle['unlisted']:9.0f}"
            f" {middle['guess']:9.1f} {held['exact']:8} exact"
        )


def large(count: int) -> None:
    """Print what a whole archive costs, against reading the same rows alone: nothing is missing, then everything is."""
    with tempfile.TemporaryDirectory() as folder, open_archive(Path(folder)) as archive:
        fill(archive, count)
        start = time.process_time()
        rows = archive.db.execute("SELECT count(*), max(source) FROM sightings").fetchone()[0]
        rows += sum(1 for _ in archive.db.query("SELECT * FROM pages"))
        bare = time.process_time() - start
        print(f"\n{count:,} posts, {rows:,} rows to read; peak before: {_peak():.0f} MB")
        for state in ("gone", "known"):
            with archive.transaction():
                archive.db.execute("UPDATE pages SET state = ?", [state])
            start = time.process_time()
            with archive.posts() as posts:
                ledger = take_stock(posts)
            counting = time.process_time() - start
            archive.save_ledger(ledger, datetime.now(UTC))
            whole = time.process_time() - start
            print(
                f"{len(ledger.missing):,} missing: counted in {counting:.1f} s, written in {whole - counting:.1f} s"
                f" ({whole / bare:.1f} x reading the rows alone); peak {_peak():.0f} MB"
            )


def _peak() -> float:
    """Give the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fill(archive: Archive, count: int) -> None:
    """Write pages with three sightings each, dated by a hint."""
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


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(prog="ledger", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--posts", type=int, default=260_000)
    options = parser.parse_args()
    if options.runs:
        judge(options.runs)
    if options.posts:
        large(options.posts)


if __name__ == "__main__":
    main()
