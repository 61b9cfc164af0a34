"""Memory and CPU time of an idle `vna run`, with the real clock and after simulated days, compared with bare Python.

./run.sh bench idle [--hours 49]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import profiles
from benchmarks.poll import SEEDS
from benchmarks.report import Goal, Result, Row
from benchmarks.soak import BEGIN, SMALL, configure, idle_times, simulated_service
from crawler import opening
from crawler.errors import StorageError
from crawler.health.figures import SERVICE
from crawler.sim.site import build, serve

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
INTERVAL = 4.0  # seconds between two measurements of the memory
INTERVALS = 5
SETTLED = 0.1  # seconds after which the memory of a finished job is released; health checks are farther apart
AT_MOST = 60  # MB
_DAY = 24  # hours; the daily jobs have run by then


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--hours", type=int, default=49, help="simulated hours, at least 25")


def run(options: argparse.Namespace) -> Result:
    """Measure the service."""
    bare, idle, share = real_time()
    hourly = simulated(max(options.hours, _DAY + 1))
    first, later = hourly[:_DAY], hourly[_DAY:]
    return Result(
        "idle",
        "What does the service need while nothing happens?",
        [
            Row.of("memory of bare Python", bare, "MB"),
            Row.of("memory after the first poll", idle, "MB"),
            Row.of("memory in the first simulated day, hourly", first, "MB"),
            Row.of("memory after its daily jobs, hourly", later, "MB"),
            Row.of("CPU time while idle", [share], "% of a core"),
        ],
        [
            Goal("memory after an hour", hourly[1], "MB", at_most=AT_MOST),
            Goal("largest memory after the daily jobs", max(later), "MB", at_most=AT_MOST),
            Goal("last hour ÷ first hour after the daily jobs", later[-1] / later[0], at_most=1.05),
        ],
        notes=(
            "Resident memory of the process, which waits between its jobs. The clock of the second service is simulated, and"
            " goes to the next due time when nothing is due; the site, the socket, the database and the jobs are real."
        ),
    ).explained(
        lambda: [profiles.of_memory("memory of the imports of the service", "crawler.cli.main, crawler.daemon")]
    )


def real_time() -> tuple[list[float], list[float], float]:
    """Return the memory of bare Python and of a service after its first poll in MB, and its CPU time in per cent."""
    with (
        tempfile.TemporaryDirectory() as name,
        serve(lambda url: build(url, seeds_dir=SEEDS, now=lambda: datetime.now(UTC), options=SMALL)) as site,
    ):
        folder = Path(name)
        command = [sys.executable, "-m", "crawler", "--config", str(configure(folder, site.url)), "run"]
        with (
            (folder / "log").open("wb") as log,
            KilledAtExit(command, log) as service,
            KilledAtExit(SLEEP, log) as bare,
        ):
            wait_until_idle(folder / "archive")
            bases, memories = [], []
            before = processor_time(service.pid)
            for _ in range(INTERVALS):
                time.sleep(INTERVAL)
                bases.append(memory(bare.pid) / 1024)
                memories.append(memory(service.pid) / 1024)
            share = 100 * (processor_time(service.pid) - before) / (INTERVAL * INTERVALS)
            service.terminate()
            if code := service.wait(30):
                raise RuntimeError(f"the service ended with {code} after SIGTERM")
    return bases, memories, share


def simulated(hours: int) -> list[float]:
    """Return the memory of a service at the end of each simulated hour, in MB."""
    found: list[float] = []
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_service(Path(name), "--as-command") as (child, clock, _),
    ):
        for now in idle_times(child, clock, Path(name) / "log", Path(name) / "archive"):
            if now >= BEGIN + timedelta(hours=len(found)):
                found.append(settled(child.pid))
            if len(found) == hours:
                break
    return found


def settled(pid: int) -> float:
    """Return the memory of a process between its jobs and health checks, in MB: the median of three measurements."""
    found = []
    for _ in range(3):
        time.sleep(SETTLED)
        found.append(memory(pid) / 1024)
    return statistics.median(found)


class KilledAtExit(subprocess.Popen):
    """A process that is killed at the end of its `with` block."""

    def __init__(self, command: list[str], log: object) -> None:
        super().__init__(command, stderr=log)  # type: ignore[call-overload]

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()


def wait_until_idle(archive: Path) -> None:
    """Wait until the first poll and the first housekeeping are done."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        time.sleep(0.5)
        try:
            with opening.reading_archive(archive) as opened:
                jobs = opened.jobs()
        except StorageError:
            continue
        if "verify" in jobs and all(job.state == "ok" for name, job in jobs.items() if name != SERVICE):
            return


def memory(pid: int) -> int:
    """Return the resident memory of a process in kB."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0])


def processor_time(pid: int) -> float:
    """Return the seconds of CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
