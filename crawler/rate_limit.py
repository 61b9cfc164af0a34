"""Rate limit and circuit breaker for one host: when the next request may be sent, and what each response changes.

The circuit breaker is in one of three states:
```
closed     Requests are `interval` seconds apart. After status 429 or 503, no request is sent before the time in the
           Retry-After header, and the interval is doubled. Each good response shortens a raised interval by 10 %.
open       After failures at five addresses in a row, no request is sent for five minutes. This time is doubled each
           time the breaker opens again.
half-open  After this time, one trial request is sent. A good response closes the breaker; otherwise, it opens again.
```
Boundary: pure functions, which compute the new state from the old state, a response and the time.
`crawler.fetch.budget` stores the state, which all processes of an archive share. Times are in UTC, but the daily cap
and the quiet hours refer to the time in Hanoi.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from crawler import site

#: What a response says about the host: `throttled` for 429 and 503, `refused` for 403, `failed` for any other status
#: from 500 and for no response; `good` for everything else, 404 included.
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
    """The configured limits for the requests to one host; all durations are in seconds."""

    interval: float  # between two requests; 0 for no limit
    max_pause: float  # longest pause: caps Retry-After, the open breaker, and what a wrong clock left in the state
    quiet_hours: tuple[time, time] | None = None  # start and end, in Hanoi time
    daily_cap: int = 0  # requests in one day in Hanoi; 0 for no cap
    trial_wait: float = 60.0  # how long the other processes wait for the result of the trial request


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """The state of the rate limit and the circuit breaker of one host, which all processes share.

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
    """A pause during which no request may be sent: its end (`until`), its reason, and a hint for the user.

    `own` is true if the pause follows from our own settings for quiet hours or the daily cap, and not from the host.
    """

    until: datetime
    reason: str
    hint: str = _RESUME_HINT
    own: bool = False


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """The current rate limit, for display: requests are `interval` seconds apart, or a `pause` forbids them."""

    pause: Pause | None
    interval: float
    slowdown: float
    requests_today: int


def classify_status(status: int) -> SignalKind:
    """Return what an HTTP status says about the host: `good`, `throttled`, `refused` or `failed`."""
    if status in (429, 503):
        return "throttled"
    if status == 403:
        return "refused"
    return "failed" if status >= 500 else "good"


# --- may a request be sent now? ---------------------------------------------------------------------------------------


def current_pause(state: RateLimitState, limits: RateLimits, now: datetime) -> Pause | None:
    """Return the pause that applies at `now`, the longest if there are several; None if a request may be sent."""
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
    """Return the minimum number of seconds between two requests; 0 if the configuration has no limit."""
    if not limits.interval:
        return 0.0
    regular = max(limits.interval, min(state.delay, limits.max_pause))
    return max(regular, min(regular * state.slowdown, _MAX_SLOWED_INTERVAL))


def status(state: RateLimitState, limits: RateLimits, now: datetime) -> RateLimitStatus:
    """Return the rate limit as `vna status` shows it: waiting for the interval does not count as a pause."""
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
    """Return the state with corrected times, in case a process with a wrong clock wrote them.

    No past event is then later than `now`, and the pause ends at most `max_pause` seconds after `now`.
    """
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

    If the breaker is open, this request is the trial request: the other processes wait for its result, but no longer
    than `trial_wait` seconds, because the process that sent the request may have died.
    """
    state = replace(state, last=now, day=_day(now), count=_requests_today(state, now) + 1)
    if not state.tripped:
        return state
    until = now + timedelta(seconds=min(limits.trial_wait, limits.max_pause))
    return replace(state, until=until, reason="circuit breaker half-open: one trial request is in progress")


def is_host_suspect(state: RateLimitState, address: str) -> bool:
    """Whether the host as a whole may be failing, not only its page `address`; if so, no request is retried at once."""
    return state.tripped or any(other != address for other in state.troubled)


def after_response(state: RateLimitState, limits: RateLimits, signal: ResponseSignal, now: datetime) -> RateLimitState:
    """Return the state after a request that ended at `now`, with or without a response; `signal` describes its end."""
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
    """Return the state after a good response: the breaker is closed, and the slowdown is reduced.

    If the request was sent before the last failure, the state does not change.
    """
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
