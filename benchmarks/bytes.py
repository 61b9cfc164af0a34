"""Bytes that an article takes in the database and in the WARC files, and what a year adds.

`vna poll` collects the fake site, so the rows arrive as on a real site: the newest article first, each in a transaction of its
own. A second poll requests all articles again, which shows the price of a recheck. A year has 45 articles a day, and the numbers
of rechecks and of list requests that `./run.sh bench month` finds.

./run.sh bench bytes [--articles 600] [--rechecks 14] [--lists 4.3] [--json]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.poll import served
from crawler.storage import FILE

GOALS = {"database": 12_000, "all": 45_000}  # bytes an article
_ARTICLES_A_YEAR = 45 * 365
_LEAST = 20  # bytes an article; smaller tables are added up
#: The sizes of tables with their indexes; those of the search index are counted together.
_BY_TABLE = """
SELECT iif(t.tbl_name LIKE 'articles_fts%', 'articles_fts', t.tbl_name), sum(d.pgsize), sum(d.unused)
FROM dbstat d JOIN sqlite_schema t ON t.name = d.name GROUP BY 1 ORDER BY 2 DESC"""
_RESPONSES = "SELECT count(*), coalesce(sum(length), 0) FROM raw WHERE purpose LIKE ?"


def main() -> int:
    """Print the table; return 1 if an article takes more than the goals."""
    options = _options()
    with tempfile.TemporaryDirectory() as name, served(options.articles) as url:
        archive = Path(name)
        _poll(archive, url)
        first = _measured(archive)
        _poll(archive, url, "--all")
        second = _measured(archive)
    found = _found(first, second, options)
    print(json.dumps(found, indent=1) if options.json else _table(found))
    return int(any(found[name] > goal for name, goal in GOALS.items()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bytes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=600)
    parser.add_argument("--rechecks", type=float, default=14, help="of an article in its first year")
    parser.add_argument("--lists", type=float, default=4.3, help="list requests for each new article")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


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


def _found(first: dict[str, Any], second: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return the bytes of an article, of its rechecks and lists, and of a year."""
    articles = first["articles"]
    tables = {name: {"bytes": size / articles, "unused": unused / articles} for name, size, unused in first["tables"]}
    lists, list_bytes = first["lists"]
    page_bytes = first["pages"][1] / articles
    recheck = {
        "warc": (second["pages"][1] - first["pages"][1]) / articles,
        "database": (second["database"] - first["database"]) / articles,
    }
    database = first["database"] / articles
    year = database + page_bytes + options.lists * list_bytes / max(1, lists) + options.rechecks * sum(recheck.values())
    return {
        "articles": articles,
        "tables": tables,
        "database": database,
        "warc": first["warc"] / articles,
        "all": (first["database"] + first["warc"]) / articles,
        "page_record": page_bytes,
        "list_record": list_bytes / max(1, lists),
        "recheck": recheck,
        "year": year * _ARTICLES_A_YEAR,
    }


def _table(found: dict[str, Any]) -> str:
    lines = [f"{found['articles']} articles; bytes an article"]
    small = sum(size["bytes"] for size in found["tables"].values() if size["bytes"] < _LEAST)
    lines += [
        f"  {name:24} {size['bytes']:8.0f}   of which unused {size['unused']:6.0f}"
        for name, size in found["tables"].items()
        if size["bytes"] >= _LEAST
    ]
    lines += [
        f"  {'smaller tables':24} {small:8.0f}",
        f"{'database':26} {found['database']:8.0f}   goal {GOALS['database']}",
        f"{'WARC files, with lists':26} {found['warc']:8.0f}",
        f"{'all':26} {found['all']:8.0f}   goal {GOALS['all']}",
        f"{'record of a page':26} {found['page_record']:8.0f}",
        f"{'record of a list':26} {found['list_record']:8.0f}",
        f"{'recheck: WARC, database':26} {found['recheck']['warc']:8.0f} {found['recheck']['database']:8.0f}",
        f"{'a year, projected':26} {found['year'] / 1e9:8.1f} GB",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
