"""The drill: days of trouble, then the account.

Boundary: order; trouble is in `troubles`, what was lost is `account`'s to say.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from crawler import logs
from crawler.errors import BadInput
from crawler.pipeline import Progress
from crawler.repair.lexicon import Lexicon
from crawler.sim import reconcile
from crawler.sim.drill.agency import Agency
from crawler.sim.drill.clock import made
from crawler.sim.drill.files import CLOCK, LOG, MARK
from crawler.sim.drill.holdings import gaps, holdings
from crawler.sim.drill.machine import Machine
from crawler.sim.drill.scene import Stage
from crawler.sim.drill.troubles import TABLE, Trouble, nothing
from crawler.sim.reconcile import Account, Note
from crawler.sim.site.timeline import chance

BEGIN = datetime(2026, 11, 2, 17, tzinfo=UTC)  # midnight in Hanoi, the 3rd
SETTLING = 2  # quiet days at the end: what was removed late is known as gone after 25 hours
_BEFORE = 6  # generated articles that are there already
_PER_DAY = 5
_HOURS = (6.0, 22.0)  # in which articles appear


@dataclass(frozen=True, slots=True)
class Day:
    """One line: what happened, and how the archive stood at midnight; delays in minutes."""

    day: int
    days: int
    date: str
    trouble: str
    published: int
    held: int
    delay_median: float | None
    delay_max: float | None
    revised: int
    removed: int
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The account, and what belongs to it."""

    account: Account
    kills: int
    files: int
    records: int
    gaps: int
    open_gaps: tuple[str, ...]


def run(
    archive: Path,
    seeds: Path,
    *,
    days: int,
    seed: int,
    lexicon: Lexicon | None,
    progress: Progress,
    told: Callable[[Day], None],
) -> Outcome:
    """Play so many days of trouble in a fresh archive, tell of each, and settle.

    Raises:
        BadInput: the folder holds something that is no drill's.

    """
    fresh(archive)
    with _staged(archive, seeds, seed, lexicon) as stage:
        progress.phase("days", days + SETTLING)
        silences: list[Note] = []
        first = stage.day
        for trouble in program(days):
            progress.step(trouble.name)
            day = _played(stage, trouble, first, seed)
            silences += _silent(trouble, day)
            told(day)
        stage.machine.stop()
        return _settled(stage, silences)


def fresh(archive: Path) -> None:
    """Empty the folder of an earlier drill, or make one.

    Raises:
        BadInput: it holds something else.

    """
    if archive.exists() and not archive.is_dir():
        raise BadInput(f"{archive} is no folder", "give the drill a folder of its own: vna --archive DIR drill")
    if archive.is_dir() and any(archive.iterdir()):
        if not (archive / MARK).exists():
            raise BadInput(f"{archive} is not empty", "give the drill a folder of its own: vna --archive DIR drill")
        shutil.rmtree(archive)
    archive.mkdir(parents=True, exist_ok=True)
    (archive / MARK).write_text("`vna drill` empties this folder when it starts.\n", "utf-8")


@contextmanager
def _staged(archive: Path, seeds: Path, seed: int, lexicon: Lexicon | None) -> Iterator[Stage]:
    with ExitStack() as parts:
        log = parts.enter_context((archive / LOG).open("w", encoding="utf-8"))
        parts.enter_context(logs.logging_to(log, "human"))
        clock = made(archive / CLOCK, BEGIN)
        parts.callback(clock.close)
        agency = Agency(seeds, seed, _BEFORE, clock)
        parts.callback(agency.close)
        machine = Machine(archive, agency.url, clock, lexicon)
        parts.callback(machine.stop)
        stage = Stage(archive, agency, machine, clock)
        machine.start()
        yield stage


def program(days: int) -> Iterator[Trouble]:
    """Give the troubles of so many days, the table over and over but for what takes too long, then the quiet ones."""
    turns = cycle(TABLE)
    while any(trouble.days <= days for trouble in TABLE):
        trouble = next(turn for turn in turns if turn.days <= days)
        yield trouble
        days -= trouble.days
    for _ in range(SETTLING):
        yield Trouble("nothing more: what is open is brought to its end", nothing)


def _played(stage: Stage, trouble: Trouble, first: datetime, seed: int) -> Day:
    begin = stage.day
    end = begin + timedelta(days=trouble.days)
    told = _last_incident(stage)
    for n in range(trouble.days):
        for hour in _hours(seed, begin + timedelta(days=n)):
            stage.at(24 * n + hour, stage.agency.publish)
    trouble.plan(stage)
    stage.live(end)
    agency = stage.agency
    new = agency.published_since(begin)
    delays = sorted(d for d in map(agency.delay, new) if d is not None)
    revised, removed = agency.changed_since(begin)
    with stage.machine.archive() as archive:
        held = sum(archive.article(i) is not None for i in new)
        alarms = [row["kind"] for row in archive.incidents(1000) if row["id"] > told]
    return Day(
        day=(begin - first).days + 1,
        days=trouble.days,
        date=f"{begin + timedelta(hours=7):%Y-%m-%d}",
        trouble=trouble.name,
        published=len(new),
        held=held,
        delay_median=round(statistics.median(delays), 1) if delays else None,
        delay_max=round(delays[-1], 1) if delays else None,
        revised=revised,
        removed=removed,
        alarms=tuple(dict.fromkeys(alarms)),
    )


def _hours(seed: int, day: datetime) -> list[float]:
    dice = chance(seed, "drill", day.date())
    return sorted(dice.uniform(*_HOURS) for _ in range(_PER_DAY))


def _last_incident(stage: Stage) -> int:
    with stage.machine.archive() as archive:
        return max((int(row["id"]) for row in archive.incidents(1000)), default=0)


def _silent(trouble: Trouble, day: Day) -> Iterator[Note]:
    if trouble.alarm and trouble.alarm not in day.alarms:
        yield Note("alarm", None, f"nobody was told of it by the alarm {trouble.alarm!r}: {trouble.name}")


# --- the end ----------------------------------------------------------------------------------------------------------


def _settled(stage: Stage, silences: list[Note]) -> Outcome:
    with stage.machine.archive() as archive:
        number, still_open = gaps(archive)
    has, checked = holdings(stage.machine.config)
    found = reconcile.settle(stage.agency.truths(), has, stage.blind, stage.clock.true())
    return Outcome(
        account=replace(found, lost=(*found.lost, *silences)),
        kills=stage.kills,
        files=checked.files,
        records=checked.records,
        gaps=number,
        open_gaps=still_open,
    )
