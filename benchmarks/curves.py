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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ledger, profiles, search, similar
from benchmarks.report import Goal, Profile, Result, Row, note
from benchmarks.sealing import DAY, SealedArchive
from crawler import query
from crawler.export import jsonl
from crawler.storage import Archive, open_archive
from crawler.types import Article

AT_MOST = 1.05
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
    """What is measured; `prepare` is not. The total cost is that of `per_run` of the items that the archive has."""

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None
    per_run: int | None = None  # items; None: one run treats the whole archive, or does not depend on the items

    def seconds(self, repeats: int) -> list[float]:
        """Return the CPU seconds of each run, after one that is not counted."""
        found = []
        for _ in range(repeats + 1):
            self.prepare()
            start = time.process_time()
            self.run()
            found.append(time.process_time() - start)
        return found[1:]


class ArchiveWork:
    """The work in an archive; `new` yields articles that it does not have."""

    def __init__(self, archive: Archive, new: Iterator[Article]) -> None:
        self._archive = archive
        self._new = new
        self._batch: list[Article] = []
        self._wanted = [search.Search(query.parse(text)) for text in _QUERIES]

    def all(self) -> list[Work]:
        """Return everything that is measured."""
        return [
            Work("store new articles", self._store, self._draw, _NEW),
            Work("find similar articles", self._compare, self._draw, _NEW),
            Work("search, newest first", lambda: self._search(rank=False)),
            Work("search, ranked", lambda: self._search(rank=True)),
            Work("export as JSON Lines", lambda: jsonl(self._archive.export(), io.StringIO())),
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


@contextmanager
def ledger_work(size: int) -> Iterator[Work]:
    """Yield the work of counting and writing the coverage ledger of an archive with `size` posts."""
    with tempfile.TemporaryDirectory() as name, open_archive(Path(name)) as archive:
        ledger.fill(archive, size)

        def count() -> None:
            archive.save_ledger(ledger.take(archive), datetime.now(UTC))

        yield Work("coverage ledger", count)


def seal_work(sealed: SealedArchive) -> list[Work]:
    """Return the work on the seals."""
    return [
        Work("seal the records of a day", sealed.seal, sealed.write_day, DAY),
        Work("prove a record", sealed.prove, per_run=1),
    ]


def run(options: argparse.Namespace) -> Result:
    """Measure all curves."""
    chosen: list[int] = options.sizes
    found: dict[str, list[list[float]]] = {}
    per_run: dict[str, int | None] = {}

    def measure(work: Iterable[Work]) -> None:
        for one in work:
            found.setdefault(one.name, []).append(one.seconds(options.repeats))
            per_run[one.name] = one.per_run

    with tempfile.TemporaryDirectory() as name, open_archive(Path(name)) as archive:
        # Before each run, the work draws the articles that it stores or compares.
        drawn = _NEW * (options.repeats + 1) * 2 * len(chosen)
        stream = similar.stream(chosen[-1] + drawn + _NEW * 2)
        articles = (replace(one, post_id=number) for number, one in enumerate(stream, start=1))
        archive_work, sealed = ArchiveWork(archive, articles), SealedArchive(Path(name) / "sealed")
        for size in chosen:
            start = time.monotonic()
            search.fill_index(archive, itertools.islice(articles, size - archive.db["articles"].count), compared=True)
            sealed.grow(size)
            note(f"{size} articles after {time.monotonic() - start:.0f} s")
            measure(archive_work.all())
            measure(seal_work(sealed))
            with ledger_work(size) as one:
                measure([one])
        result = _result(chosen, found, per_run)
        missed = {goal.label for goal in result.missed}
        # The profile of the largest size; the coverage ledger has one of its own in the benchmark `ledger`.
        every = [*archive_work.all(), *seal_work(sealed)]
        return result.explained(lambda: [_profile(one) for one in every if _goal(one.name) in missed])


def _profile(work: Work) -> Profile:
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
        for size, values in zip(chosen, measured, strict=True):
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
