"""The service's jobs: what each does, and when it is done again.

Boundary: calls in order; a job's rows are the worker's to write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from crawler import backfill, pipeline
from crawler.backup import back_up
from crawler.config import Config
from crawler.coverage import take_stock
from crawler.daemon import memory
from crawler.pipeline import Context, Silent
from crawler.pipeline.run import recorded
from crawler.replay import verify
from crawler.storage.disk import measured
from crawler.types import RunReport

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_PARTS = 4  # a verification a week, each of another part of the evidence
_FEWEST = 500  # answers in one part
_IDLE = timedelta(minutes=1)  # a plan that has nothing to do now is asked again so soon

Due = Callable[[Context, datetime], bool]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job, and before when it need not be done again (None: as soon as there is work)."""

    says: str
    due_at: datetime | None = None
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """One job: `due` says whether there is work, beside the time of its row."""

    name: str
    work: Callable[[Context], Done]
    due: Due = lambda _, __: True
    spare: bool = False  # done only while nothing else is due


def jobs(config: Config) -> tuple[Job, ...]:
    """List the jobs in the order in which they are done."""
    house = (
        Job("robots", _robots),
        Job("warc", _close_warc),
        Job("disk", lambda context: _disk(context, config.archive)),
        Job("optimise", _then_trim(_optimise)),
        Job("coverage", _then_trim(_take_stock)),
        Job("verify", _then_trim(_verify)),
    )
    folder = config.backup
    backups = (Job("backup", lambda c: _back_up(c, config.archive, folder, config.backup_hours)),) if folder else ()
    return (Job("poll", _poll, _poll_due), *house, *backups, Job("backfill", _backfill, _backfill_due, spare=True))


def _then_trim(work: Callable[[Context], Done]) -> Callable[[Context], Done]:
    """Make a job that needs much memory for a while return it when it is done."""

    def trimmed(context: Context) -> Done:
        try:
            return work(context)
        finally:
            memory.give_back()

    return trimmed


def _living(context: Context) -> Callable[[], bool]:
    """Make the question whether to stop, which shows life: for work that does not ask the time for long."""

    def stopping() -> bool:
        context.clock.now()
        return context.stopping()

    return stopping


def said(report: RunReport) -> str:
    """Say what a run did in one line, without what it did not."""
    counts = {name: count for name, count in asdict(report).items() if count and name != "seconds"}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing was due"


def _poll_due(context: Context, now: datetime) -> bool:
    due = context.archive.next_due()
    return due is None or due <= now


def _poll(context: Context) -> Done:
    return Done(said(pipeline.poll(context)))


def _backfill_due(context: Context, _: datetime) -> bool:
    return bool(context.archive.plans(open_only=True))


def _backfill(context: Context) -> Done:
    units = 0
    with recorded(context, "backfill"):
        while not context.stopping() and backfill.advance(context):
            units += 1
    pause = None if units else context.clock.now() + _IDLE
    return Done(f"{units} units; {said(context.report)}", pause)


def _robots(context: Context) -> Done:
    """Ask for robots.txt once a day, also when nothing else is asked for."""
    with recorded(context, "robots"):
        allowed = context.fetcher.robots.allows(context.site.root)
    return Done("the site may be visited" if allowed else "the site may not be visited", context.clock.now() + _DAY)


def _close_warc(context: Context) -> Done:
    """End the day's WARC file, so that it is complete also on a day without further answers."""
    context.warc.close()
    now = context.clock.now()
    return Done("closed", now.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY)


def _disk(context: Context, folder: Path) -> Done:
    now = context.clock.now()
    size = measured(folder, now.date().isoformat())
    context.archive.save_disk(size.day, size.warc_bytes, size.db_bytes, size.free_bytes)
    return Done(f"{size.warc_bytes} bytes of evidence, {size.db_bytes} of database", now + _HOUR)


def _optimise(context: Context) -> Done:
    now = context.clock.now()
    weekly = now.weekday() == 0
    context.archive.optimise(index=weekly)
    return Done("with the search index" if weekly else "the planner's figures and the log", now + _DAY)


def _verify(context: Context) -> Done:
    """Check the database, and each time another part of the evidence, so that all of it has its turn within a month."""
    now = context.clock.now()
    count = max(_FEWEST, context.archive.answers() // _PARTS)
    week = now.toordinal() // 7
    found = verify(context.archive, context.warc, Silent(), sample=count, shift=week, stopping=_living(context))
    if found.faults:
        first = found.faults[0]
        words = f"{len(found.faults)} faults, the first: {first.what} at {first.where}: {first.detail}"
        return Done(words, now + _DAY, ok=False)
    return Done(f"{found.rows} answers are as they were written", now + _WEEK if found.finished else None)


def _take_stock(context: Context) -> Done:
    now = context.clock.now()
    with context.archive.posts(_living(context)) as posts:
        ledger = take_stock(posts)
    context.archive.save_ledger(ledger, now)
    return Done(f"{len(ledger.missing)} articles are missing", now + _DAY)


def _back_up(context: Context, folder: Path, target: Path, hours: float) -> Done:
    now = context.clock.now()
    made = back_up(folder, target, now, stopping=_living(context))
    return Done(f"{made.articles} articles to {target}", now + timedelta(hours=hours))
