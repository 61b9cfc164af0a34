"""`vna reparse --out` with Dask and Spark against one process: equal rows, speed-up, killed workers.

The pages are those of the fake site, in all eras, written as the crawler writes them. All engines run on this machine, the
workers on 127.0.0.1. Times are wall-clock times of pairs that run directly after one another, with the load average.

    ./run.sh bench scale                    4,000 pages, five pairs, ten kills, Spark
    ./run.sh bench scale --pages 20000      more pages
    ./run.sh bench scale --pairs N --kills N --no-spark
    ./run.sh bench scale --into DIR         another folder for Spark and its libraries than `.venv-scale/`
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyarrow import dataset as parquet

from benchmarks import profiles
from benchmarks.environments import install_extra, python_with
from benchmarks.parse import SEEDS
from benchmarks.report import Goal, Profile, Result, Row, note
from benchmarks.timing import ratios
from crawler import app, bulk, config
from crawler.bulk.values import Result as TaskResult
from crawler.bulk.values import Task
from crawler.errors import StopError
from crawler.outcome import Outcome
from crawler.pipeline import Silent
from crawler.purpose import Purpose
from crawler.sim.site import Options, SiteRequest, build
from crawler.site import ROOT as SITE
from crawler.site import Site
from crawler.types import Fetched
from crawler.warc import members

ROOT = Path(__file__).parents[1]
WORKER = Path(__file__).with_name("scale_spark.py")
PACKAGES = ("pyspark>=4,<5", "--editable", f"{ROOT}[parquet]")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
FILE_BYTES = 100_000_000
BATCH = 500  # stories that the fake site holds at a time


def fetched(url: str, body: bytes, headers: tuple[tuple[str, str], ...], at: datetime) -> Fetched:
    """Return a response as the client returns it."""
    return Fetched(url, at, 200, "OK", "1.1", headers, body, body, url, (("Host", "fr.vietnamplus.vn"),))


def responses(pages: int) -> Iterator[tuple[int, Fetched]]:
    """Yield pages of the fake site with their ids, in all eras; each batch has other stories and other ids."""
    for batch in range(-(-pages // BATCH)):
        wanted = min(BATCH, pages - batch * BATCH)
        site = build(
            SITE, seeds_dir=SEEDS, articles=wanted, seed=batch, now=lambda: NOW, options=Options(history=wanted)
        )
        for number, post_id in enumerate(site.ids()[:wanted]):
            key = 1_000_000 + batch * BATCH + number
            path = site.story(post_id).path
            response = site.respond(SiteRequest("GET", path))
            body = response.decoded.replace(f"post{post_id}.".encode(), f"post{key}.".encode())
            url = SITE.rstrip("/") + path.replace(f"post{post_id}.", f"post{key}.")
            headers = tuple((k, v) for k, v in response.headers if k.lower() != "content-encoding")
            yield key, fetched(url, body, headers, NOW - timedelta(seconds=pages) + timedelta(seconds=key - 1_000_000))


def write_warc(folder: Path, pages: int) -> int:
    """Write WARC files with pages; return their size in bytes."""
    number, size, total, file = 0, FILE_BYTES, 0, None
    folder.mkdir(parents=True)
    for key, response in responses(pages):
        if size >= FILE_BYTES:
            if file is not None:
                file.close()
            name = f"vna-20261122-{number:03}.warc.gz"
            file, number = (folder / name).open("wb"), number + 1
            size = file.write(members.warcinfo(name, NOW, "bench"))
            total += size
        written = file.write(b"".join(members.response_and_request(response, str(Purpose.page(key)))))
        size, total = size + written, total + written
    if file is not None:
        file.close()
    return total


def settings() -> bulk.BulkSettings:
    """Return the settings of a reparse."""
    return bulk.BulkSettings(bulk.code_version(), Site(SITE), config.load_markups(), app.lexicon_repairer)


def digest(folder: Path) -> tuple[int, str]:
    """Return the number of rows of a dataset, and the digest of all its rows, sorted by id."""
    table = parquet.dataset(folder, partitioning="hive").to_table().sort_by("id")
    engine = hashlib.sha256()
    for row in table.to_pylist():
        engine.update(json.dumps(row, default=str, sort_keys=True).encode())
    return table.num_rows, engine.hexdigest()


def one_process(warc: Path, out: Path) -> bulk.BulkReport:
    """Reparse in one process."""
    return bulk.reparse_files(str(warc), out, nullcontext(bulk.LocalEngine(1)), settings(), Silent())


def two_workers(warc: Path, out: Path, progress: Silent | None = None) -> bulk.BulkReport:
    """Reparse with Dask and two workers."""
    return bulk.reparse_files(str(warc), out, bulk.dask_engine(None, 2), settings(), progress or Silent())


def worker_pids() -> list[int]:
    """Return the worker processes that Dask has started below this process."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = status.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"spawn_main" in command:
            found.append(int(status.parent.name))
    return found


class InProcess:
    """Runs tasks in this process, so that they can be profiled."""

    workers, retried = 1, 0

    def results(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        for task in tasks:
            yield task, bulk.run_task(task)


def profile(warc: Path, out: Path) -> Profile:
    """Return the profile of a reparse in one process."""
    engine = nullcontext(InProcess())
    return profiles.of_call("one process", lambda: bulk.reparse_files(str(warc), out, engine, settings(), Silent()))


class Killer(Silent):
    """Kills a random worker after each second result, until there were enough kills."""

    def __init__(self, kills: int) -> None:
        super().__init__()
        self.done = 0
        self._kills = kills
        self._steps = 0
        self._random = random.Random(1)

    def step(self, outcome: Outcome) -> None:
        del outcome
        self._steps += 1
        pids = worker_pids()
        if self.done < self._kills and self._steps % 2 == 0 and pids:
            os.kill(self._random.choice(pids), signal.SIGKILL)
            self.done += 1


def spark(program: Path, warc: Path, out: Path) -> dict[str, object]:
    """Reparse with Spark in local mode, in the environment of Spark."""
    python = str(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": python}
    done = subprocess.run([python, WORKER, warc, out], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StopError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def children_cpu() -> float:
    """Return the CPU seconds of the processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class Pairs:
    """The times of one process and of two workers in each pair, and the digests of all datasets."""

    single: list[float] = field(default_factory=list)
    double: list[float] = field(default_factory=list)
    single_cpu: list[float] = field(default_factory=list)
    double_cpu: list[float] = field(default_factory=list)
    digests: set[tuple[int, str]] = field(default_factory=set)


def measure_pairs(warc: Path, folder: Path, pairs: int) -> Pairs:
    """Run one process and two workers in turn."""
    found = Pairs()
    for number in range(pairs):
        begun = children_cpu()
        found.single.append(one_process(warc, folder / "single").seconds)
        middle = children_cpu()
        found.double.append(two_workers(warc, folder / "double").seconds)
        found.single_cpu.append(middle - begun)
        found.double_cpu.append(children_cpu() - middle)
        found.digests |= {digest(folder / "single"), digest(folder / "double")}
        note(f"pair {number + 1}: {found.single[-1]:.1f} s and {found.double[-1]:.1f} s")
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--pages", type=int, default=4000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--no-spark", action="store_true")
    parser.add_argument("--into", type=Path, default=ROOT / ".venv-scale")
    parser.add_argument("--warc", type=Path, help="keep the WARC files in this folder, or use those that are there")


def run(options: argparse.Namespace) -> Result:
    """Measure all engines."""
    install_extra("dask", "distributed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warc = options.warc or folder / "warc"
        if not warc.exists():
            write_warc(warc, options.pages)
        size = sum(path.stat().st_size for path in warc.iterdir())
        found = measure_pairs(warc, folder, options.pairs)
        rows = [
            Row.of("one process", found.single, "s"),
            Row.of("Dask, two workers", found.double, "s"),
            Row.of("CPU time of the one process", found.single_cpu, "s"),
            Row.of("CPU time of the two workers", found.double_cpu, "s"),
        ]
        if options.kills:
            killer = Killer(options.kills)
            report = two_workers(warc, folder / "killed", killer)
            found.digests.add(digest(folder / "killed"))
            rows.append(Row.of(f"Dask, {killer.done} workers killed", [report.seconds], "s"))
            rows.append(Row.of("tasks that were started again", [report.retried], ""))
        is_spark = not options.no_spark and shutil.which("java") is not None
        if is_spark:
            report_ = spark(python_with(PACKAGES, options.into), warc, folder / "spark")
            found.digests.add(digest(folder / "spark"))
            rows.append(Row.of("Spark, local[2]", [float(str(report_["seconds"]))], "s"))
        return Result(
            "scale",
            "Are the rows of a dataset the same on every engine, and how much faster are two workers?",
            rows,
            [
                Goal.of("one process ÷ two workers", ratios(found.single, found.double), at_least=1.7),
                Goal("different datasets", len(found.digests), "", at_most=1),
            ],
            notes=(
                f"{options.pages} pages of the fake site, {size / 1e6:.0f} MB of WARC files; elapsed time of pairs that run directly"
                f" after one another. {'Spark ran in local mode.' if is_spark else 'Spark was not run: it needs Java, and --no-spark leaves it out.'} Two workers"
                " of a machine whose cores other programs use are slower than two cores allow."
            ),
        ).explained(lambda: [profile(warc, folder / "profiled")])
