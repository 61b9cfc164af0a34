"""robots.txt of each host, kept for a day, as RFC 9309 says.

4xx means that everything is allowed; 429, 5xx or no answer means that nothing is, unless an older copy is at hand.

Boundary: rules and their cache file; the request itself is made by the function that the client passes in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from protego import Protego

from crawler import urls
from crawler.clock import Clock, from_text, to_text
from crawler.errors import BadStatus, FetchError, SitePaused, SiteUnavailable
from crawler.fetch.budget import keeping, write

_FRESH = timedelta(days=1)
_STALE = timedelta(hours=1)  # an older copy serves so long before a new one is asked for again
_USABLE = timedelta(days=30)  # an older copy serves so long when a new one cannot be had (RFC 9309, 2.3.1.4)
_MAX_BYTES = 512_000  # RFC 9309, 2.5: at least 500 KiB must be read

OFFLINE_HINT = "check the connection and the address; `vna demo` shows everything without the internet"

Get = Callable[[str], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class _Copy:
    fetched_at: datetime
    status: int
    text: str


class Robots:
    """Answers whether a URL may be fetched by `agent`, and how far apart requests must be."""

    def __init__(self, folder: Path, agent: str, get: Get, clock: Clock) -> None:
        self._folder = folder
        self._agent = agent
        self._get = get
        self._clock = clock
        self._rules: dict[str, tuple[datetime, Protego]] = {}

    def allows(self, url: str) -> bool:
        """Say whether robots.txt of the URL's host lets us fetch it.

        Raises:
            SiteUnavailable: no robots.txt can be had, so nothing may be fetched.

        """
        return bool(self._for(url).can_fetch(url, self._agent))

    def delay(self, url: str) -> float:
        """Give the Crawl-delay for us in seconds, 0 without one."""
        return float(self._for(url).crawl_delay(self._agent) or 0.0)

    def sitemaps(self, url: str) -> tuple[str, ...]:
        """List the sitemaps that robots.txt of the URL's host names."""
        return tuple(self._for(url).sitemaps)

    def copy(self, url: str) -> tuple[int, str]:
        """Give status and text of robots.txt of the URL's host as it was last had; the text is empty unless 200."""
        self._for(url)
        stored = self._stored(urls.origin(url))
        return (stored.status, stored.text) if stored is not None else (0, "")

    def _for(self, url: str) -> Protego:
        origin = urls.origin(url)
        known = self._rules.get(origin)
        if known is None or self._clock.now() - known[0] > _FRESH:
            copy = self._copy(origin)
            known = self._rules[origin] = (copy.fetched_at, Protego.parse(copy.text))
        return known[1]

    def _copy(self, origin: str) -> _Copy:
        stored = self._stored(origin)
        now = self._clock.now()
        if stored is not None and stored.fetched_at <= now <= stored.fetched_at + _FRESH:
            return stored
        try:
            return self._fetched(origin, now)
        except SitePaused:  # not asked for at all
            raise
        except SiteUnavailable:
            if stored is None or now - stored.fetched_at > _USABLE:
                raise
            return _Copy(now - _FRESH + _STALE, stored.status, stored.text)

    def _fetched(self, origin: str, now: datetime) -> _Copy:
        address = f"{origin}/robots.txt"
        try:
            status, body = self._get(address)
        except BadStatus as error:
            raise SiteUnavailable(
                f"{address} answers {error.status}: nothing may be fetched from {origin} until it can be read",
                "try again later; a site that answers so asks everybody to stay away (RFC 9309)",
            ) from error
        except FetchError as error:
            raise SiteUnavailable(f"cannot reach {origin} (tried {address}): {error}", OFFLINE_HINT) from error
        copy = _Copy(now, status, body[:_MAX_BYTES].decode("utf-8-sig", "replace") if status == 200 else "")
        self._store(origin, copy)
        return copy

    def _stored(self, origin: str) -> _Copy | None:
        try:
            data = json.loads(self._file(origin).read_text("utf-8"))
            return _Copy(from_text(data["fetched_at"]), data["status"], data["text"])
        except (OSError, ValueError, KeyError, TypeError):  # no copy, or one cut by a crash: fetch it again
            return None

    def _store(self, origin: str, copy: _Copy) -> None:
        file = self._file(origin)
        data = {"fetched_at": to_text(copy.fetched_at), "status": copy.status, "text": copy.text}
        with keeping(file):
            write(file, json.dumps(data))

    def _file(self, origin: str) -> Path:
        return self._folder / f"robots-{re.sub(r'[^a-z0-9.]+', '-', origin)}.json"
