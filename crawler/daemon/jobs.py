"""The service's jobs: what each job does, and when it is due again.

Modules that only some archives need, or that are needed only after a redesign, are imported at their first use: they take
2 MB.

Boundary: calls the packages that do the work; the worker writes the jobs' rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from crawler import app, backfill, collect, opening
from crawler.config import Config
from crawler.coverage import take_stock
from crawler.daemon.job_result import JobResult
from crawler.health.checks import plural
from crawler.pipeline import Run, Silent
from crawler.pipeline.run import recorded
from crawler.replay import Seals, verify
from crawler.storage.disk import measured
from crawler.types import RunReport

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_PARTS = 4  # each weekly verification checks another quarter of the captures
_FEWEST = 500  # captures checked per verification, at least
_WATCH = timedelta(minutes=10)  # between two searches for new hits
_IDLE = timedelta(minutes=1)  # pause after an open backfill had nothing to do
FEWEST_DRIFTED = 3  # pages in an unknown layout; one odd page does not mean a redesign

Due = Callable[[Run, datetime], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the service. It runs when the due time in its row has passed and `due` returns true."""

    name: str
    work: Callable[[Run], JobResult]
    due: Due = lambda _, __: True
    idle_only: bool = False  # runs only while no other job is due


def jobs(config: Config) -> tuple[Job, ...]:
    """Return the jobs in the order in which they run."""
    upkeep = (
        Job("robots", _robots),
        Job("warc", _close_warc),
        Job("disk", lambda run: _disk(run, config.archive)),
        Job("optimise", _optimise),
        Job("coverage", _update_coverage),
        Job("seal", lambda run: _seal(run, config)),
        Job("index", lambda run: _index(run, config)),
        Job("verify", lambda run: _verify(run, config)),
    )
    watching = (Job("watch", lambda run: _watch(run, config)),) if config.watches else ()
    folder = config.backup
    backups = (Job("backup", lambda run: _back_up(run, config.archive, folder, config.backup_hours)),) if folder else ()
    heal = Job("heal", lambda run: _heal(run, adopting=config.adopt == "auto"), heal_due)
    return (
        Job("poll", _poll, _poll_due),
        heal,
        *upkeep,
        *watching,
        *backups,
        Job("backfill", _backfill, _backfill_due, idle_only=True),
    )


def _stopping_with_heartbeat(run: Run) -> Callable[[], bool]:
    """Return a function that sends a heartbeat and returns whether to stop, for work that never reads the clock."""

    def stopping() -> bool:
        run.clock.now()
        return run.stopping()

    return stopping


def summarise(report: RunReport) -> str:
    """Return the non-zero counts of a run as one line; `nothing due` if all are zero."""
    counts = {name: count for name, count in asdict(report).items() if count and name != "seconds"}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing due"


def _poll_due(run: Run, now: datetime) -> bool:
    due = run.archive.next_due()
    return due is None or due <= now


def _poll(run: Run) -> JobResult:
    return JobResult(summarise(collect.poll(run)))


def heal_due(run: Run, _: datetime) -> bool:
    """Whether pages are in an unknown layout, lists are empty, or a learned layout is in use, which must be watched."""
    learned = any(layout.learned is not None and layout.learned.until is None for layout in run.layouts)
    drifted = len(run.archive.drifted_pages(FEWEST_DRIFTED)) == FEWEST_DRIFTED
    return learned or drifted or run.archive.is_list_empty()


def _heal(run: Run, *, adopting: bool) -> JobResult:
    from crawler.daemon import healing  # noqa: PLC0415 - see above

    return healing.work(run, adopting=adopting)


def _backfill_due(run: Run, _: datetime) -> bool:
    return bool(run.archive.plans(open_only=True))


def _backfill(run: Run) -> JobResult:
    items = 0
    with recorded(run, "backfill"):
        while not run.stopping() and backfill.advance(run):
            items += 1
    due_at = None if items else run.clock.now() + _IDLE
    return JobResult(f"{plural(items, 'work item')}; {summarise(run.report)}", due_at)


def _robots(run: Run) -> JobResult:
    """Fetch robots.txt once a day, even if nothing else is fetched."""
    with recorded(run, "robots"):
        allowed = run.fetcher.robots.allows(run.site.root)
    return JobResult("robots.txt allows crawling" if allowed else "robots.txt forbids crawling", run.clock.now() + _DAY)


def _close_warc(run: Run) -> JobResult:
    """Close the current WARC file at the end of the day, even if no further response arrives."""
    run.warc.close()
    now = run.clock.now()
    return JobResult("WARC file closed", now.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY)


def _disk(run: Run, folder: Path) -> JobResult:
    now = run.clock.now()
    size = measured(folder, now.date().isoformat())
    run.archive.save_disk(size.day, size.warc_bytes, size.db_bytes, size.free_bytes)
    return JobResult(f"WARC files {size.warc_bytes} bytes, database {size.db_bytes} bytes", now + _HOUR)


def _optimise(run: Run) -> JobResult:
    now = run.clock.now()
    weekly = now.weekday() == 0
    run.archive.optimise(index=weekly)
    outcome = "query statistics updated, write-ahead log truncated"
    return JobResult(f"{outcome}, search index merged" if weekly else outcome, now + _DAY)


def _seal(run: Run, config: Config) -> JobResult:
    """Seal the records that were written since the last seal, and anchor the seal."""
    run.warc.close()
    now = run.clock.now()
    rows, stopping = run.archive.rows_to_seal, _stopping_with_heartbeat(run)
    seals = Seals(config.archive)
    seal = seals.append(run.warc, run.archive.identity(), now, rows, stopping)
    outcome = f"sealed: {seal.digest}" if seal else "nothing new to seal"
    problems = opening.anchors(config).update(seals.read()[0])
    return JobResult("; ".join([outcome, *problems]), now + _DAY, ok=not problems)


def _index(run: Run, config: Config) -> JobResult:
    """Add the records of the day to the index for other tools."""
    added = opening.cdxj_index(config, run.warc).update(_stopping_with_heartbeat(run))
    return JobResult(f"{plural(added, 'record')} indexed", run.clock.now() + _DAY)


def _verify(run: Run, config: Config) -> JobResult:
    """Check the database, a quarter of the captures and a sample of the articles.

    It is a different quarter each week, so all captures and articles are checked within a month.
    """
    now = run.clock.now()
    count = max(_FEWEST, run.archive.capture_count() // _PARTS)
    week = now.toordinal() // 7
    found = verify(
        run.archive,
        run.warc,
        Silent(),
        sample=count,
        shift=week,
        stopping=_stopping_with_heartbeat(run),
        reader=app.reader(config, repairing=False),
        seals=Seals(config.archive),
        anchors=opening.anchors(config),
        index=opening.cdxj_index(config, run.warc),
    )
    if found.faults:
        first = found.faults[0]
        faults = plural(len(found.faults), "fault")
        outcome = f"{faults}; first: {first.what} at {first.where}: {first.detail}"
        return JobResult(outcome, now + _DAY, ok=False)
    return JobResult(f"{plural(found.rows, 'capture')} verified", now + _WEEK if found.finished else None)


def _update_coverage(run: Run) -> JobResult:
    now = run.clock.now()
    with run.archive.posts(_stopping_with_heartbeat(run)) as posts:
        ledger = take_stock(posts)
    run.archive.save_ledger(ledger, now)
    return JobResult(f"{plural(len(ledger.missing), 'article')} missing", now + _DAY)


def _watch(run: Run, config: Config) -> JobResult:
    """Send the new hits of the watched searches."""
    from crawler.daemon import watch_job  # noqa: PLC0415 - see above

    problems = watch_job.send_hits(run, config)
    outcome = problems[0] if problems else f"watched searches checked: {len(config.watches)}"
    return JobResult(outcome, run.clock.now() + _WATCH, ok=not problems)


def _back_up(run: Run, folder: Path, target: Path, hours: float) -> JobResult:
    from crawler.backup import back_up  # noqa: PLC0415 - see above

    now = run.clock.now()
    made = back_up(folder, target, now, stopping=_stopping_with_heartbeat(run))
    outcome, due_at = f"{plural(made.articles, 'article')} backed up to {target}", now + timedelta(hours=hours)
    wrong = made.refused | dict.fromkeys(made.damaged, "damaged")
    if not wrong:
        return JobResult(outcome, due_at)
    name, what = next(iter(wrong.items()))
    faults = f"{plural(len(wrong), 'file')} missing or damaged in the archive; first: {name} is {what}"
    return JobResult(f"{outcome}, but {faults}; run `vna verify`", due_at, ok=False)
