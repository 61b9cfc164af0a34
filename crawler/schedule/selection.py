"""Which sources to poll: those that the site names and those of the list API, without the excluded ones.

Boundary: pure; rows and configuration in, changes of the rows out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from crawler import urls
from crawler.site import Site
from crawler.types import SourceForPoll, SourceFound, SourceRow

_SITEMAPS = frozenset({"sitemap", "news_sitemap", "sitemap_index"})
_MAX_SITEMAPS = 3_000  # one per month since 2010 are fewer than 300
_MAX_OTHERS = 300  # the sites of the agency have about 60 sections and feeds
_WORKING = frozenset({"new", "ok"})  # states


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """The changes that bring the rows of the sources in line with the configuration."""

    added: tuple[SourceFound, ...] = ()
    excluded: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.added or self.excluded or self.included or self.renamed)


def selection_changes(
    rows: Sequence[SourceRow], site: Site, exclude: Sequence[str], names: Mapping[str, str] | None = None
) -> SourceChanges:
    """Return the rows to add, to exclude, to include again and to rename.

    `exclude` and `names` come from the configuration.
    """
    lists = {found.url: found for found in _lists(rows, site, exclude)}
    out = {row.url for row in rows if is_excluded(row.url, exclude) or (row.kind == "list" and row.url not in lists)}
    known = {row.url for row in rows}
    named = {site.url(path): name for path, name in (names or {}).items()}
    return SourceChanges(
        added=tuple(found for url, found in lists.items() if url not in known),
        excluded=tuple(row.url for row in rows if row.url in out and row.state != "excluded"),
        included=tuple(row.url for row in rows if row.url not in out and row.state == "excluded"),
        renamed=tuple((row.url, named[row.url]) for row in rows if named.get(row.url, row.name) != row.name),
    )


def sources_to_add(
    source: SourceForPoll, found: Sequence[SourceFound], rows: Sequence[SourceRow]
) -> tuple[list[SourceFound], list[SourceFound]]:
    """Return which of the sources that `source` names are to be stored, and which are too many.

    `rows` are all known sources. A section page adds only sources that are not known: the menu of the home page has
    better names. The numbers are limited, so that a page with thousands of links cannot fill the schedule.
    """
    known = {row.url for row in rows}
    paths = {(row.kind, urls.section_path(row.url).lower()) for row in rows if row.state in _WORKING}
    sitemaps = sum(row.kind in _SITEMAPS for row in rows)
    room = {True: _MAX_SITEMAPS - sitemaps, False: _MAX_OTHERS - (len(known) - sitemaps)}
    wanted: list[SourceFound] = []
    left_out: list[SourceFound] = []
    for named in found:
        is_new, path = named.url not in known, (named.kind, urls.section_path(named.url).lower())
        if source.kind == "section" and named.url != source.url and (not is_new or path in paths):
            continue
        if is_new and room[named.kind in _SITEMAPS] <= 0:
            left_out.append(named)
            continue
        wanted.append(named)
        if is_new:
            known.add(named.url)
            paths.add(path)
            room[named.kind in _SITEMAPS] -= 1
    return wanted, left_out


def is_excluded(url: str, patterns: Iterable[str]) -> bool:
    """Whether a configured pattern excludes a source.

    A pattern is compared with the path of the source or, if the pattern starts with http, with the whole address.
    """
    path = urlsplit(url).path
    return any(fnmatchcase(url if pattern.startswith("http") else path, pattern) for pattern in patterns)


def list_hosts(rows: Iterable[SourceRow], site: Site) -> tuple[str, ...]:
    """Return the origins of the hosts whose list API should be polled: that of the first host that has responded well.

    If no host has responded well yet, return those of the hosts tried so far and of the next one (dossier section 10).
    """
    by_url = {row.url: row for row in rows}
    tried: list[str] = []
    for host in site.api:
        row = by_url.get(site.latest_list(host))
        if row is not None and row.worked:
            return (host,)
        tried.append(host)
    states = [by_url[url].state if (url := site.latest_list(host)) in by_url else None for host in tried]
    waiting = next((i for i, state in enumerate(states) if state in (None, "new", "excluded")), len(tried))
    return tuple(tried[: waiting + 1])


def _lists(rows: Sequence[SourceRow], site: Site, exclude: Sequence[str]) -> list[SourceFound]:
    """Return the API lists to poll: the latest news of each host and, once that list has worked, the sections."""
    hosts = list_hosts(rows, site)
    worked = {row.url for row in rows if row.worked}
    found = [SourceFound("list", site.latest_list(host), "latest news") for host in hosts]
    found += [
        SourceFound("list", site.zone_list(host, row.zone), row.name, zone=row.zone)
        for host in hosts
        if site.latest_list(host) in worked
        for row in rows
        if row.kind == "section" and row.zone is not None and not is_excluded(row.url, exclude)
    ]
    return [source for source in found if not is_excluded(source.url, exclude)]
