"""What is well and what is not: the service's figures to conditions, each in words and with what to do about it.

Boundary: pure; rows and now in, conditions out. Nothing is told to anybody here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crawler.schedule.sources import SILENT

_INTERVALS = 3  # polls that may fail to come before somebody should know
_UNLEARNED = timedelta(hours=1)  # the interval of a source that has none yet
_SILENT = timedelta(minutes=15)  # a worker shows life at each request, page and nap: far more often
_DEAD = timedelta(days=2)
_DEAD_FAILURES = 10  # of a source that never answered well: two days of retries
_LOOKS = 2  # at a source that shows nothing: one may be a hiccup
_FEWEST_FAILING = 3  # pages: a few may be broken for good, and are listed by `vna status`
_FAILING_SHARE = 0.2  # of those asked for within a day
_FEWEST_DRIFTED = 3  # one odd page in a quiet hour is no redesign
_NEAR = 1.1  # of the reserve
_WARNING = 7  # days of growth that must fit above the reserve
_AHEAD = timedelta(minutes=10)
_ENDS = 3  # of the service in a row, without anybody's asking: once it was the electricity
_STEADY = timedelta(hours=1)  # whoever lives so long is not at its end again and again
_IN_A_ROW = timedelta(days=1)
SERVICE = "service"  # the row of the service itself, among those of its jobs
_PATIENCE = {
    "poll": 1 << 30,
    "backfill": 3,
    "robots": 3,
}  # failures in a row that are no news; a poll's are `poll`'s to judge


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """What health needs of a polled source's row."""

    url: str
    state: str
    interval: int | None = None
    last_ok_at: datetime | None = None
    failures: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class JobHealth:
    """What health needs of a job's row."""

    name: str
    state: str
    started_at: datetime
    next_due_at: datetime | None = None
    failures: int = 0
    outcome: str | None = None

    @property
    def at_work(self) -> bool:
        """Whether it is being done just now; the service's own row says only that it lives."""
        return self.state == "running" and self.name != SERVICE


@dataclass(frozen=True, slots=True)
class GapHealth:
    """An open gap: a source, and the two good polls that shared nothing."""

    source: str
    opened_at: datetime
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is judged; sizes in bytes, `silent` in seconds.

    `started_at` is when the service began: what it could not have done yet is no trouble. `newest` is the newest answer
    of an article's page: polls with a wrong clock soon date the sources' anew, but not those.
    """

    now: datetime
    started_at: datetime
    sources: tuple[SourceHealth, ...] = ()
    jobs: tuple[JobHealth, ...] = ()
    gaps: tuple[GapHealth, ...] = ()
    newest: datetime | None = None
    bugs: tuple[str, ...] = ()  # what they came from, the newest first, as `address: words`
    pages_asked: int = 0
    pages_failing: int = 0
    pages_read: int = 0
    pages_drifted: int = 0
    free: int = 1 << 60
    growth: float = 0.0  # bytes a day
    silent: float = 0.0

    @property
    def drift(self) -> float:
        """The share of pages, read within a day, whose markup is not known."""
        return self.pages_drifted / self.pages_read if self.pages_read else 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Where well ends, as configured."""

    gap_hours: float = 48.0
    drift_share: float = 0.2
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is well, or not: `kind` and `subject` name it, `says` is the state of it, `do` what helps."""

    kind: str
    subject: str
    red: bool
    says: str
    do: str = ""


def ends(before: JobHealth | None, now: datetime) -> int:
    """Count the ends in a row that nobody asked for, from the service's row as its last start or end left it."""
    if before is None or before.state != "running":
        return 0
    return before.failures + 1 if now - before.started_at <= _IN_A_ROW else 1


def conditions(facts: Facts, limits: Limits = Limits()) -> tuple[Condition, ...]:
    """Judge everything: one condition for each trouble, one green one for each kind without."""
    return (
        _poll(facts),
        _worker(facts),
        _restarts(facts),
        *(_or_green("source", _dead(facts), f"{len(facts.sources)} sources are polled, none is dead")),
        *(_or_green("items", _empty(facts), "no source has run empty")),
        _page(facts),
        _bug(facts),
        *(_or_green("gap", _gaps(facts, limits), f"{len(facts.gaps)} gaps are open, none for long")),
        _drift(facts, limits),
        _disk(facts, limits),
        *(_or_green("job", _jobs(facts), "every job did its work")),
        _clock(facts),
    )


def span(time: timedelta) -> str:
    """Write a length of time for people, in its two largest units."""
    minutes = max(0, int(time.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def _or_green(kind: str, found: Iterable[Condition], says: str) -> tuple[Condition, ...]:
    return tuple(found) or (Condition(kind, "", red=False, says=says),)


def _poll(facts: Facts) -> Condition:
    """Red when the last good poll is older than three intervals of the source that is polled most often.

    Time in which nothing is to be asked by our own wish (quiet hours, a daily cap) does not count.
    """
    job = next((job for job in facts.jobs if job.name == "poll"), None)
    paused = job.next_due_at if job is not None and job.state == "paused" else None
    if paused is not None and paused > facts.now:
        return Condition("poll", "", red=False, says=f"paused until {_when(paused)}: {job.outcome if job else ''}")
    good = max((s.last_ok_at for s in facts.sources if s.last_ok_at is not None), default=None)
    since = max(filter(None, (good, paused, facts.started_at)))
    interval = min((timedelta(seconds=s.interval) for s in facts.sources if s.interval), default=_UNLEARNED)
    last = f"last good poll at {_when(good)}" if good else "no good poll yet"
    if facts.now - since <= _INTERVALS * interval:
        return Condition("poll", "", red=False, says=last)
    said = f"; it says: {job.outcome}" if job is not None and job.state in ("held", "failed") else ""
    return Condition(
        "poll",
        "",
        red=True,
        says=f"{last}, and {span(facts.now - since)} have gone by: more than three intervals of {span(interval)}{said}",
        do="`vna status` shows what each source said last; check the connection, then the site: `vna probe`",
    )


def _worker(facts: Facts) -> Condition:
    running = [job for job in facts.jobs if job.at_work]
    doing = ", ".join(f"{job.name} since {_when(job.started_at)}" for job in running) or "nothing that it noted"
    if facts.silent <= _SILENT.total_seconds():
        return Condition("worker", "", red=False, says=f"alive; doing {doing}")
    return Condition(
        "worker",
        "",
        red=True,
        says=f"no sign of life for {span(timedelta(seconds=facts.silent))}; doing {doing}",
        do="restart the service: what was stored is safe, and what was not is done again",
    )


def _restarts(facts: Facts) -> Condition:
    """Red when the service came to its end again and again, and has not lived for long since."""
    row = next((job for job in facts.jobs if job.name == SERVICE), None)
    if row is None or row.failures < _ENDS or facts.now - row.started_at > _STEADY:
        return Condition("restarts", "", red=False, says="the service does not come to its end by itself")
    return Condition(
        "restarts",
        "",
        red=True,
        says=f"the service came to its end {row.failures} times in a row without being asked to;"
        f" it began again at {_when(row.started_at)}",
        do="the log says why (`journalctl -u vna`), unless something killed it: memory that ran out is in `dmesg`",
    )


def _dead(facts: Facts) -> Iterator[Condition]:
    for source in facts.sources:
        if source.state not in ("failing", "absent") or _is_silent(source):
            continue
        good = source.last_ok_at
        if good is None:
            dead = source.state == "failing" and source.failures >= _DEAD_FAILURES
        else:
            dead = facts.now - good > _DEAD
        if dead:
            since = f"no good answer since {_when(good)}" if good else f"no good answer in {source.failures} tries"
            yield Condition(
                "source",
                source.url,
                red=True,
                says=f"{since}; the last one: {source.error or 'no reason given'}",
                do="`vna probe` shows what the site has now; [poll] exclude leaves out what it has no more",
            )


def _is_silent(source: SourceHealth) -> bool:
    return SILENT in (source.error or "")


def _empty(facts: Facts) -> Iterator[Condition]:
    for source in facts.sources:
        if _is_silent(source) and source.failures >= _LOOKS:
            yield Condition(
                "items",
                source.url,
                red=True,
                says=f"answers, but {source.error}",
                do="look at the page: the layout may have changed (docs/new-layout.md), or the section may have moved",
            )


def _page(facts: Facts) -> Condition:
    """Red when the lists are well, but the articles that they name cannot be had."""
    says = f"{facts.pages_failing} of {facts.pages_asked} pages asked for within a day failed again and again"
    few = facts.pages_failing < _FEWEST_FAILING
    if few or facts.pages_failing <= _FAILING_SHARE * facts.pages_asked:
        return Condition("page", "", red=False, says=says)
    return Condition(
        "page",
        "",
        red=True,
        says=says,
        do="`vna status` shows what the site said of them; open one in a browser. They are asked for until they come",
    )


def _bug(facts: Facts) -> Condition:
    if not facts.bugs:
        return Condition("bug", "", red=False, says="no answer is put off because of a bug")
    return Condition(
        "bug",
        "",
        red=True,
        says=f"put off because of a bug that ended the program: {len(facts.bugs)}; the newest: {facts.bugs[0]}",
        do="report it with the traceback, which is in the log; the answers are kept, and after an upgrade"
        " `vna reparse` reads the pages",
    )


def _gaps(facts: Facts, limits: Limits) -> Iterator[Condition]:
    for gap in facts.gaps:
        if facts.now - gap.opened_at > timedelta(hours=limits.gap_hours):
            yield Condition(
                "gap",
                f"{gap.source} {_when(gap.since)}",
                red=True,
                says=f"what {gap.source} listed between {_when(gap.since)} and {_when(gap.until)} is not known,"
                f" and could not be filled for {span(facts.now - gap.opened_at)}",
                do=f"vna backfill --since {gap.since:%Y-%m-%d} --until {gap.until:%Y-%m-%d} --via ids",
            )


def _drift(facts: Facts, limits: Limits) -> Condition:
    says = f"{facts.pages_drifted} of {facts.pages_read} pages read within a day have a markup that is not known"
    if facts.pages_drifted < _FEWEST_DRIFTED or facts.drift <= limits.drift_share:
        return Condition("drift", "", red=False, says=says)
    return Condition(
        "drift",
        "",
        red=True,
        says=f"{says} ({facts.drift:.0%})",
        do="the pages are kept; describe the new layout (docs/new-layout.md), then run `vna reparse`",
    )


def _disk(facts: Facts, limits: Limits) -> Condition:
    says = f"{_bytes(facts.free)} free, {_bytes(limits.reserve)} of it the reserve"
    if facts.growth > 0:
        days = max(0.0, facts.free - limits.reserve) / facts.growth
        says += f"; at {_bytes(facts.growth)} a day that lasts {days:.0f} days"
    if facts.free >= max(limits.reserve * _NEAR, limits.reserve + _WARNING * facts.growth):
        return Condition("disk", "", red=False, says=says)
    do = "free some space, or move the archive to a larger disk; nothing is fetched below the reserve"
    return Condition("disk", "", red=True, says=says, do=do)


def _jobs(facts: Facts) -> Iterator[Condition]:
    for job in facts.jobs:
        if job.state == "failed" and job.failures >= _PATIENCE.get(job.name, 1):
            next_try = f"; tried again at {_when(job.next_due_at)}" if job.next_due_at else ""
            yield Condition(
                "job", job.name, red=True, says=f"failed: {job.outcome}{next_try}", do=_MEND.get(job.name, _ANY)
            )


_ANY = "mend what it says; it is tried again by itself"
_MEND = {
    "verify": "run `vna verify`: it names each record; restore damaged files from a backup",
    "backup": "check that the folder of [backup] dir is there and has room; it is tried again by itself",
    "alerts": "check [alerts] to with `vna alerts --test`; what could not be told is tried again by itself",
}


def _clock(facts: Facts) -> Condition:
    newest = max(filter(None, (facts.now, facts.newest, *(source.last_ok_at for source in facts.sources))))
    if newest - facts.now <= _AHEAD:
        return Condition("clock", "", red=False, says=f"{_when(facts.now)}")
    return Condition(
        "clock",
        "",
        red=True,
        says=f"this machine says {_when(facts.now)}, but the archive has answers of {_when(newest)}",
        do="set the machine's clock, and let it be kept right (systemd-timesyncd, chrony)",
    )


def _when(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
