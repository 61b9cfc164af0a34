"""The service stopped, killed and suspended at random: the real process on a real socket, its clock 100 times faster.

A supervisor loop ends the service with SIGTERM or SIGKILL or suspends it, and restarts it at once, while the site keeps
publishing. At the end, every published article must be held exactly once, and the WARC files must be intact.
`--minutes N` (15 for the full benchmark), `--seed N`.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.poll import SEEDS
from benchmarks.soak import SMALL, configure
from crawler import opening
from crawler.errors import StorageError
from crawler.pipeline import Silent
from crawler.replay import verify
from crawler.sim.site import FakeSite, build, serve
from crawler.warc import WarcStore

SCALE = 100.0
PER_DAY = 450  # articles; ten times the agency's rate, because a run is short
ENDS = ("terminate", "kill", "kill", "freeze", "freeze and kill")


@dataclass
class Supervisor:
    """Starts the service, and stops, kills or suspends it at random. `frozen` is the time of a suspension in seconds."""

    config: Path
    folder: Path
    rng: random.Random
    frozen: float
    since: float = field(default_factory=time.time)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def now(self) -> datetime:
        """Return the time on the service's clock."""
        return datetime.fromtimestamp(self.since, UTC) + timedelta(seconds=(time.time() - self.since) * SCALE)

    def start(self) -> subprocess.Popen[bytes]:
        self.counts["starts"] += 1
        scaled = ["--scale", str(SCALE), "--since", repr(self.since)]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "benchmarks.daemon_child", str(self.config), *scaled], stderr=log
            )

    def round(self, pause: Callable[[float], None]) -> None:
        """Run the service for a random time, then end it in a random way."""
        child = self.start()
        pause(self.rng.uniform(1.0, 8.0))
        end = self.rng.choice(ENDS)
        self.counts[end] += 1
        if "freeze" in end:
            child.send_signal(signal.SIGSTOP)
            pause(self.frozen)
            child.send_signal(signal.SIGCONT)
            pause(self.rng.uniform(0.0, 3.0))
        self._stop(child, signal.SIGTERM if end in ("terminate", "freeze") else signal.SIGKILL)

    def _stop(self, child: subprocess.Popen[bytes], number: int) -> None:
        if child.poll() is not None:
            self.wrong.append(f"the service exited by itself with code {child.returncode}")
            return
        started = time.monotonic()
        child.send_signal(number)
        try:
            code = child.wait(30)
        except subprocess.TimeoutExpired:
            self.wrong.append("the service did not exit within 30 s of SIGTERM")
            child.kill()
            child.wait()
            return
        if number == signal.SIGTERM:
            self.slowest = max(self.slowest, time.monotonic() - started)
            if code not in (0, -signal.SIGTERM):  # the latter if it had not installed its handler yet
                self.wrong.append(f"exit code {code} after SIGTERM")

    def finish(self, wanted: set[int], archive: Path) -> None:
        """Run the service until every article is held, then stop it with SIGTERM."""
        child = self.start()
        deadline = time.monotonic() + 120
        while not wanted <= held(archive) and time.monotonic() < deadline:
            time.sleep(0.2)
        self._stop(child, signal.SIGTERM)


def held(archive: Path) -> set[int]:
    """Return the ids of the articles in the archive."""
    try:
        with opening.reading_archive(archive) as opened:
            return {row[0] for row in opened.db.execute("SELECT id FROM articles")}
    except StorageError:  # the service was ended before it created the archive
        return set()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frozen = 60.0 if arguments.minutes >= 15 else 3.0
        supervisor = Supervisor(folder / "config" / "crawler.toml", folder, random.Random(arguments.seed), frozen)
        with serve(lambda url: build(url, seeds_dir=SEEDS, now=supervisor.now, options=SMALL)) as site:
            configure(folder, site.url, poll="list_pages = 20\nceiling = 3600")
            published = drive(supervisor, site.fake_site, arguments.minutes)
            wanted = set(site.fake_site.ids())
            supervisor.finish(wanted, folder / "archive")
        return report(supervisor, folder / "archive", wanted, published)


def drive(supervisor: Supervisor, site: FakeSite, minutes: float) -> int:
    """Run rounds for some minutes, while the site publishes; return the number of published articles."""
    end = time.monotonic() + minutes * 60
    every = 86_400 / PER_DAY / SCALE
    published, due = 0, time.monotonic() + every

    def pause(seconds: float) -> None:
        nonlocal published, due
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            while due <= time.monotonic():
                site.publish(1)
                published, due = published + 1, due + every

    while time.monotonic() < end:
        supervisor.round(pause)
    return published


def report(supervisor: Supervisor, archive: Path, wanted: set[int], published: int) -> int:
    with opening.reading_archive(archive) as opened:
        archived = held(archive)
        db = opened.db
        revised = db.execute("SELECT count(*) FROM revisions WHERE revision > 1").fetchone()[0]
        duplicates = db.execute(
            "SELECT count(*) FROM (SELECT url FROM articles GROUP BY url HAVING count(*) > 1)"
        ).fetchone()[0]
        pairs = db.execute("SELECT count(*) FROM duplicates").fetchone()[0]
    with opening.writing_archive(archive) as opened, WarcStore(archive / "warc") as warc:
        checked = verify(opened, warc, Silent())
    print(
        f"{supervisor.counts['starts']} starts: "
        + ", ".join(f"{n} x {e}" for e, n in supervisor.counts.items() if e != "starts")
    )
    print(
        f"{published} articles published while it ran, {len(wanted)} in total; held {len(archived & wanted)}, lost {len(wanted - archived)}"
    )
    print(f"duplicates: {duplicates} URLs, {pairs} pairs of the same text, {revised} false revisions")
    print(
        f"evidence: {checked.files} files, {checked.records} records, {checked.rows} rows, {len(checked.faults)} faults"
    )
    print(f"slowest exit after SIGTERM: {supervisor.slowest:.1f} s; unexpected: {supervisor.wrong or 'nothing'}")
    for fault in checked.faults[:5]:
        print(f"  {fault.what} at {fault.where}: {fault.detail}")
    good = not (wanted - archived or duplicates or revised or checked.faults or supervisor.wrong)
    print("nothing lost, nothing duplicated" if good else "FAILED")
    return 0 if good else 1
