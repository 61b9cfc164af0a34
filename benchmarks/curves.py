"""Scaling curves: does the cost of the whole work grow faster than the archive?

    ./run.sh bench curves [--sizes 1000,10000,100000] [--repeats 5]

One archive grows from size to size. At each size, the work is measured several times. An exponent is the slope of the line
through the points (log size, log total cost), by least squares: 1 is proportional to the size, 2 would be quadratic.
"""

from __future__ import annotations

import argparse
import io
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ledger, profiles, search, similar
from benchmarks.report import Goal, Result, Row, note
from crawler import identity, query, similarity
from crawler.coverage import take_stock
from crawler.export import jsonl
from crawler.storage import Archive, open_archive
from crawler.types import Article

AT_MOST = 1.05
_NEW = 50  # articles that one measurement stores or compares
_NOT_COUNTED = 2  # measurements at each size: the first one, and the profile
_QUERIES = ("ministre", "président pays", '"premier ministre"', "coop*", "economie -france", "title:monde", "gingembre")
_STORE, _DEDUPE, _EXPORT, _LEDGER = (
    "store new articles",
    "find similar articles",
    "export as JSON Lines",
    "coverage ledger",
)
_NEWEST, _RANKED = "search, newest first", "search, ranked"


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of log cost against log size by least squares.

    Raises:
        ValueError: there are fewer than two different sizes, or a value is not positive.

    """
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    x, y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    square = math.fsum((a - x) ** 2 for a in xs)
    if square == 0:
        raise ValueError("an exponent needs two different sizes")
    return math.fsum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / square


def sizes(text: str) -> list[int]:
    """Return the sizes of an option, such as `1000,10000`.

    Raises:
        ArgumentTypeError: there are fewer than two sizes, or they do not increase.

    """
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a list of numbers: {text}") from error
    if len(found) < 2 or found[0] < 100 or any(b <= a for a, b in itertools.pairwise(found)):
        raise argparse.ArgumentTypeError(f"at least two increasing sizes from 100 on are needed, not {text}")
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--sizes", type=sizes, default=[1000, 10_000, 100_000], help="numbers of articles")
    parser.add_argument("--repeats", type=int, default=5, help="measurements at each size")


class Curves:
    """The work that is measured at the present size of an archive; `new` has the articles that it does not have yet."""

    def __init__(self, archive: Archive, new: Sequence[Article]) -> None:
        self._archive = archive
        self._new = iter(new)
        self._wanted = [search.Search(query.parse(text)) for text in _QUERIES]

    def work(self) -> Mapping[str, Callable[[], object]]:
        """Return what is measured, by the name of its curve."""
        return {
            _STORE: self._store,
            _DEDUPE: self._compare,
            _NEWEST: lambda: self._search(rank=False),
            _RANKED: lambda: self._search(rank=True),
            _EXPORT: lambda: jsonl(self._archive.export(), io.StringIO()),
        }

    def _store(self) -> None:
        for article in itertools.islice(self._new, _NEW):
            with self._archive.transaction():
                similar.store(self._archive, article, article.post_id or 0)

    def _compare(self) -> None:
        for article in itertools.islice(self._new, _NEW):
            text = similarity.compared(article, article.post_id or 0)
            hashes, body_key = similarity.passage_hashes(text), identity.body_key(article)
            candidates = self._archive.candidates(article.post_id or 0, hashes, body_key)
            identity.decide(article, None, candidates, (article.published_at or "")[:10])
            similarity.similarities(text, candidates)

    def _search(self, *, rank: bool) -> None:
        for one in self._wanted:
            search.found_with_extracts(self._archive, one, rank=rank)


def seconds(run: Callable[[], object], repeats: int) -> list[float]:
    """Return the CPU seconds of each run, after one that is not counted."""
    found = []
    for _ in range(repeats + 1):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return found[1:]


def run(options: argparse.Namespace) -> Result:
    """Measure all curves."""
    chosen: list[int] = options.sizes
    found: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as name, open_archive(Path(name)) as archive:
        new = _NEW * (options.repeats + _NOT_COUNTED) * 2  # articles to store and to compare at each size
        stream = similar.stream(chosen[-1] + new * len(chosen))
        articles = (replace(one, post_id=number) for number, one in enumerate(stream, start=1))
        for size in chosen:
            start = time.monotonic()
            search.fill_index(archive, itertools.islice(articles, size - archive.db["articles"].count), compared=True)
            note(f"{size} articles after {time.monotonic() - start:.0f} s")
            curves = Curves(archive, list(itertools.islice(articles, new)))
            for curve, run_ in curves.work().items():
                found.setdefault(curve, []).append(seconds(run_, options.repeats))
            found.setdefault(_LEDGER, []).append(_ledger(size, options.repeats))
        result = _result(chosen, found)
        missed = {goal.label for goal in result.missed}
        return result.explained(
            lambda: [profiles.of_call(name, run) for name, run in curves.work().items() if _goal(name) in missed]
        )


def _goal(curve: str) -> str:
    return f"{curve}: exponent"


def _ledger(size: int, repeats: int) -> list[float]:
    """Return the CPU seconds of counting and writing the coverage ledger of an archive with `size` posts."""
    with tempfile.TemporaryDirectory() as name, open_archive(Path(name)) as archive:
        ledger.fill(archive, size)

        def count() -> None:
            with archive.posts() as posts:
                found = take_stock(posts)
            archive.save_ledger(found, datetime.now(UTC))

        return seconds(count, repeats)


def _result(chosen: Sequence[int], found: Mapping[str, Sequence[Sequence[float]]]) -> Result:
    rows, goals = [], []
    for curve, measured in found.items():
        per_article = curve in {_STORE, _DEDUPE}
        medians = []
        for size, values in zip(chosen, measured, strict=True):
            row = Row.of(f"{curve}, {size:,}", (v * 1000 / (_NEW if per_article else 1) for v in values), "ms")
            row = replace(row, unit="ms an article" if per_article else "ms")
            rows.append(row)
            medians.append(row.median * (size if per_article else 1))
        goals.append(Goal(_goal(curve), exponent(chosen, medians), "", at_most=AT_MOST))
    return Result(
        "curves",
        "Does the cost of the whole work grow faster than the archive?",
        rows,
        goals,
        notes=(
            "CPU time in archives of each size, with real frequencies of words. The exponent is the slope of the total cost"
            " against the size, both as logarithms, by least squares: 1 is proportional to the size. To store or to compare an"
            f" article is measured with {_NEW} new articles, and the total is that of as many as the archive has; every tenth"
            f" one is a version of another. A search is {len(_QUERIES)} queries with their extracts."
        ),
    )
