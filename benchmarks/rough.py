"""The service treated roughly: the real process on a real socket, its time 100 times faster, ended in every way.

A supervisor loop ends it by SIGTERM, kills it, stops it for a while, and starts it again at once, while the site goes on
publishing. At the end everything that was published is held, once, and the evidence is whole.
`--minutes N` (15 for the whole measurement), `--seed N`.
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
from crawler import app
from crawler.errors import StorageError
from crawler.pipeline import Silent
from crawler.replay import verify
from crawler.sim.site import Replica, build, serve
from crawler.warc import WarcStore

SCALE = 100.0
PER_DAY = 450  # ten times the agency's: the minutes are few
ENDS = ("terminate", "kill", "kill", "freeze", "freeze and kill")


@dataclass
class Supervisor:
    """Keeps the service running, and treats it roughly."""

    config: Path
    folder: Path
    chance: random.Random
    frozen: float
    since: float = field(default_factory=time.time)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def now(self) -> datetime:
        """Give the time as the service sees it."""
        return datetime.fromtimestamp(self.since, UTC) + timedelta(seconds=(time.time() - self.since) * SCALE)

    def start(self) -> subprocess.Popen[bytes]:
        self.counts["starts"] += 1
        scaled = ["--scale", str(SCALE), "--since", repr(self.since)]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "benchmarks.daemon_child", str(self.config), *scaled], stderr=log
            )

    def round(self, pause: Callable[[float], None]) -> None:
        """Let it work for a while, then end it somehow; if need be by force."""
        child = self.start()
        pause(self.chance.uniform(1.0, 8.0))
        end = self.chance.choice(ENDS)
        self.counts[end] += 1
        if "freeze" in end:
            child.send_signal(signal.SIGSTOP)
            pause(self.frozen)
            child.send_signal(signal.SIGCONT)
            pause(self.chance.uniform(0.0, 3.0))
        self._stop(child, signal.SIGTERM if end in ("terminate", "freeze") else signal.SIGKILL)

    def _stop(self, child: subprocess.Popen[bytes], number: int) -> None:
        if child.poll() is not None:
            self.wrong.append(f"it ended by itself with exit code {child.returncode}")
            return
        begun = time.monotonic()
        child.send_signal(number)
        try:
            code = child.wait(30)
        except subprocess.TimeoutExpired:
            self.wrong.append("SIGTERM did not end it within 30 s")
            child.kill()
            child.wait()
            return
        if number == signal.SIGTERM:
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if code not in (0, -signal.SIGTERM):  # the latter before its first line ran
                self.wrong.append(f"SIGTERM ended it with exit code {code}")

    def settle(self, wanted: set[int], archive: Path) -> None:
        """Let it run until everything is held, then end it well."""
        child = self.start()
        deadline = time.monotonic() + 120
        while not wanted <= held(archive) and time.monotonic() < deadline:
            time.sleep(0.2)
        self._stop(child, signal.SIGTERM)


def held(archive: Path) -> set[int]:
    """Give the ids of the articles in the archive."""
    try:
        with app.reading_archive(archive) as opened:
            return {row[0] for row in opened.db.execute("SELECT id FROM articles")}
    except StorageError:  # it was ended before there was one
        return set()


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--minutes", type=float, default=1.0)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frozen = 60.0 if given.minutes >= 15 else 3.0
        supervisor = Supervisor(folder / "config" / "crawler.toml", folder, random.Random(given.seed), frozen)
        with serve(lambda url: build(url, seeds_dir=SEEDS, now=supervisor.now, options=SMALL)) as site:
            configure(folder, site.url, poll="list_pages = 20\nceiling = 3600")
            published = drive(supervisor, site.replica, given.minutes)
            wanted = set(site.replica.ids())
            supervisor.settle(wanted, folder / "archive")
        return report(supervisor, folder / "archive", wanted, published)


def drive(supervisor: Supervisor, site: Replica, minutes: float) -> int:
    """Do rounds for so long; the site publishes in the pauses. Gives how many articles."""
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
    with app.reading_archive(archive) as opened, WarcStore(archive / "warc") as warc:
        there = held(archive)
        db = opened.db
        revised = db.execute("SELECT count(*) FROM revisions WHERE revision > 1").fetchone()[0]
        twice = db.execute(
            "SELECT count(*) FROM (SELECT url FROM articles GROUP BY url HAVING count(*) > 1)"
        ).fetchone()[0]
        pairs = db.execute("SELECT count(*) FROM duplicates").fetchone()[0]
    with app.writing_archive(archive) as opened, WarcStore(archive / "warc") as warc:
        checked = verify(opened, warc, Silent())
    print(
        f"{supervisor.counts['starts']} starts: "
        + ", ".join(f"{n} x {e}" for e, n in supervisor.counts.items() if e != "starts")
    )
    print(
        f"published {published} while it ran, {len(wanted)} in all; held {len(there & wanted)}, lost {len(wanted - there)}"
    )
    print(f"twice: {twice} addresses, {pairs} pairs of the same text, {revised} revisions of what never changed")
    print(
        f"evidence: {checked.files} files, {checked.records} records, {checked.rows} rows, {len(checked.faults)} faults"
    )
    print(f"slowest end by SIGTERM: {supervisor.slowest:.1f} s; unexpected: {supervisor.wrong or 'nothing'}")
    for fault in checked.faults[:5]:
        print(f"  {fault.what} at {fault.where}: {fault.detail}")
    good = not (wanted - there or twice or revised or checked.faults or supervisor.wrong)
    print("nothing lost, nothing twice" if good else "NOT as it should be")
    return 0 if good else 1
