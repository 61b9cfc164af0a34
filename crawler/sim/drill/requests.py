"""The request log of the site, and what it says about the manners of the crawler.

Each rule is a promise that the crawler makes to the site, checked with the site's own log:

```
spacing       two requests are at least as far apart as the configuration and the Crawl-delay in robots.txt demand
Retry-After   no request before the time that a response with this header names
robots.txt    is read first and then once a day; no path that it disallows is requested
breaker       after failures at five paths in a row, no request for five minutes
conditional   repeated requests name the version that the crawler has
repetition    a path that was answered is not requested again at once
limits        the daily cap and the quiet hours
name          each request names the program and the contact
```
Boundary: pure functions; times are correct times, not those of the machine's clock.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

from crawler.sim.reconcile import Discrepancy

ROBOTS = "/robots.txt"
HARMLESS = (None, "slow", "charset")  # faults with which a client still receives the whole text
_DAY = timedelta(hours=25)  # robots.txt is valid for a day; the next request may be an hour later
_OPEN_AFTER, _OPEN_FOR = 5, timedelta(minutes=5)
_ROUNDING = timedelta(milliseconds=5)  # the simulated clock is a floating-point number
_REPEATED = timedelta(minutes=4)  # no list is polled more often than every five minutes, less some jitter
_SOON = timedelta(hours=6)  # later, a list is requested in full, in case its validators are wrong
_CONDITIONAL_SHARE = 0.5  # at least; after a wrong clock, the times of earlier responses are worth nothing
_FEW = 20  # repeated requests; a share of fewer says little
_RULE = re.compile(r"(?i)(disallow|crawl-delay):\s*(\S+)")


@dataclass(slots=True)
class LoggedRequest:
    """One request and its response, as the site saw it.

    `fault` is the kind of the fault that changed the response, if any. `digest` is that of the body if the response was
    sent whole. `retry_after` is in seconds. `conditional` is true if the request had validators, and `validators` if
    the response had them and could be read. `received` is false if the client was killed and may not have stored the
    response. `text` is the text of robots.txt, if this is what the response contains.
    """

    at: datetime
    path: str
    status: int
    agent: str
    fault: str | None = None
    digest: str | None = None
    retry_after: float | None = None
    conditional: bool = False
    validators: bool = False
    received: bool = True
    text: str = ""

    @property
    def failed(self) -> bool:
        """Whether the response says that the host has a problem."""
        return self.status in (0, 403, 429) or self.status >= 500


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `requests` requests between two times: a daily cap, or quiet hours if it is 0."""

    begin: datetime
    end: datetime
    requests: int
    name: str


@dataclass(frozen=True, slots=True)
class Manners:
    """What the configuration promises the site: the seconds between two requests, and the name in each request."""

    interval: float
    name: str
    limits: Sequence[Limit] = ()


def misbehaviour(log: Sequence[LoggedRequest], manners: Manners) -> Iterator[Discrepancy]:
    """Yield one discrepancy for each rule that the requests in `log` broke, with the number of cases."""
    rules: dict[str, Iterator[str]] = {
        "requests too close to each other": _too_close(log, manners.interval),
        "requests before the time in Retry-After": _too_early(log),
        "requests that robots.txt does not allow": _disallowed(log),
        "requests although the circuit breaker should be open": _not_paused(log),
        "requests without the version that was received before": _unconditional(log),
        "answered paths requested again at once": _repeated(log),
        "requests beyond a limit": _beyond_limits(log, manners.limits),
        "requests that do not name the program": (_show(r) for r in log if not r.agent.startswith(manners.name)),
    }
    for rule, cases in rules.items():
        if found := list(cases):
            yield Discrepancy("manners", None, f"{len(found)} {rule}, for example {found[0]}")


def unarchived(log: Sequence[LoggedRequest], rows: Counter[tuple[str, int, str]]) -> Iterator[Discrepancy]:
    """Yield a discrepancy if the client received responses of which the archive has no record.

    A response with status 429, or 500 and above, needs no record of its own: the archive only notes it. `rows` counts the
    records in the archive by URL, status and digest.
    """
    held = Counter[tuple[str, int, str]]()
    for (url, status, digest), number in rows.items():
        parts = urlsplit(url)
        held[parts.path + (f"?{parts.query}" if parts.query else ""), status, digest] += number
    received = [r for r in log if r.received and r.digest is not None and r.status < 500 and r.status != 429]
    wanted = Counter((r.path, r.status, r.digest or "") for r in received)
    if missing := wanted - held:
        example = next(r for r in received if (r.path, r.status, r.digest) in missing)
        number = sum(missing.values())
        yield Discrepancy("evidence", None, f"{number} responses were not archived, for example to {_show(example)}")


# --- the rules --------------------------------------------------------------------------------------------------------


def _too_close(log: Sequence[LoggedRequest], interval: float) -> Iterator[str]:
    delay = 0.0
    for before, after in pairwise(log):
        delay = _crawl_delay(before.text) if before.text else delay
        least = timedelta(seconds=max(interval, delay))
        if before.path != ROBOTS and after.at - before.at < least - _ROUNDING:
            yield f"{_show(after)}, {(after.at - before.at).total_seconds():.1f} s after {before.path}"


def _too_early(log: Sequence[LoggedRequest]) -> Iterator[str]:
    until = None
    for request in log:
        if until is not None and request.at < until - timedelta(seconds=1):
            yield f"{_show(request)}, which had to wait until {until:%H:%M:%S}"
        if request.retry_after is not None:
            until = request.at + timedelta(seconds=request.retry_after)


def _disallowed(log: Sequence[LoggedRequest]) -> Iterator[str]:
    read: datetime | None = None
    rules = ""
    for request in log:
        if request.path == ROBOTS:
            read, rules = request.at, request.text or rules
        elif read is None:
            yield f"{_show(request)} before {ROBOTS}"
        elif request.at - read > _DAY:
            yield f"{_show(request)}, {(request.at - read).total_seconds() / 3600:.0f} hours after {ROBOTS}"
        elif any(_matches(path, request.path) for path in _values(rules, "disallow")):
            yield _show(request)


def _not_paused(log: Sequence[LoggedRequest]) -> Iterator[str]:
    failing: set[str] = set()
    for before, after in pairwise(log):
        failing = failing | {before.path} if before.failed else set()
        if len(failing) >= _OPEN_AFTER and after.at - before.at < _OPEN_FOR - timedelta(seconds=1):
            yield f"{_show(after)}, after failures at {len(failing)} paths in a row"


def _unconditional(log: Sequence[LoggedRequest]) -> Iterator[str]:
    """Yield the unconditional ones of the requests soon after a whole response, if they are too large a share."""
    whole: dict[str, datetime] = {}
    repeated: list[LoggedRequest] = []
    for request in log:
        if request.path in whole and request.at - whole[request.path] < _SOON:
            repeated.append(request)
        if request.fault is not None or not request.validators:
            whole.pop(request.path, None)  # a response without validators may have replaced the version
        elif request.status != 304:
            whole[request.path] = request.at
    unconditional = [request for request in repeated if not request.conditional]
    if len(repeated) >= _FEW and len(unconditional) > (1 - _CONDITIONAL_SHARE) * len(repeated):
        yield from map(_show, unconditional)


def _repeated(log: Sequence[LoggedRequest]) -> Iterator[str]:
    """Yield the third request for a path in a short time.

    The second one may follow a redirect, or a list that names a later modification time than the response did.
    """
    answered: dict[str, list[datetime]] = defaultdict(list)
    for request in log:
        recent = [at for at in answered[request.path] if request.at - at < _REPEATED]
        if len(recent) > 1:
            yield _show(request)
        if request.received and request.fault is None and request.status in (200, 304):
            answered[request.path] = [*recent, request.at]


def _beyond_limits(log: Sequence[LoggedRequest], limits: Sequence[Limit]) -> Iterator[str]:
    for limit in limits:
        inside = [request for request in log if limit.begin <= request.at < limit.end]
        yield from (f"{_show(request)}: {limit.name}" for request in inside[limit.requests :])


# --- robots.txt -------------------------------------------------------------------------------------------------------


def _values(robots: str, name: str) -> list[str]:
    return [value for key, value in _RULE.findall(robots) if key.lower() == name]


def _crawl_delay(robots: str) -> float:
    return max(map(float, _values(robots, "crawl-delay")), default=0.0)


def _matches(rule: str, path: str) -> bool:
    """Whether a rule of robots.txt matches a path; `*` stands for any text."""
    return re.match(re.escape(rule).replace(r"\*", ".*"), path) is not None


def _show(request: LoggedRequest) -> str:
    return f"{request.path} at {request.at:%Y-%m-%dT%H:%M:%SZ}"
