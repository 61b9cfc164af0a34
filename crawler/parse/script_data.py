"""Pages whose article is only in a JSON script, from which a program in the browser builds what readers see.

The layout says where the script has each field. Their values are written into a small page of their own, in which each
field has the class `data-` and its name; the layout reads that page like any other.

Boundary: a page in, a page out; the values are read only by the layout.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.markup import DataPaths
from crawler.parse import dom, guard, inline, json_text
from crawler.parse.frame import PageTree

FIELDS = tuple(f.name for f in fields(DataPaths) if f.name != "script")
_BODY = "body"
_ELEMENTS = {"title": "h1", "tags": "a"}
_MARKUP = re.compile(r"<[a-zA-Z/!]")
_MOST_SCRIPTS = 40
_LARGEST = 1_000_000  # characters of a script; the data of an article have about 50,000
_MOST_ITEMS = 500  # values at a path with `*`
_STEP = re.compile(r"[^/]+")


def opened(page: PageTree, paths: DataPaths) -> PageTree | None:
    """Return the page that the data of a script describe; None if no script has a title, or the page is not safe."""
    for script in dom.select(page.tree, paths.script)[:_MOST_SCRIPTS]:
        data = load(script)
        found = {name: list(values(data, getattr(paths, name))) for name in FIELDS if getattr(paths, name)}
        if not found.get("title"):
            continue
        source = _page(found).encode()
        if guard.hazard(source) is not None:
            return None
        tree = LexborHTMLParser(source)
        inline.prepare(tree)
        return replace(page, tree=tree, html=source)
    return None


def load(script: LexborNode) -> Any:
    """Return the value of the JSON in a script, also if it is assigned to a variable; None if there is none."""
    source = script.text(deep=True)
    for opening, closing in ("{}", "[]"):
        start, end = source.find(opening), source.rfind(closing)
        if 0 <= start < end and len(source) <= _LARGEST:
            with suppress(ValueError):
                return json_text.load(source[start : end + 1]).value
    return None


def values(data: Any, path: str) -> Iterator[str]:
    """Yield the texts at a path such as `/props/article/title`; the step `*` stands for all items of a list or object."""
    yield from (value for value in items(data, path) if isinstance(value, str) and value.strip())


def items(data: Any, path: str) -> list[Any]:
    """Return the values at a path, of any type, at most 500."""
    found = [data]
    for step in _STEP.findall(path):
        found = list(islice((value for item in found for value in _children(item, step)), _MOST_ITEMS))
    return found


def leaves(data: Any, most: int) -> Iterator[tuple[str, Any]]:
    """Yield the values in the data that are not lists or objects, with their paths, in order; at most `most` are examined.

    There is no recursion, because the data may be nested without limit. Keys that a path cannot name are left out.
    """
    stack: list[tuple[str, Any]] = [("", data)]
    number = 0
    while stack and number < most:
        path, value = stack.pop()
        number += 1
        if isinstance(value, dict):
            stack.extend((f"{path}/{key}", item) for key, item in reversed(value.items()) if key and "/" not in key)
        elif isinstance(value, list):
            stack.extend((f"{path}/{place}", item) for place, item in reversed(list(enumerate(value))))
        else:
            yield path, value


def _children(item: Any, step: str) -> list[Any]:
    if isinstance(item, list):
        if step == "*":
            return item
        return [item[int(step)]] if step.isdecimal() and int(step) < len(item) else []
    if isinstance(item, dict):
        if step == "*":
            return list(item.values())
        return [item[step]] if step in item else []
    return []


def _page(found: dict[str, list[str]]) -> str:
    parts = [_element(name, texts) for name, texts in found.items()]
    return f"<!DOCTYPE html><body><article>{''.join(parts)}</article></body>"


def _element(name: str, texts: list[str]) -> str:
    """Return the HTML of one field; each text of a body is a paragraph of its own, unless it is HTML."""
    if name == _BODY:
        inner = "".join(text if _MARKUP.search(text) else f"<p>{html.escape(text)}</p>" for text in texts)
        return f'<div class="data-{name}">{inner}</div>'
    if name == "picture":
        return "".join(f'<figure class="data-{name}"><img src="{html.escape(text)}"></figure>' for text in texts)
    plain = (text if _MARKUP.search(text) else html.escape(html.unescape(text)) for text in texts)
    tag = _ELEMENTS.get(name, "div")
    return "".join(f'<{tag} class="data-{name}">{text}</{tag}>' for text in plain)
