"""Read lists that name their stories only by post ids, without addresses, as a layout describes them.

Boundary: a tree in, values out; nothing in a script is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.markup import ListSelectors
from crawler.parse import dom, script_data
from crawler.site import Site
from crawler.types import Sighting

_NUMBER = re.compile(r"(?<![0-9])0*([1-9][0-9]{3,11})(?![0-9])")  # post ids have had five digits since 2010
_MOST = 5_000  # items of one page
_MOST_SCRIPTS = 40


def stories(tree: LexborHTMLParser, layout: ListSelectors, site: Site) -> Iterator[Sighting]:
    """Yield a sighting for each story that a layout finds on a page, in document order.

    The address is the one without a slug: what the page links to is not known to be an address of the article.
    """
    for number, title in read(tree, layout):
        yield Sighting(url=site.article_url_without_slug(number), post_id=number, title=title)


def read(tree: LexborHTMLParser, layout: ListSelectors) -> Iterator[tuple[int, str | None]]:
    """Yield the post id and the headline of each story that a layout finds on a page, in document order."""
    yield from _in_elements(tree, layout)
    yield from _in_scripts(tree, layout)


def post_id(value: object, number: str) -> int | None:
    """Return the first or last number of a text that may be a post id; None if there is none."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = _NUMBER.findall(text) if isinstance(text, str) else []
    return int(found[0 if number == "first" else -1]) if found else None


def _in_elements(tree: LexborHTMLParser, layout: ListSelectors) -> Iterator[tuple[int, str | None]]:
    for item in dom.select(tree, layout.item)[:_MOST]:
        found = post_id(_value(item, layout), layout.number)
        if found is not None:
            yield found, _headline(item, layout)


def _value(item: LexborNode, layout: ListSelectors) -> str:
    """Return the value of the attribute with the post id; an empty string if there is none."""
    values = (dom.attribute(item, name) for name in layout.id)
    own = next(filter(None, values), "")
    if own:
        return own
    inner = item.css_first(", ".join(f"[{name}]" for name in layout.id)) if layout.id else None
    return next((v for name in layout.id if (v := dom.attribute(inner, name))), "") if inner is not None else ""


def _headline(item: LexborNode, layout: ListSelectors) -> str | None:
    found = (node for selector in layout.title for node in item.css(selector))  # `css` also finds the item itself
    return next(filter(None, map(dom.text, found)), None)


def _in_scripts(tree: LexborHTMLParser, layout: ListSelectors) -> Iterator[tuple[int, str | None]]:
    for script in dom.select(tree, layout.script)[:_MOST_SCRIPTS]:
        data = script_data.load(script)
        for path in layout.stories:
            for story in script_data.items(data, path):
                found = post_id(_member(story, layout.story_id), layout.number)
                if found is not None:
                    yield found, _title(_member(story, layout.story_title))


def _member(story: Any, path: str) -> Any:
    return next(iter(script_data.items(story, path)), None) if path else None


def _title(value: Any) -> str | None:
    return (dom.collapse(value) or None) if isinstance(value, str) else None
