"""Memory and CPU time of an idle `vna run`, compared with bare Python."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.poll import SEEDS
from benchmarks.soak import SMALL, configure
from crawler import opening
from crawler.errors import StorageError
from crawler.health.figures import SERVICE
from crawler.sim.site import build, serve

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
INTERVAL = 20.0  # seconds over which CPU time is measured


def main() -> None:
    """Print the figures."""
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
            before = processor_time(service.pid)
            time.sleep(INTERVAL)
            used = processor_time(service.pid) - before
            base, mine = memory(bare.pid), memory(service.pid)
            print(f"idle memory: vna run {mine / 1024:.1f} MB, bare Python {base / 1024:.1f} MB, {mine / base:.1f} x")
            print(f"idle CPU time: {used / INTERVAL:.2%} of one core")
            service.terminate()
            print(f"exit code after SIGTERM: {service.wait(30)}")


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
