"""CPU time of a whole poll for each article, compared with Scrapy and with the least that a collector can do.

`vna poll` fetches, writes WARC files, parses, repairs, decides, stores and indexes. Scrapy fetches, parses a few fields and
inserts them into SQLite. The floor is `benchmarks/floor_worker.py`. Each runs as a process of its own, with its start; the
fake site is another process, whose time is not counted. The first run installs Scrapy into `.venv-peers/`.

    ./run.sh bench poll [--articles 1500] [--rounds 5] [--json] [--record]
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks import profiles
from benchmarks.environments import PEERS, python_with
from benchmarks.report import Goal, Result, Row
from benchmarks.timing import ratios
from crawler.opening import reading_archive

SEEDS = Path(__file__).parent.parent / "seeds"
_WORKERS = Path(__file__).parent
_SCRAPY = ["scrapy==2.19.0"]
_NEW, _PEER, _FLOOR = "vna poll, everything new", "scrapy", "floor"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--articles", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)


def run(options: argparse.Namespace) -> Result:
    """Measure the CPU time of a poll, and of its peers on the same pages."""
    scrapy = python_with(_SCRAPY, PEERS / "scrapy")
    with tempfile.TemporaryDirectory() as name, served(options.articles) as url:
        folder = Path(name)
        urls = folder / "urls"
        found: dict[str, list[float]] = {}
        for number in range(options.rounds):
            archive, pages = folder / f"archive-{number}", urls.as_posix()
            poll = [sys.executable, "-m", "crawler", *_poll(url, archive)]
            found.setdefault(_NEW, []).append(processor_time(poll))
            count = _write_urls(archive, urls)
            found.setdefault("vna poll, nothing new", []).append(processor_time(poll))
            for peer, python in ((_PEER, scrapy.as_posix()), (_FLOOR, sys.executable)):
                database = folder / f"{peer}-{number}.db"
                worker = [python, (_WORKERS / f"{peer}_worker.py").as_posix(), pages, database.as_posix()]
                found.setdefault(peer, []).append(processor_time(worker))
                _require_rows(database, count)
        poll = _poll(url, folder / "profiled")
        return _result(found, count).explained(lambda: [profiles.of_module(_NEW, "crawler", poll)])


@contextmanager
def served(articles: int) -> Iterator[str]:
    """Serve the fake site in another process; yield its address."""
    command = [sys.executable, "-m", "crawler", "replica", "--articles", str(articles)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as site:
        try:
            assert site.stdout is not None
            yield json.loads(site.stdout.readline())["url"]
        finally:
            site.terminate()


def processor_time(command: Sequence[str]) -> float:
    """Run a command; return the seconds of CPU time of the process and of those that it started and waited for.

    Raises:
        RuntimeError: the command failed.

    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(errors.decode(errors="replace")[-2000:])
    process.returncode = 0  # the process has been waited for
    process.stderr.close()
    return used.ru_utime + used.ru_stime


def _write_urls(archive: Path, file: Path) -> int:
    """Write the URLs of the articles that an archive holds; return their number."""
    with reading_archive(archive) as opened:
        urls = [row[0] for row in opened.db.execute("SELECT url FROM articles WHERE url IS NOT NULL")]
    file.write_text("\n".join(urls))
    return len(urls)


def _require_rows(database: Path, count: int) -> None:
    """Raise an error unless a peer stored every page: one that skips pages would seem fast."""
    with closing(sqlite3.connect(database)) as db:
        (table,) = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchone()
        (stored,) = db.execute(f"SELECT count(*) FROM {table} WHERE title <> ''").fetchone()
    if stored != count:
        raise RuntimeError(f"{database.name} has {stored} of {count} pages")


def _poll(url: str, archive: Path) -> list[str]:
    """Return the arguments of a poll without delay."""
    return ["--site", url, "--rate", "0", "--archive", archive.as_posix(), "poll"]


def _result(found: dict[str, list[float]], count: int) -> Result:
    return Result(
        "poll",
        "What does it cost to collect an article, from the request to the search index?",
        [Row.of(name, (s / count * 1000 for s in values), "ms an article") for name, values in found.items()],
        [
            Goal.of("vna poll ÷ Scrapy", ratios(found[_NEW], found[_PEER]), at_most=1.0),
            Goal.of("vna poll ÷ floor", ratios(found[_NEW], found[_FLOOR]), at_most=1.5),
        ],
        notes=(
            f"{count} articles; CPU time of whole processes, their start included, without that of the fake site."
            " `vna poll` fetches, writes WARC files, parses, repairs, decides, stores and indexes. Scrapy fetches, parses a few"
            " fields and inserts them into SQLite. The floor does the least that a collector can do: sockets, inflate, bare"
            " parse, one insert."
        ),
    )
