"""The robots.txt file of each host, cached for one day (RFC 9309).

If a request for robots.txt gets a 4xx status other than 429, everything is allowed. If it gets 429, 5xx or no response,
everything is forbidden, unless there is a cached copy that is at most 30 days old. Of a file that is too large or too
costly, the beginning is used.

Boundary: the rules and their cache file; the client passes in the function that sends the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from protego import Protego

from crawler import files, urls
from crawler.clock import Clock, from_text, to_text
from crawler.errors import BadStatus, FetchError, SitePaused, SiteUnavailable
from crawler.fetch.budget import state_file_errors

_FRESH = timedelta(days=1)
_RETRY = timedelta(hours=1)  # after a failed request, use the cached copy for this long before the next attempt
_USABLE = timedelta(days=30)  # oldest copy to use while the host is unreachable (RFC 9309, section 2.3.1.4)
_MAX_BYTES = 512_000  # RFC 9309, section 2.5: parse at least 500 KiB
# Protego stores each rule once for each user agent of its group (1.2 microseconds and 76 bytes), and tries each pattern
# with `*` or `$` on each URL (2 microseconds). Large sites have a few hundred agents and rules.
_MAX_COST = 200_000  # stored rules
_PATTERN_COST = 20  # of a `*` or `$`, in stored rules
_AGENTS_SEARCHED = 20  # agents of a group that Protego compares in the time of storing a rule
_RULE = re.compile(r"(?:dis)?allow\s*:|crawl-delay\s*:", re.IGNORECASE)

OFFLINE_HINT = "check the network connection and the address; `vna demo` works without the internet"

Get = Callable[[str], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class _Copy:
    fetched_at: datetime
    status: int
    text: str


class Robots:
    """The robots.txt rules that apply to `agent`: which URLs it may fetch, and how far apart its requests must be.

    Every method takes a URL; if no copy of the host's robots.txt from the last 24 hours is cached, it fetches the file.
    """

    def __init__(self, folder: Path, agent: str, get: Get, clock: Clock) -> None:
        self._folder = folder
        self._agent = agent
        self._get = get
        self._clock = clock
        self._rules: dict[str, tuple[datetime, Protego]] = {}

    def allows(self, url: str) -> bool:
        """Whether the robots.txt file of the host allows `url` to be fetched.

        Raises:
            SiteUnavailable: robots.txt cannot be fetched and no usable copy is cached, so nothing may be fetched.

        """
        return bool(self._for(url).can_fetch(url, self._agent))

    def delay(self, url: str) -> float:
        """Return the Crawl-delay in seconds from the robots.txt file of the host of `url`; 0 if the file has none.

        Raises:
            SiteUnavailable: see `allows`.

        """
        return float(self._for(url).crawl_delay(self._agent) or 0.0)

    def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the addresses of the sitemaps that the robots.txt file of the host of `url` lists.

        Raises:
            SiteUnavailable: see `allows`.

        """
        return tuple(self._for(url).sitemaps)

    def copy(self, url: str) -> tuple[int, str]:
        """Return the HTTP status and the text of the last response to a request for robots.txt.

        `url` is any URL of the host. The text is empty if the status is not 200. If there is no readable cache file,
        the result is `(0, "")`.

        Raises:
            SiteUnavailable: see `allows`.

        """
        self._for(url)
        stored = self._stored(urls.origin(url))
        return (stored.status, stored.text) if stored is not None else (0, "")

    def _for(self, url: str) -> Protego:
        origin = urls.origin(url)
        known = self._rules.get(origin)
        if known is None or not known[0] <= self._clock.now() <= known[0] + _FRESH:
            copy = self._copy(origin)
            known = self._rules[origin] = (copy.fetched_at, Protego.parse(affordable(copy.text)))
        return known[1]

    def _copy(self, origin: str) -> _Copy:
        stored = self._stored(origin)
        now = self._clock.now()
        # a copy from the future was written by a wrong clock, and would stay fresh for too long
        if stored is not None and stored.fetched_at <= now <= stored.fetched_at + _FRESH:
            return stored
        try:
            return self._fetched(origin, now)
        except SitePaused:  # not a failure of robots.txt: do not fall back to an old copy
            raise
        except SiteUnavailable:
            if stored is None or now - stored.fetched_at > _USABLE:
                raise
            return _Copy(now - _FRESH + _RETRY, stored.status, stored.text)

    def _fetched(self, origin: str, now: datetime) -> _Copy:
        address = f"{origin}/robots.txt"
        try:
            status, body = self._get(address)
        except BadStatus as error:
            raise SiteUnavailable(
                f"{address} returned HTTP status {error.status}; {origin} may not be crawled without its robots.txt",
                "try again later; RFC 9309 forbids crawling while robots.txt is unavailable",
            ) from error
        except FetchError as error:
            raise SiteUnavailable(f"cannot reach {origin} (tried {address}): {error}", OFFLINE_HINT) from error
        # any other status that gets here (4xx, endless redirects) means no rules: RFC 9309, sections 2.3.1.2 and 2.3.1.3
        copy = _Copy(now, status, body[:_MAX_BYTES].decode("utf-8-sig", "replace") if status == 200 else "")
        self._store(origin, copy)
        return copy

    def _stored(self, origin: str) -> _Copy | None:
        try:
            data = json.loads(files.read(self._file(origin)))
            return _Copy(from_text(data["fetched_at"]), data["status"], data["text"])
        except (OSError, ValueError, KeyError, TypeError):  # no copy, or a damaged one: fetch it again
            return None

    def _store(self, origin: str, copy: _Copy) -> None:
        file = self._file(origin)
        data = {"fetched_at": to_text(copy.fetched_at), "status": copy.status, "text": copy.text}
        with state_file_errors(file):
            files.replace(file, json.dumps(data).encode())

    def _file(self, origin: str) -> Path:
        return self._folder / f"robots-{urls.file_name(origin)}.json"


def affordable(text: str) -> str:
    """Return the beginning of a robots.txt file whose rules can be stored and applied at a bounded cost.

    A file of 48 kB with 1,500 agents and 2,000 rules takes 4 s and 200 MB, and the cost grows with the square of the
    size. The count is never below the number of rules that Protego stores.
    """
    cost = agents = 0
    in_rules = False
    lines = text.splitlines(keepends=True)
    for number, raw in enumerate(lines):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        if _RULE.match(line):
            in_rules = True
            cost += agents * (1 + _PATTERN_COST * (line.count("*") + line.count("$")))
        elif "agent" in line.lower():
            agents = 0 if in_rules else agents
            in_rules = False
            agents += 2 if "*" in line else 1  # a name with `*` is stored without it, too
            cost += 1 + agents // _AGENTS_SEARCHED
        else:  # perhaps a rule in another spelling
            cost += 1 + agents * (1 + _PATTERN_COST * (line.count("*") + line.count("$")))
        if cost > _MAX_COST:
            return "".join(lines[:number])
    return text
