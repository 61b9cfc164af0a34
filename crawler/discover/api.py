"""The JSON list API, in both dialects (dossier 10, 18.13).

Newer: `{"data": {"contents": [...], "load_more": ...}, "error_code": 0}`; older: `{"data": {"articles": "<html>",
"hasMoreContent": ...}}`. Addresses in it are relative or absolute and mean the site, whatever host answered. An item
whose link leaves the site is no article of it (18.21).

Boundary: bytes in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from crawler import urls
from crawler.discover import lists
from crawler.discover.found import Discovery, article, once, plain
from crawler.errors import UnreadableSource
from crawler.parse import times
from crawler.site import Site
from crawler.types import Sighting

_PAGE = re.compile(r"-(\d{1,6})(?=\.html)")
_FALSE = frozenset({"", "0", "false", "none", "null"})


def page(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read one page of a list; an empty one is the end.

    Raises:
        UnreadableSource: no JSON, another shape, or an answer that says that it is an error.

    """
    data = _data(body, url)
    if isinstance(data.get("contents"), list):
        sightings = once(list(_items(data["contents"], site)))
        listed, more = bool(data["contents"]), data.get("load_more")
    elif isinstance(data.get("articles"), str):
        sightings = once(list(lists.stories(LexborHTMLParser(data["articles"]), site.root, site)))
        listed, more = bool(sightings), data.get("hasMoreContent")
    else:
        raise UnreadableSource(url, "a list was expected, the answer has neither contents nor articles")
    return Discovery(sightings, more=_following(url) if listed and _true(more) else None)


def _data(body: bytes, url: str) -> Mapping[str, Any]:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(url, f"a list was expected, the answer is no JSON ({len(body)} bytes)") from error
    if not isinstance(envelope, dict):
        raise UnreadableSource(url, "a list was expected, the answer is other JSON")
    if _true(envelope.get("error_code")):
        message = plain(envelope.get("error_message")) or "without a message"
        raise UnreadableSource(url, f"the list API says error {envelope['error_code']}: {message}")
    data = envelope.get("data")
    return data if isinstance(data, dict) else {}


def _items(contents: list[Any], site: Site) -> Iterator[Sighting]:
    for item in contents:
        if not isinstance(item, dict) or _leaves(item, site):
            continue
        target = next(
            (t for name in ("url", "redirect_link") if (t := article(site, site.root, _text(item, name)))), None
        )
        if target is not None:
            yield Sighting(
                url=target[0],
                post_id=target[1],
                title=plain(item.get("title")),
                summary=plain(item.get("description")),
                published_at=_instant(item.get("date")),
                modified_at=_instant(item.get("update_time")),
            )


def _leaves(item: Mapping[str, Any], site: Site) -> bool:
    """Say whether a reader who follows the item ends on another site."""
    links = (_text(item, name) for name in ("redirect_link", "frame_link"))
    targets = (urls.absolute(site.root, link) for link in links if link)
    return any(target is not None and not site.owns(target) for target in targets)


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value.strip() if isinstance(value, str) else ""


def _instant(value: object) -> datetime | None:
    """Read a time; it is a number or a string of one (18.13), seldom something else."""
    return times.instant(str(value)) if isinstance(value, int | float | str) else None


def _true(value: object) -> bool:
    """Say whether a flag is set; numbers and flags also come as strings."""
    return str(value).strip().lower() not in _FALSE


def _following(url: str) -> str | None:
    """Give the page after this one: its number ends the address, `morenews-zone-471-1.html`."""
    match = _PAGE.search(url)
    return f"{url[: match.start(1)]}{int(match[1]) + 1}{url[match.end(1) :]}" if match else None
