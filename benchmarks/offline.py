"""The commands that read WARC files, with one process and with two, and the least that a program can do with the same files.

`--command` names the command: `rebuild` makes the database, `reparse` parses the pages of an existing database again (nothing
changes, because the parser is the same), and `import` is `backfill --warc` into an empty archive.

The WARC files contain pages of the fake site, in all eras, and the sitemaps that list them, as a backfill writes them. The
bound is `benchmarks/bound_worker.py`: warcio, bare parse, raw insert, in one process. Each contender is a process of
its own, and the contenders run in turn. Two processes also read half of the pages, which shows whether the time grows in
proportion, and how long 260,000 pages take.

With two jobs, a process writes and two parse. On two CPUs they take turns, so the wall-clock time is right only on an idle
machine. The CPU time shows what the speed-up would be there: no process waits for another one for long, so the time is
the larger one of half of all CPU time and the CPU time of the process that writes.

    ./run.sh bench offline                      2,000 pages, three rounds
    ./run.sh bench offline --articles 40000 --rounds 1
    ./run.sh bench offline --command reparse
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from benchmarks.report import Goal, Result, Row, note
from benchmarks.scale import BATCH, FILE_BYTES, NOW, SITE, fetched, responses
from benchmarks.timing import ratios
from crawler.purpose import Purpose
from crawler.storage import FILE, diff_db, open_archive
from crawler.types import Fetched
from crawler.warc import members

_WORKERS = Path(__file__).parent
_GOAL = 260_000
_DEFAULT = 2000
_BOUND, _ONE, _TWO, _HALF = "bound", "one process", "two jobs", "two jobs, half of the articles"
_TIMED = {"articles", "pages", "raw", "revisions"}
_SAID = "id, url, title, lead, blocks, published_at, fingerprint, markup, provenance, problems, own_text, own_clean"
_OTHER_ARTICLES = " UNION ALL ".join(
    f"SELECT * FROM (SELECT {_SAID} FROM {one}.articles EXCEPT SELECT {_SAID} FROM {other}.articles)"
    for one, other in (("main", "old"), ("old", "main"))
)
_CODED = ("Content-Encoding", "gzip")


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of wall-clock time, and of CPU time of the process that writes and of those that parse."""

    wall: float
    main: float
    workers: float = 0.0

    @property
    def cpu(self) -> float:
        """The CPU time of all processes."""
        return self.main + self.workers

    @property
    def alone(self) -> float:
        """The time that two idle CPUs need, if no process waits for another one."""
        return max(self.main, self.cpu / 2) if self.workers else self.cpu


def write_archive(folder: Path, articles: int) -> int:
    """Write the WARC files of an archive with articles and the sitemaps that list them; return their size in bytes."""
    pages, number, total = responses(articles), 0, 0
    days = folder / "warc" / f"{NOW:%Y}" / f"{NOW:%m}"
    days.mkdir(parents=True)
    month = 0
    while batch := list(islice(pages, BATCH)):
        name = f"vna-{NOW:%Y%m%d}-{number:03}.warc.gz"
        with (days / name).open("ab") as file:
            if file.tell() == 0:
                file.write(members.warcinfo(name, NOW, "bench"))
            url = f"{SITE.rstrip('/')}/sitemaps/news-{1950 + month // 12}-{month % 12 + 1}.xml"
            file.write(record(sitemap(url, [page for _, page in batch]), Purpose.listing("sitemap", url)))
            for key, page in batch:
                body = gzip.compress(page.body, 6)
                file.write(record(replace(page, body=body, headers=(*page.headers, _CODED)), Purpose.page(key)))
            size = file.tell()
        month += 1
        if size >= FILE_BYTES:
            number, total = number + 1, total + size
            size = 0
    return total + size


def record(response: Fetched, purpose: Purpose) -> bytes:
    """Return the WARC records of a response and its request."""
    return b"".join(members.response_and_request(response, str(purpose)))


def sitemap(url: str, pages: list[Fetched]) -> Fetched:
    """Return a sitemap that lists pages, requested before the first of them."""
    entries = "".join(f"<url><loc>{page.url}</loc></url>" for page in pages)
    text = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    headers = (("Content-Type", "text/xml"), _CODED)
    return fetched(url, gzip.compress(text.encode()), headers, pages[0].fetched_at)


def rebuild(archive: Path, into: Path, jobs: int) -> Measured:
    """Rebuild the database of an archive in the empty folder `into`."""
    return measured("--archive", archive, "rebuild", "--into", into, "--jobs", jobs)


def reparse(archive: Path, into: Path, jobs: int) -> Measured:
    """Copy an archive that has a database to `into`, and parse its pages again there."""
    shutil.copytree(archive, into)
    return measured("--archive", into, "reparse", "--jobs", jobs)


def import_files(archive: Path, into: Path, jobs: int) -> Measured:
    """Import the WARC files of an archive into an empty one at `into`."""
    files = [part for file in sorted((archive / "warc").rglob("*.warc.gz")) for part in ("--warc", file)]
    return measured("--archive", into, "backfill", *files, "--jobs", jobs)


#: The commands by name, each with what the benchmark asks.
COMMANDS: dict[str, tuple[Callable[[Path, Path, int], Measured], str]] = {
    "rebuild": (rebuild, "How fast is a database rebuilt from the WARC files with two processes?"),
    "reparse": (reparse, "How fast are all pages parsed again with two processes?"),
    "import": (import_files, "How fast are WARC files imported with two processes?"),
}


def measured(*arguments: object) -> Measured:
    """Run a command of `vna` in a process of its own.

    Raises:
        RuntimeError: the command failed.

    """
    command = [sys.executable, "-m", "benchmarks.rebuild_worker", *map(str, arguments), "--json"]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.monotonic() - begun
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    used = json.loads(done.stderr.splitlines()[-1])
    return Measured(wall, used["main"], used["workers"])


def bound(archive: Path, database: Path) -> Measured:
    """Read and store the pages of an archive with as little as possible, in a process of its own."""
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    begun, before = time.monotonic(), os.times()
    subprocess.run([sys.executable, _WORKERS / "bound_worker.py", archive, database], check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(time.monotonic() - begun, cpu)


def differing(one: Path, other: Path, *, imports: bool) -> list[str]:
    """Return the tables in which two databases differ.

    An import writes its own time into some tables. Of those, only what the articles say is compared.
    """
    with closing(open_archive(one)) as archive, diff_db.attached(archive.db, other / FILE), archive.transaction():
        tables = {t.table for t in diff_db.compare(archive.db) if t.differing or t.renumbered} - {"archive_identity"}
        if imports:
            tables -= _TIMED
            if archive.db.execute(_OTHER_ARTICLES).fetchone():
                tables.add("articles")
    return sorted(tables)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--command", choices=COMMANDS, default="rebuild")
    parser.add_argument("--articles", type=int, default=_DEFAULT)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--into", type=Path, help="folder for the temporary files")


def run(options: argparse.Namespace) -> Result:
    """Measure the command and the bound in turns.

    Raises:
        RuntimeError: a command failed, or two databases differ.

    """
    articles, half = options.articles, options.articles // 2
    command, question = COMMANDS[options.command]
    found: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory(dir=options.into) as name:
        folder = Path(name)
        for part, count in (("all", articles), ("half", half)):
            write_archive(folder / part, count)
            if command is reparse:
                measured("--archive", folder / part, "rebuild", "--replace", "--jobs", 2)
        for number in range(1, options.rounds + 1):
            for into in ("one", "two", "two-half"):
                shutil.rmtree(folder / into, ignore_errors=True)
            figures = {
                _BOUND: bound(folder / "all", folder / "bound.db"),
                _ONE: command(folder / "all", folder / "one", 1),
                _TWO: command(folder / "all", folder / "two", 2),
                _HALF: command(folder / "half", folder / "two-half", 2),
            }
            for contender, one in figures.items():
                found.setdefault(contender, []).append(one)
            note(f"round {number}: {_line(figures)}")
        if differences := differing(folder / "two", folder / "one", imports=command is import_files):
            raise RuntimeError(f"one process and two give different rows in {', '.join(differences)}")
    variant = [options.command] * (options.command != "rebuild") + [str(articles)] * (articles != _DEFAULT)
    return Result(
        "offline",
        question,
        [row for name, values in found.items() for row in _rows(name, values, half if name == _HALF else articles)],
        [*_goals(found, articles, "wall", "elapsed"), *_goals(found, articles, "alone", "on idle CPUs")],
        notes=(
            f"{articles} articles of the fake site and the sitemaps that list them. The databases of one process and of two"
            " jobs are equal. `elapsed` is right only on an idle machine; `on idle CPUs` is the larger one of half of the CPU"
            " time of all processes and that of the process that writes."
        ),
        variant=" ".join(variant),
    )


def _rows(name: str, values: list[Measured], articles: int) -> Iterator[Row]:
    figures = ("wall", "main", "workers") if any(value.workers for value in values) else ("wall", "main")
    labels = {"wall": "elapsed", "main": "CPU of the process that writes", "workers": "CPU of the others"}
    for figure in figures:
        costs = (getattr(value, figure) * 1000 / articles for value in values)
        yield Row.of(f"{name}: {labels[figure]}", costs, "ms an article")


def _goals(found: dict[str, list[Measured]], articles: int, clock: str, label: str) -> list[Goal]:
    """Return the ratios of each round, and what follows for a large archive."""
    one, two, half, least = ([getattr(value, clock) for value in found[name]] for name in (_ONE, _TWO, _HALF, _BOUND))
    further = _GOAL - articles
    slopes = [(b - a) / (articles - articles // 2) for a, b in zip(half, two, strict=True)]
    minutes = [(b + slope * further) / 60 for b, slope in zip(two, slopes, strict=True)]
    doubled = articles / (articles // 2)
    return [
        Goal.of(f"{_ONE} ÷ {_TWO}, {label}", ratios(one, two), at_least=1.8),
        Goal.of(f"{_BOUND} ÷ {_TWO}, {label}", ratios(least, two), at_least=0.5),
        Goal.of(
            f"exponent, {label}", [math.log(b / a, doubled) for a, b in zip(half, two, strict=True)], "", at_most=1.05
        ),
        Goal.of(f"{_GOAL:,} articles, extrapolated, {label}", minutes, "minutes", at_most=60),
    ]


def _line(measured: dict[str, Measured]) -> str:
    parts = [
        f"{name} {one.wall:.1f} s (CPU {one.main:.1f}" + (f" + {one.workers:.1f}" if one.workers else "") + " s)"
        for name, one in measured.items()
    ]
    return f"{', '.join(parts)}; load {os.getloadavg()[0]:.1f}"
