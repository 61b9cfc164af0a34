"""CPU time of a whole poll for each article, compared with Scrapy and with the least that a collector can do.

`vna poll` fetches, writes WARC files, parses, repairs, decides, stores and indexes. Scrapy fetches, parses a few fields and
inserts them into SQLite. The floor is `benchmarks/floor_worker.py`. Each runs as a process of its own, with its start; the
fake site is another process, whose time is not counted. The first run installs Scrapy into `.venv-peers/`.

    ./run.sh bench poll [--articles 1500] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.environments import PEERS, python_with
from crawler.opening import reading_archive

SEEDS = Path(__file__).parent.parent / "seeds"
_WORKERS = Path(__file__).parent
_SCRAPY = ["scrapy==2.19.0"]


def main() -> None:
    """Print the table."""
    options = _options()
    scrapy = python_with(_SCRAPY, PEERS / "scrapy")
    with tempfile.TemporaryDirectory() as name, served(options.articles) as url:
        folder = Path(name)
        vna = [sys.executable, "-m", "crawler", "--site", url, "--rate", "0"]
        urls = folder / "urls"
        found: dict[str, list[float]] = {}
        for number in range(options.rounds):
            archive, pages = folder / f"archive-{number}", urls.as_posix()
            poll = [*vna, "--archive", archive.as_posix(), "poll"]
            found.setdefault("vna poll, everything new", []).append(processor_time(poll))
            count = _write_urls(archive, urls)
            found.setdefault("vna poll, nothing new", []).append(processor_time(poll))
            for peer, python in (("scrapy", scrapy.as_posix()), ("floor", sys.executable)):
                database = folder / f"{peer}-{number}.db"
                worker = [python, (_WORKERS / f"{peer}_worker.py").as_posix(), pages, database.as_posix()]
                found.setdefault(peer, []).append(processor_time(worker))
                _require_rows(database, count)
    _print(found, count)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="poll", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


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


def _print(found: dict[str, list[float]], count: int) -> None:
    print(f"{count} articles; CPU time, median of {len(found['floor'])}, start of the process included")
    seconds = {name: statistics.median(values) for name, values in found.items()}
    for name, value in seconds.items():
        print(
            f"{name:26} {value / count * 1000:7.2f} ms per article"
            f"   {value / seconds['scrapy']:5.2f} x scrapy   {value / seconds['floor']:5.2f} x floor"
        )


if __name__ == "__main__":
    main()
