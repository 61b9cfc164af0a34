"""Rate limit and circuit breaker for one host: when the next request may be sent, and what each response changes.

```
closed     requests are `interval` seconds apart
           after 429 or 503: no request before Retry-After, and a doubled interval; each good response shortens it by 10 %
open       after failures at five addresses in a row: no request for five minutes, doubled each time it opens again
half-open  when that time is over: one trial request; a good response closes the breaker, any other one opens it again
```
Boundary: pure; state, response and time in, new state out. `crawler.fetch.budget` stores the state, which all processes
of an archive share. Instants are in UTC; the daily cap and the quiet hours follow the day in Hanoi.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from crawler import site

#: What a response says about the host: `throttled` for 429 and 503, `refused` for 403, `failed` for any other status from
#: 500 and for no response; `good` for everything else, 404 included.
SignalKind = Literal["good", "throttled", "refused", "failed"]

_OPEN_AFTER = 5  # addresses that failed with no good response between them: fewer may be one broken page or folder
_OPEN_SECONDS = 300.0  # the first time; doubled each time the breaker opens again
_DEFAULT_WAIT = 30.0  # seconds, for a 429 or 503 without a usable Retry-After; multiplied by the current slowdown
_SLOWDOWN_STEP = 2.0  # each throttled response, and each opening of the breaker, multiplies the slowdown by this
_MAX_SLOWDOWN = 32.0
_RECOVERY = 0.9  # each good response multiplies the slowdown by this: about seven of them halve it
_MAX_SLOWED_INTERVAL = 60.0  # seconds; a slowdown alone never makes the interval longer than this

_RESUME_HINT = "stored data is safe; run the command again after that time (`vna run` waits and continues by itself)"


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The configured limits; times in seconds."""

    interval: float  # between two requests; 0 for no limit
    max_pause: float  # longest pause: caps Retry-After, the open breaker, and what a wrong clock left in the state
    quiet_hours: tuple[time, time] | None = None  # start and end, in Hanoi time
    daily_cap: int = 0  # requests in one day in Hanoi; 0 for no cap
    trial_wait: float = 60.0  # how long the other processes wait for the result of the trial request


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """What all processes together know about one host.

    The field names are the keys of the state file on disk (`state/budget-HOST.json`): do not rename them.
    """

    last: datetime | None = None  # when the last request was sent
    day: str = ""  # the day in Hanoi that `count` belongs to, as YYYY-MM-DD
    count: int = 0  # requests on that day
    delay: float = 0.0  # Crawl-delay of the host's robots.txt, in seconds
    slowdown: float = 1.0  # the interval is multiplied by this
    until: datetime | None = None  # no request before this time
    reason: str = ""  # why not, for people
    troubled: tuple[str, ...] = ()  # addresses that failed since the last good response
    trouble_at: datetime | None = None  # when the latest of these failures was reported
    tripped: bool = False  # the breaker is open or half-open
    trips: int = 0  # how often the breaker has opened since the slowdown was last 1


@dataclass(frozen=True, slots=True)
class ResponseSignal:
    """How one request ended, as far as it matters for the rate limit."""

    address: str
    requested_at: datetime
    kind: SignalKind
    detail: str = ""  # for people, such as "HTTP status 429"
    retry_after: float | None = None  # seconds, from the Retry-After header; None when it is absent or unusable


@dataclass(frozen=True, slots=True)
class Pause:
    """Why no request may be sent before `until`, and what to do (`hint`).

    `own` is true when our own configuration asks for the pause (quiet hours, daily cap), not the host.
    """

    until: datetime
    reason: str
    hint: str = _RESUME_HINT
    own: bool = False


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """The rate limit at one moment, for display: `pause` is None while requests continue, `interval` seconds apart."""

    pause: Pause | None
    interval: float
    slowdown: float
    requests_today: int


def classify_status(status: int) -> SignalKind:
    """Return what an HTTP status says about the host."""
    if status in (429, 503):
        return "throttled"
    if status == 403:
        return "refused"
    return "failed" if status >= 500 else "good"


# --- may a request be sent now? ---------------------------------------------------------------------------------------


def current_pause(state: RateLimitState, limits: RateLimits, now: datetime) -> Pause | None:
    """Return the pause that ends last; None when a request may be sent now."""
    return max(_pauses(state, limits, now), key=lambda found: found.until, default=None)


def _pauses(state: RateLimitState, limits: RateLimits, now: datetime) -> Iterator[Pause]:
    if state.until is not None and state.until > now:
        yield Pause(state.until, state.reason)
    if limits.quiet_hours is not None and (end := _quiet_until(limits.quiet_hours, now)):
        hours = "-".join(f"{at:%H:%M}" for at in limits.quiet_hours)
        hint = f"{_RESUME_HINT}; [politeness] quiet_hours sets these hours"
        yield Pause(end, f"quiet hours ({hours}, Hanoi time)", hint, own=True)
    if limits.daily_cap and _requests_today(state, now) >= limits.daily_cap:
        reason = f"the daily request cap ({limits.daily_cap} per day, Hanoi time) is reached"
        yield Pause(_next_midnight(now), reason, f"{_RESUME_HINT}; [politeness] daily_cap sets the cap", own=True)
    if state.last is not None and (due := state.last + timedelta(seconds=interval(state, limits))) > now:
        yield Pause(due, f"requests are {interval(state, limits):g} seconds apart")


def interval(state: RateLimitState, limits: RateLimits) -> float:
    """Return the seconds between two requests; 0 when the configuration sets no interval (a fake site on loopback)."""
    if not limits.interval:
        return 0.0
    regular = max(limits.interval, min(state.delay, limits.max_pause))
    return max(regular, min(regular * state.slowdown, _MAX_SLOWED_INTERVAL))


def status(state: RateLimitState, limits: RateLimits, now: datetime) -> RateLimitStatus:
    """Return what `vna status` shows; the normal interval between two requests does not count as a pause."""
    found = current_pause(replace(state, last=None), limits, now)
    return RateLimitStatus(found, interval(state, limits), state.slowdown, _requests_today(state, now))


def _quiet_until(hours: tuple[time, time], now: datetime) -> datetime | None:
    local = now.astimezone(site.HANOI)
    begin, end = hours
    at = local.time()
    quiet = begin <= at < end if begin < end else (at >= begin or at < end)  # else they span midnight
    ends_at = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    return (ends_at + timedelta(days=ends_at <= local)).astimezone(UTC) if quiet else None


def _requests_today(state: RateLimitState, now: datetime) -> int:
    return state.count if state.day == _day(now) else 0


def _day(now: datetime) -> str:
    return now.astimezone(site.HANOI).date().isoformat()


def _next_midnight(now: datetime) -> datetime:
    day = now.astimezone(site.HANOI).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=1)).astimezone(UTC)


# --- what a request and its response change ---------------------------------------------------------------------------


def clamp_times(state: RateLimitState, limits: RateLimits, now: datetime) -> RateLimitState:
    """Correct instants that a wrong clock left: no event lies after `now`, no pause is longer than `max_pause`."""
    latest = now + timedelta(seconds=limits.max_pause)
    return replace(
        state,
        last=_at_most(state.last, now),
        trouble_at=_at_most(state.trouble_at, now),
        until=_at_most(state.until, latest),
    )


def _at_most(instant: datetime | None, latest: datetime) -> datetime | None:
    return None if instant is None else min(instant, latest)


def after_request(state: RateLimitState, limits: RateLimits, now: datetime) -> RateLimitState:
    """Return the state after a request was sent at `now`.

    While the breaker is open this is the trial request: the other processes wait for its result, but no longer than
    `trial_wait` seconds, because the process that sent it may have died.
    """
    state = replace(state, last=now, day=_day(now), count=_requests_today(state, now) + 1)
    if not state.tripped:
        return state
    until = now + timedelta(seconds=min(limits.trial_wait, limits.max_pause))
    return replace(state, until=until, reason="circuit breaker half-open: one trial request is in progress")


def is_host_suspect(state: RateLimitState, address: str) -> bool:
    """Whether the host itself may be failing, and not `address` alone: then `address` must not be retried at once."""
    return state.tripped or any(other != address for other in state.troubled)


def after_response(state: RateLimitState, limits: RateLimits, signal: ResponseSignal, now: datetime) -> RateLimitState:
    """Return the state after a request ended at `now`, with a response or without one."""
    if signal.kind == "good":
        return _after_good(state, signal)
    late = state.trouble_at is not None and signal.requested_at < state.trouble_at
    failing = state.troubled if signal.address in state.troubled else (*state.troubled, signal.address)
    failed = replace(state, troubled=failing[-_OPEN_AFTER:], trouble_at=now)
    if signal.kind == "throttled":
        failed = _throttled(failed, limits, signal, now)
    if state.tripped and late:  # sent before the breaker opened: no new information
        return failed
    return _opened(failed, limits, signal, now) if state.tripped or len(failing) >= _OPEN_AFTER else failed


def _after_good(state: RateLimitState, signal: ResponseSignal) -> RateLimitState:
    """Close the breaker and reduce the slowdown; a response to a request sent before the last failure changes nothing."""
    if state.trouble_at is not None and signal.requested_at < state.trouble_at:
        return state
    slowdown = max(1.0, state.slowdown * _RECOVERY)
    trips = state.trips if slowdown > 1 else 0
    return replace(
        state, slowdown=slowdown, trips=trips, tripped=False, troubled=(), trouble_at=None, until=None, reason=""
    )


def _throttled(state: RateLimitState, limits: RateLimits, signal: ResponseSignal, now: datetime) -> RateLimitState:
    wait = _DEFAULT_WAIT * state.slowdown if signal.retry_after is None else signal.retry_after
    paused = _paused(state, limits, wait, now)
    return replace(_slowed(paused), reason=f"the site asks us to slow down ({signal.detail})")


def _opened(state: RateLimitState, limits: RateLimits, signal: ResponseSignal, now: datetime) -> RateLimitState:
    seconds = _OPEN_SECONDS * 2.0 ** min(state.trips, 20)  # without the cap, a float overflows at 2**1024
    paused = _paused(state, limits, seconds, now)
    cause = "the trial request failed" if state.tripped else f"failures at {len(state.troubled)} addresses in a row"
    slowed = paused if signal.kind == "throttled" else _slowed(paused)
    reason = f"circuit breaker open: {cause}, most recently {signal.detail}"
    return replace(slowed, tripped=True, trips=state.trips + 1, reason=reason)


def _slowed(state: RateLimitState) -> RateLimitState:
    return replace(state, slowdown=min(state.slowdown * _SLOWDOWN_STEP, _MAX_SLOWDOWN))


def _paused(state: RateLimitState, limits: RateLimits, seconds: float, now: datetime) -> RateLimitState:
    until = now + timedelta(seconds=min(seconds, limits.max_pause))
    return replace(state, until=until if state.until is None else max(state.until, until))
