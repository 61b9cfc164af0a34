"""Bytes that an article takes in the database and in the WARC files, and what a year adds.

`vna poll` collects the fake site, so the rows arrive as on a real site: the newest article first, each in a transaction of its
own. A second poll requests all articles again, which shows the price of a recheck. A year has 45 articles a day, and the numbers
of rechecks and of list requests that `./run.sh bench month` finds; after the first month, the schedule checks an article five
more times in the year.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.poll import served
from benchmarks.report import Goal, Result, Row
from crawler.storage import FILE

_DATABASE, _ALL = 12.0, 45.0  # kB an article
_YEAR = 4.0  # GB, half of what a year took in November 2026
_ARTICLES_A_YEAR = 45 * 365
_LEAST = 50  # bytes an article; smaller tables are added up
#: The sizes of tables with their indexes; those of the search index are counted together.
_BY_TABLE = """
SELECT iif(t.tbl_name LIKE 'articles_fts%', 'articles_fts', t.tbl_name), sum(d.pgsize)
FROM dbstat d JOIN sqlite_schema t ON t.name = d.name GROUP BY 1 ORDER BY 2 DESC"""
_RESPONSES = "SELECT count(*), coalesce(sum(length), 0) FROM raw WHERE purpose LIKE ?"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--articles", type=int, default=600)
    parser.add_argument("--rechecks", type=float, default=12.5, help="of an article in its first year")
    parser.add_argument("--lists", type=float, default=1.9, help="list requests for each new article")


def run(options: argparse.Namespace) -> Result:
    """Measure the sizes after a poll, and after all articles were requested again."""
    with tempfile.TemporaryDirectory() as name, served(options.articles) as url:
        archive = Path(name)
        _poll(archive, url)
        first = _measured(archive)
        _poll(archive, url, "--all")
        second = _measured(archive)
    articles, (lists, list_bytes) = first["articles"], first["lists"]
    database, page = first["database"] / articles, first["pages"][1] / articles
    recheck = sum(second["pages"][1:]) - sum(first["pages"][1:]) + second["database"] - first["database"]
    listed = list_bytes / max(1, lists)
    year = database + page + options.lists * listed + options.rechecks * recheck / articles
    small = sum(size for _, size in first["tables"] if size / articles < _LEAST)
    tables = [(name, size) for name, size in first["tables"] if size / articles >= _LEAST] + [("smaller tables", small)]
    return Result(
        "bytes",
        "How many bytes does an article take?",
        [Row.of(f"table {name}", [size / articles], "bytes an article") for name, size in tables]
        + [
            Row.of("record of a page in a WARC file", [page / 1000], "kB"),
            Row.of("record of a list in a WARC file", [listed / 1000], "kB"),
            Row.of("a further request of an article, both", [recheck / articles / 1000], "kB"),
        ],
        [
            Goal("database", database / 1000, "kB an article", at_most=_DATABASE),
            Goal(
                "database and WARC files",
                (first["database"] + first["warc"]) / articles / 1000,
                "kB an article",
                at_most=_ALL,
            ),
            Goal("a year", year * _ARTICLES_A_YEAR / 1e9, "GB", at_most=_YEAR),
        ],
        notes=(
            f"{articles} articles of the fake site. The WARC files contain the lists, too. A year has {_ARTICLES_A_YEAR:,} new"
            f" articles, each with {options.rechecks:g} further requests and {options.lists:g} list requests. Every further request"
            " is answered with the whole page, as by a site without validators."
        ),
    )


def _poll(archive: Path, url: str, *more: str) -> None:
    command = [sys.executable, "-m", "crawler", "--site", url, "--rate", "0", "--archive", archive.as_posix(), "poll"]
    subprocess.run([*command, *more], capture_output=True, check=True)


def _measured(archive: Path) -> dict[str, Any]:
    """Return the sizes of an archive, of its tables and of its responses, in bytes."""
    with closing(sqlite3.connect(archive / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {
            "articles": db.execute("SELECT count(*) FROM articles").fetchone()[0],
            "database": (archive / FILE).stat().st_size,
            "warc": sum(path.stat().st_size for path in (archive / "warc").rglob("*") if path.is_file()),
            "tables": db.execute(_BY_TABLE).fetchall(),
            "pages": db.execute(_RESPONSES, ["page:%"]).fetchone(),
            "lists": db.execute(_RESPONSES, ["source:%"]).fetchone(),
        }
