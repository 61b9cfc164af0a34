"""`vna rebuild` with one process and with two, and the least that a program can do with the same WARC files.

The WARC files contain pages of the fake site, in all eras, and the sitemaps that list them, as a backfill writes them. The
bound is `benchmarks/bound_worker.py`: warcio, bare parse, raw insert, in one process. Each contender is a process of
its own, and the contenders run in turn. Two processes also rebuild half of the pages, which shows whether the time grows in
proportion, and how long 260,000 pages take.

With two jobs, a process writes and two parse. On two CPUs they take turns, so the wall-clock time is right only on an idle
machine. The CPU time shows what the speed-up would be there: no process waits for another one for long, so the time is
the larger one of half of all CPU time and the CPU time of the process that writes.

    ./run.sh bench offline                      2,000 pages, three rounds
    ./run.sh bench offline --articles 40000 --rounds 1 --json
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from benchmarks.scale import BATCH, FILE_BYTES, NOW, SITE, fetched, responses
from crawler.purpose import Purpose
from crawler.storage import FILE, diff_db, open_archive
from crawler.types import Fetched
from crawler.warc import members

_WORKERS = Path(__file__).parent
_GOAL = 260_000
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
    """Rebuild the database of an archive in a process of its own.

    Raises:
        RuntimeError: the command failed.

    """
    shutil.rmtree(into, ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.rebuild_worker", "--archive", str(archive), "rebuild"]
    begun = time.monotonic()
    done = subprocess.run(
        [*command, "--into", str(into), "--jobs", str(jobs), "--json"], capture_output=True, text=True, check=False
    )
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


def differing(one: Path, other: Path) -> list[str]:
    """Return the tables in which two databases differ."""
    with closing(open_archive(one)) as archive, diff_db.attached(archive.db, other / FILE), archive.transaction():
        tables = diff_db.compare(archive.db)
    return [t.table for t in tables if (t.differing or t.renumbered) and t.table != "archive_identity"]


def median(values: list[Measured], name: str) -> float:
    """Return the median of a figure."""
    return statistics.median(getattr(value, name) for value in values)


def main() -> int:
    """Print the table; return 1 if the databases differ."""
    options = _options()
    found: dict[str, list[Measured]] = {}
    half = options.articles // 2
    with tempfile.TemporaryDirectory(dir=options.into) as name:
        folder = Path(name)
        size = write_archive(folder / "all", options.articles)
        write_archive(folder / "half", half)
        for number in range(1, options.rounds + 1):
            measured = {
                "bound": bound(folder / "all", folder / "bound.db"),
                "one process": rebuild(folder / "all", folder / "one", 1),
                "two jobs": rebuild(folder / "all", folder / "two", 2),
                "two jobs, half": rebuild(folder / "half", folder / "two-half", 2),
            }
            for contender, figures in measured.items():
                found.setdefault(contender, []).append(figures)
            if not options.json:
                print(f"round {number}: " + _line(measured), flush=True)
        differences = differing(folder / "two", folder / "one")
    summary = _summary(found, options.articles) | {"bytes": size, "differing": differences}
    if options.json:
        print(json.dumps({"rounds": {n: [asdict(v) for v in values] for n, values in found.items()}} | summary))
    else:
        _print(found, summary, options.articles)
    return int(bool(differences))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="offline", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--into", type=Path, help="folder for the temporary files")
    return parser.parse_args()


def _line(measured: dict[str, Measured]) -> str:
    parts = [
        f"{name} {one.wall:.1f} s (CPU {one.main:.1f}" + (f" + {one.workers:.1f}" if one.workers else "") + " s)"
        for name, one in measured.items()
    ]
    return f"{', '.join(parts)}; load {os.getloadavg()[0]:.1f}"


def _summary(found: dict[str, list[Measured]], articles: int) -> dict[str, object]:
    """Return the ratios, by wall-clock time and by CPU time, and the extrapolation."""
    summary: dict[str, object] = {"articles": articles}
    for name, clock in (("wall", "wall"), ("idle", "alone")):
        one, two, half, least = (
            median(found[contender], clock) for contender in ("one process", "two jobs", "two jobs, half", "bound")
        )
        slope = (two - half) / (articles - articles // 2)
        summary[name] = {
            "speedup": one / two,
            "share_of_bound": least / two,
            "exponent": math.log(two / half, articles / (articles // 2)),
            "goal_minutes": (two + slope * (_GOAL - articles)) / 60,
        }
    return summary


def _print(found: dict[str, list[Measured]], summary: dict[str, object], articles: int) -> None:
    print(f"{articles} articles, medians of {len(found['bound'])} rounds, milliseconds an article")
    counts = dict.fromkeys(found, articles) | {"two jobs, half": articles // 2}
    for name, values in found.items():
        wall, main, workers = (median(values, figure) * 1000 / counts[name] for figure in ("wall", "main", "workers"))
        print(f"{name:16} wall {wall:6.2f}   CPU {main:6.2f} of the process that writes, {workers:6.2f} of the others")
    for name, clock in (("wall", "wall-clock time"), ("idle", "CPU time, as on an idle machine")):
        ratios = summary[name]
        assert isinstance(ratios, dict)
        print(
            f"{clock}: two jobs {ratios['speedup']:.2f} x one process; {ratios['share_of_bound']:.2f} of the bound;"
            f" exponent {ratios['exponent']:.2f}; {_GOAL:,} pages in {ratios['goal_minutes']:.0f} minutes"
        )
    print(f"tables that differ: {summary['differing'] or 'none'}")


if __name__ == "__main__":
    sys.exit(main())
