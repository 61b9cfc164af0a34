"""A backfill killed with SIGKILL again and again, and gone on with by the same command: what is lost, what is done twice.

The real command as a process, a double of the site on a real socket. Moments are drawn from a seed: most within the
work on a page, after so many lines of progress and a part of a page's time more; some while the process is still
starting or takes in what the killed one left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from crawler.sim.site import Options, Replica, serve
from crawler.sim.site.newsroom import assign
from crawler.sim.site.page_context import Site
from crawler.sim.site.timeline import Slot, id_at, time_at
from crawler.sim.site.world import World

ARTICLES, KILLS, MONTHS, SEED = 3000, 200, 24, 7
PROGRAM = (sys.executable, "-m", "crawler")
_PAGE_LINES = ("new:", "duplicate:")
_EARLY = 0.1  # of the kills come before the first page line
_START = 1.2  # seconds in which those come


@dataclass
class Outcome:
    """What was found in the end."""

    articles: int
    kills: int
    sessions: int
    requests: Counter[str]
    faults: list[str]

    @property
    def pages(self) -> int:
        """Requests for articles."""
        return sum(n for path, n in self.requests.items() if path.endswith(".vnp"))

    @property
    def others(self) -> dict[str, int]:
        """Requests for anything else, robots.txt and sitemaps."""
        return {path: n for path, n in self.requests.items() if not path.endswith(".vnp")}


def replica(url: str, articles: int, months: int, now: datetime) -> Replica:
    """Make a double whose articles are spread evenly over so many months, the last of which is over."""
    end = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first, last = id_at(end - timedelta(days=30.44 * months)), id_at(end) - 10
    ids = [first + (last - first) * n // articles for n in range(articles)]
    world = World([], [assign(Slot(i, time_at(i)), SEED) for i in ids], SEED, Options())
    return Replica(Site(url.rstrip("/"), world, Options(), lambda: now, SEED))


def run(
    archive: Path, articles: int, kills: int, months: int = MONTHS, seed: int = SEED, program: Sequence[str] = PROGRAM
) -> Outcome:
    """Kill a backfill so many times, let it come to its end, and look at what is there."""
    now = datetime.now(UTC)
    dice, paces = random.Random(seed), [0.05]
    with serve(lambda url: replica(url, articles, months, now)) as site:
        since = (now - timedelta(days=30.44 * (months + 2))).date()
        command = [*program, "--archive", str(archive), "--site", site.url, "--rate", "0"]
        command += ["backfill", "--since", str(since)]
        killed, sessions = 0, 0
        while killed < kills:
            sessions += 1
            killed += _session(command, dice, _share(site.replica, articles, kills - killed), paces)
            if sessions > kills * 3:
                break
        last = subprocess.run(command, capture_output=True, text=True, check=False)
        requests = Counter[str](site.replica.state(log=False)["requests"])  # type: ignore[arg-type]
        wanted = set(site.replica.ids())
    faults = list(looked_at(archive, wanted))
    if last.returncode not in (0, 5):
        faults.append(f"the last run ended with {last.returncode}: {last.stderr[-500:]}")
    return Outcome(len(wanted), killed, sessions + 1, requests, faults)


def _share(double: Replica, articles: int, kills: int) -> float:
    """Give how many pages each of the kills to come has."""
    asked = double.state(log=False)["requests"]
    done = sum(1 for path in asked if path.endswith(".vnp"))  # type: ignore[attr-defined]
    return (articles - done) / (kills + 1)


def _session(command: list[str], dice: random.Random, share: float, paces: list[float]) -> bool:
    """Start the command and kill it at a random moment; say whether it was still at work.

    Behind the last line it is any moment of a page's time, as `paces` has it from the lines until then (seconds).
    """
    early = dice.random() < _EARLY
    lines = 0 if early else dice.randint(1, max(1, round(2 * share - 1)))
    rest = dice.uniform(0, _START if early else statistics.median(paces[-100:]))
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with running:
        assert running.stderr is not None
        last = None
        while lines and (line := running.stderr.readline()):
            if line.strip().startswith(_PAGE_LINES):
                lines -= 1
                now = time.monotonic()
                paces += [now - last] if last is not None else []
                last = now
        time.sleep(rest)
        os.kill(running.pid, signal.SIGKILL)
        running.stderr.read()
    return running.returncode == -signal.SIGKILL


def looked_at(archive: Path, wanted: set[int]) -> list[str]:
    """Say what is not as it should be in an archive."""
    faults: list[str] = []
    with closing(sqlite3.connect(archive / "vna.db")) as db:

        def ask(sql: str) -> list[tuple[object, ...]]:
            return db.execute(sql).fetchall()

        held = {row[0] for row in ask("SELECT id FROM articles")}
        faults += [f"{len(wanted - held)} articles are missing"] * bool(wanted - held)
        faults += [f"{len(held - wanted)} articles are too many"] * bool(held - wanted)
        if more := ask("SELECT article FROM revisions GROUP BY article HAVING count(*) <> 1"):
            faults.append(f"{len(more)} articles do not have one revision")
        if broken := ask("PRAGMA foreign_key_check"):
            faults.append(f"{len(broken)} references are broken")
        if (state := ask("PRAGMA integrity_check")) != [("ok",)]:
            faults.append(f"integrity check: {state}")
        if ask("SELECT 1 FROM plans WHERE state <> 'done'"):
            faults.append("the plan is not done")
        db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        places = set(ask("SELECT file, offset FROM raw"))
        visits = Counter(row[0] for row in ask("SELECT purpose FROM raw WHERE purpose LIKE 'page:%' AND status = 200"))
    faults += [f"{n} answers of {page} were taken in" for page, n in visits.items() if n > 1]
    return faults + _torn(archive / "warc", places)


def _torn(folder: Path, places: set[tuple[object, ...]]) -> list[str]:
    """Read every record of every file to its end with another library's reader, its digests checked."""
    faults, found = [], set()
    for path in sorted(folder.rglob("*.warc.gz")):
        with path.open("rb") as file:
            iterator = ArchiveIterator(file, check_digests="raise")
            try:
                for record in iterator:
                    record.raw_stream.read()
                    if record.rec_type == "response":
                        found.add((path.relative_to(folder).as_posix(), iterator.get_record_offset()))
            except Exception as error:  # noqa: BLE001 - whatever a reader makes of a torn file
                faults.append(f"{path.name}: {error}")
    faults += [f"{len(places - found)} rows point at no record"] * bool(places - found)
    return faults + [f"{len(found - places)} records have no row"] * bool(found - places)


def main() -> None:
    """Print what was found."""
    options = argparse.ArgumentParser()
    options.add_argument("--articles", type=int, default=ARTICLES)
    options.add_argument("--kills", type=int, default=KILLS)
    options.add_argument("--months", type=int, default=MONTHS)
    options.add_argument("--seed", type=int, default=SEED)
    chosen = options.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder) / "archive", chosen.articles, chosen.kills, chosen.months, chosen.seed)
    print(
        f"{found.articles} articles over {chosen.months} months, {found.kills} times SIGKILL in {found.sessions} starts"
    )
    print(f"requests for articles: {found.pages}, {found.pages / found.articles:.4f} an article")
    print(f"other requests: {sum(found.others.values())} {json.dumps(dict(Counter(found.others).most_common(3)))} ...")
    print(
        f"{time.monotonic() - start:.0f} s; " + ("; ".join(found.faults) or "nothing lost, nothing twice, nothing torn")
    )
    if found.faults:
        raise SystemExit(1)
