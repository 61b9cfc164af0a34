"""Patience with one host: when the next request may be made, and what an answer means for the ones after it.

```
well      requests are `interval` apart
throttled 429, 503: nothing before Retry-After; then half as fast, and every good answer makes it a little faster
tripped   several addresses in a row without a good answer: nothing for a growing time, then one request on trial
```
Boundary: pure; a state, an answer and now in, a state out. Every process that calls on the host shares the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from crawler import site

#: `good` is any answer that says nothing of the host's health: 404, too.
AnswerKind = Literal["good", "throttled", "refused", "failed"]

_STORM = 5  # addresses in trouble, with no good answer between: one broken page, or one broken folder, is no storm
_OPEN = 300.0  # seconds without requests after the first storm; doubled at each further one
_PAUSE = 30.0  # seconds, when a throttled answer names no time; longer while it is slow already
_SLOWER = 2.0
_SLOWEST = 32.0  # times the regular interval
_EASING = 0.9  # of the slowdown is left after a good answer: some 7 of them for each halving
_LONGEST_INTERVAL = 60.0  # seconds; a slowdown makes no interval longer than that

_COME_BACK = "what was stored is safe; start it again then (`vna run` waits by itself)"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration says; times in seconds."""

    interval: float  # between two requests; 0 for none
    longest: float  # no pause is longer: neither one that the host asks for, nor one that a wrong clock left behind
    quiet: tuple[time, time] | None = None  # of the Hanoi day
    daily: int = 0  # requests in a Hanoi day; 0 for no limit
    trial: float = 60.0  # how long others wait for the one request on trial


@dataclass(frozen=True, slots=True)
class Patience:
    """What is known of a host, by all processes together."""

    last: datetime | None = None  # when the last request was made
    day: str = ""  # the Hanoi day that `count` is of
    count: int = 0
    delay: float = 0.0  # Crawl-delay of its robots.txt
    slowdown: float = 1.0  # times the regular interval
    until: datetime | None = None  # nothing before it
    reason: str = ""
    troubled: tuple[str, ...] = ()  # addresses in trouble since the last good answer
    trouble_at: datetime | None = None  # the last of it
    tripped: bool = False
    trips: int = 0  # since the host was last quite well


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request ended; `wait` is what its Retry-After asks for, in seconds."""

    address: str
    asked_at: datetime
    kind: AnswerKind
    detail: str = ""
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing may be asked before `until`, and what can be done about it; `own` when the configuration wants it."""

    until: datetime
    reason: str
    hint: str = _COME_BACK
    own: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How a host is treated at the moment: `pause` is None while requests go on, `interval` seconds apart."""

    pause: Pause | None
    interval: float
    slowdown: float
    requests_today: int


def kind_of(status: int) -> AnswerKind:
    """Say what an HTTP status tells of the host."""
    if status in (429, 503):
        return "throttled"
    if status == 403:
        return "refused"
    return "failed" if status >= 500 else "good"


# --- may one be made? -------------------------------------------------------------------------------------------------


def pause(state: Patience, limits: Limits, now: datetime) -> Pause | None:
    """Say until when no request may be made; None when one may be made now."""
    return max(_pauses(state, limits, now), key=lambda found: found.until, default=None)


def _pauses(state: Patience, limits: Limits, now: datetime) -> Iterator[Pause]:
    if state.until is not None and state.until > now:
        yield Pause(state.until, state.reason)
    if limits.quiet is not None and (end := _quiet_until(limits.quiet, now)):
        hours = "-".join(f"{at:%H:%M}" for at in limits.quiet)
        hint = f"{_COME_BACK}; [politeness] quiet_hours sets them"
        yield Pause(end, f"these are quiet hours ({hours} in Hanoi)", hint, own=True)
    if limits.daily and _today(state, now) >= limits.daily:
        reason = f"the {limits.daily} requests of this day (in Hanoi) are made"
        yield Pause(_midnight(now), reason, f"{_COME_BACK}; [politeness] daily_cap limits them", own=True)
    if state.last is not None and (turn := state.last + timedelta(seconds=interval(state, limits))) > now:
        yield Pause(turn, f"requests are {interval(state, limits):g} seconds apart")


def interval(state: Patience, limits: Limits) -> float:
    """Give the seconds between two requests; none where the configuration wants none (a double on this machine)."""
    if not limits.interval:
        return 0.0
    regular = max(limits.interval, min(state.delay, limits.longest))
    return max(regular, min(regular * state.slowdown, _LONGEST_INTERVAL))


def pace(state: Patience, limits: Limits, now: datetime) -> Pace:
    """Give what a status shows; a turn that is about to come is no pause."""
    found = pause(replace(state, last=None), limits, now)
    return Pace(found, interval(state, limits), state.slowdown, _today(state, now))


def _quiet_until(hours: tuple[time, time], now: datetime) -> datetime | None:
    local = now.astimezone(site.HANOI)
    begin, end = hours
    at = local.time()
    quiet = begin <= at < end if begin < end else (at >= begin or at < end)
    last = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    return (last + timedelta(days=last <= local)).astimezone(UTC) if quiet else None


def _today(state: Patience, now: datetime) -> int:
    return state.count if state.day == _day(now) else 0


def _day(now: datetime) -> str:
    return now.astimezone(site.HANOI).date().isoformat()


def _midnight(now: datetime) -> datetime:
    day = now.astimezone(site.HANOI).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=1)).astimezone(UTC)


# --- what it leads to -------------------------------------------------------------------------------------------------


def healed(state: Patience, limits: Limits, now: datetime) -> Patience:
    """Undo what a clock that was set wrong has left: nothing happened later than now, no pause is over-long."""
    most = now + timedelta(seconds=limits.longest)
    return replace(
        state,
        last=_at_most(state.last, now),
        trouble_at=_at_most(state.trouble_at, now),
        until=_at_most(state.until, most),
    )


def _at_most(instant: datetime | None, most: datetime) -> datetime | None:
    return None if instant is None else min(instant, most)


def taken(state: Patience, limits: Limits, now: datetime) -> Patience:
    """Note that a request is made now; after a trip it is on trial, and the others wait for what comes of it."""
    state = replace(state, last=now, day=_day(now), count=_today(state, now) + 1)
    if not state.tripped:
        return state
    until = now + timedelta(seconds=min(limits.trial, limits.longest))
    return replace(state, until=until, reason="one request is on trial after trouble")


def doubtful(state: Patience, address: str) -> bool:
    """Say whether the host itself may be in trouble, so that asking for this address at once again would be unkind."""
    return state.tripped or any(other != address for other in state.troubled)


def after(state: Patience, limits: Limits, answer: Answer, now: datetime) -> Patience:
    """Give the state after an answer that came now."""
    if answer.kind == "good":
        return _better(state, answer)
    late = state.trouble_at is not None and answer.asked_at < state.trouble_at
    known = state.troubled if answer.address in state.troubled else (*state.troubled, answer.address)
    troubled = replace(state, troubled=known[-_STORM:], trouble_at=now)
    if answer.kind == "throttled":
        troubled = _throttled(troubled, limits, answer, now)
    if state.tripped and late:  # it was asked before the trip, and tells nothing new
        return troubled
    return _tripped(troubled, limits, answer, now) if state.tripped or len(known) >= _STORM else troubled


def _better(state: Patience, answer: Answer) -> Patience:
    """Ease the pace a little; an answer to a request from before the trouble says nothing about now."""
    if state.trouble_at is not None and answer.asked_at < state.trouble_at:
        return state
    slowdown = max(1.0, state.slowdown * _EASING)
    trips = state.trips if slowdown > 1 else 0
    return replace(
        state, slowdown=slowdown, trips=trips, tripped=False, troubled=(), trouble_at=None, until=None, reason=""
    )


def _throttled(state: Patience, limits: Limits, answer: Answer, now: datetime) -> Patience:
    asked = _PAUSE * state.slowdown if answer.wait is None else answer.wait
    paused = _paused(state, limits, asked, now)
    return replace(_slowed(paused), reason=f"it asks for patience ({answer.detail})")


def _tripped(state: Patience, limits: Limits, answer: Answer, now: datetime) -> Patience:
    paused = _paused(state, limits, _OPEN * 2.0 ** min(state.trips, 20), now)
    why = "still no good answer" if state.tripped else f"{len(state.troubled)} addresses in a row without a good answer"
    slowed = paused if answer.kind == "throttled" else _slowed(paused)
    return replace(slowed, tripped=True, trips=state.trips + 1, reason=f"{why}, at last {answer.detail}")


def _slowed(state: Patience) -> Patience:
    return replace(state, slowdown=min(state.slowdown * _SLOWER, _SLOWEST))


def _paused(state: Patience, limits: Limits, seconds: float, now: datetime) -> Patience:
    until = now + timedelta(seconds=min(seconds, limits.longest))
    return replace(state, until=until if state.until is None else max(state.until, until))
