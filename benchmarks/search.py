"""Search in a large archive, newest first and ranked, compared with the bare FTS5 query in the same run.

./run.sh bench search                 20,000 articles
./run.sh bench search --articles 260000 --keep /tmp/large   (as many as the French edition has; takes some minutes)
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import identity, query
from crawler.identity import Decision
from crawler.sim.site import build
from crawler.storage import FILE, Archive, open_archive
from crawler.storage.articles import ArticleIntent
from crawler.types import Article, Reading, TextBlock

SEEDS = Path(__file__).parent.parent / "seeds"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
STORIES = 4_000  # different stories; they are repeated, each time with another paragraph of random words
ROUNDS = 3
QUERIES = (
    "Vietnam",
    "coopération",
    "ministre",
    "étrangères",
    "défense",
    "Hanoï",
    "exportations",
    "crevettes",
    "tourisme",
    "ASEAN",
    "président de la République",
    '"affaires étrangères"',
    '"Premier ministre"',
    '"mer Orientale"',
    "Vietnam Chine commerce",
    "accord libre échange",
    "covid-19",
    "l'économie numérique",
    "diên biên phu",
    "Điện Biên Phủ",
    "title:Vietnam",
    "title:ASEAN sommet",
    "coop*",
    "export* riz",
    "inondations -typhon",
    "football OR volley",
    "patrimoine UNESCO",
    "énergie éolienne",
    "gingembre",
    "saxophone",
    "philatélie",
    "astronome",
    "météorite",
    "Vietnam Laos Cambodge",
    "changement climatique delta Mékong",
    "secrétaire général",
    "parti",
)


def words() -> Callable[[random.Random], str]:
    """Return a function that draws words by their frequency in French, so that rare words are realistically rare."""
    import wordfreq

    known = wordfreq.get_frequency_dict("fr", wordlist="large")
    names = [word for word in known if word.isalpha()]
    weights = list(itertools.accumulate(known[name] for name in names))
    return lambda rng: " ".join(rng.choices(names, cum_weights=weights, k=70))


def articles(count: int) -> Iterator[Article]:
    """Yield `count` different articles, oldest first."""
    site = build("http://127.0.0.1:1/", seeds_dir=SEEDS, articles=STORIES, now=lambda: NOW)
    stories = [site.story(post_id) for post_id in site.ids()]
    rng, filler = random.Random(7), words()
    for number in range(count):
        story = stories[number % len(stories)]
        blocks = (*story.blocks, TextBlock("paragraph", filler(rng)))
        yield Article(
            title=story.title,
            lead=story.lead,
            blocks=blocks,
            post_id=15_000 + number,
            section=story.section,
            published_at=(NOW - timedelta(minutes=30 * (count - number))).isoformat(),
        )


def fill(archive: Archive, stream: Iterator[Article]) -> None:
    """Save articles, 1,000 per transaction, each with its time of publication as the time of its capture."""
    decision = Decision("new", 1)
    while batch := list(itertools.islice(stream, 1000)):
        with archive.transaction():
            for article in batch:
                published = article.published_at or ""
                archive.save_article(
                    ArticleIntent(
                        key=article.post_id or 0,
                        article=article,
                        reading=Reading(article.text),
                        decision=decision,
                        fingerprint=str(article.post_id),
                        body_key=identity.body_key(article),
                        simhash=0,
                        published_on=published[:10],
                        parser=1,
                        now=datetime.fromisoformat(published),
                    )
                )


def parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of a benchmark in a large archive."""
    made = argparse.ArgumentParser(prog=name, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--articles", type=int, default=20_000)
    made.add_argument("--keep", type=Path, help="folder for the archive; reused if it exists")
    return made


@contextmanager
def filled_folder(keep: Path | None, fill_archive: Callable[[Archive], None]) -> Iterator[Path]:
    """Yield the folder of a filled archive: `keep`, which is reused if it has one, or a temporary folder."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        is_new = not (folder / FILE).exists()
        with open_archive(folder) as archive:
            if is_new:
                start = time.monotonic()
                fill_archive(archive)
                print(f"filled in {time.monotonic() - start:.0f} s")
            count = archive.db.execute("SELECT count(*) FROM articles").fetchone()[0]
        print(f"{count} articles, {(folder / FILE).stat().st_size / 1e6:.0f} MB; times in ms")
        yield folder


def milliseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def measure(archive: Archive) -> dict[str, list[float]]:
    """Return the milliseconds of every query in each way: the best of three rounds, with a warm cache."""
    bare = {
        "newest first, bare FTS5": "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ? ORDER BY rowid DESC LIMIT 20",
        "ranked, bare FTS5": (
            "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ? ORDER BY bm25(articles_fts, 10.0, 5.0, 1.0) LIMIT 20"
        ),
    }
    times: dict[str, list[float]] = {
        name: [] for name in ("newest first, bare FTS5", "newest first, vna", "ranked, bare FTS5", "ranked, vna")
    }
    for wanted in map(query.parse, QUERIES):
        ways: dict[str, Callable[[], object]] = {
            name: (lambda sql=sql, wanted=wanted: archive.db.execute(sql, [wanted.match]).fetchall())
            for name, sql in bare.items()
        }
        for rank, name in ((False, "newest first, vna"), (True, "ranked, vna")):
            ways[name] = lambda rank=rank, wanted=wanted: [
                query.snippet((row["lead"] or "", row["clean"]), wanted)
                for row in archive.search(wanted.match, since=None, until=None, section=None, limit=20, rank=rank)
            ]
        for name, run in ways.items():
            times[name].append(min(milliseconds(run) for _ in range(ROUNDS)))
    return times


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> None:
    """Fill or reuse an archive, measure, and print the table."""
    options = parser("search", __doc__).parse_args()
    with filled_folder(options.keep, lambda archive: fill(archive, articles(options.articles))) as folder:
        print(f"{len(QUERIES)} queries, warm cache, wall time")
        with open_archive(folder) as archive:
            times = measure(archive)
    for name, values in times.items():
        base = times[name.rpartition(",")[0] + ", bare FTS5"]
        print(
            f"{name:26} p50 {statistics.median(values):8.2f}   p95 {p95(values):8.2f}"
            f"   p95 / bare p95 {p95(values) / p95(base):6.2f}"
        )


if __name__ == "__main__":
    main()
