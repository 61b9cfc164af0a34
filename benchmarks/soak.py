"""90 simulated days of `vna run` in a few minutes: memory, open files, threads, write-ahead log and log size per day.

The service is a real process, with a real socket, database and WARC files. Only the clock is simulated: when nothing is
due, it advances to the next due time. `--days N`, `--per-day N` (articles).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from benchmarks.daemon_child import FileClock
from benchmarks.poll import SEEDS
from crawler import opening
from crawler.errors import StorageError
from crawler.sim.site import Options, Serving, build, serve
from crawler.sim.site.story import SECTIONS

BEGIN = datetime(2026, 8, 3, 17, tzinfo=UTC)  # midnight in Hanoi
STEP = timedelta(hours=1)
SMALL = Options(sections=SECTIONS[:2], section_size=12, feed_size=12, home_size=20, validators=True)


@dataclass(frozen=True)
class Sample:
    """Figures of the process and its files at the end of a day, in bytes unless noted."""

    rss: int  # kB
    descriptors: int
    threads: int
    wal: int
    log: int
    archive: int
    runs: int


def configure(folder: Path, url: str, **more: str) -> Path:
    """Write a configuration for the service and return its path. `more` adds or replaces tables."""
    file = folder / "config" / "crawler.toml"
    file.parent.mkdir()
    tables = {"service": 'health = ""\nlog = "json"', "poll": "list_pages = 2\nfloor = 1800", **more}
    file.write_text(
        f'[site]\nroot = "{url}"\n[politeness]\nrate = 0\nattempts = 2\n[archive]\ndir = "archive"\nreserve = 0\n'
        + "".join(f"[{name}]\n{content}\n" for name, content in tables.items())
    )
    return file


def sample(pid: int, archive: Path, log: Path) -> Sample:
    """Return the current figures of the process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    with opening.reading_archive(archive) as opened:
        runs = opened.db.execute("SELECT max(id) FROM runs").fetchone()[0]
    return Sample(
        rss=int(status["VmRSS"].split()[0]),
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - a count
        threads=int(status["Threads"]),
        wal=(archive / "vna.db-wal").stat().st_size,
        log=log.stat().st_size,
        archive=sum(file.stat().st_size for file in archive.rglob("*") if file.is_file()),
        runs=runs,
    )


def idle_until(archive: Path, now: datetime) -> datetime | None:
    """Return the next due time; None while the service is working or something is due already."""
    try:
        with opening.reading_archive(archive) as opened:
            due = opened.next_due()
            busy = any(job.in_progress for job in opened.jobs().values())
    except StorageError:  # the service has not created it yet
        return None
    return None if busy or due is None or due <= now else due


def run_days(
    child: subprocess.Popen[bytes], clock: FileClock, site: object, days: int, per_day: int, log: Path, archive: Path
) -> list[Sample]:
    """Run the days; return a sample for the end of each."""
    samples: list[Sample] = []
    gap = timedelta(days=1) / per_day
    next_story = BEGIN + gap
    for now in idle_times(child, clock, log, archive):
        while next_story <= now:
            site.publish(1)  # type: ignore[attr-defined]
            next_story += gap
        if now >= BEGIN + timedelta(days=len(samples) + 1):
            samples.append(sample(child.pid, archive, log))
            if len(samples) == days:
                break
    return samples


def idle_times(child: subprocess.Popen[bytes], clock: FileClock, log: Path, archive: Path) -> Iterator[datetime]:
    """Yield each time at which the service has nothing to do; then advance the clock to the next due time, or by an hour."""
    last_idle = time.monotonic()
    while True:
        assert child.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() - last_idle < 60, "the service has not been idle for 60 s"
        now = clock.now()
        if (due := idle_until(archive, now)) is None:
            time.sleep(0.008)
            continue
        yield now
        last_idle = time.monotonic()
        clock.set(min(due, now + STEP).timestamp())


@contextmanager
def simulated_service(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], FileClock, Serving]]:
    """Yield the service, running in `folder` with a simulated clock, the clock and the site."""
    file = folder / "clock"
    file.write_bytes(bytes(8))
    clock = FileClock(file)
    clock.set(BEGIN.timestamp())
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, now=clock.now, options=SMALL)) as site,
        (folder / "log").open("wb") as log,
    ):
        config = str(configure(folder, site.url))
        command = [sys.executable, "-m", "benchmarks.daemon_child", config, "--clock", str(file), *options]
        with subprocess.Popen(command, stderr=log) as child:
            try:
                yield child, clock, site
            finally:
                child.kill()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--per-day", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.monotonic()
        with simulated_service(folder) as (child, clock, site):
            samples = run_days(
                child, clock, site.fake_site, arguments.days, arguments.per_day, folder / "log", folder / "archive"
            )
            child.terminate()
            code = child.wait(30)
            requests = sum(site.fake_site.state(log=False)["requests"].values())  # type: ignore[attr-defined]
        report(samples, requests, time.monotonic() - started, code)


def report(samples: list[Sample], requests: int, seconds: float, code: int) -> None:
    days = len(samples)
    third = max(1, days // 3)
    print(
        f"{days} days in {seconds:.0f} s, {samples[-1].runs} runs, {requests} requests; exit code after SIGTERM: {code}"
    )
    print(f"{'':22}{'first day':>12}{'middle':>12}{'last day':>12}{'slope per day, last two thirds':>32}")
    for name, unit in (("rss", "kB"), ("descriptors", ""), ("threads", ""), ("wal", "bytes")):
        values = [getattr(one, name) for one in samples]
        print(f"{name:14}{unit:8}{values[0]:12}{values[days // 2]:12}{values[-1]:12}{slope(values[third:]):32.2f}")
    logged = [two.log - one.log for one, two in pairwise(samples)] or [0]
    halves = logged[: len(logged) // 2] or logged, logged[len(logged) // 2 :]
    print(
        f"rss by tenths: {', '.join(str(samples[days * n // 10].rss // 1024) for n in range(10))}, {samples[-1].rss // 1024} MB"
    )
    print(
        f"log bytes per day: first half {statistics.mean(halves[0]):.0f}, second half {statistics.mean(halves[1]):.0f}"
    )
    print(f"archive: {samples[-1].archive / 1e6:.1f} MB")


def slope(values: list[int]) -> float:
    """Return the slope per day of the regression line through the values."""
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 1 else 0.0
