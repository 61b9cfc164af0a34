"""Scaling curves: does the cost of the whole work grow faster than the archive?

    ./run.sh bench curves [--sizes 1000,10000,100000] [--repeats 5]

There is an archive of each size, and the sizes take turns. An exponent is the slope of the line through the points (log size,
log total cost), by least squares: 1 is proportional to the size, 2 would be quadratic.
"""

from __future__ import annotations

import argparse
import io
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ledger, profiles, search, similar
from benchmarks.report import Goal, Profile, Result, Row, note
from benchmarks.sealing import DAY, SealedArchive
from crawler import query
from crawler.export import jsonl
from crawler.storage import open_archive
from crawler.types import Article

AT_MOST = 1.05
_SHARED = (
    20  # paragraphs that recur: often enough that the smallest archive has as many articles to compare as the largest
)
_NEW = 100  # articles that one measurement stores or compares
_QUERIES = ("ministre", "président pays", '"premier ministre"', "coop*", "economie -france", "title:monde", "gingembre")


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


@dataclass(frozen=True)
class Work:
    """What is measured; `prepare` is not. The total cost is that of as many items as the archive has, `per_run` at a time."""

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None
    per_run: int | None = None  # items; None: one run treats the whole archive, or does not depend on the items

    def seconds(self) -> float:
        """Return the CPU seconds of one run."""
        self.prepare()
        start = time.process_time()
        self.run()
        return time.process_time() - start


class ArchiveOfSize:
    """Archives with `size` articles, sealed responses and posts of the coverage ledger, and the work in them."""

    def __init__(self, folder: Path, size: int, new: int, opened: ExitStack) -> None:
        start = time.monotonic()
        self._archive = opened.enter_context(open_archive(folder / "articles"))
        stream = similar.stream(size + new, _SHARED)
        articles = (replace(one, post_id=number) for number, one in enumerate(stream, start=1))
        search.fill_index(self._archive, itertools.islice(articles, size), compared=True)
        self._new = iter(list(articles))
        self._batch: list[Article] = []
        self._wanted = [search.Search(query.parse(text)) for text in _QUERIES]
        self._sealed = SealedArchive(folder / "sealed")
        self._sealed.grow(size)
        self._posts = opened.enter_context(open_archive(folder / "posts"))
        ledger.fill(self._posts, size)
        note(f"{size} articles in {time.monotonic() - start:.0f} s")

    def work(self) -> list[Work]:
        """Return everything that is measured."""
        return [
            Work("store new articles", self._store, self._draw, _NEW),
            Work("find similar articles", self._compare, self._draw, _NEW),
            Work("search, newest first", lambda: self._search(rank=False)),
            Work("search, ranked", lambda: self._search(rank=True)),
            Work("export as JSON Lines", lambda: jsonl(self._archive.export(), io.StringIO())),
            Work("seal the records of a day", self._sealed.seal, self._sealed.write_day, DAY),
            Work("prove a record", self._sealed.prove, per_run=1),
            Work("coverage ledger", self._count),
        ]

    def _draw(self) -> None:
        self._batch = list(itertools.islice(self._new, _NEW))

    def _store(self) -> None:
        for article in self._batch:
            with self._archive.transaction():
                similar.store(self._archive, article, article.post_id or 0)

    def _compare(self) -> None:
        for article in self._batch:
            similar.related(self._archive, article, article.post_id or 0)

    def _search(self, *, rank: bool) -> None:
        for one in self._wanted:
            search.found_with_extracts(self._archive, one, rank=rank)

    def _count(self) -> None:
        self._posts.save_ledger(ledger.take(self._posts), datetime.now(UTC))


def run(options: argparse.Namespace) -> Result:
    """Measure all curves."""
    chosen: list[int] = options.sizes
    rounds = options.repeats + 1  # the first one is not counted
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        new = _NEW * 2 * (rounds + 1)  # articles to store and to compare, also for a profile
        archives = [ArchiveOfSize(Path(name) / str(size), size, new, opened).work() for size in chosen]
        found = {
            work[0].name: [[one.seconds() for one in work] for _ in range(rounds)][1:]
            for work in zip(*archives, strict=True)
        }
        result = _result(chosen, found, {one.name: one.per_run for one in archives[0]})
        missed = {goal.label for goal in result.missed}
        return result.explained(lambda: [_profile(one) for one in archives[-1] if _goal(one.name) in missed])


def _profile(work: Work) -> Profile:
    """Return the profile of the work at the largest size."""
    work.prepare()
    return profiles.of_call(work.name, work.run)


def _goal(curve: str) -> str:
    return f"{curve}: exponent"


def _result(
    chosen: Sequence[int], found: Mapping[str, Sequence[Sequence[float]]], per_run: Mapping[str, int | None]
) -> Result:
    rows, goals = [], []
    for curve, measured in found.items():
        items = per_run[curve]
        medians = []
        for size, values in zip(chosen, zip(*measured, strict=True), strict=True):
            row = Row.of(f"{curve}, {size:,}", (v * 1000 / (items or 1) for v in values), "ms each" if items else "ms")
            rows.append(row)
            medians.append(row.median * (size if items else 1))
        goals.append(Goal(_goal(curve), exponent(chosen, medians), "", at_most=AT_MOST))
    return Result(
        "curves",
        "Does the cost of the whole work grow faster than the archive?",
        rows,
        goals,
        notes=(
            "CPU time in archives of each size, with real frequencies of words. The exponent is the slope of the total cost"
            " against the size, both as logarithms, by least squares: 1 is proportional to the size. Where a row says `each`,"
            f" the total is that of as many as the archive has: {_NEW} new articles are stored or compared, of which every tenth"
            f" is a version of another; {DAY} responses with their requests are sealed, as in a day; one record is proved. A"
            f" search is {len(_QUERIES)} queries with their extracts; an export and a ledger are of the whole archive."
        ),
    )
