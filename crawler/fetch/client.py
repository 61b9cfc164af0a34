"""The HTTP client, the only code that sends requests.

The client obeys robots.txt, waits until the shared request budget allows a request, follows redirects within the site
only, logs each request, and returns the body as received. It repeats a request after a network error or a server error,
unless the whole host seems to be failing. It reports to the budget how each request ended, and the budget pauses all
processes when necessary.

Boundary: sends requests and returns values. Nothing is stored here, and the callers decide what a response means.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

import crawler
from crawler import rate_limit, urls
from crawler.clock import Clock, monotonic_seconds
from crawler.errors import (
    BadStatus,
    BodyTooLarge,
    Disallowed,
    FetchError,
    Refused,
    SiteUnavailable,
    Throttled,
    Unreachable,
)
from crawler.fetch.budget import Budget, budget_for
from crawler.fetch.deadline import Deadline
from crawler.fetch.headers import location, retry_after, server_now
from crawler.fetch.inflate import inflate
from crawler.fetch.origins import AddressRefused, AllowedOrigins
from crawler.fetch.robots import OFFLINE_HINT, Robots
from crawler.fetch.settings import Settings
from crawler.fetch.transports import Transports
from crawler.rate_limit import RateLimitStatus, ResponseSignal, SignalKind
from crawler.types import Exchange, Fetched

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_MAX_HOPS = 5  # RFC 9309, section 2.3.1.2: follow at least five redirects of robots.txt
_BACKOFF = 2.0  # seconds before the first retry; doubled for each further one
_MAX_PARTS = 200_000  # in which a body arrives, such as chunks; a body in chunks of one byte would take a minute
_WAITS = 4  # in one request, each up to `timeout`: connect, send, start of the response, end of the response


class Fetcher:
    """Fetches pages of one site, with a single HTTP client and a separate request budget for each host.

    `state` is the folder for the files of the budgets and of robots.txt. `owns` returns whether a redirect may lead to
    a URL. `guard` is called before each page and raises an error if nothing may be fetched, such as on a full disk.
    """

    def __init__(
        self,
        settings: Settings,
        state: Path,
        owns: Callable[[str], bool],
        clock: Clock,
        *,
        guard: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = monotonic_seconds,
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._owns = owns
        self._clock = clock
        self._state = state
        self._budgets: dict[str, Budget] = {}
        self._log: list[Exchange] = []
        self._robots_responses: list[Fetched] = []
        self._origins = AllowedOrigins(settings.root, settings.api)
        self._picture_origins = AllowedOrigins(settings.root, settings.pictures)
        self._connectable = AllowedOrigins(settings.root, (*settings.api, *settings.pictures))
        self._deadline = Deadline(_WAITS * settings.timeout, monotonic, heartbeat=clock.now)
        self._transports = Transports(settings.root, settings.connections, self._deadline)
        # It only builds requests. Its `send` would keep cookies, and fail if it cannot parse the Location of a redirect.
        self._client = httpx.Client(
            transport=self._transports,
            timeout=settings.timeout,
            headers={
                "User-Agent": user_agent(settings.contact),
                "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "Accept-Encoding": "gzip, deflate",
                "Accept-Language": "fr,vi;q=0.5",
            },
        )
        self.robots = Robots(state, "vna-archive", self._get_robots, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the site."""
        self._client.close()

    def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, is_picture: bool = False
    ) -> Fetched:
        """Fetch one page and follow its redirects; return the response if its status is below 500 and is not 429.

        `etag` and `last_modified` are the validators of an earlier response; if either is given, the request is
        conditional. Responses with status 304 or 404 are returned too. `is_picture`: the address, and those to which it
        redirects, may belong to the hosts of pictures, and not to other hosts than these and the site.

        Raises:
            Unreachable: the last attempt got no response or an incomplete one.
            BadStatus: the last attempt got a server error (Throttled, a subclass, for 429 and 503), a request without
                validators got 304, or a redirect has no usable Location header.
            Disallowed: robots.txt forbids the URL.
            Refused: the URL or a redirect leads to another origin, or the host has no public address.
            BodyTooLarge: the body is larger than `max_body`.
            FetchError: there are too many redirects, the content coding is not supported, or the list API is unavailable.
            SiteUnavailable: the robots.txt of the site, or of the host of a picture, cannot be fetched, or (SitePaused, a
                subclass) the request would have to wait longer than `max_wait` seconds.
            StopError: the state files cannot be written, or `guard` forbids fetching.

        """
        validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in validators.items() if value}
        is_conditional = bool(headers)
        if is_picture:  # without compression, so that the digest of the body is the digest of the picture
            headers["Accept-Encoding"] = "identity"
        origins = self._picture_origins if is_picture else self._origins
        owns = origins.allows if is_picture else self._owns
        hops: list[Fetched] = []
        self._guard()
        origins.check(url)
        while True:
            response = self._fetched(url, headers, is_picture=is_picture)
            target = _redirect(response, origins, owns)
            if target is None:
                if not is_conditional:
                    _require_full_response(response)
                return replace(response, hops=tuple(hops))
            hops.append(response)
            if len(hops) > _MAX_HOPS:
                raise FetchError(hops[0].url, f"more than {_MAX_HOPS} redirects")
            url = target

    def drain(self) -> tuple[Exchange, ...]:
        """Return the log of the requests since the last call of this method, and clear the log."""
        log, self._log = tuple(self._log), []
        return log

    def rate_limit_status(self) -> RateLimitStatus:
        """Return the current rate limit of the site: the pause, if there is one, and the interval between requests."""
        return self._budget(self._settings.root).status()

    def _fetched(self, url: str, headers: dict[str, str], *, is_picture: bool) -> Fetched:
        try:
            self._permit(url)
            return self._retrying(url, headers)
        except SiteUnavailable as error:
            if is_picture or self._origins.is_root(url):
                raise
            raise FetchError(url, str(error)) from error

    def _permit(self, url: str) -> None:
        if not self.robots.allows(url):
            raise Disallowed(url, "disallowed by robots.txt")
        self._budget(url).set_crawl_delay(self.robots.delay(url))

    def _get_robots(self, address: str) -> tuple[int, bytes]:
        """Fetch robots.txt from `address` and return its HTTP status and content.

        A redirect that leads elsewhere is not followed: its status is returned, which means that there are no rules.
        """
        self._connectable.check(address)
        response = self._retrying(address, {})
        for _ in range(_MAX_HOPS):
            target = location(response) if response.status in _REDIRECTS else None
            if target is None or not self._connectable.allows(target):
                break
            response = self._retrying(target, {})
        _require_full_response(response)
        self._robots_responses.append(response)
        return response.status, response.content

    def take_robots(self) -> tuple[Fetched, ...]:
        """Return the robots.txt responses since the last call and forget them; the caller archives them as evidence."""
        taken, self._robots_responses = tuple(self._robots_responses), []
        return taken

    def _retrying(self, url: str, headers: dict[str, str]) -> Fetched:
        retrying = Retrying(
            retry=retry_if_exception_type((Unreachable, BadStatus)),
            stop=lambda s: s.attempt_number >= self._settings.attempts or self._budget(url).is_host_suspect(url),
            wait=self._pause,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return retrying(self._once, url, headers)

    def _pause(self, state: RetryCallState) -> float:
        """Return the seconds to wait before a retry; 0 after status 429 or 503, as the budget then delays the retry."""
        error = state.outcome.exception() if state.outcome else None
        return 0.0 if isinstance(error, Throttled) else _BACKOFF * 2 ** (state.attempt_number - 1)

    def _once(self, url: str, headers: dict[str, str]) -> Fetched:
        budget = self._budget(url)
        with budget.turn():
            start = self._clock.now()
            try:
                response = self._exchange(url, headers, start)
            except FetchError as error:
                self._log.append(Exchange(url, start, None, 0, self._since(start), str(error)))
                # an oversized or undecodable body says nothing bad about the host: it did respond
                kind: SignalKind = "failed" if isinstance(error, (Unreachable, Refused)) else "good"
                budget.report(ResponseSignal(url, start, kind, str(error)))
                raise
        self._log.append(Exchange(url, start, response.status, len(response.body), self._since(start)))
        kind = rate_limit.classify_status(response.status)
        wait = retry_after(response.header("Retry-After"), server_now(response, self._clock.now()))
        budget.report(ResponseSignal(url, start, kind, f"HTTP status {response.status}", wait))
        if kind == "throttled":
            raise Throttled(url, response.status, wait)
        if kind == "failed":
            raise BadStatus(url, response.status)
        return response

    def _exchange(self, url: str, headers: dict[str, str], now: datetime) -> Fetched:
        # httpx accepts only ASCII in text headers; validators must go back as the bytes that the site sent
        raw_headers = [(k.encode("ascii"), v.encode("latin-1")) for k, v in headers.items()]
        address = urls.absolute(url, url)
        if address is None:
            raise Unreachable(url, "InvalidURL")
        # the library would change the address: it escapes, for example, a `%` that two digits do not follow
        target = urls.path_and_query(address).encode("ascii")
        self._deadline.begin()
        try:
            parsed = self._connectable.check(address)
            sent = self._client.build_request("GET", parsed, headers=raw_headers, extensions={"target": target})
            with closing(self._transports.handle_request(sent)) as response:
                self._deadline.end_head()
                body = self._read(url, response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(url, type(error).__name__) from error
        except AddressRefused as error:
            raise Refused(url, str(error)) from None
        coding = response.headers.get("content-encoding")
        return Fetched(
            url=url,
            fetched_at=now,
            status=response.status_code,
            reason=response.reason_phrase,
            http_version=response.http_version.removeprefix("HTTP/"),
            headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw),
            body=body,
            content=inflate(url, body, coding, self._settings.max_body),
            target=target.decode("ascii"),
            request_headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in sent.headers.raw),
        )

    def _read(self, url: str, response: httpx.Response) -> bytes:
        body = bytearray()
        for number, part in enumerate(response.iter_raw()):
            body += part
            if len(body) > self._settings.max_body:
                raise BodyTooLarge(url, f"the body is larger than the limit of {self._settings.max_body} bytes")
            if number >= _MAX_PARTS:
                raise BodyTooLarge(url, f"the body is sent in more than {_MAX_PARTS} chunks")
        return bytes(body)

    def _budget(self, url: str) -> Budget:
        host = urls.origin(url)
        if host not in self._budgets:
            self._budgets[host] = budget_for(self._settings, self._state, url, self._clock)
        return self._budgets[host]

    def _since(self, start: datetime) -> float:
        return round((self._clock.now() - start).total_seconds(), 3)


def _redirect(response: Fetched, origins: AllowedOrigins, owns: Callable[[str], bool]) -> str | None:
    """Return the address to which a response redirects; None if it is not a redirect.

    Raises:
        BadStatus: the redirect has no usable Location header.
        Refused: it leads to another origin, or to a page that `owns` does not accept.

    """
    if response.status not in _REDIRECTS:
        return None
    target = location(response)
    if target is None:
        raise BadStatus(response.url, response.status, f"HTTP status {response.status} without a usable Location")
    try:
        origins.check(target)
    except Refused as error:
        raise Refused(response.url, f"redirects away from the site: {error}") from None
    if not owns(target):
        raise Refused(response.url, f"redirects to a page that is not part of the site: {target}")
    return target


def _require_full_response(response: Fetched) -> None:
    """Raise BadStatus if the response to a request without validators has status 304 (not modified).

    A broken cache may send 304 for every page. If this were accepted, no new article would be seen, and the rules of
    robots.txt would be lost.
    """
    if response.status == _NOT_MODIFIED:
        raise BadStatus(response.url, response.status, "HTTP status 304 to a request without validators")


def resolve_host(url: str) -> None:
    """Check that DNS can resolve the host name of `url`, without connecting to the host.

    Raises:
        SiteUnavailable: the name cannot be resolved.

    """
    try:
        socket.getaddrinfo(urls.host(url), None)
    except OSError as error:
        raise SiteUnavailable(
            f"cannot reach {urls.origin(url)}: cannot resolve host name {urls.host(url)}: {error.strerror or error}",
            OFFLINE_HINT,
        ) from error


def user_agent(contact: str) -> str:
    """Return the User-Agent header of every request; `contact` may be empty only for a fake site on this machine."""
    return f"vna-archive/{crawler.__version__} (+{contact or 'fake site on this machine'})"
