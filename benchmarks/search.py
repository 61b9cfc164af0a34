"""Search in a large archive, newest first and ranked, compared with the bare FTS5 query in the same run.

    ./run.sh bench search                                       20,000 articles
    ./run.sh bench search --articles 260000 --keep /tmp/large   as many as the French edition has; filling takes minutes

The archive has only the rows that a search reads, because the others would take four times as long to write.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import profiles
from benchmarks.report import Goal, Profile, Result, Row, note
from benchmarks.timing import interleaved
from crawler import fold, identity, query, similarity, snippets
from crawler.article_fields import In, fields_in
from crawler.identity import Decision
from crawler.sim.site import build
from crawler.storage import FILE, Archive, open_archive
from crawler.storage.articles import ArticleIntent
from crawler.types import Article, Reading, TextBlock

SEEDS = Path(__file__).parent.parent / "seeds"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
STORIES = 4_000  # different stories; they are repeated, each time with another paragraph of random words
ROUNDS = 5
LARGE = 260_000  # articles of the French edition, for which the ratios have goals
#: The queries by kind, with words from frequent to rare.
KINDS = {
    "one word": (
        "Vietnam coopération ministre étrangères défense Hanoï exportations crevettes tourisme ASEAN covid-19 parti"
        " gingembre saxophone philatélie astronome météorite"
    ).split(),
    "several words": (
        "Vietnam Chine commerce", "accord libre échange", "l'économie numérique", "diên biên phu", "Điện Biên Phủ",
        "inondations -typhon", "football OR volley", "patrimoine UNESCO", "énergie éolienne", "Vietnam Laos Cambodge",
        "changement climatique delta Mékong", "secrétaire général", "président de la République",
    ),
    "phrase": (
        '"affaires étrangères"', '"Premier ministre"', '"mer Orientale"', '"secrétaire général"', '"libre échange"',
        '"président de la République"', '"delta du Mékong"', '"énergie éolienne"', '"Parti communiste"', '"Hô Chi Minh"',
    ),
    "prefix": ("coop*", "export* riz", "viet*", "météo*", "inter*", "saxo*", "econom*", "pr*", "agri* delta", "tour*"),
    "one column": (
        "title:Vietnam", "title:ASEAN sommet", "title:coopération", "lead:ministre", "title:exportations", "lead:Hanoï",
    ),
}  # fmt: skip
_SECTIONS = ("Politique", "Économie", "Sci-Tech")
_YEARS = ("2015", "2024")


@dataclass(frozen=True)
class Search:
    """A search with its filters."""

    wanted: query.Query
    section: str | None = None
    since: str | None = None
    until: str | None = None


def searches() -> dict[str, list[Search]]:
    """Return the searches by kind; those with a filter have one word or two."""
    found = {kind: [Search(query.parse(text)) for text in texts] for kind, texts in KINDS.items()}
    words_ = [one.wanted for one in found["one word"]]
    found["in a section"] = [Search(one, section=name) for one in words_ for name in _SECTIONS]
    found["in a year"] = [Search(one, since=f"{y}-01-01", until=f"{y}-12-31") for one in words_ for y in _YEARS]
    return found


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
    while batch := list(itertools.islice(stream, 1000)):
        with archive.transaction():
            for article in batch:
                archive.save_article(intent(article))


def intent(article: Article) -> ArticleIntent:
    """Return how a new article is stored whose capture was at the time of its publication."""
    published = article.published_at or ""
    return ArticleIntent(
        key=article.post_id or 0,
        article=article,
        reading=Reading(article.text),
        decision=Decision("new", 1),
        fingerprint=str(article.post_id),
        body_key=identity.body_key(article),
        simhash=0,
        published_on=published[:10],
        parser=1,
        now=datetime.fromisoformat(published),
    )


def fill_index(archive: Archive, stream: Iterator[Article], *, compared: bool = False) -> None:
    """Write only the rows that a search reads and, if `compared` is True, those that the comparison of texts reads.

    All other rows take three times as long.
    """
    writable = {row[1] for row in archive.db.execute("PRAGMA table_xinfo(articles)") if row[6] == 0}  # not generated
    insert = archive.db.conn.execute
    hashes: list[tuple[int, int]] = []
    while batch := list(itertools.islice(stream, 5000)):
        with archive.transaction():
            for article in batch:
                key = article.post_id or 0
                row = {k: v for k, v in intent(article).columns(fields_in(In.ARTICLES)).items() if k in writable}
                insert(
                    f"INSERT INTO articles ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values())
                )
                insert("INSERT INTO sections VALUES (?, ?)", (key, article.section))
                folded = [fold.fold(text) for text in (article.title, article.lead or "", article.text)]
                insert("INSERT INTO articles_folded (id, title, lead, text) VALUES (?, ?, ?, ?)", (key, *folded))
                if compared:
                    text = similarity.compared(article, key)
                    hashes += [(value, key) for value in similarity.passage_hashes(text)]
    with archive.transaction():
        archive.db.conn.executemany("INSERT INTO passage_hashes (hash, article) VALUES (?, ?)", sorted(hashes))


def parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of a benchmark in a large archive."""
    made = argparse.ArgumentParser(prog=name, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(made)
    return made


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options of a benchmark in a large archive."""
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--keep", type=Path, help="folder for the archive; reused if it exists")


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
                note(f"filled in {time.monotonic() - start:.0f} s")
            count = archive.db.execute("SELECT count(*) FROM articles").fetchone()[0]
        note(f"{count} articles, {(folder / FILE).stat().st_size / 1e6:.0f} MB")
        yield folder


def bare_sql(search: Search, *, rank: bool) -> tuple[str, dict[str, str | None]]:
    """Return the least SQL that finds the ids of the hits of a search, with its values."""
    order = "bm25(articles_fts, 10.0, 5.0, 1.0)" if rank else "articles_fts.rowid DESC"
    tables, condition = "articles_fts", ""
    if search.section:
        condition = "AND EXISTS (SELECT 1 FROM sections WHERE article = articles_fts.rowid AND section = :section)"
    if search.since:
        tables += " CROSS JOIN articles a INDEXED BY articles_facets ON a.id = articles_fts.rowid"
        condition = "AND a.published_on BETWEEN :since AND :until"
    sql = (
        f"SELECT articles_fts.rowid FROM {tables} WHERE articles_fts MATCH :match {condition} ORDER BY {order} LIMIT 20"
    )
    values = {"section": search.section, "since": search.since, "until": search.until}
    return sql, {"match": search.wanted.match} | values


def found_with_extracts(archive: Archive, search: Search, *, rank: bool) -> list[str]:
    """Return what a user sees of a search: its hits with their extracts."""
    rows = archive.search(
        search.wanted.match, since=search.since, until=search.until, section=search.section, limit=20, rank=rank
    )
    return [snippets.snippet((row["lead"] or "", row["clean"]), search.wanted) for row in rows]


def measure(archive: Archive, searches: Sequence[Search], *, rank: bool) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each search, bare and as a user sees it: the medians of some rounds, in turns."""
    bare, whole = [], []
    for one in searches:
        sql, values = bare_sql(one, rank=rank)
        times = interleaved(
            {
                "bare": lambda sql=sql, values=values: archive.db.conn.execute(sql, values).fetchall(),
                "vna": lambda one=one: found_with_extracts(archive, one, rank=rank),
            },
            ROUNDS,
        )
        bare.append(statistics.median(times["bare"]) * 1000)
        whole.append(statistics.median(times["vna"]) * 1000)
    return bare, whole


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def run(options: argparse.Namespace) -> Result:
    """Fill or reuse an archive, and measure all kinds of searches."""
    with (
        filled_folder(options.keep, lambda archive: fill_index(archive, articles(options.articles))) as folder,
        open_archive(folder, read_only=True) as archive,
    ):
        return _result(archive).explained(lambda: [_profile(archive, rank=rank) for rank in (False, True)])


def _result(archive: Archive) -> Result:
    kinds = searches()
    (count,) = archive.db.execute("SELECT count(*) FROM articles").fetchone()
    rows, goals, slowest = [], [], 0.0
    for rank, order, most in ((False, "newest", 2.5), (True, "ranked", 1.1)):
        limit = most if count >= LARGE else None  # the bare queries of a small archive take no time
        all_bare, all_whole = [], []
        for kind, chosen in kinds.items():
            bare, whole = measure(archive, chosen, rank=rank)
            rows += [
                Row.of(f"{order}, {kind}: bare query", bare, "ms"),
                Row.of(f"{order}, {kind}: vna", whole, "ms"),
            ]
            goals.append(Goal(f"{order}, {kind}: p95 ÷ bare p95", p95(whole) / p95(bare), at_most=limit))
            slowest = max(slowest, p95(whole))
            all_bare += bare
            all_whole += whole
        goals.append(Goal(f"{order}, all: p95 ÷ bare p95", p95(all_whole) / p95(all_bare), at_most=limit))
    return Result(
        "search",
        "What does a search cost in a large archive, compared with the query of the index alone?",
        rows,
        [*goals, Goal("largest p95 of a kind", slowest, "ms", at_most=500)],
        notes=(
            f"{sum(map(len, kinds.values()))} searches in {count:,} articles with real frequencies of words, each with 20 hits,"
            f" in both orders; CPU time with a warm cache, the median of {ROUNDS} rounds. A bare query returns only the ids"
            " of the hits; `vna` reads their rows and makes the extracts. The range of a row is that over its searches. A"
            " bare query for the newest hits of a frequent word stops after 20 hits and takes less than 0.1 ms, so that"
            " reading 20 rows and making 20 extracts takes several times as long."
        ),
        variant=f"{count:,} articles",
    )


def _profile(archive: Archive, *, rank: bool) -> Profile:
    every = [one for chosen in searches().values() for one in chosen]
    return profiles.of_call(
        f"all searches, {'ranked' if rank else 'newest first'}",
        lambda: [found_with_extracts(archive, one, rank=rank) for one in every],
    )
