"""Read the responses of the site's JSON list API, in both dialects (dossier sections 10 and 18.13).

- Newer dialect: `{"data": {"contents": [...], "load_more": ...}, "error_code": 0}`.
- Older dialect: `{"data": {"articles": "<html>", "hasMoreContent": ...}}`.

URLs in a response may be relative; they are resolved against the site, not against the API host. An item whose link
leads to another site is not an article of this site (dossier section 18.21), so it is skipped.

Boundary: bytes in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from crawler import urls
from crawler.discover import lists
from crawler.discover.found import Discovery, article_link, deduplicate, html_tree, instant, json_value, plain_text
from crawler.discover.problems import ProblemKind, Problems
from crawler.errors import UnreadableSource
from crawler.parse import json_text
from crawler.site import Site
from crawler.types import Sighting

_PAGE = re.compile(r"-(\d{1,6})(?=\.html)")
_LINKS = ("url", "redirect_link")
_SHOWN = 100  # characters of a message of the API
_FALSE = frozenset({"", "0", "false", "none", "null"})


def page(body: bytes, url: str, site: Site, now: datetime) -> Discovery:
    """Read one page of a list of the API. An empty page means that the list has ended.

    Raises:
        UnreadableSource: the response is not JSON, has an unknown structure, reports an error, or contains HTML that is
            not safe to parse.

    """
    problems = Problems()
    data = envelope_data(body, url, problems)
    if isinstance(data.get("contents"), list):
        sightings = deduplicate(list(_items(data["contents"], site, now, problems)))
        listed, more = bool(data["contents"]), data.get("load_more")
    elif isinstance(data.get("articles"), str):
        sightings = deduplicate(list(lists.stories(html_tree(data["articles"].encode(), url), site.root, site)))
        listed, more = bool(sightings), data.get("hasMoreContent")
    else:
        raise UnreadableSource(url, "expected a list of articles, got JSON without `contents` or `articles`")
    further = _next_page(url) if listed and _is_set(more) else None
    return Discovery(sightings, more=further, problems=problems.found)


def envelope_data(body: bytes, url: str, problems: Problems) -> Mapping[str, Any]:
    """Return the `data` object of a response of the API, empty if the response has none; add to `problems`.

    Raises:
        UnreadableSource: the response is not JSON, or it reports an error.

    """
    envelope = json_value(body, url, "a list of articles in JSON", problems)
    if not isinstance(envelope, dict):
        raise UnreadableSource(url, "expected a list of articles, got JSON that is not an object")
    if _is_set(envelope.get("error_code")):
        message = plain_text(envelope.get("error_message")) or "no message"
        code = json_text.text(str(envelope["error_code"]))[:_SHOWN]
        raise UnreadableSource(url, f"the list API returned error {code}: {message[:_SHOWN]}")
    data = envelope.get("data")
    return data if isinstance(data, dict) else {}


def _items(contents: list[Any], site: Site, now: datetime, problems: Problems) -> Iterator[Sighting]:
    for item in contents:
        links = [_text(item, name) for name in _LINKS] if isinstance(item, dict) else []
        if not any(links):
            problems.count(ProblemKind.NO_LINK, _text(item, "title") if isinstance(item, dict) else "")
            continue
        if _leads_away(item, site):
            continue
        target = next((t for link in links if (t := article_link(site, site.root, link)) is not None), None)
        if target is not None:
            yield Sighting(
                url=target[0],
                post_id=target[1],
                title=plain_text(item.get("title")),
                summary=plain_text(item.get("description")),
                published_at=instant(_times(item, "date"), now, problems),
                modified_at=instant(_times(item, "update_time"), now, problems),
            )


def _leads_away(item: Mapping[str, Any], site: Site) -> bool:
    """Whether a list item redirects to another site or shows another site in a frame."""
    links = (_text(item, name) for name in ("redirect_link", "frame_link"))
    targets = (urls.absolute(site.root, link) for link in links if link)
    return any(target is not None and not site.owns(target) for target in targets)


def _text(item: Mapping[str, Any], name: str) -> str:
    return json_text.text(item.get(name)).strip()


def _times(item: Mapping[str, Any], name: str) -> list[str]:
    """Return the time in a field, which may be a number or a string (dossier section 18.13); none if it is not set."""
    value = item.get(name)
    return [str(value)] if isinstance(value, int | float | str) and _is_set(value) else []


def _is_set(value: object) -> bool:
    """Whether a flag or error code is set. Strings such as "false" and "0" mean that it is not set."""
    return str(value).strip().lower() not in _FALSE


def _next_page(url: str) -> str | None:
    """Return the URL of the page that follows `url`; None if the path of `url` does not end with a page number.

    Example: the page number of `morenews-zone-471-1.html` is 1.
    """
    match = _PAGE.search(url)
    return f"{url[: match.start(1)]}{int(match[1]) + 1}{url[match.end(1) :]}" if match else None
