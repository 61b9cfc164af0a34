"""Which sources there are to be: those of the list API beside what the site names, and without what is excluded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from crawler.site import Site
from crawler.types import Channel, SourceFound


@dataclass(frozen=True, slots=True)
class Changes:
    """What the rows need to follow the configuration."""

    added: tuple[SourceFound, ...] = ()
    excluded: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.added or self.excluded or self.included or self.renamed)


def follow(
    channels: Sequence[Channel], site: Site, exclude: Sequence[str], names: Mapping[str, str] | None = None
) -> Changes:
    """Say how the rows follow the configuration: which are missing, left out, taken up again, called otherwise."""
    lists = {found.url: found for found in _lists(channels, site, exclude)}
    out = {c.url for c in channels if is_excluded(c.url, exclude) or (c.kind == "list" and c.url not in lists)}
    known = {c.url for c in channels}
    called = {site.url(path): name for path, name in (names or {}).items()}
    return Changes(
        added=tuple(found for url, found in lists.items() if url not in known),
        excluded=tuple(c.url for c in channels if c.url in out and c.state != "excluded"),
        included=tuple(c.url for c in channels if c.url not in out and c.state == "excluded"),
        renamed=tuple((c.url, called[c.url]) for c in channels if called.get(c.url, c.name) != c.name),
    )


def is_excluded(url: str, patterns: Iterable[str]) -> bool:
    """Say whether a pattern of the configuration takes a source out; it is about the path, or the whole address."""
    path = urlsplit(url).path
    return any(fnmatchcase(url if pattern.startswith("http") else path, pattern) for pattern in patterns)


def list_hosts(channels: Iterable[Channel], site: Site) -> tuple[str, ...]:
    """Give the hosts whose list API is asked: the first that has answered; until one has, one candidate more at a time."""
    rows = {c.url: c for c in channels}
    tried: list[str] = []
    for host in site.api:
        row = rows.get(site.latest_list(host))
        if row is not None and row.worked:
            return (host,)
        tried.append(host)
    states = [rows[url].state if (url := site.latest_list(host)) in rows else None for host in tried]
    waiting = next((i for i, state in enumerate(states) if state in (None, "new", "excluded")), len(tried))
    return tuple(tried[: waiting + 1])


def _lists(channels: Sequence[Channel], site: Site, exclude: Sequence[str]) -> list[SourceFound]:
    """Give the lists to ask for: the latest news of each host, and of one that has answered each section's, too."""
    hosts = list_hosts(channels, site)
    worked = {c.url for c in channels if c.worked}
    found = [SourceFound("list", site.latest_list(host), "latest news") for host in hosts]
    found += [
        SourceFound("list", site.zone_list(host, c.zone), c.name, zone=c.zone)
        for host in hosts
        if site.latest_list(host) in worked
        for c in channels
        if c.kind == "section" and c.zone is not None and not is_excluded(c.url, exclude)
    ]
    return [source for source in found if not is_excluded(source.url, exclude)]
