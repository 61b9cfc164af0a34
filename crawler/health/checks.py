"""Health checks: turn the service's figures into conditions, each with a message and an action.

Boundary: pure functions from figures and the current instant to conditions. `daemon.health_monitor` sends the alerts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crawler.health.clock import ClockVerdict, judge
from crawler.health.figures import SERVICE, Condition, Facts, JobHealth, SourceHealth
from crawler.types import ErrorKind

_INTERVALS = 3  # poll intervals without a successful poll before the condition fails
_UNLEARNED = timedelta(hours=1)  # assumed interval while no source has one yet
_SILENT = timedelta(minutes=15)  # far above normal: the worker reads the clock at each request, page and wait
_DEAD = timedelta(days=2)  # without a successful response
_DEAD_FAILURES = 10  # for a source that never succeeded: about two days of retries
_EMPTY_POLLS = 2  # one empty response may be a temporary error of the site
_FEWEST_FAILING = 3  # a few pages may be broken for good; `vna status` lists them
_FAILING_SHARE = 0.2  # of the pages requested within a day
_FEWEST_DRIFTED = 3  # one odd page in a quiet hour does not mean a redesign
_NEAR = 1.1  # times the reserve
_WARNING = 7  # days of growth that must fit above the reserve
_SET_CLOCK = (
    "compare the clock with `timedatectl`, correct it, and enable time synchronisation (chrony, systemd-timesyncd)"
)
_CATCH_UP = "run `vna poll`, or let `vna run` continue: what was fetched with a time in the future is fetched again"
_EXITS = 3  # unexpected exits in a row; one or two may be a power failure
_STEADY = timedelta(hours=1)  # a process that lives this long is not in a crash loop
_IN_A_ROW = timedelta(days=1)  # an exit is in a row with earlier ones if its process had started at most this long ago
# Failures in a row at which the condition `job` fails, by job (default: 1). The condition `poll` judges failed polls.
_FAILURE_LIMITS = {"poll": 1 << 30, "backfill": 3, "robots": 3, "watch": 3}


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """Configured limits at which checks fail.

    `gap_hours`: how long a gap may stay open. `drift_share`: the largest share of the pages read, from 0 to 1,
    that may have an unknown layout. `reserve`: the number of bytes that must stay free on the disk.
    """

    gap_hours: float = 48.0
    drift_share: float = 0.2
    reserve: int = 0


def unexpected_exits(before: JobHealth | None, now: datetime) -> int:
    """Return how many times in a row the service has exited unexpectedly.

    `before` is the row of the service as the previous process left it, or None if there was no previous process.
    """
    if before is None or before.state != "running":
        return 0
    return before.failures + 1 if now - before.started_at <= _IN_A_ROW else 1


def conditions(facts: Facts, limits: HealthLimits = HealthLimits()) -> tuple[Condition, ...]:
    """Run all checks. Each check returns a failing condition for each failing subject; if none fails, a passing one."""
    sources = f"{plural(len(facts.sources), 'source')} polled, none dead"
    gaps = f"{plural(len(facts.gaps), 'open gap')}, none older than {limits.gap_hours:g} h"
    return (
        _poll(facts),
        _worker(facts),
        _restarts(facts),
        *_or_passing("source", _dead(facts), sources),
        *_or_passing("items", _empty(facts), "no source has stopped listing articles"),
        _page(facts),
        _bug(facts),
        *_or_passing("gap", _gaps(facts, limits), gaps),
        _drift(facts, limits),
        _disk(facts, limits),
        *_or_passing("job", _jobs(facts), "no job is failing"),
        _clock(facts),
    )


def span(time: timedelta) -> str:
    """Return a duration as text with at most two units, such as `2 d 3 h`; a negative duration as `0 min`."""
    minutes = max(0, int(time.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def plural(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 gap` or `3 gaps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _passing(kind: str, message: str) -> Condition:
    return Condition(kind, "", failing=False, message=message)


def _or_passing(kind: str, found: Iterable[Condition], message: str) -> tuple[Condition, ...]:
    return tuple(found) or (_passing(kind, message),)


def _poll(facts: Facts) -> Condition:
    """Fail if no poll has succeeded for three intervals of the most frequently polled source.

    Pauses that the configuration demands (quiet hours, daily cap) are not counted.
    """
    job = next((job for job in facts.jobs if job.name == "poll"), None)
    paused = job.next_due_at if job is not None and job.state == "paused" else None
    if paused is not None and paused > facts.now:
        return _passing("poll", f"paused until {_when(paused)}: {job.outcome if job else ''}")
    good = max((s.last_ok_at for s in facts.sources if s.last_ok_at is not None), default=None)
    since = max(filter(None, (good, paused, facts.started_at)))
    interval = min((timedelta(seconds=s.interval) for s in facts.sources if s.interval), default=_UNLEARNED)
    last = f"last successful poll at {_when(good)}" if good else "no successful poll yet"
    if facts.now - since <= _INTERVALS * interval:
        return _passing("poll", last)
    elapsed = f"{span(facts.now - since)} elapsed, more than three intervals of {span(interval)}"
    error = f"; last error: {job.outcome}" if job is not None and job.state in ("held", "failed") else ""
    return Condition(
        "poll",
        "",
        failing=True,
        message=f"{last}; the next one is overdue: {elapsed}{error}",
        action="run `vna status` to see the last error of each source; check the network, then run `vna probe` to check"
        " the site",
    )


def _worker(facts: Facts) -> Condition:
    running = [job for job in facts.jobs if job.in_progress]
    current = ", ".join(f"{job.name} since {_when(job.started_at)}" for job in running) or "none"
    if facts.silent <= _SILENT.total_seconds():
        return _passing("worker", f"alive; current job: {current}")
    return Condition(
        "worker",
        "",
        failing=True,
        message=f"no heartbeat for {span(timedelta(seconds=facts.silent))}; current job: {current}",
        action="restart the service: stored data is safe, and interrupted work is repeated",
    )


def _restarts(facts: Facts) -> Condition:
    """Fail if the service exited unexpectedly at least three times in a row and has run for at most an hour since."""
    row = next((job for job in facts.jobs if job.name == SERVICE), None)
    if row is None or row.failures < _EXITS or facts.now - row.started_at > _STEADY:
        return _passing("restarts", "no repeated unexpected exits")
    return Condition(
        "restarts",
        "",
        failing=True,
        message=f"the service exited unexpectedly {row.failures} times in a row; last start at {_when(row.started_at)}",
        action="read the log (`journalctl -u vna`); if it shows no error, the process was killed:"
        " look in `dmesg` for out-of-memory messages",
    )


def _dead(facts: Facts) -> Iterator[Condition]:
    for source in facts.sources:
        if source.state not in ("failing", "absent") or _is_empty(source):
            continue
        good = source.last_ok_at
        if good is None:
            dead = source.state == "failing" and source.failures >= _DEAD_FAILURES
        else:
            dead = facts.now - good > _DEAD
        if dead:
            without = f"since {_when(good)}" if good else f"in {source.failures} attempts"
            yield Condition(
                "source",
                source.url,
                failing=True,
                message=f"no successful response {without}; last error: {source.error or 'unknown'}",
                action="run `vna probe` to see what the site offers; exclude a discontinued source with"
                " `[poll] exclude`",
            )


def _is_empty(source: SourceHealth) -> bool:
    return source.error_kind is ErrorKind.EMPTY_SOURCE


def _empty(facts: Facts) -> Iterator[Condition]:
    for source in facts.sources:
        if _is_empty(source) and source.failures >= _EMPTY_POLLS:
            yield Condition(
                "items",
                source.url,
                failing=True,
                message=f"the source responds, but with no articles: {source.error}{_learned(facts)}",
                action="run `vna heal` to learn the new layout of a list; otherwise open the page in a browser: its address"
                " or its layout (docs/new-layout.md) may have changed",
            )


def _page(facts: Facts) -> Condition:
    """Fail if many article pages cannot be fetched. The check of the polls covers only the lists of articles."""
    failing, requested = facts.pages_failing, facts.pages_asked
    message = f"{failing} of {requested} article pages requested in the last 24 hours failed repeatedly"
    if failing < _FEWEST_FAILING or failing <= _FAILING_SHARE * requested:
        return _passing("page", message)
    return Condition(
        "page",
        "",
        failing=True,
        message=message,
        action="run `vna status` to see the errors, and open one of the pages in a browser; the pages are retried"
        " automatically",
    )


def _bug(facts: Facts) -> Condition:
    if not facts.bugs:
        return _passing("bug", "no item is quarantined after a crash")
    return Condition(
        "bug",
        "",
        failing=True,
        message=f"{plural(len(facts.bugs), 'item')} quarantined after crashing the crawler; latest: {facts.bugs[0]}",
        action="report the bug with the traceback from the log; after an upgrade, run `vna reparse` to parse the"
        " archived pages again",
    )


def _gaps(facts: Facts, limits: HealthLimits) -> Iterator[Condition]:
    for gap in facts.gaps:
        age = facts.now - gap.opened_at
        if age > timedelta(hours=limits.gap_hours):
            yield Condition(
                "gap",
                f"{gap.source} {_when(gap.since)}",
                failing=True,
                message=f"articles listed by {gap.source} between {_when(gap.since)} and {_when(gap.until)} may be missing;"
                f" the gap has been open for {span(age)}",
                action=f"run `vna backfill --since {gap.since:%Y-%m-%d} --until {gap.until:%Y-%m-%d} --via ids`",
            )


def _drift(facts: Facts, limits: HealthLimits) -> Condition:
    message = (
        f"{facts.pages_drifted} of {facts.pages_read} article pages read in the last 24 hours have an unknown layout"
    )
    if facts.moved:
        message += f"; fields that are no longer where they were: {', '.join(facts.moved)}"
    if facts.pages_drifted < _FEWEST_DRIFTED or facts.drift <= limits.drift_share:
        return _passing("drift", message)
    return Condition(
        "drift",
        "",
        failing=True,
        message=f"{message} ({facts.drift:.0%}){_learned(facts)}",
        action="run `vna heal` to learn the new layout (docs/healing.md); if it cannot, describe the layout"
        " (docs/new-layout.md), then run `vna reparse` to parse the archived pages again",
    )


def _learned(facts: Facts) -> str:
    """Return what the service has learned about the new layout: the file and how exact it is; empty if nothing yet."""
    job = next((job for job in facts.jobs if job.name == "heal" and not job.in_progress), None)
    return f"; {job.outcome}" if job is not None and job.outcome else ""


def _disk(facts: Facts, limits: HealthLimits) -> Condition:
    message = f"{_bytes(facts.free)} free; reserve {_bytes(limits.reserve)}"
    if facts.growth > 0:
        days = max(0.0, facts.free - limits.reserve) / facts.growth
        message += f", reached in {days:.0f} days at {_bytes(facts.growth)} per day"
    if facts.free >= max(limits.reserve * _NEAR, limits.reserve + _WARNING * facts.growth):
        return _passing("disk", message)
    action = "free disk space, or move the archive to a larger disk; fetching stops when the reserve is reached"
    return Condition("disk", "", failing=True, message=message, action=action)


def _jobs(facts: Facts) -> Iterator[Condition]:
    for job in facts.jobs:
        if job.state == "failed" and job.failures >= _FAILURE_LIMITS.get(job.name, 1):
            retry = f"; next attempt at {_when(job.next_due_at)}" if job.next_due_at else ""
            message = f"failed: {job.outcome}{retry}"
            yield Condition(
                "job", job.name, failing=True, message=message, action=_ACTIONS.get(job.name, _DEFAULT_ACTION)
            )


_DEFAULT_ACTION = "correct the reported error; the job is retried automatically"
_ACTIONS = {
    "verify": "run `vna verify` to list the damaged records, then restore the damaged files from a backup",
    "backup": "check that the folder in `[backup] dir` exists and has free space; the job is retried automatically",
    "alerts": "run `vna alerts --test` to check the addresses in `[alerts] to`; unsent alerts are retried"
    " automatically",
}


def _clock(facts: Facts) -> Condition:
    verdict = judge(facts.now, facts.newest, facts.published)
    if facts.newest is None or verdict is ClockVerdict.RIGHT:
        return _passing("clock", _when(facts.now))
    message, action = clock_message(verdict, facts.now, facts.newest)
    return Condition("clock", "", failing=True, message=message, action=action)


def clock_message(verdict: ClockVerdict, now: datetime, newest: datetime) -> tuple[str, str]:
    """Return what is wrong with the system clock, and what to do.

    `newest` is the time of the newest response in the archive. `verdict` is not `RIGHT`.
    """
    message = f"the system clock shows {_when(now)}, but the archive holds responses from {_when(newest)}"
    if verdict is ClockVerdict.BEHIND:
        return f"{message}, and the site has published articles since then", _SET_CLOCK
    return f"{message}: the clock was ahead then, or is behind now", f"{_SET_CLOCK}; then {_CATCH_UP}"


def _when(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
