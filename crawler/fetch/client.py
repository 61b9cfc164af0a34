"""The only door to the network.

Every request waits for its turn in the shared budget, asks robots.txt, follows redirects on the site alone, keeps the
body as received, and is logged. Network faults and server errors are tried again, unless the host itself seems to be in
trouble; how each request ended is told to the budget, which knows when all of them must pause.

Boundary: HTTP in, values out; nothing is stored here, and what an answer means is decided elsewhere.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

import crawler
from crawler import rate_limit, urls
from crawler.clock import Clock, steady_seconds
from crawler.errors import BadStatus, BodyTooLarge, Disallowed, FetchError, SiteUnavailable, Throttled, Unreachable
from crawler.fetch.budget import Budget
from crawler.fetch.deadline import Deadline, limit
from crawler.fetch.inflate import inflate
from crawler.fetch.robots import OFFLINE_HINT, Robots
from crawler.rate_limit import Answer, Limits, Pace
from crawler.types import Exchange, Fetched

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_MAX_HOPS = 5
_BACKOFF = 2.0  # seconds; doubled at each further try
_WAITS = 4  # of `timeout` in one request: to connect, to ask, until the answer begins, until it has ended


@dataclass(frozen=True, slots=True)
class Settings:
    """What the client needs of the configuration; times in seconds, sizes in bytes.

    `root` is the site's: when another host (of a list API, say) cannot be asked, that is trouble with one address, and
    not the end of the run. `most_wait` is how long a request waits for its turn before the run ends. `timeout` is for
    each wait in a request; all of it may take four times as long.
    """

    contact: str
    timeout: float
    attempts: int
    max_retry_after: float
    max_body: int
    rate: float
    connections: int = 2
    quiet_hours: tuple[time, time] | None = None
    daily_cap: int = 0
    root: str = ""
    most_wait: float = 120.0

    def limits(self) -> Limits:
        """Give what the shared budget keeps to."""
        return Limits(
            interval=1 / self.rate if self.rate else 0.0,
            longest=self.max_retry_after,
            quiet=self.quiet_hours,
            daily=self.daily_cap,
            trial=2 * self.timeout,
        )


class Fetcher:
    """Fetches pages of one site; one client and one budget for its whole life."""

    def __init__(
        self,
        settings: Settings,
        state: Path,
        owns: Callable[[str], bool],
        clock: Clock,
        *,
        guard: Callable[[], None] = lambda: None,
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        self._settings = settings
        self._guard = guard  # raises when nothing may be fetched now, whatever it is
        self._owns = owns
        self._clock = clock
        self._state = state
        self._budgets: dict[str, Budget] = {}
        self._log: list[Exchange] = []
        self._robots_answers: list[Fetched] = []
        self._client = httpx.Client(
            timeout=settings.timeout,
            headers={
                "User-Agent": user_agent(settings.contact),
                "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "Accept-Encoding": "gzip, deflate",
                "Accept-Language": "fr,vi;q=0.5",
            },
            limits=httpx.Limits(max_connections=settings.connections),
        )
        self._deadline = Deadline(_WAITS * settings.timeout, steady, clock.now)
        limit(self._client, self._deadline)
        self.robots = Robots(state, "vna-archive", self._get_robots, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """Fetch one page, redirects followed; any answer below 500 but 429 is returned, also 304 and 404.

        Raises:
            Unreachable: no answer, or one that broke off, at every try.
            BadStatus: a server error at every try; Throttled for 429 and 503; 304 to a request without validators.
            Disallowed: robots.txt says no.
            BodyTooLarge: over the cap.
            FetchError: a redirect that leaves the site or never ends; another host that cannot be asked.
            SiteUnavailable: robots.txt cannot be had; SitePaused when the next request may not be made for a while.

        """
        validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in validators.items() if value}
        hops: list[Fetched] = []
        self._guard()
        while True:
            answer = self._asked(url, headers)
            target = self._redirect(answer)
            if target is None:
                if not headers:
                    _whole(answer)
                return replace(answer, hops=tuple(hops))
            hops.append(answer)
            if len(hops) > _MAX_HOPS:
                raise FetchError(hops[0].url, f"more than {_MAX_HOPS} redirects")
            url = target

    def drain(self) -> tuple[Exchange, ...]:
        """Hand out the log of requests since the last call."""
        log, self._log = tuple(self._log), []
        return log

    def patience(self) -> Pace:
        """Give how the site is treated at the moment: whether there is a pause, and how fast it is asked."""
        return self._budget(self._settings.root).pace()

    def _asked(self, url: str, headers: dict[str, str]) -> Fetched:
        try:
            self._permit(url)
            return self._retrying(url, headers)
        except SiteUnavailable as error:
            if not self._settings.root or urls.host(url) == urls.host(self._settings.root):
                raise
            raise FetchError(url, str(error)) from error

    def _permit(self, url: str) -> None:
        if not self.robots.allows(url):
            raise Disallowed(url, "robots.txt does not allow it")
        self._budget(url).spread(self.robots.delay(url))

    def _redirect(self, answer: Fetched) -> str | None:
        if answer.status not in _REDIRECTS:
            return None
        target = _location(answer)
        if target is None:
            raise BadStatus(answer.url, answer.status, f"HTTP status {answer.status} without a usable Location")
        if not self._owns(target):
            raise FetchError(answer.url, f"redirects to another site: {target}")
        return target

    def _get_robots(self, address: str) -> tuple[int, bytes]:
        """Fetch the rules, redirects to other hosts followed too, as RFC 9309 (2.3.1.2) wants it for them alone."""
        answer = self._retrying(address, {})
        for _ in range(_MAX_HOPS):
            target = _location(answer) if answer.status in _REDIRECTS else None
            if target is None:
                break
            answer = self._retrying(target, {})
        _whole(answer)
        self._robots_answers.append(answer)
        return answer.status, answer.content

    def take_robots(self) -> tuple[Fetched, ...]:
        """Hand out the answers to robots.txt since the last call: they are evidence, too."""
        taken, self._robots_answers = tuple(self._robots_answers), []
        return taken

    def _retrying(self, url: str, headers: dict[str, str]) -> Fetched:
        retrying = Retrying(
            retry=retry_if_exception_type((Unreachable, BadStatus)),
            stop=lambda tried: tried.attempt_number >= self._settings.attempts or self._budget(url).doubtful(url),
            wait=self._pause,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return retrying(self._once, url, headers)

    def _pause(self, state: RetryCallState) -> float:
        """Wait twice as long at each try; a throttled answer has already paused the budget of the whole host."""
        error = state.outcome.exception() if state.outcome else None
        return 0.0 if isinstance(error, Throttled) else _BACKOFF * 2 ** (state.attempt_number - 1)

    def _once(self, url: str, headers: dict[str, str]) -> Fetched:
        budget = self._budget(url)
        with budget.turn():
            start = self._clock.now()
            try:
                answer = self._exchange(url, headers, start)
            except FetchError as error:
                self._log.append(Exchange(url, start, None, 0, self._since(start), str(error)))
                budget.report(Answer(url, start, "failed" if isinstance(error, Unreachable) else "good", str(error)))
                raise
        self._log.append(Exchange(url, start, answer.status, len(answer.body), self._since(start)))
        kind = rate_limit.kind_of(answer.status)
        wait = retry_after(answer.header("Retry-After"), _their_now(answer, self._clock.now()))
        budget.report(Answer(url, start, kind, f"HTTP status {answer.status}", wait))
        if kind == "throttled":
            raise Throttled(url, answer.status, wait)
        if kind == "failed":
            raise BadStatus(url, answer.status)
        return answer

    def _exchange(self, url: str, headers: dict[str, str], now: datetime) -> Fetched:
        asked = [(k.encode("ascii"), v.encode("latin-1")) for k, v in headers.items()]  # validators as they came
        self._deadline.begin()
        try:
            with self._client.stream("GET", url, headers=asked) as response:
                body = self._read(url, response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(url, type(error).__name__) from error
        coding = response.headers.get("content-encoding")
        sent = response.request
        return Fetched(
            url=url,
            fetched_at=now,
            status=response.status_code,
            reason=response.reason_phrase,
            http_version=response.http_version.removeprefix("HTTP/"),
            headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw),
            body=body,
            content=inflate(url, body, coding, self._settings.max_body),
            target=sent.url.raw_path.decode("ascii"),
            request_headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in sent.headers.raw),
        )

    def _read(self, url: str, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > self._settings.max_body:
                raise BodyTooLarge(url, f"over the cap of {self._settings.max_body} bytes as sent")
            parts.append(part)
        return b"".join(parts)

    def _budget(self, url: str) -> Budget:
        host = urls.origin(url)
        if host not in self._budgets:
            self._budgets[host] = budget_of(self._settings, self._state, url, self._clock)
        return self._budgets[host]

    def _since(self, start: datetime) -> float:
        return round((self._clock.now() - start).total_seconds(), 3)


def budget_of(settings: Settings, state: Path, url: str, clock: Clock) -> Budget:
    """Give the budget that requests for a URL are made from; http and https of a host have one."""
    host = re.sub(r"[^a-z0-9.]+", "-", urls.origin(url).partition("//")[2])
    return Budget(state, host, settings.limits(), clock, connections=settings.connections, most_wait=settings.most_wait)


def _their_now(answer: Fetched, now: datetime) -> datetime:
    """Give the time that a host says it is: a date that it names means something by its own clock only."""
    try:
        return parsedate_to_datetime(answer.header("Date") or "").astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return now


def _whole(answer: Fetched) -> None:
    """Refuse `not modified` where nothing was named that it could be compared with: believed, it would hide all news."""
    if answer.status == _NOT_MODIFIED:
        raise BadStatus(answer.url, answer.status, "HTTP status 304, though the whole was asked for")


def _location(answer: Fetched) -> str | None:
    """Give where a redirect leads; some servers send the letters of an address as UTF-8, not percent-encoded."""
    location = (answer.header("Location") or "").encode("latin-1")
    try:
        return urls.absolute(answer.url, location.decode("utf-8"))
    except UnicodeDecodeError:
        return urls.absolute(answer.url, location.decode("latin-1"))


def look_up(url: str) -> None:
    """Ask for the address of a URL's host, without calling on it.

    Raises:
        SiteUnavailable: its name has no address from here.

    """
    try:
        socket.getaddrinfo(urls.host(url), None)
    except OSError as error:
        raise SiteUnavailable(
            f"cannot reach {urls.origin(url)} (tried the name {urls.host(url)}): {error.strerror or error}",
            OFFLINE_HINT,
        ) from error


def user_agent(contact: str) -> str:
    """Give the honest name under which every request is sent."""
    return f"vna-archive/{crawler.__version__} (+{contact or 'a double of the site on this machine'})"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, in seconds or as a date; None when there is none that can be read."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value.strip())
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
