"""What a reader finds in one answer of a source."""

from __future__ import annotations

from dataclasses import dataclass

from crawler import urls
from crawler.site import Site
from crawler.types import Sighting, SourceFound


@dataclass(frozen=True, slots=True)
class Discovery:
    """Sightings in the order of the source, further sources, and the address of the next page where there is one."""

    sightings: tuple[Sighting, ...]
    sources: tuple[SourceFound, ...] = ()
    more: str | None = None


def once(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    """Keep the first sighting of each article, with the title of a later one where the first had none."""
    kept: dict[int, Sighting] = {}
    for seen in sightings:
        if seen.post_id is not None and (seen.post_id not in kept or not kept[seen.post_id].title):
            first = kept.get(seen.post_id)
            kept[seen.post_id] = seen if first is None else _with_title(first, seen.title)
    return tuple(kept.values())


def _with_title(seen: Sighting, title: str | None) -> Sighting:
    return Sighting(seen.url, seen.post_id, title, seen.summary, seen.published_at, seen.modified_at, seen.position)


def article(site: Site, base: str, link: str | None) -> tuple[str, int] | None:
    """Give canonical address and post id of a link to an article of this site; None for any other link."""
    url = urls.absolute(base, link)
    if url is None or not site.owns(url):
        return None
    canonical = urls.canonical(url)
    post_id = urls.post_id(canonical)
    return (canonical, post_id) if post_id is not None else None
