"""Every command that writes is killed with SIGKILL at random times and run again: is anything lost, done twice, or half?

For each command: run it once without kills; its result is the reference. Then, in each round, start from the same state,
kill the command several times at random moments, check that no half-written file has its final name, run it to its end,
and compare the result with the reference. The fake site serves the same articles all the time.

A helper process that has imported the program forks one child for each run, so that the kills are spread over the work
and not over the imports. `--kills N` (5000 for the full benchmark), `--minutes N` (at most), `--seed N`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.crash import check_records
from crawler.sim.site import FakeSite, Options, build, serve
from crawler.sim.site.story import SECTIONS

SEEDS = Path(__file__).parent.parent / "seeds"
SITE = Options(sections=SECTIONS[:2], section_size=8, feed_size=8, home_size=10, no_api=True, no_samples=True)
KILLS_A_ROUND = 5
_FORKER = """
import json, os, select, signal, sys, time
import crawler.app, crawler.collect, crawler.export, crawler.replay, crawler.backup, crawler.backfill, crawler.dataset
import crawler.pipeline.reparse, crawler.backup.restore, rich.progress, rich.table
sys.modules["wordfreq"] = None  # the lexicon takes a second to load; without it, glued words stay as they are
from crawler.cli import main
for line in sys.stdin:
    words, delay = json.loads(line)
    start = time.monotonic()
    child = os.fork()
    if not child:
        os.setsid()  # worker processes are killed with the command
        out = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(out, stream)
        sys.argv = ["vna", *words]
        main()
    end = os.pidfd_open(child)
    if delay is not None and not select.select([end], [], [], delay)[0]:
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:  # it has no group yet
            os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(end)
    print(json.dumps([os.waitstatus_to_exitcode(status), time.monotonic() - start]), flush=True)
"""
#: What must be equal, without times and row numbers.
_QUERIES = (
    "SELECT id, url, title, lead, text, clean, kind, section, byline, published_at, revision, state, fingerprint FROM articles",
    "SELECT article, revision, title, blocks, tags, fingerprint FROM revisions",
    "SELECT article, state FROM states",
    "SELECT article, url, caption FROM images",
    "SELECT article, title, url FROM related",
    "SELECT article, rule, before, after FROM repairs",
    "SELECT page, source, url FROM sightings",
    "SELECT id, url, state FROM pages",
    "SELECT purpose, url, status FROM raw WHERE purpose LIKE 'page:%' OR purpose LIKE 'capture:%' OR purpose = 'import'",
)


@dataclass
class Scene:
    """The folders of one round: `archive`, where the command works, and `out`, where it may write other files."""

    folder: Path

    @property
    def archive(self) -> Path:
        """The archive of the round."""
        return self.folder / "archive"

    @property
    def out(self) -> Path:
        """The file or folder that the command writes outside the archive."""
        return self.folder / "out"


@dataclass
class Command:
    """A command: its words, how a round begins, and what must be true after each kill and in the end.

    `state` returns a value that describes the result. `after_kill` returns the faults that a kill left.
    """

    name: str
    words: Callable[[Scene], Sequence[object]]
    begin: Callable[[Scene], None]
    state: Callable[[Scene], object]
    after_kill: Callable[[Scene], list[str]] = lambda _: []
    once: bool = False  # it refuses to run again when it has finished


@dataclass
class Tally:
    """What the rounds of one command found."""

    rounds: int = 0
    kills: int = 0
    faults: list[str] = field(default_factory=list)


class Forker:
    """The helper process that runs commands in forked children."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, words: Sequence[object], delay: float | None = None) -> tuple[int, float]:
        """Run a command, and kill it after `delay` seconds; return its exit code and its duration in seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([[str(word) for word in words], delay]) + "\n")
        self._process.stdin.flush()
        code, seconds = json.loads(self._process.stdout.readline())
        return code, seconds

    def close(self) -> None:
        """End the helper process."""
        self._process.communicate()


def archive_state(archive: Path, *, counted: bool = True) -> object:
    """Return what the archive holds, without times; if `counted`, also how often each article was fetched."""
    with closing(sqlite3.connect(archive / "vna.db")) as db:
        found = [Counter(db.execute(sql).fetchall()) for sql in _QUERIES]
        return found if counted else [*found[:-1], set(found[-1])]


def archive_faults(archive: Path) -> list[str]:
    """Return the damage of an archive after a kill: its database must be whole."""
    file = archive / "vna.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(file)) as db:
        found = [row[0] for row in db.execute("PRAGMA quick_check")]
        return [] if found == ["ok"] else [f"quick_check: {found[:2]}"]


def record_faults(archive: Path) -> list[str]:
    """Return records without rows and rows without records, and records that cannot be read."""
    with closing(sqlite3.connect(archive / "vna.db")) as db:
        return check_records(
            archive / "warc", set(db.execute("SELECT file, offset FROM raw WHERE purpose <> 'import'").fetchall())
        )


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file in a folder, or of one file."""
    files = [folder] if folder.is_file() else sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


class Table:
    """The commands of one site. `base` is an archive that lacks articles of the site, `later` one that has all of them."""

    def __init__(self, base: Path, later: Path, url: str) -> None:
        self._base, self._later, self._url = base, later, url
        self._exports: dict[str, dict[str, str]] = {}

    def commands(self) -> list[Command]:
        """Return the commands in the order of the table."""
        texts, warc = sorted(SEEDS.glob("*.txt")), next((self._later / "warc").rglob("*.warc.gz"))
        since = f"{datetime.now(UTC).year - 1}-01-01"
        base, later = self._copied(self._base), self._copied(self._later)
        held, intact = _held, _intact
        export = ("export", "--out", "out", "--format")
        return [
            Command("poll", self._vna("poll"), _nothing, held, intact),
            Command("poll --all", self._vna("poll", "--all"), base, _held_again, intact),
            Command("backfill", self._vna("backfill", "--since", since), _nothing, held, intact),
            Command("backfill --warc", self._vna("backfill", "--warc", warc), _nothing, held, intact),
            Command("import", self._vna("import", *texts), _nothing, _held_again, intact),
            Command("reparse", self._vna("reparse"), self._outdated, held, intact),
            Command("rebuild --replace", self._vna("rebuild", "--replace"), later, held, self._lacking),
            Command("backup --warc", self._vna("backup", "out", "--warc"), later, _backed_up, _intact_backup),
            Command("restore", self._vna("restore", "out"), self._with_backup, held, self._absent_or_whole, once=True),
            Command("export --format csv", self._vna(*export, "csv"), later, self._exported, self._half_export),
            Command("export --format jsonl", self._vna(*export, "jsonl"), later, self._exported, self._half_export),
        ]

    def _vna(self, *words: object) -> Callable[[Scene], Sequence[object]]:
        common = ("--site", self._url, "--rate", 0)
        return lambda scene: ["--archive", scene.archive, *common, *(scene.out if w == "out" else w for w in words)]

    def _copied(self, source: Path) -> Callable[[Scene], None]:
        return lambda scene: _copy(source, scene.archive)

    def _outdated(self, scene: Scene) -> None:
        """Copy an archive, and change its articles as if an older parser had read them."""
        _copy(self._later, scene.archive)
        with closing(sqlite3.connect(scene.archive / "vna.db")) as db, db:
            db.execute("UPDATE articles SET parser = parser - 1, title = title || ' ?'")

    def _with_backup(self, scene: Scene) -> None:
        _copy(self._later.parent / "backup", scene.out)

    def _lacking(self, scene: Scene) -> list[str]:
        counts = [_count(archive) for archive in (scene.archive, self._later)]
        return _intact(scene) + ["the database lacks articles"] * (counts[0] != counts[1])

    def _absent_or_whole(self, scene: Scene) -> list[str]:
        return self._lacking(scene) if (scene.archive / "vna.db").exists() else []

    def _exported(self, scene: Scene) -> object:
        found = digests(scene.out)
        self._exports.setdefault(scene.folder.parent.name, found)
        return found

    def _half_export(self, scene: Scene) -> list[str]:
        whole = self._exports[scene.folder.parent.name]
        return ["a half export"] if scene.out.exists() and digests(scene.out) != whole else []


def _nothing(_: Scene) -> None:
    """Begin without an archive."""


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)


def _held(scene: Scene) -> object:
    return archive_state(scene.archive)


def _held_again(scene: Scene) -> object:
    return archive_state(scene.archive, counted=False)  # each run fetches or imports everything again


def _backed_up(scene: Scene) -> object:
    return archive_state(scene.out)


def _intact(scene: Scene) -> list[str]:
    return archive_faults(scene.archive)


def _intact_backup(scene: Scene) -> list[str]:
    return archive_faults(scene.out)


def _count(archive: Path) -> int:
    with closing(sqlite3.connect(archive / "vna.db")) as db:
        return int(db.execute("SELECT count(*) FROM articles").fetchone()[0])


def round_of(command: Command, folder: Path) -> Scene:
    """Begin a round in an empty folder."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    scene = Scene(folder)
    command.begin(scene)
    return scene


def reference(forker: Forker, command: Command, folder: Path) -> tuple[object, float]:
    """Return the result of a command without kills, and the median of its durations in seconds."""
    seconds, state = [], None
    for number in range(3):
        scene = round_of(command, folder / f"reference{number}")
        code, took = forker.run(command.words(scene))
        if code:
            raise SystemExit(f"{command.name}: exit code {code} without a kill")
        seconds.append(took)
        state = command.state(scene)
    return state, statistics.median(seconds)


def play(
    forker: Forker, command: Command, folder: Path, expected: object, seconds: float, rng: random.Random, tally: Tally
) -> None:
    """Play one round: several kills, then a run to the end; add what was found to `tally`."""
    scene = round_of(command, folder / "round")
    tally.rounds += 1
    for _ in range(KILLS_A_ROUND):
        code, _ = forker.run(command.words(scene), rng.uniform(0, seconds))
        tally.kills += code == -9
        tally.faults += [f"after a kill: {fault}" for fault in command.after_kill(scene)]
    finished = command.once and (scene.archive / "vna.db").exists()
    code = 0 if finished else forker.run(command.words(scene))[0]
    if code:
        tally.faults.append(f"the last run had exit code {code}")
    elif command.state(scene) != expected:
        tally.faults.append("the result differs from an undisturbed run")
    if (scene.archive / "warc").is_dir():
        tally.faults += record_faults(scene.archive)


def prepare(forker: Forker, folder: Path, site: FakeSite, url: str) -> tuple[Path, Path]:
    """Make an archive, let the agency publish and revise, make another one that is up to date, and back that up."""
    base, later = folder / "base", folder / "later"
    common = ["--site", url, "--rate", 0, "poll"]
    forker.run(["--archive", base, *common])
    site.publish(3)
    site.revise(site.ids()[0])
    shutil.copytree(base, later)
    forker.run(["--archive", later, *common, "--all"])
    code, _ = forker.run(["--archive", later, "backup", folder / "backup", "--warc"])
    assert code == 0
    return base, later


def main() -> int:
    """Print a table with one row for each command; return 1 if there are faults."""
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=5000)
    options.add_argument("--minutes", type=float, default=90)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    deadline = time.monotonic() + chosen.minutes * 60
    now = datetime.now(UTC)
    with (
        tempfile.TemporaryDirectory() as name,
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=9, now=lambda: now, options=SITE)) as serving,
    ):
        folder, forker, rng = Path(name), Forker(), random.Random(chosen.seed)
        base, later = prepare(forker, folder, serving.fake_site, serving.url)
        all_ = Table(base, later, serving.url).commands()
        known = {c.name: reference(forker, c, folder / c.name) for c in all_}
        tallies = {c.name: Tally() for c in all_}
        while sum(t.kills for t in tallies.values()) < chosen.kills and time.monotonic() < deadline:
            for command in all_:
                play(forker, command, folder / command.name, *known[command.name], rng, tallies[command.name])
        forker.close()
    print(f"{'command':24} {'ms':>6} {'rounds':>7} {'kills':>6}  faults")
    for name, tally in tallies.items():
        faults = "; ".join(f"{n} x {fault}" for fault, n in Counter(tally.faults).most_common(4)) or "none"
        print(f"{name:24} {known[name][1] * 1000:6.0f} {tally.rounds:7} {tally.kills:6}  {faults}")
    print(f"{sum(t.kills for t in tallies.values())} kills")
    return int(any(t.faults for t in tallies.values()))
