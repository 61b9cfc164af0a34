"""The drill: run the scenarios day by day, then reconcile the archive with the ground truth.

Boundary: calls the steps in order; the scenarios are in `scenarios`, and `crawler.sim.reconcile` decides what was lost.
"""

from __future__ import annotations

import io
import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from crawler import files, logs
from crawler.errors import BadInput
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import Progress
from crawler.repair.lexicon import Lexicon
from crawler.sim.drill import troubles
from crawler.sim.drill.account import account
from crawler.sim.drill.agency import Agency
from crawler.sim.drill.clock import create_clock
from crawler.sim.drill.drill import KILLED, Drill
from crawler.sim.drill.files import CLOCK, LOG, MARK
from crawler.sim.drill.scenarios import TABLE, Scenario, nothing
from crawler.sim.drill.service import DrillService
from crawler.sim.drill.troubles import TroubleRow
from crawler.sim.reconcile import Discrepancy, GroundTruth, Reconciliation
from crawler.sim.site.timeline import seeded_rng

BEGIN = datetime(2026, 11, 2, 17, tzinfo=UTC)  # midnight in Hanoi, November 3
SETTLING = 2  # quiet days at the end: a late removal is confirmed as gone only after 25 hours
_BEFORE = 6  # generated articles that are online at the start
_PER_DAY = 5  # articles published each day
_HOURS = (6.0, 22.0)  # earliest and latest hour of publication


@dataclass(frozen=True, slots=True)
class Day:
    """One row of the report: a scenario, the articles published and changed during it, and the alerts that were raised.

    `day` is the number of the scenario's first day, and `days` its length. `held` counts the articles that
    were published on these days and are in the archive. Delays, from publication until the first response with the
    article, are in minutes.
    """

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
class DrillResult:
    """The result of a drill: the reconciliation and further figures.

    `kills` is the number of processes that were killed, `files` the number of WARC files, `records` the number of
    records in these files, and `gaps` the number of gaps, open or closed. `open_gaps` describes each open gap, and
    `troubles` each kind of trouble.
    """

    reconciliation: Reconciliation
    kills: int
    files: int
    records: int
    gaps: int
    open_gaps: tuple[str, ...]
    troubles: tuple[TroubleRow, ...] = ()


def run(
    archive: Path,
    seeds: Path,
    *,
    days: int,
    seed: int,
    lexicon: Lexicon | None,
    progress: Progress,
    report: Callable[[Day], None],
) -> DrillResult:
    """Run `days` days of scenarios on a new archive, call `report` after each scenario, and reconcile at the end.

    Raises:
        BadInput: `archive` is not a folder, or it is not empty and was not made by an earlier drill.

    """
    prepare_folder(archive)
    with _drill(archive, seeds, seed, lexicon) as drill:
        progress.phase("days", days + SETTLING)
        missing_alarms: list[Discrepancy] = []
        begins: list[datetime] = []
        first = drill.day
        for scenario in program(days):
            progress.step(Outcome(OutcomeKind.PROGRESS, detail=scenario.name))
            begins.append(drill.day)
            day = _run_scenario(drill, scenario, first, seed)
            missing_alarms += _missing_alarm(scenario, day)
            report(day)
        drill.service.stop()
        return _result(drill, lexicon, missing_alarms, begins)


def prepare_folder(archive: Path) -> None:
    """Create the folder of a drill, or empty it if it was made by an earlier drill.

    Raises:
        BadInput: `archive` is not a folder, or it is not empty and was not made by an earlier drill.

    """
    if archive.exists() and not archive.is_dir():
        raise BadInput(f"{archive} is not a folder", "choose another folder: vna --archive DIR drill")
    if archive.is_dir() and any(archive.iterdir()):
        if not (archive / MARK).exists():
            raise BadInput(
                f"{archive} is not empty and was not made by vna drill",
                "choose another folder: vna --archive DIR drill",
            )
        shutil.rmtree(archive)
    files.make_folder(archive)
    files.replace(archive / MARK, b"`vna drill` empties this folder when it starts.\n")


@contextmanager
def _drill(archive: Path, seeds: Path, seed: int, lexicon: Lexicon | None) -> Iterator[Drill]:
    with ExitStack() as parts:
        log = parts.enter_context(io.TextIOWrapper(files.create(archive / LOG), "utf-8", line_buffering=True))
        parts.enter_context(logs.logging_to(log, "human"))
        clock = create_clock(archive / CLOCK, BEGIN)
        parts.callback(clock.close)
        agency = Agency(seeds, seed, _BEFORE, clock)
        parts.callback(agency.close)
        service = DrillService(archive, agency.url, clock, lexicon)
        parts.callback(service.stop)
        drill = Drill(archive, agency, service, clock)
        service.start()
        yield drill


def program(days: int) -> Iterator[Scenario]:
    """Yield scenarios for `days` days, then the days without faults that end each drill.

    After the last scenario of the table, the first one follows again. A scenario that takes longer than the days left
    is skipped.
    """
    table = cycle(TABLE)
    while any(scenario.days <= days for scenario in TABLE):
        scenario = next(candidate for candidate in table if candidate.days <= days)
        yield scenario
        days -= scenario.days
    for _ in range(SETTLING):
        yield Scenario("no faults: pending checks are completed", nothing)


def _run_scenario(drill: Drill, scenario: Scenario, first: datetime, seed: int) -> Day:
    begin = drill.day
    end = begin + timedelta(days=scenario.days)
    last_incident = _last_incident(drill)
    for n in range(scenario.days):
        for hour in _publication_hours(seed, begin + timedelta(days=n)):
            drill.at(24 * n + hour, drill.agency.publish)
    scenario.plan(drill)
    drill.run_until(end)
    agency = drill.agency
    new = agency.published_since(begin)
    delays = sorted(d for d in map(agency.delay, new) if d is not None)
    revised, removed = agency.changed_since(begin)
    with drill.service.archive() as archive:
        held = sum(archive.article(i) is not None for i in new)
        alarms = [row["kind"] for row in archive.incidents(1000) if row["id"] > last_incident]
    return Day(
        day=(begin - first).days + 1,
        days=scenario.days,
        date=f"{begin + timedelta(hours=7):%Y-%m-%d}",
        trouble=scenario.name,
        published=len(new),
        held=held,
        delay_median=round(statistics.median(delays), 1) if delays else None,
        delay_max=round(delays[-1], 1) if delays else None,
        revised=revised,
        removed=removed,
        alarms=tuple(dict.fromkeys(alarms)),
    )


def _publication_hours(seed: int, day: datetime) -> list[float]:
    rng = seeded_rng(seed, "drill", day.date())
    return sorted(rng.uniform(*_HOURS) for _ in range(_PER_DAY))


def _last_incident(drill: Drill) -> int:
    with drill.service.archive() as archive:
        return max((int(row["id"]) for row in archive.incidents(1000)), default=0)


def _missing_alarm(scenario: Scenario, day: Day) -> Iterator[Discrepancy]:
    if scenario.alarm and scenario.alarm not in day.alarms:
        yield Discrepancy("alarm", None, f"the alert {scenario.alarm!r} was not raised: {scenario.name}")


# --- the end ----------------------------------------------------------------------------------------------------------


def _result(
    drill: Drill, lexicon: Lexicon | None, missing_alarms: list[Discrepancy], days: list[datetime]
) -> DrillResult:
    found = account(drill, lexicon, missing_alarms)
    changed_at = {truth.id: _last_change(truth) for truth in drill.agency.truths()}
    lost = found.reconciliation.lost
    return DrillResult(
        reconciliation=found.reconciliation,
        kills=sum(trouble.name == KILLED for trouble in drill.troubles),
        files=found.files,
        records=found.records,
        gaps=found.gaps,
        open_gaps=found.open_gaps,
        troubles=tuple(troubles.table(drill.troubles, drill.agency.log, lost, changed_at, days)),
    )


def _last_change(truth: GroundTruth) -> datetime:
    return max(truth.versions[-1].since, truth.online[-1].begin, truth.removed_at or truth.online[0].begin)
