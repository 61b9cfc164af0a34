"""Finds where the scripts of pages have the known fields, if the pages themselves do not show the article.

Boundary: reads scripts as data; nothing in them is run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from selectolax.lexbor import LexborNode

from crawler.heal import selectors
from crawler.heal.places import KnownPage
from crawler.heal.text_index import squeeze
from crawler.markup import DataPaths
from crawler.parse import script_data
from crawler.parse.times import instant
from crawler.types import Article

_SCRIPTS = 'script:not([src]):not([type*="ld+json" i])'
_MOST_SCRIPTS = 40
_MOST_TEXTS = 5_000  # of one script
_LONGEST = 60_000  # characters of a text that is compared
_ADDRESS = re.compile(r"(?:https?:)?//")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_LAST_NUMBER = re.compile(r"(.*)/\d+((?:/[^/\d][^/]*)*)$")
_ENOUGH = 0.6  # share of the pages on which a path must have the field, and of the paragraphs that a body must have


def learn(pages: Sequence[KnownPage], further: Sequence[KnownPage] = ()) -> DataPaths | None:
    """Return the paths of the fields in the scripts; None if most pages have no script with the title and the text.

    The articles of `further` pages have no text, but may have fields that no other article has, such as the address of a
    picture.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in script_data.FIELDS}
    scripts: Counter[str] = Counter()
    costs: dict[str, float] = {}
    for known in pages:
        for script, found in _described(known):
            if "title" in found and "body" in found:
                for name, path in found.items():
                    counts[name][path] += 1
                costs |= selectors.of(script)
                scripts.update(selectors.of(script).keys())
                break
    best = _most_common(counts)
    least = _ENOUGH * len(pages)
    if not scripts or any(counts[name][best.get(name, "")] < least for name in ("title", "body")):
        return None
    for known in further:
        for _, found in _described(known):
            for name in found if found.get("title") == best["title"] else ():
                counts[name][found[name]] += 1
    most = max(scripts.values())
    chosen = min((s for s, n in scripts.items() if n == most), key=lambda s: costs[s])
    return DataPaths(script=(chosen,), **(_most_common(counts) | {name: best[name] for name in ("title", "body")}))


def _most_common(counts: Mapping[str, Counter[str]]) -> dict[str, str]:
    return {name: count.most_common(1)[0][0] for name, count in counts.items() if count}


def _described(known: KnownPage) -> Iterator[tuple[LexborNode, dict[str, str]]]:
    """Yield the scripts of a page with the paths of the fields in their data."""
    for script in known.page.tree.css(_SCRIPTS)[:_MOST_SCRIPTS]:
        yield script, _paths(known.article, script_data.load(script))


def opened(pages: Sequence[KnownPage], paths: DataPaths) -> list[KnownPage]:
    """Return the pages that the scripts describe, with the articles that are known of them."""
    found = ((known, script_data.opened(known.page, paths)) for known in pages)
    return [replace(known, page=page) for known, page in found if page is not None]


def _paths(article: Article, data: Any) -> dict[str, str]:
    """Return the path of each field whose value is in the data; the shortest one if there are several."""
    leaves = script_data.leaves(data, _MOST_TEXTS)
    texts = [(path, text) for path, text in leaves if isinstance(text, str) and len(text) <= _LONGEST]
    squeezed: dict[str, list[str]] = {}
    for path, text in texts:
        squeezed.setdefault(squeeze(_TAG.sub("", text)), []).append(path)
    wanted = {"title": article.title, "lead": article.lead, "byline": article.byline, "section": article.section}
    wanted |= {"caption": next((i.caption for i in article.images if i.caption), None)}
    found = {
        name: min(paths, key=len) for name, value in wanted.items() if value and (paths := squeezed.get(squeeze(value)))
    }
    urls = {image.url for image in article.images[:1]}
    times = instant(article.published_at) if article.published_at else None
    for path, text in texts:
        if text in urls:
            found.setdefault("picture", path)
        if times is not None and 8 <= len(text) <= 40 and instant(text) == times:
            found.setdefault("time", path)
    tags = {_general(p) for tag in article.tags for p in squeezed.get(squeeze(tag), ())}
    if tags:
        found["tags"] = min(tags, key=len)
    if body := _body(article, squeezed):
        found["body"] = body
    if "picture" in found and "caption" not in found and (beside := _beside(found["picture"], texts)):
        found["caption"] = beside
    return found


def _beside(picture: str, texts: Sequence[tuple[str, str]]) -> str | None:
    """Return the path of the only text in the object with the address of a picture: it is the caption."""
    around = picture.rpartition("/")[0]
    own = [path for path, text in texts if path.rpartition("/")[0] == around and not _ADDRESS.match(text)]
    return own[0] if len(own) == 1 else None


def _body(article: Article, squeezed: dict[str, list[str]]) -> str | None:
    """Return the path of a text with most paragraphs, or of a list of the paragraphs."""
    paragraphs = [squeeze(p) for p in article.paragraphs if p]
    if not paragraphs:
        return None
    least = _ENOUGH * len(paragraphs)
    whole = [p for text, paths in squeezed.items() if sum(x in text for x in paragraphs) >= least for p in paths]
    if whole:
        return min(whole, key=len)
    lists = Counter(_general(path) for p in paragraphs for path in squeezed.get(p, ())[:1])
    path, number = lists.most_common(1)[0] if lists else ("", 0)
    return path if number >= least else None


def _general(path: str) -> str:
    """Return a path with `*` for its last number, the position in a list."""
    match = _LAST_NUMBER.match(path)
    return f"{match[1]}/*{match[2]}" if match else path
