"""A backfill that is killed with SIGKILL many times and resumed by the same command: what is lost, what is done twice?

Runs the real command as a process, against the fake site on a real socket. The times of the kills are random, from a
seed: most are while a page is processed, after a number of requests for articles and part of a page's time; some are
while the process starts or ingests what the killed process left. The fake site answers no more requests until the kill
has happened, so a fast process cannot finish before it.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from crawler.sim.site import FakeSite, Options, SiteRequest, serve
from crawler.sim.site.newsroom import assign
from crawler.sim.site.page_context import PageContext
from crawler.sim.site.timeline import Slot, id_at, time_at
from crawler.sim.site.world import World

ARTICLES, KILLS, MONTHS, SEED = 3000, 200, 24, 7
PROGRAM = (sys.executable, "-m", "crawler")
_EARLY = 0.1  # share of the kills at a time after the start instead of after a request
_START = 1.2  # seconds after the start in which the early kills occur
_HELD = 60.0  # seconds that a request waits for the kill


@dataclass
class Outcome:
    """The result of a run."""

    articles: int
    kills: int
    sessions: int
    requests: Counter[str]
    faults: list[str]

    @property
    def pages(self) -> int:
        """Number of requests for articles."""
        return sum(n for path, n in self.requests.items() if path.endswith(".vnp"))

    @property
    def others(self) -> dict[str, int]:
        """Number of requests for each other path, robots.txt and sitemaps."""
        return {path: n for path, n in self.requests.items() if not path.endswith(".vnp")}


def fake_site(url: str, articles: int, months: int, now: datetime) -> FakeSite:
    """Return a fake site whose articles are spread evenly over the last `months` complete months."""
    end = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first, last = id_at(end - timedelta(days=30.44 * months)), id_at(end) - 10
    ids = [first + (last - first) * n // articles for n in range(articles)]
    world = World([], [assign(Slot(i, time_at(i)), SEED) for i in ids], SEED, Options())
    return FakeSite(PageContext(url.rstrip("/"), world, Options(), lambda: now, SEED))


def run(
    archive: Path, articles: int, kills: int, months: int = MONTHS, seed: int = SEED, program: Sequence[str] = PROGRAM
) -> Outcome:
    """Kill a backfill a number of times, let the last run finish, and check the archive."""
    now = datetime.now(UTC)
    rng, page_times = random.Random(seed), [0.05]
    with serve(lambda url: fake_site(url, articles, months, now)) as site:
        since = (now - timedelta(days=30.44 * (months + 2))).date()
        command = [*program, "--archive", str(archive), "--site", site.url, "--rate", "0"]
        command += ["backfill", "--since", str(since)]
        killed, sessions = 0, 0
        while killed < kills:
            sessions += 1
            killed += _session(
                command, site.fake_site, rng, _share(site.fake_site, articles, kills - killed), page_times
            )
            if sessions > kills * 3:
                break
        last = subprocess.run(command, capture_output=True, text=True, check=False)
        requests = Counter[str](site.fake_site.state(log=False)["requests"])  # type: ignore[arg-type]
        wanted = set(site.fake_site.ids())
    faults = list(check_archive(archive, wanted))
    if last.returncode not in (0, 5):
        faults.append(f"the last run had exit code {last.returncode}: {last.stderr[-500:]}")
    return Outcome(len(wanted), killed, sessions + 1, requests, faults)


def _share(site: FakeSite, articles: int, kills: int) -> float:
    """Return the number of pages per remaining kill."""
    asked = site.state(log=False)["requests"]
    done = sum(1 for path in asked if path.endswith(".vnp"))  # type: ignore[attr-defined]
    return (articles - done) / (kills + 1)


class _Gate:
    """An observer of the fake site that lets some requests for articles pass and holds the next one until the kill."""

    def __init__(self, requests: int) -> None:
        self.times: list[float] = []
        self.reached = threading.Event()
        self.killed = threading.Event()
        self._requests = requests

    def __call__(self, request: SiteRequest, *_: object) -> None:
        if not request.path.endswith(".vnp") or self.killed.is_set():
            return
        if self.reached.is_set():
            self.killed.wait(_HELD)
            return
        self.times.append(time.monotonic())
        if len(self.times) == self._requests:
            self.reached.set()


def _session(command: list[str], site: FakeSite, rng: random.Random, share: float, page_times: list[float]) -> bool:
    """Start the command and kill it at a random time; return whether it was still running.

    After the last request that passes, the delay is random up to the median time of a page; `page_times` holds the
    seconds between the requests so far. `share` is at most half of the remaining pages, so at least one is held back.
    """
    early = rng.random() < _EARLY
    site.observer = gate = _Gate(max(1, round(share) if early else rng.randint(1, max(1, round(2 * share - 1)))))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while not early and running.poll() is None and not gate.reached.wait(0.05):
            pass
        time.sleep(rng.uniform(0, _START if early else statistics.median(page_times[-100:])))
        running.kill()
    gate.killed.set()
    page_times += [after - before for before, after in pairwise(gate.times)]
    return running.returncode == -signal.SIGKILL


def check_archive(archive: Path, wanted: set[int]) -> list[str]:
    """Return the faults of an archive."""
    faults: list[str] = []
    with closing(sqlite3.connect(archive / "vna.db")) as db:

        def ask(sql: str) -> list[tuple[object, ...]]:
            return db.execute(sql).fetchall()

        held = {row[0] for row in ask("SELECT id FROM articles")}
        faults += [f"{len(wanted - held)} articles are missing"] * bool(wanted - held)
        faults += [f"{len(held - wanted)} articles were never published"] * bool(held - wanted)
        if more := ask("SELECT article FROM revisions GROUP BY article HAVING count(*) <> 1"):
            faults.append(f"{len(more)} articles do not have exactly one revision")
        if broken := ask("PRAGMA foreign_key_check"):
            faults.append(f"{len(broken)} foreign keys are broken")
        if (state := ask("PRAGMA integrity_check")) != [("ok",)]:
            faults.append(f"integrity check: {state}")
        if ask("SELECT 1 FROM plans WHERE state <> 'done'"):
            faults.append("the plan is not done")
        db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        positions = set(ask("SELECT file, offset FROM raw"))
        visits = Counter(row[0] for row in ask("SELECT purpose FROM raw WHERE purpose LIKE 'page:%' AND status = 200"))
    faults += [f"{n} responses for {page} were ingested" for page, n in visits.items() if n > 1]
    return faults + check_records(archive / "warc", positions)


def check_records(folder: Path, positions: set[tuple[object, ...]]) -> list[str]:
    """Read every WARC record with another library, check its digests, and compare the records with the rows."""
    faults, found = [], set()
    for path in sorted(folder.rglob("*.warc.gz")):
        with path.open("rb") as file:
            iterator = ArchiveIterator(file, check_digests="raise")
            try:
                for record in iterator:
                    record.raw_stream.read()
                    if record.rec_type == "response":
                        found.add((path.relative_to(folder).as_posix(), iterator.get_record_offset()))
            except Exception as error:  # noqa: BLE001 - a torn file can raise anything
                faults.append(f"{path.name}: {error}")
    faults += [f"{len(positions - found)} rows refer to no record"] * bool(positions - found)
    return faults + [f"{len(found - positions)} records have no row"] * bool(found - positions)


def main() -> None:
    """Print the result; exit 1 if there are faults."""
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
        f"{found.articles} articles over {chosen.months} months, {found.kills} times SIGKILL in {found.sessions} runs"
    )
    print(f"requests for articles: {found.pages}, {found.pages / found.articles:.4f} per article")
    print(f"other requests: {sum(found.others.values())} {json.dumps(dict(Counter(found.others).most_common(3)))} ...")
    print(
        f"{time.monotonic() - start:.0f} s; "
        + ("; ".join(found.faults) or "nothing lost, nothing duplicated, no torn records")
    )
    if found.faults:
        raise SystemExit(1)
