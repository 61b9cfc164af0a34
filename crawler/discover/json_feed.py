"""Read a JSON Feed (https://jsonfeed.org/version/1.1), which a site may serve in place of RSS or Atom.

Boundary: bytes in, values out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crawler.discover import xml_text
from crawler.discover.feed_item import FeedItem
from crawler.discover.found import json_value
from crawler.discover.problems import Problems
from crawler.errors import UnreadableSource
from crawler.parse import json_text

_VERSION = "jsonfeed.org/version/"


def items(body: bytes, url: str, problems: Problems) -> Iterator[FeedItem]:
    """Return the items of a JSON Feed; add what is wrong with it to `problems`.

    Raises:
        UnreadableSource: the response is not a JSON Feed.

    """
    document = json_value(body, url, "a feed", problems)
    listed = document.get("items") if isinstance(document, dict) else None
    if not isinstance(listed, list) or _VERSION not in json_text.text(document.get("version")):
        raise UnreadableSource(url, "expected a feed, got JSON that is not a JSON Feed")
    return (_item(item) for item in listed if isinstance(item, dict))


def _date(value: object) -> str:
    """Return a date as text; it should be one, but some generators write the seconds since 1970 as a number."""
    return str(value) if isinstance(value, int | float) else json_text.text(value).strip()


def _item(item: dict[str, Any]) -> FeedItem:
    text = {name: json_text.text(value).strip() for name, value in item.items()}
    links = [text[name] for name in ("url", "external_url") if text.get(name)]
    if text.get("id", "").startswith(("http://", "https://")):
        links.append(text["id"])
    links = [xml_text.address(link) for link in links]
    return FeedItem(
        links=tuple(links),
        title=text.get("title"),
        summary=text.get("summary"),
        dates=tuple(date for name in ("date_published", "date_modified") if (date := _date(item.get(name)))),
    )
